#include <immintrin.h>

#include "shared.h"

#pragma GCC target("avx2,fma")
#define KERNELS avx2_kernels
#define GROUP AVX2_GROUP
#define LANES 8
#define STREAM _mm256_stream_ps
#define MR 6

#include "kernel.h"
#include "kernel_gradient.h"
