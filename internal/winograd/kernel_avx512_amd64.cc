#include <immintrin.h>

#include "shared.h"

#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,fma")
#define LANES 16
#define STREAM _mm512_stream_ps
#define MR 8

namespace pdd {
namespace {
#include "kernel.h"
}  // namespace

void run_avx512(const pdd_conv &c, int first, int last, int across, float *scratch) {
  run_block(c, Tiles{first, last, across}, scratch);
}

}  // namespace pdd
