// What the instruction sets' kernels agree on.
#pragma once
#include "winograd.h"

namespace pdd {

constexpr int BLOCK = PDD_BLOCK;
constexpr int POINTS = 36; // of F(4x4, 3x3): products of matrices
constexpr int TILES = 24;  // 4x4 tiles worked on together: their matrices fit the second-level cache

// Output channels whose weights lie together.
constexpr int AVX2_GROUP = 16, AVX512_GROUP = 32;

// Floats between two points' matrices: not a power of 2, so that they fall into different sets of the cache.
constexpr int64_t stride(int64_t rows, int64_t columns) { return rows * columns + 16; }

// The interpolation points are 0, ±A, ±B and infinity, with A B = 1, which keeps the factors of the transforms small.
constexpr float A = 0.70710678118654752f, B = 1.41421356237309505f;
constexpr float A2 = 0.5f, B2 = 2;

// The factors of a filter's transform at ±A and ±B: one over the product of a point's distances from the others.
constexpr float NA = 1 / (2 * A2 * (A2 - B2)), NB = 1 / (2 * B2 * (B2 - A2));

// Tiles [first, last) of a convolution, counted along the rows of tiles, image by image.
struct Tiles {
  int first, last;
};

// Matrices of a gradient's tiles [0, tiles): v [POINTS][tiles][in], m [POINTS][tiles][out], u [POINTS][in][out].
struct Gradient {
  int first, tiles;  // first: of the convolution's tiles
  int in, out;       // channels
  float *v, *m, *u;
};

// The kernels for an instruction set. Each is a part of the work, for one thread.
struct Kernels {
  int group;  // output channels whose weights lie together
  int rows;   // tiles whose products are made together
  void (*run)(const pdd_conv &c, Tiles tiles, float *scratch);
  void (*pack)(const pdd_filters &w, int ins, int outs, const int32_t *channel, float gain, float *u, int64_t row,
               int64_t apart);
  void (*gradient_tiles)(const pdd_conv &c, const Gradient &g, Tiles tiles);
  void (*gradient_products)(const Gradient &g, int point, int from, int to, bool add);
  void (*gradient_filters)(const Gradient &g, float gain, const pdd_filters &w, int in, int out);
  void (*activation)(const pdd_planes &g, const pdd_planes &y, float slope, int width, int height, int from, int to,
                     float *sums);
};
extern const Kernels avx2_kernels, avx512_kernels;

inline const Kernels &kernels(int isa) { return isa == PDD_AVX512 ? avx512_kernels : avx2_kernels; }

inline int in_channels(const pdd_conv &c) { return (c.in[0].blocks + c.in[1].blocks) * BLOCK; }
inline int out_channels(const pdd_conv &c) { return c.out.blocks * BLOCK; }

inline int across(const pdd_conv &c) { return (c.width + 3) / 4; }
inline int down(const pdd_conv &c) { return (c.to - c.from + 3) / 4; }

inline int tiles_of(const pdd_conv &c) { return c.images * across(c) * down(c); }

// Where a tile's output begins.
struct Place {
  int image, y, x;
};

inline Place place(const pdd_conv &c, int tile) {
  const int row = tile / across(c);
  return {row / down(c), c.from + row % down(c) * 4, tile % across(c) * 4};
}

inline void next(const pdd_conv &c, Place &p) {
  if ((p.x += 4) < c.width) return;
  p.x = 0;
  if ((p.y += 4) < c.to) return;
  p.y = c.from, p.image++;
}

inline float *at(const pdd_planes &p, int image, int block, int y, int x) {
  return p.data + image * p.image + block * p.block + (y - p.top) * p.row + x * p.pixel;
}

// Where row y of channel k of a picture's pixel-unshuffle begins in that picture, [channels][height][width].
inline int64_t unshuffled(int k, int y, int height, int width, int factor) {
  const int c = k / (factor * factor), dy = k / factor % factor, dx = k % factor;
  return (static_cast<int64_t>(c) * height + y * factor + dy) * width + dx;
}

}  // namespace pdd
