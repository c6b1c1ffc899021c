// What the instruction sets' kernels agree on.
#pragma once
#include "winograd.h"

namespace pdd {

constexpr int BLOCK = 16;  // channels side by side
constexpr int TILES = 24;  // 4x4 tiles worked on together: their matrices fit the second-level cache

// The interpolation points are 0, ±A, ±B and infinity, with A B = 1, which keeps the factors of the transforms small.
constexpr float A = 0.70710678118654752f, B = 1.41421356237309505f;
constexpr float A2 = 0.5f, B2 = 2;

// One block of tiles: tiles [first, last) of those in rows [from, to), `across` in a row.
typedef void run_fn(const pdd_conv &c, int first, int last, int across, float *scratch);
run_fn run_avx2, run_avx512;

}  // namespace pdd
