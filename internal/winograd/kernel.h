// F(4x4, 3x3) of Lavin and Gray 2016 (arXiv 1509.09308): 4x4 output pixels from 6x6 input pixels with 36 instead of 144
// multiplications. Included once for each instruction set, which defines the target, LANES (floats in a register), MR (rows
// of a register block), GROUP, STREAM, and the name of its function. Plain code without the standard library, in a
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
inline void transform_half(const float *p, long row, float *v, long apart) {
  vec t[6][3];
  for (int y = 0; y < 6; y++) {
    vec d[6];
    for (int x = FIRST; x < FIRST + 5; x++) d[x] = load(p + y * row + x * BLOCK);
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
inline void transform_tile(const float *p, long row, float *v, long apart) {
  for (int lane = 0; lane < BLOCK; lane += LANES) {
    transform_half<input_low, 0>(p + lane, row, v + lane, apart);
    transform_half<input_high, 1>(p + lane, row, v + lane + 3 * apart, apart);
  }
}

// The 6x6 pixels at (y0, x0) of a plane, zeros beyond the picture.
inline void gather_tile(const pdd_conv &c, const pdd_planes &in, const float *plane, int y0, int x0, float *tile) {
  for (int y = 0; y < 6; y++) {
    for (int x = 0; x < 6; x++) {
      int row = y0 + y, col = x0 + x;
      float *to = tile + (y * 6 + x) * BLOCK;
      bool inside = row >= 0 && row < c.height && col >= 0 && col < c.width;
      const float *from = plane + (static_cast<long>((row >> c.enlarge) - in.top) * in.width + (col >> c.enlarge)) * BLOCK;
      for (int lane = 0; lane < BLOCK; lane += LANES) store(to + lane, inside ? load(from + lane) : vec{});
    }
  }
}

struct Tiles {
  int first, last;  // of this block, counted along the rows of tiles
  int across;       // tiles in a row
};

// All tiles of one plane to the matrices.
void transform_plane(const pdd_conv &c, const pdd_planes &in, int block, const Tiles &tiles, float *v, int channels) {
  const float *plane = in.data + static_cast<long>(block) * in.rows * in.width * BLOCK;
  alignas(64) float tile[POINTS * BLOCK];
  for (int t = tiles.first; t < tiles.last; t++, v += channels) {
    int y0 = c.from + t / tiles.across * 4 - 1, x0 = t % tiles.across * 4 - 1;
    if (!c.enlarge && y0 >= 0 && x0 >= 0 && y0 + 6 <= c.height && x0 + 6 <= c.width) {
      const long row = static_cast<long>(in.width) * BLOCK;
      const float *at = plane + (y0 - in.top) * row + x0 * BLOCK;
      for (int y = 0; y < 6; y++)
        for (int x = 0; x < 4; x++) __builtin_prefetch(at + y * row + (AHEAD + x) * BLOCK);
      transform_tile(at, row, v, stride(channels));
    } else {
      gather_tile(c, in, plane, y0, x0, tile);
      transform_tile(tile, 6 * BLOCK, v, stride(channels));
    }
  }
}

// MR rows of a [.][channels] times N registers' columns of u [channels][N*LANES].
template <int N>
inline void multiply(const float *a, const float *u, int channels, float *m, int m_row) {
  vec sum[MR][N];
  for (int i = 0; i < MR; i++)
    for (int j = 0; j < N; j++) sum[i][j] = vec{};
  for (int k = 0; k < channels; k++, u += N * LANES) {
    vec w[N];
    for (int j = 0; j < N; j++) w[j] = load(u + j * LANES);
#pragma GCC unroll 8
    for (int i = 0; i < MR; i++)
#pragma GCC unroll 2
      for (int j = 0; j < N; j++) sum[i][j] += a[i * channels + k] * w[j];
  }
  for (int i = 0; i < MR; i++)
    for (int j = 0; j < N; j++) store(m + i * m_row + j * LANES, sum[i][j]);
}

// The 36 products of matrices; `in` and `out` are channels.
void multiply_points(const float *v, const float *u, int tiles, int in, int out, float *m) {
  for (int p = 0; p < POINTS; p++, v += stride(in), m += stride(out)) {
    int o = 0;
    for (; o + GROUP <= out; o += GROUP, u += in * GROUP)
      for (int t = 0; t < tiles; t += MR) multiply<NR>(v + t * in, u, in, m + t * out + o, out);
    for (; o < out; o += LANES, u += in * LANES)
      for (int t = 0; t < tiles; t += MR) multiply<1>(v + t * in, u, in, m + t * out + o, out);
  }
}

// What follows the sum for one pixel's registers: bias, activation, what is added.
struct After {
  vec bias, slope;
  bool active;
  const float *add[2];
  float scale[2];

  After(const pdd_conv &c, int block, int lane) : bias(load(c.bias + block * BLOCK + lane)), slope{}, active(c.slope) {
    if (active) slope = load(c.slope + block * BLOCK + lane);
    for (int k = 0; k < 2; k++) {
      const pdd_planes &p = c.add[k];
      add[k] = p.data;
      if (p.data) add[k] += (static_cast<long>(block) * p.rows - p.top) * p.width * BLOCK + lane;
      scale[k] = c.scale[k];
    }
  }

  vec operator()(vec v, long at) const {
    v += bias;
    if (active) v = v > vec{} ? v : v * slope;
    for (int k = 0; k < 2; k++)
      if (add[k]) v += scale[k] * load(add[k] + at);
    return v;
  }
};

// A tile of 16 channels from its 36 products at m to the picture.
inline void finish_tile(const pdd_conv &c, int block, int y0, int x0, const float *m, long apart) {
  int ny = c.to - y0 < 4 ? c.to - y0 : 4, nx = c.width - x0 < 4 ? c.width - x0 : 4;
  for (int lane = 0; lane < BLOCK; lane += LANES) {
    const After after(c, block, lane);
    float *out = c.out.data + (static_cast<long>(block) * c.out.rows - c.out.top) * c.out.width * BLOCK + lane;
    vec s[24];
    for (int x = 0; x < 6; x++) {
      vec d[6];
      for (int y = 0; y < 6; y++) d[y] = load(m + (6 * y + x) * apart + lane);
      output_1d(d, s + x, 6);
    }
    for (int y = 0; y < ny; y++) {
      vec o[4];
      output_1d(s + 6 * y, o, 1);
      long at = (static_cast<long>(y0 + y) * c.width + x0) * BLOCK;
      for (int x = 0; x < nx; x++) stream(out + at + x * BLOCK, after(o[x], at + x * BLOCK));
    }
  }
}

}  // namespace

// Scratch holds the matrices v and m.
void RUN(const pdd_conv &c, int first, int last, int across, float *scratch) {
  const Tiles tiles{first, last, across};
  const int in = (c.in[0].blocks + c.in[1].blocks) * BLOCK, out = c.out.blocks * BLOCK;
  float *v = scratch, *m = scratch + POINTS * stride(in), *to = v;
  for (const pdd_planes &planes : c.in)
    for (int b = 0; b < planes.blocks; b++, to += BLOCK) transform_plane(c, planes, b, tiles, to, in);
  multiply_points(v, c.u, tiles.last - tiles.first, in, out, m);
  for (int t = tiles.first; t < tiles.last; t++)
    for (int b = 0; b < c.out.blocks; b++)
      finish_tile(c, b, c.from + t / tiles.across * 4, t % tiles.across * 4, m + (t - tiles.first) * out + b * BLOCK, stride(out));
  _mm_sfence();  // what was streamed is there for the threads of the next call
}

}  // namespace pdd
