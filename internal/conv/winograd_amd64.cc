// Weights, pictures, and the threads that share the tiles.
#include "winograd.h"

#include <omp.h>

#include <algorithm>

#include "shared.h"

using namespace pdd;

int pdd_winograd_isa(void) {
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return PDD_AVX512;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? PDD_AVX2 : PDD_NO_ISA;
}

int64_t pdd_winograd_weights(int in_blocks, int out_blocks) {
  return POINTS * stride(in_blocks * BLOCK, out_blocks * BLOCK);
}

int64_t pdd_winograd_scratch(int in_blocks, int out_blocks) {
  return POINTS * (stride(TILES, in_blocks * BLOCK) + stride(TILES, out_blocks * BLOCK));
}

void pdd_winograd_pack(int isa, pdd_filters w, int out, int in, const int32_t *channel, float gain, int in_blocks,
                       float *u, int from, int to, int threads) {
  const Kernels &kernel = kernels(isa);
  const int64_t channels = in_blocks * BLOCK, outs = (out + BLOCK - 1) / BLOCK * BLOCK;
  const int64_t group = kernel.group, whole = outs / group * group;
  const int parts = (in + BLOCK - 1) / BLOCK;
#pragma omp parallel for num_threads(threads) if (threads > 1)
  for (int i = from * parts; i < to * parts; i++) {
    const int64_t o = i / parts * BLOCK, k = i % parts * BLOCK;
    // output channels whose weights lie together; where o's begin
    const int64_t wide = o < whole ? group : BLOCK, begin = o / wide * wide * channels + o % wide;
    pdd_filters block = w;
    block.data += o * w.out + k * w.in;
    kernel.pack(block, std::min<int64_t>(in - k, BLOCK), std::min<int64_t>(out - o, BLOCK), channel ? channel + k : nullptr,
                gain, u + begin + (channel ? 0 : k * wide), wide, stride(channels, outs));
  }
}

// How many tiles to work on together: each thread gets as many groups of tiles as any other, and a group is of whole `rows`.
static int together(int tiles, int threads, int rows) {
  const int groups = (tiles + threads * TILES - 1) / (threads * TILES) * threads;
  return std::min(((tiles + groups - 1) / groups + rows - 1) / rows * rows, TILES);
}

void pdd_winograd_run(int isa, const pdd_conv *c, int threads, float *scratch) {
  const Kernels &kernel = kernels(isa);
  const int tiles = tiles_of(*c), step = together(tiles, threads, kernel.rows);
  const int64_t each = pdd_winograd_scratch(c->in[0].blocks + c->in[1].blocks, c->out.blocks);
#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (int first = 0; first < tiles; first += step)
    kernel.run(*c, {first, std::min(first + step, tiles)}, scratch + omp_get_thread_num() * each);
}

void pdd_planes_read(const float *src, int channels, int height, int width, int factor, pdd_planes dst, int threads) {
#pragma omp parallel for num_threads(threads)
  for (int y = 0; y < height / factor; y++) {
    for (int k = 0; k < dst.blocks * BLOCK; k++) {
      const bool there = k < channels * factor * factor;
      const float *from = src + (there ? unshuffled(k, y, height, width, factor) : 0);
      float *to = at(dst, 0, k / BLOCK, y + dst.top, 0) + k % BLOCK;
      for (int x = 0; x < width / factor; x++) to[x * BLOCK] = there ? from[x * factor] : 0;
    }
  }
}

void pdd_planes_write(pdd_planes src, int from, int to, int channels, int height, int width, int factor,
                      const float *base, float *dst, int threads) {
#pragma omp parallel for num_threads(threads)
  for (int y = from; y < to; y++) {
    for (int k = 0; k < channels * factor * factor; k++) {
      const int c = k / (factor * factor);
      const float *in = at(src, 0, k / BLOCK, y, 0) + k % BLOCK;
      const float *add = base ? base + (static_cast<int64_t>(c) * height + y) * width : nullptr;
      float *out = dst + unshuffled(k, y, height * factor, width * factor, factor);
      for (int x = 0; x < width; x++) out[x * factor] = in[x * BLOCK] + (add ? add[x] : 0);
    }
  }
}
