// Convolutions in bfloat16, directly, by AMX: a tile is 16 pixels of 32 channels, which lie in memory as the tile wants
// them, so that a tap of the filter is the same picture a pixel further.
#include "amx.h"

#include <cpuid.h>
#include <immintrin.h>
#include <omp.h>
#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <algorithm>

#include "shared.h"

using namespace pdd;

#if defined(__linux__) && __GNUC__ >= 11
#define HAS_AMX 1  // what the compiler and the system know
#endif

namespace {

constexpr int WIDE = 32;           // channels of a tile of input
constexpr int SIDE = 16;           // pixels of a tile, output channels of a tile of filters
constexpr int TILE = 256;          // floats, or pairs of bfloat16
constexpr int SEGMENT = 2 * SIDE;  // pixels of a row whose sums are made together
constexpr int STRIP = 4;           // segments that a block's filters are fetched for
constexpr int SEEN = STRIP * SEGMENT + 2;  // pixels that a strip sees of a row
constexpr int SUMS = STRIP * 4 * TILE;     // floats

uint16_t rounded(float v) {  // to the nearest, ties to even
  uint32_t bits;
  __builtin_memcpy(&bits, &v, 4);
  if (v != v) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float widened(uint16_t v) {
  const uint32_t bits = static_cast<uint32_t>(v) << 16;
  float f;
  __builtin_memcpy(&f, &bits, 4);
  return f;
}

int wide_blocks(const pdd_conv &c) { return c.in[0].blocks + c.in[1].blocks; }

}  // namespace

int pdd_amx_available(void) {
#ifdef HAS_AMX
  unsigned a, b, c, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
  const bool tiles = d >> 24 & 1, products = d >> 22 & 1;
  if (!tiles || !products || !__get_cpuid_count(7, 1, &a, &b, &c, &d) || !(a >> 5 & 1)) return 0;  // AVX512_BF16
  constexpr long request = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA (Linux, asm/prctl.h)
  return pdd_winograd_isa() == PDD_AVX512 && !syscall(SYS_arch_prctl, request, tile_data);
#else
  return 0;
#endif
}

int64_t pdd_amx_weights(int in_blocks, int out_blocks) { return static_cast<int64_t>(9) * TILE * in_blocks * out_blocks; }

int64_t pdd_amx_scratch(int in_blocks) { return SUMS + static_cast<int64_t>(3 * SEEN) * BLOCK * in_blocks; }

// u is [pairs of out blocks][in blocks][taps][out blocks of the pair], each a tile of pairs of input channels.
void pdd_amx_pack(pdd_filters w, int out, int in, int parts, const int32_t *channel, float gain, int in_blocks, float *u,
                  int from, int to) {
  const int real = in / parts, out_blocks = (out + BLOCK - 1) / BLOCK;
  for (int o = from * BLOCK; o < std::min(to * BLOCK, out); o++) {
    const int block = o / BLOCK, pair = block / 2, wide = std::min(out_blocks - 2 * pair, 2);
    for (int k = 0; k < in; k++) {
      const int place = channel[k];
      const float *filter = w.data + o * w.out + k % real * w.in;
      for (int t = 0; t < 9; t++) {
        float v = gain * filter[t * w.tap];
        if (k >= 2 * real) v -= widened(rounded(v));
        const int64_t tile = pdd_amx_weights(in_blocks, 2 * pair) / TILE + (place / WIDE * 9 + t) * wide + block % 2;
        reinterpret_cast<uint16_t *>(u + tile * TILE)[place % WIDE / 2 * WIDE + o % BLOCK * 2 + place % 2] = rounded(v);
      }
    }
  }
}

void pdd_amx_clear(pdd_planes p, int rows) {
  for (int64_t i = 0; i <= static_cast<int64_t>(p.blocks) * rows; i++)
    __builtin_memset(p.data + i * p.row - p.pixel, 0, 4 * p.pixel);
}

void pdd_amx_read(const float *src, int channels, int height, int width, int factor, pdd_planes dst, int threads) {
  const int real = channels * factor * factor;
#pragma omp parallel for num_threads(threads)
  for (int y = 0; y < height / factor; y++) {
    for (int k = 0; k < dst.blocks * WIDE; k++) {
      const float *from = src + unshuffled(k % real, y, height, width, factor);
      uint16_t *to = reinterpret_cast<uint16_t *>(at(dst, 0, k / WIDE, y + dst.top, 0)) + k % WIDE;
      for (int x = 0; x < width / factor; x++) {
        const float v = from[x * factor], high = widened(rounded(v));
        to[x * WIDE] = k >= 3 * real ? 0 : rounded(k / real != 1 ? high : __builtin_isfinite(high) ? v - high : 0);
      }
    }
  }
}

#ifdef HAS_AMX
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,avx512bf16,amx-tile,amx-bf16")

namespace {

// Registers 0 to 3 hold sums, 4 and 5 pixels, 6 and 7 filters: all of them 16 rows of 64 bytes.
void configure() {
  struct alignas(64) {
    uint8_t palette = 1, start = 0, none[14] = {};
    uint16_t bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  } config;
  asm volatile("ldtilecfg %0" ::"m"(config));  // GCC 12's _tile_loadconfig tells the compiler of the first 8 bytes alone
}

void load_sums(const float *sums) {
  _tile_loadd(0, sums, 64);
  _tile_loadd(1, sums + TILE, 64);
  _tile_loadd(2, sums + 2 * TILE, 64);
  _tile_loadd(3, sums + 3 * TILE, 64);
}

void store_sums(float *sums) {
  _tile_stored(0, sums, 64);
  _tile_stored(1, sums + TILE, 64);
  _tile_stored(2, sums + 2 * TILE, 64);
  _tile_stored(3, sums + 3 * TILE, 64);
}

void zero_sums() {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
}

// Adds the products of M times 16 pixels with a tap of N times 16 filters.
template <int M, int N>
[[gnu::always_inline]] inline void multiply_tap(const float *pixels, const float *u) {
  _tile_loadd(6, u, 64);
  if (N > 1) _tile_loadd(7, u + TILE, 64);
  _tile_loadd(4, pixels, 64);
  _tile_dpbf16ps(0, 4, 6);
  if (N > 1) _tile_dpbf16ps(1, 4, 7);
  if (M > 1) {
    _tile_loadd(5, pixels + SIDE * BLOCK, 64);
    _tile_dpbf16ps(2, 5, 6);
    if (N > 1) _tile_dpbf16ps(3, 5, 7);
  }
}

// Adds what block b of a picture gives to M times 16 pixels of row y, from x on.
template <int M, int N>
[[gnu::always_inline]] inline void multiply_block(const pdd_conv &c, const pdd_planes &in, int b, int y, int x, const float *u) {
  for (int dy = 0; dy < 3; dy++, u += 3 * N * TILE) {
    const int row = y + dy - 1;
    if (row < 0 || row >= c.height) continue;
    const float *pixels = at(in, 0, b, row, x - 1);
    for (int dx = 0; dx < 3; dx++) multiply_tap<M, N>(pixels + dx * BLOCK, u + dx * N * TILE);
  }
}

// The sums of a strip of row y from x on: N blocks of output channels, whose filters are at u.
template <int N>
void multiply_strip(const pdd_conv &c, int y, int x, const float *u, float *sums) {
  bool first = true;
  for (const pdd_planes &in : c.in)
    for (int b = 0; b < in.blocks; b++, first = false, u += 9 * N * TILE)
      for (int s = 0; s < STRIP && x + s * SEGMENT < c.width; s++) {
        float *of = sums + s * 4 * TILE;
        first ? zero_sums() : load_sums(of);
        const int from = x + s * SEGMENT;
        c.width - from > SIDE ? multiply_block<2, N>(c, in, b, y, from, u) : multiply_block<1, N>(c, in, b, y, from, u);
        store_sums(of);
      }
}

// One block of output channels of a row: what a convolution does with its sums from pixel x on. Results go past the
// caches, which need not fetch what is overwritten.
struct Finish {
  __m512 bias, slope = {}, scale[2];
  const float *add[2];
  float *out;
  bool active;

