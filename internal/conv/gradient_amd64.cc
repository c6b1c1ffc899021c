// Derivatives. The order of all sums is the same for any number of threads.
#include <algorithm>

#include "shared.h"
#include "winograd.h"

using namespace pdd;

namespace {

constexpr int UNIT = 8;     // tiles that a thread transforms at a time
constexpr int PARTS = 32;   // of all rows, for sums over pixels
constexpr int LEAST = 144;  // tiles of a chunk, unless there are fewer
constexpr int64_t CHUNK = 1 << 21;  // floats of a chunk's matrices, if that is not less than LEAST tiles

// How many tiles' matrices there are at a time.
int chunk(int tiles, int in, int out) {
  return std::min<int64_t>(tiles, std::max<int64_t>(LEAST, CHUNK / (POINTS * (in + out))));
}

}  // namespace

int64_t pdd_winograd_gradient_scratch(const pdd_conv *c) {
  const int in = in_channels(*c), out = out_channels(*c), tiles = chunk(tiles_of(*c), in, out);
  return POINTS * (stride(tiles, in) + stride(tiles, out) + stride(in, out));
}

void pdd_winograd_gradient(int isa, const pdd_conv *c, float gain, pdd_filters w, int threads, float *scratch) {
  const Kernels &kernel = kernels(isa);
  const int all = tiles_of(*c), in = in_channels(*c), out = out_channels(*c), most = chunk(all, in, out);
#pragma omp parallel num_threads(threads)
  for (int first = 0; first < all; first += most) {
    Gradient g{first, std::min(most, all - first), in, out, scratch, nullptr, nullptr};
    g.m = g.v + POINTS * stride(most, in), g.u = g.m + POINTS * stride(most, out);
#pragma omp for schedule(dynamic)
    for (int t = 0; t < g.tiles; t += UNIT)
      kernel.gradient_tiles(*c, g, {first + t, first + std::min(t + UNIT, g.tiles)});
#pragma omp for collapse(2) schedule(dynamic)
    for (int p = 0; p < POINTS; p++)
      for (int k = 0; k < in; k += BLOCK) kernel.gradient_products(g, p, k, k + BLOCK, first > 0);
    if (first + most < all) continue;
#pragma omp for collapse(2) schedule(dynamic)
    for (int k = 0; k < in; k += BLOCK)
      for (int o = 0; o < out; o += BLOCK) kernel.gradient_filters(g, gain, w, k, o);
  }
}

int64_t pdd_winograd_bias_scratch(int blocks) { return static_cast<int64_t>(PARTS) * blocks * BLOCK; }

void pdd_winograd_activation(int isa, pdd_planes g, pdd_planes y, float slope, int images, int height, int width,
                             float gain, float *bias, int threads, float *scratch) {
  const Kernels &kernel = kernels(isa);
  const int64_t rows = static_cast<int64_t>(images) * height, n = g.blocks * BLOCK;
#pragma omp parallel for num_threads(threads)
  for (int i = 0; i < PARTS; i++)
    kernel.activation(g, y, slope, width, height, rows * i / PARTS, rows * (i + 1) / PARTS, bias ? scratch + i * n : nullptr);
  for (int64_t k = 0; bias && k < n; k++) {
    float sum = 0;
    for (int i = 0; i < PARTS; i++) sum += scratch[i * n + k];
    bias[k] = gain * sum;
  }
}

const pdd_winograd pdd_winograd_table = {
    pdd_winograd_weights, pdd_winograd_scratch, pdd_winograd_gradient_scratch, pdd_winograd_bias_scratch,
    pdd_winograd_pack,    pdd_winograd_run,     pdd_winograd_gradient,         pdd_winograd_activation,
};
