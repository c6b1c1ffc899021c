#include <immintrin.h>

#include "shared.h"

#pragma GCC target("avx2,fma")
#define LANES 8
#define STREAM _mm256_stream_ps
#define MR 6

namespace pdd {
namespace {
#include "kernel.h"
}  // namespace

void run_avx2(const pdd_conv &c, int first, int last, int across, float *scratch) {
  run_block(c, Tiles{first, last, across}, scratch);
}

}  // namespace pdd