  Finish(const pdd_conv &c, int block, int y, int x) : bias(_mm512_load_ps(c.bias + block * BLOCK)), active(c.slope) {
    if (active) slope = _mm512_load_ps(c.slope + block * BLOCK);
    for (int k = 0; k < 2; k++) {
      add[k] = c.add[k].data ? at(c.add[k], 0, block, y, x) : nullptr;
      scale[k] = _mm512_set1_ps(c.scale[k]);
    }
    out = c.out.data ? at(c.out, 0, block, y, x) : nullptr;
  }

  [[gnu::always_inline]] __m512 operator()(const float *sums, int pixel) const {
    __m512 v = _mm512_load_ps(sums) + bias;
    if (active) v = _mm512_mask_mul_ps(v, _mm512_cmp_ps_mask(v, __m512{}, _CMP_NGT_UQ), v, slope);
    for (int k = 0; k < 2; k++)
      if (add[k]) v = _mm512_fmadd_ps(scale[k], _mm512_load_ps(add[k] + pixel * BLOCK), v);
    if (out) _mm512_stream_ps(out + pixel * BLOCK, v);
    return v;
  }
};

// A strip's sums to the pictures: N blocks of output channels from `block` on.
template <int N>
void finish_strip(const pdd_conv &c, int block, int y, int x, const float *sums) {
  const Finish low(c, block, y, x), high(c, block + N - 1, y, x);
  float *half = c.half.data ? at(c.half, 0, block / 2, y, x) : nullptr;
  const int pixels = std::min(c.width - x, STRIP * SEGMENT);
  for (int p = 0; p < pixels; p++) {
    const float *of = sums + p / SIDE * 2 * TILE + p % SIDE * BLOCK;
    const __m512 v = low(of, p), w = N > 1 ? high(of + TILE, p) : __m512{};
    if (half) _mm512_stream_si512(reinterpret_cast<__m512i *>(half + p * BLOCK), reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(w, v)));
  }
}

// What a strip sees of the pictures enlarged by 2, in memory of its own.
pdd_conv enlarged(const pdd_conv &c, int y, int x, float *memory) {
  pdd_planes seen{memory - (x - 1) * BLOCK, wide_blocks(c), y - 1, BLOCK, SEEN * BLOCK, 3 * SEEN * BLOCK, 0};
  int to = 0;
  for (const pdd_planes &in : c.in)
    for (int b = 0; b < in.blocks; b++, to++)
      for (int row = std::max(y - 1, 0); row <= std::min(y + 1, c.height - 1); row++)
        for (int col = x - 1; col < x - 1 + SEEN; col++) {
          const bool inside = col >= 0 && col < c.width;
          _mm512_store_ps(at(seen, 0, to, row, col), inside ? _mm512_load_ps(at(in, 0, b, row >> 1, col >> 1)) : __m512{});
        }
  asm volatile("" ::: "memory");  // the tiles' loads do not tell the compiler what they read
  pdd_conv of = c;
  of.in[0] = seen, of.in[1] = {};
  return of;
}

void run_strip(const pdd_conv &c, int y, int x, float *scratch) {
  const pdd_conv seen = c.enlarge ? enlarged(c, y, x, scratch + SUMS) : c;
  for (int block = 0; block < c.out.blocks; block += 2) {
    const float *u = c.u + pdd_amx_weights(wide_blocks(c), block);
    if (block + 1 < c.out.blocks) {
      multiply_strip<2>(seen, y, x, u, scratch);
      finish_strip<2>(c, block, y, x, scratch);
    } else {
      multiply_strip<1>(seen, y, x, u, scratch);
      finish_strip<1>(c, block, y, x, scratch);
    }
  }
}

}  // namespace

void pdd_amx_run(const pdd_conv *c, int threads, float *scratch) {
  const int64_t each = pdd_amx_scratch(wide_blocks(*c));
  const int rows = std::max(std::min((c->to - c->from) / (4 * threads), 32), 1);  // one after the other find their neighbours in the cache
#pragma omp parallel num_threads(threads)
  {
    configure();
#pragma omp for schedule(dynamic, rows) nowait
    for (int y = c->from; y < c->to; y++)
      for (int x = 0; x < c->width; x += STRIP * SEGMENT) run_strip(*c, y, x, scratch + omp_get_thread_num() * each);
    _tile_release();
    _mm_sfence();  // what was streamed is there for the threads of the next call
  }
}

#else
void pdd_amx_run(const pdd_conv *, int, float *) {}  // nobody calls it
#endif
