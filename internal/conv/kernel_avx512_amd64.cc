#include <immintrin.h>

#include "shared.h"

#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,fma")
#define KERNELS avx512_kernels
#define GROUP AVX512_GROUP
#define LANES 16
#define STREAM _mm512_stream_ps
#define MR 8

#include "kernel.h"
#include "kernel_gradient.h"
