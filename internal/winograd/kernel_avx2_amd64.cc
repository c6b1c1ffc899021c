#include <immintrin.h>

#include "shared.h"

#pragma GCC target("avx2,fma")
#define RUN run_avx2
#define GROUP AVX2_GROUP
#define LANES 8
#define STREAM _mm256_stream_ps
#define MR 6

#include "kernel.h"
