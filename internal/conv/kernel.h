// F(4x4, 3x3) of Lavin and Gray 2016 (arXiv 1509.09308): 4x4 output pixels from 6x6 input pixels with 36 instead of 144
// multiplications. Included once for each instruction set, which defines the target, LANES (floats in a register), MR (rows
// of a register block), GROUP, STREAM, and the name of its KERNELS. Plain code without the standard library, in a
// namespace without a name, so that nothing compiled for one CPU is shared with another.

namespace pdd {
namespace {

typedef float vec __attribute__((vector_size(4 * LANES), aligned(4 * LANES)));

constexpr int NR = GROUP / LANES;  // registers across a register block
constexpr int AHEAD = 8;  // pixels along a row to fetch before they are needed
static_assert(TILES % MR == 0, "a block of tiles is whole register blocks");

inline vec load(const float *p) { return *reinterpret_cast<const vec *>(p); }
inline void store(float *p, vec v) { *reinterpret_cast<vec *>(p) = v; }
inline void stream(float *p, vec v) { STREAM(p, v); }  // past the caches, which need not fetch what is overwritten

// One dimension of G g G^T.
inline void filter_1d(const vec *g, vec *o) {
  vec a = NA * g[0] + NA * A2 * g[2], b = NB * g[0] + NB * B2 * g[2];
  vec d = NA * A * g[1], e = NB * B * g[1];
  o[0] = g[0];
  o[1] = a + d, o[2] = a - d;
  o[3] = b + e, o[4] = b - e;
  o[5] = g[2];
}

// Filters of at most BLOCK input and BLOCK output channels, tap by tap.
struct Filters {
  alignas(64) float taps[9][BLOCK][BLOCK];  // [tap][in][out]

