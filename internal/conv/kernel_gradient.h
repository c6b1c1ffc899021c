// The derivatives of a convolution, by the transposes of kernel.h's transforms. That for its input is a convolution too,
// with the filters turned around.

namespace pdd {
namespace {

constexpr int KR = BLOCK % MR == 0 ? MR : 4;  // input channels of a register block: a part of BLOCK

// One dimension of A g A^T, the transpose of output_1d.
inline void spread_1d(const vec *g, vec *m) {
  vec a = g[0] + A2 * g[2], d = A * g[1] + (A2 * A) * g[3];
  vec b = g[0] + B2 * g[2], e = B * g[1] + (B2 * B) * g[3];
  m[0] = g[0];
  m[1] = a + d, m[2] = a - d;
  m[3] = b + e, m[4] = b - e;
  m[5] = g[3];
}

// One dimension of G^T u G, the transpose of filter_1d.
inline void unfilter_1d(const vec *u, vec *o) {
  vec s = NA * (u[1] + u[2]), t = NB * (u[3] + u[4]);
  o[0] = u[0] + s + t;
  o[1] = NA * A * (u[1] - u[2]) + NB * B * (u[3] - u[4]);
  o[2] = A2 * s + B2 * t + u[5];
}

// The 4x4 pixels at a place of c.out, zeros beyond the picture, to the 36 matrices.
inline void spread_tile(const pdd_conv &c, int block, Place o, float *m, int64_t apart) {
  const int ny = c.to - o.y < 4 ? c.to - o.y : 4, nx = c.width - o.x < 4 ? c.width - o.x : 4;
  const float *p = at(c.out, o.image, block, o.y, o.x);
  for (int lane = 0; lane < BLOCK; lane += LANES) {
    vec t[4][6];
    for (int x = 0; x < 4; x++) {
      vec g[4];
      for (int y = 0; y < 4; y++) g[y] = x < nx && y < ny ? load(p + y * c.out.row + x * c.out.pixel + lane) : vec{};
      spread_1d(g, t[x]);
    }
    for (int y = 0; y < 6; y++) {
      vec g[4] = {t[0][y], t[1][y], t[2][y], t[3][y]}, r[6];
      spread_1d(g, r);
      for (int x = 0; x < 6; x++) store(m + (6 * y + x) * apart + lane, r[x]);
    }
  }
}

void gradient_tiles(const pdd_conv &c, const Gradient &g, Tiles tiles) {
  const int64_t skip = tiles.first - g.first;
  float *to = g.v + skip * g.in;
  for (const pdd_planes &planes : c.in)
    for (int b = 0; b < planes.blocks; b++, to += BLOCK) transform_block(c, planes, b, tiles, to, g.in, stride(g.tiles, g.in));
  Place o = place(c, tiles.first);
  float *m = g.m + skip * g.out;
  for (int t = tiles.first; t < tiles.last; t++, next(c, o), m += g.out)
    for (int b = 0; b < c.out.blocks; b++) spread_tile(c, b, o, m + b * BLOCK, stride(g.tiles, g.out));
}

// Input channels [from, to) of a point's u = v^T m, or u += v^T m.
void gradient_products(const Gradient &g, int point, int from, int to, bool add) {
  const float *v = g.v + point * stride(g.tiles, g.in), *m = g.m + point * stride(g.tiles, g.out);
  float *u = g.u + point * stride(g.in, g.out);
  int o = 0;
  for (; o + GROUP <= g.out; o += GROUP)
    for (int k = from; k < to; k += KR)
      multiply<KR, NR>(v + k, 1, g.in, m + o, g.out, g.tiles, u + static_cast<int64_t>(k) * g.out + o, g.out, add);
  for (; o < g.out; o += LANES)
    for (int k = from; k < to; k += KR)
      multiply<KR, 1>(v + k, 1, g.in, m + o, g.out, g.tiles, u + static_cast<int64_t>(k) * g.out + o, g.out, add);
}

// A block of the filters, gain times G^T u G, from input channel `in` and output channel `out` on.
void gradient_filters(const Gradient &g, float gain, const pdd_filters &w, int in, int out) {
  const int64_t apart = stride(g.in, g.out);
  Filters filters;
  for (int k = 0; k < BLOCK; k++) {
    for (int lane = 0; lane < BLOCK; lane += LANES) {
      const float *u = g.u + static_cast<int64_t>(in + k) * g.out + out + lane;
      vec t[6][3];
      for (int y = 0; y < 6; y++) {
        vec r[6];
        for (int x = 0; x < 6; x++) r[x] = load(u + (6 * y + x) * apart);
        unfilter_1d(r, t[y]);
      }
      for (int x = 0; x < 3; x++) {
        vec r[6] = {t[0][x], t[1][x], t[2][x], t[3][x], t[4][x], t[5][x]}, f[3];
        unfilter_1d(r, f);
        for (int y = 0; y < 3; y++) store(filters.taps[3 * y + x][k] + lane, gain * f[y]);
      }
    }
  }
  pdd_filters block = w;
  block.data += out * w.out + in * w.in;
  filters.each(block, BLOCK, BLOCK, [](const float &tap, float &to) { to = tap; });
}

// Rows [from, to) of all images' rows. sums [blocks][16], unless NULL, gets their sums.
void activation(const pdd_planes &g, const pdd_planes &y, float slope, int width, int height, int from, int to, float *sums) {
  for (int b = 0; b < g.blocks; b++) {
    for (int lane = 0; lane < BLOCK; lane += LANES) {
      vec sum{};
      for (int r = from; r < to; r++) {
        float *p = at(g, r / height, b, r % height, 0) + lane;
        const float *q = y.data ? at(y, r / height, b, r % height, 0) + lane : nullptr;
        for (int x = 0; x < width; x++) {
          vec v = load(p + x * g.pixel);
          if (q) store(p + x * g.pixel, v = load(q + x * y.pixel) > vec{} ? v : v * slope);
          sum += v;
        }
      }
      if (sums) store(sums + b * BLOCK + lane, sum);
    }
  }
}

}  // namespace

const Kernels KERNELS{GROUP, MR, run, pack, gradient_tiles, gradient_products, gradient_filters, activation};

}  // namespace pdd
