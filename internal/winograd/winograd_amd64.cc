// Weights, pictures, and the threads that share the tiles.
#include "winograd.h"

#include <math.h>
#include <omp.h>

#include "shared.h"

using namespace pdd;

namespace {

int group(int isa) { return isa == PDD_AVX512 ? AVX512_GROUP : AVX2_GROUP; }

// G g G^T for one 3x3 filter.
struct Filter {
  double g[6][3];

  Filter() {
    const double point[5] = {0, A, -A, B, -B};
    for (int i = 0; i < 5; i++) {
      double n = 1;
      for (int j = 0; j < 5; j++) n *= j == i ? 1 : point[i] - point[j];
      for (int k = 0; k < 3; k++) g[i][k] = (k == 0 ? 1 : k == 1 ? point[i] : point[i] * point[i]) / n;
    }
    g[5][0] = g[5][1] = 0, g[5][2] = 1;
  }

  void transform(const float *w, double gain, float *u) const {
    double t[6][3];
    for (int i = 0; i < 6; i++)
      for (int x = 0; x < 3; x++) t[i][x] = gain * (g[i][0] * w[x] + g[i][1] * w[3 + x] + g[i][2] * w[6 + x]);
    for (int i = 0; i < 6; i++)
      for (int j = 0; j < 6; j++)
        u[6 * i + j] = static_cast<float>(t[i][0] * g[j][0] + t[i][1] * g[j][1] + t[i][2] * g[j][2]);
  }
};

}  // namespace

int pdd_winograd_isa(void) {
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return PDD_AVX512;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? PDD_AVX2 : PDD_NO_ISA;
}

int64_t pdd_winograd_weights(int in_blocks, int out_blocks) {
  return static_cast<int64_t>(POINTS) * in_blocks * BLOCK * out_blocks * BLOCK;
}

int64_t pdd_winograd_scratch(int in_blocks, int out_blocks) {
  return POINTS * (stride(in_blocks * BLOCK) + stride(out_blocks * BLOCK));
}

void pdd_winograd_pack(int isa, const float *w, int from, int to, int in, const int32_t *channel, float gain,
                       int in_blocks, float *u, int out_blocks) {
  const Filter filter;
  const int64_t channels = in_blocks * BLOCK, outs = out_blocks * BLOCK, n = group(isa), whole = outs / n * n;
  int64_t run;  // output channels whose weights lie together
  for (int64_t o = from; o < to; o += run) {
    // where output channel o's column begins, and how far apart its rows are
    const int64_t wide = o < whole ? n : BLOCK, at = o / wide * wide * channels + o % wide;
    run = wide - o % wide < to - o ? wide - o % wide : to - o;
    for (int64_t k = 0; k < in; k++) {
      float f[AVX512_GROUP][POINTS];
      for (int64_t i = 0; i < run; i++) filter.transform(w + ((o + i) * in + k) * 9, gain, f[i]);
      for (int p = 0; p < POINTS; p++)
        for (int64_t i = 0; i < run; i++) u[p * channels * outs + at + channel[k] * wide + i] = f[i][p];
    }
  }
}

void pdd_winograd_run(int isa, const pdd_conv *c, int threads, float *scratch) {
  run_fn *run = isa == PDD_AVX512 ? run_avx512 : run_avx2;
  const int across = (c->width + 3) / 4, tiles = across * ((c->to - c->from + 3) / 4);
  const int64_t each = pdd_winograd_scratch(c->in[0].blocks + c->in[1].blocks, c->out.blocks);
#pragma omp parallel for num_threads(threads) schedule(dynamic)
  for (int first = 0; first < tiles; first += TILES) {
    int last = first + TILES < tiles ? first + TILES : tiles;
    run(*c, first, last, across, scratch + omp_get_thread_num() * each);
  }
}

void pdd_planes_read(const float *src, int channels, int height, int width, int factor, pdd_planes dst, int threads) {
#pragma omp parallel for num_threads(threads)
  for (int y = 0; y < dst.rows; y++) {
    for (int k = 0; k < dst.blocks * BLOCK; k++) {
      const int c = k / (factor * factor), dy = k / factor % factor, dx = k % factor;
      const float *from = src + (static_cast<int64_t>(c) * height + y * factor + dy) * width + dx;
      float *to = dst.data + (static_cast<int64_t>(k / BLOCK) * dst.rows + y) * dst.width * BLOCK + k % BLOCK;
      for (int x = 0; x < dst.width; x++) to[x * BLOCK] = c < channels ? from[x * factor] : 0;
    }
  }
}

void pdd_planes_write(pdd_planes src, int from, int to, int channels, int height, int factor, const float *base,
                      float *dst, int threads) {
  const int width = src.width;
#pragma omp parallel for num_threads(threads)
  for (int y = from; y < to; y++) {
    for (int k = 0; k < channels * factor * factor; k++) {
      const int c = k / (factor * factor), dy = k / factor % factor, dx = k % factor;
      const float *in = src.data + (static_cast<int64_t>(k / BLOCK) * src.rows + y - src.top) * width * BLOCK + k % BLOCK;
      const float *add = base ? base + (static_cast<int64_t>(c) * height + y) * width : nullptr;
      float *out = dst + ((static_cast<int64_t>(c) * height + y) * factor + dy) * width * factor + dx;
      for (int x = 0; x < width; x++) out[x * factor] = in[x * BLOCK] + (add ? add[x] : 0);
    }
  }
}