  // In the order of their memory: each cache line is read or written once.
  template <class F>
  void each(const pdd_filters &w, int ins, int outs, F f) {
    if (w.out < w.in)
      for (int k = 0; k < ins; k++)
        for (int t = 0; t < 9; t++)
          for (int o = 0; o < outs; o++) f(taps[t][k][o], w.data[o * w.out + k * w.in + t * w.tap]);
    else if (w.in < w.tap)
      for (int o = 0; o < outs; o++)
        for (int t = 0; t < 9; t++)
          for (int k = 0; k < ins; k++) f(taps[t][k][o], w.data[o * w.out + k * w.in + t * w.tap]);
    else
      for (int o = 0; o < outs; o++)
        for (int k = 0; k < ins; k++)
          for (int t = 0; t < 9; t++) f(taps[t][k][o], w.data[o * w.out + k * w.in + t * w.tap]);
  }
};

// `ins` x `outs` filters, whose first is w's, times gain. Input channel k's weights for a point go to row channel[k] of u,
// or k; a point's rows lie `apart` from the next one's. Beyond outs a row's registers become zero.
void pack(const pdd_filters &w, int ins, int outs, const int32_t *channel, float gain, float *u, int64_t row, int64_t apart) {
  Filters f;
  if (outs < BLOCK) __builtin_memset(f.taps, 0, sizeof f.taps);
  f.each(w, ins, outs, [=](float &tap, const float &from) { tap = gain * from; });
  for (int k = 0; k < ins; k++) {
    float *to = u + (channel ? channel[k] : k) * row;
    for (int lane = 0; lane < BLOCK; lane += LANES) {
      vec t[3][6];
      for (int x = 0; x < 3; x++) {
        vec g[3] = {load(f.taps[x][k] + lane), load(f.taps[3 + x][k] + lane), load(f.taps[6 + x][k] + lane)};
        filter_1d(g, t[x]);
      }
      for (int y = 0; y < 6; y++) {
        vec g[3] = {t[0][y], t[1][y], t[2][y]}, o[6];
        filter_1d(g, o);
        for (int x = 0; x < 6; x++) store(to + (6 * y + x) * apart + lane, o[x]);
      }
    }
  }
}

// One dimension of B^T d B, for the interpolation points 0, ±a, ±b, ∞ with ab = 1: the first three results, which need
// d[0..4], and the last three, which need d[1..5].
inline void input_low(const vec *d, vec *o) {
  vec even = d[4] - B2 * d[2], odd = d[3] - B2 * d[1];
  o[0] = d[0] + d[4] - (A2 + B2) * d[2];
  o[1] = even + A * odd;
  o[2] = even - A * odd;
}

inline void input_high(const vec *d, vec *o) {
  vec even = d[4] - A2 * d[2], odd = d[3] - A2 * d[1];
  o[0] = even + B * odd;
  o[1] = even - B * odd;
  o[2] = d[1] + d[5] - (A2 + B2) * d[3];
}

// One dimension of A^T m A.
inline void output_1d(const vec *m, vec *o, int step) {
  vec s = m[1] + m[2], d = m[1] - m[2], t = m[3] + m[4], e = m[3] - m[4];
  o[0] = m[0] + s + t;
  o[step] = A * d + B * e;
  o[2 * step] = A2 * s + B2 * t;
  o[3 * step] = (A2 * A) * d + (B2 * B) * e + m[5];
}

// Half of the 36 results for the 6x6 pixels at p: three columns at a time stay in registers.
template <void (*half)(const vec *, vec *), int FIRST>
inline void transform_half(const float *p, int64_t row, int64_t pixel, float *v, int64_t apart) {
  vec t[6][3];
  for (int y = 0; y < 6; y++) {
    vec d[6];
    for (int x = FIRST; x < FIRST + 5; x++) d[x] = load(p + y * row + x * pixel);
    half(d, t[y]);
  }
  for (int x = 0; x < 3; x++) {
    vec d[6], o[6];
    for (int y = 0; y < 6; y++) d[y] = t[y][x];
    input_low(d, o);
    input_high(d, o + 3);
    for (int y = 0; y < 6; y++) store(v + (6 * y + x) * apart, o[y]);
  }
}

// The 6x6 pixels at p to the 36 matrices, whose places for them lie `apart` from each other.
inline void transform_tile(const float *p, int64_t row, int64_t pixel, float *v, int64_t apart) {
  for (int lane = 0; lane < BLOCK; lane += LANES) {
    transform_half<input_low, 0>(p + lane, row, pixel, v + lane, apart);
    transform_half<input_high, 1>(p + lane, row, pixel, v + lane + 3 * apart, apart);
  }
}

// The 6x6 pixels at (y0, x0) of a block, zeros beyond the picture.
inline void gather_tile(const pdd_conv &c, const pdd_planes &in, int image, int block, int y0, int x0, float *tile) {
  for (int y = 0; y < 6; y++) {
    for (int x = 0; x < 6; x++) {
      int row = y0 + y, col = x0 + x;
      float *to = tile + (y * 6 + x) * BLOCK;
      bool inside = row >= 0 && row < c.height && col >= 0 && col < c.width;
      const float *from = at(in, image, block, row >> c.enlarge, col >> c.enlarge);
      for (int lane = 0; lane < BLOCK; lane += LANES) store(to + lane, inside ? load(from + lane) : vec{});
    }
  }
}

// All tiles of one block to the matrices.
void transform_block(const pdd_conv &c, const pdd_planes &in, int block, Tiles tiles, float *v, int channels, int64_t apart) {
  alignas(64) float tile[POINTS * BLOCK];
  Place o = place(c, tiles.first);
  for (int t = tiles.first; t < tiles.last; t++, next(c, o), v += channels) {
    const int y0 = o.y - 1, x0 = o.x - 1;
    if (!c.enlarge && y0 >= 0 && x0 >= 0 && y0 + 6 <= c.height && x0 + 6 <= c.width) {
      const float *p = at(in, o.image, block, y0, x0);
      for (int y = 0; y < 6; y++)
        for (int x = 0; x < 4; x++) __builtin_prefetch(p + y * in.row + (AHEAD + x) * in.pixel);
      if (in.pixel == BLOCK) transform_tile(p, in.row, BLOCK, v, apart);  // a constant spares the addresses' arithmetic
      else transform_tile(p, in.row, in.pixel, v, apart);
    } else {
      gather_tile(c, in, o.image, block, y0, x0, tile);
      transform_tile(tile, 6 * BLOCK, BLOCK, v, apart);
    }
  }
}

// M x N*LANES sums of products: m += or = a u, with a [M][depth] and u [depth][N*LANES], whose rows and steps along the
// depth are so many floats apart. Inline, for it is a twentieth faster where the distances are known.
template <int M, int N>
[[gnu::always_inline]] inline void multiply(const float *a, int64_t a_row, int64_t a_step, const float *u, int64_t u_step, int depth, float *m,
                     int64_t m_row, bool add) {
  vec sum[M][N];
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++) sum[i][j] = add ? load(m + i * m_row + j * LANES) : vec{};
  for (int k = 0; k < depth; k++, u += u_step) {
    vec w[N];
    for (int j = 0; j < N; j++) w[j] = load(u + j * LANES);
#pragma GCC unroll 8
    for (int i = 0; i < M; i++)
#pragma GCC unroll 2
      for (int j = 0; j < N; j++) sum[i][j] += a[i * a_row + k * a_step] * w[j];
  }
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++) store(m + i * m_row + j * LANES, sum[i][j]);
}

