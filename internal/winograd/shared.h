// What the instruction sets' kernels agree on.
#pragma once
#include "winograd.h"

namespace pdd {

constexpr int BLOCK = 16;  // channels side by side
constexpr int POINTS = 36; // of F(4x4, 3x3): products of matrices
constexpr int TILES = 24;  // 4x4 tiles worked on together: their matrices fit the second-level cache

// Output channels whose weights lie together.
constexpr int AVX2_GROUP = 16, AVX512_GROUP = 32;

// Floats between two points' matrices: not a power of 2, so that they fall into different sets of the cache.
constexpr long stride(int channels) { return static_cast<long>(TILES) * channels + 16; }

// The interpolation points are 0, ±A, ±B and infinity, with A B = 1, which keeps the factors of the transforms small.
constexpr float A = 0.70710678118654752f, B = 1.41421356237309505f;
constexpr float A2 = 0.5f, B2 = 2;

// One block of tiles: tiles [first, last) of those in rows [from, to), `across` in a row.
typedef void run_fn(const pdd_conv &c, int first, int last, int across, float *scratch);
run_fn run_avx2, run_avx512;

}  // namespace pdd