// The 36 products of matrices; `in` and `out` are channels.
void multiply_points(const float *v, const float *u, int tiles, int in, int out, float *m) {
  for (int p = 0; p < POINTS; p++, v += stride(TILES, in), u += stride(in, out), m += stride(TILES, out)) {
    int o = 0;
    for (; o + GROUP <= out; o += GROUP)
      for (int t = 0; t < tiles; t += MR) multiply<MR, NR>(v + t * in, in, 1, u + in * o, GROUP, in, m + t * out + o, out, false);
    for (; o < out; o += LANES)
      for (int t = 0; t < tiles; t += MR) multiply<MR, 1>(v + t * in, in, 1, u + in * o, LANES, in, m + t * out + o, out, false);
  }
}

// A tile of 16 channels from its 36 products at m to the picture.
inline void finish_tile(const pdd_conv &c, int block, Place o, const float *m, int64_t apart) {
  const int ny = c.to - o.y < 4 ? c.to - o.y : 4, nx = c.width - o.x < 4 ? c.width - o.x : 4;
  for (int lane = 0; lane < BLOCK; lane += LANES) {
    const vec bias = load(c.bias + block * BLOCK + lane), slope = c.slope ? load(c.slope + block * BLOCK + lane) : vec{};
    vec s[24];
    for (int x = 0; x < 6; x++) {
      vec d[6];
      for (int y = 0; y < 6; y++) d[y] = load(m + (6 * y + x) * apart + lane);
      output_1d(d, s + x, 6);
    }
    for (int y = 0; y < ny; y++) {
      vec sum[4];
      output_1d(s + 6 * y, sum, 1);
      float *out = at(c.out, o.image, block, o.y + y, o.x) + lane;
      const float *add[2];
      for (int k = 0; k < 2; k++) add[k] = c.add[k].data ? at(c.add[k], o.image, block, o.y + y, o.x) + lane : nullptr;
      for (int x = 0; x < nx; x++) {
        vec v = sum[x] + bias;
        if (c.slope) v = v > vec{} ? v : v * slope;
        for (int k = 0; k < 2; k++)
          if (add[k]) v += c.scale[k] * load(add[k] + x * c.add[k].pixel);
        c.stream ? stream(out + x * c.out.pixel, v) : store(out + x * c.out.pixel, v);
      }
    }
  }
}

// Scratch holds the matrices v and m.
void run(const pdd_conv &c, Tiles tiles, float *scratch) {
  const int in = in_channels(c), out = out_channels(c);
  float *v = scratch, *m = scratch + POINTS * stride(TILES, in), *to = v;
  for (const pdd_planes &planes : c.in)
    for (int b = 0; b < planes.blocks; b++, to += BLOCK) transform_block(c, planes, b, tiles, to, in, stride(TILES, in));
  multiply_points(v, c.u, tiles.last - tiles.first, in, out, m);
  Place o = place(c, tiles.first);
  for (int t = tiles.first; t < tiles.last; t++, next(c, o), m += out)
    for (int b = 0; b < c.out.blocks; b++) finish_tile(c, b, o, m + b * BLOCK, stride(TILES, out));
  _mm_sfence();  // what was streamed is there for the threads of the next call
}

}  // namespace
}  // namespace pdd
