// The C face of the kernels.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { PDD_BLOCK = 16 };  // channels side by side

// Pictures in blocks of 16 channels, which lie side by side and are 64-byte aligned. The distances are in floats. Planes
// [blocks][rows][width][16] are one way to lay them out, channels-last tensors another.
typedef struct {
  float *data;
  int blocks;
  int top;  // the picture's row that is the first one held
  int64_t pixel, row, block, image;  // from one to the next
} pdd_planes;

// out = act(in * u + bias) + scale[0] add[0] + scale[1] add[1], rows [from, to) of the output.
typedef struct {
  pdd_planes in[2];  // side by side; blocks 0: absent
  int images;
  int height;  // rows of the pictures that the convolution sees; beyond them, and beyond the width, it sees zeros
  int width;
  int enlarge;         // 1: it sees the input enlarged by 2, each pixel four times
  const float *u;      // pdd_winograd_pack's
  const float *bias;   // [out blocks][16]
  const float *slope;  // [out blocks][16], act(v) = v > 0 ? v : slope v; NULL: act(v) = v
  pdd_planes add[2];   // data NULL: absent
  float scale[2];
  pdd_planes out;   // in bfloat16 convolutions data NULL: absent
  pdd_planes half;  // the output once more, in bfloat16; data NULL: absent
  int stream;  // 1: the output goes past the caches
  int from, to;
} pdd_conv;

// Filters of 3x3 taps, the distances in floats. With out and in exchanged, data at the last tap and tap negative they
// are those of a convolution's derivative for its input.
typedef struct {
  float *data;
  int64_t out, in, tap;  // from one to the next
} pdd_filters;

// The instruction sets there are kernels for, best last.
enum { PDD_NO_ISA, PDD_AVX2, PDD_AVX512 };
int pdd_winograd_isa(void);  // the best this CPU has

// Floats that a layer's u takes, and that a call takes beside its pictures, for each thread.
int64_t pdd_winograd_weights(int in_blocks, int out_blocks);
int64_t pdd_winograd_scratch(int in_blocks, int out_blocks);

// Makes blocks [from, to) of out channels' u out of w times gain, w having `in` input channels. channel[k] is input
// channel k's place in the blocks; NULL: k. What no input channel takes is left as it is.
void pdd_winograd_pack(int isa, pdd_filters w, int out, int in, const int32_t *channel, float gain, int in_blocks,
                       float *u, int from, int to, int threads);

void pdd_winograd_run(int isa, const pdd_conv *c, int threads, float *scratch);

// The derivative of a convolution for its filters, times gain, into w: c has the convolution's input (in), the derivative
// for its sums (out), images, height, width, from 0 and to the height. All channels of whole blocks have filters. The
// result does not depend on threads. scratch has pdd_winograd_gradient_scratch floats in all.
void pdd_winograd_gradient(int isa, const pdd_conv *c, float gain, pdd_filters w, int threads, float *scratch);
int64_t pdd_winograd_gradient_scratch(const pdd_conv *c);

// The derivative for a convolution's sums out of that for what follows them, y = act(sum) with one slope for all channels:
// g = y > 0 ? g : slope g, in place; y.data NULL: g stays. And gain times its sum over images and pixels into bias
// [blocks][16]; NULL: none. It does not depend on threads. scratch has pdd_winograd_bias_scratch floats.
void pdd_winograd_activation(int isa, pdd_planes g, pdd_planes y, float slope, int images, int height, int width,
                             float gain, float *bias, int threads, float *scratch);
int64_t pdd_winograd_bias_scratch(int blocks);

// src [channels][height][width] to planes of channels*factor^2 channels, a factor-th of the sides (PyTorch's pixel_unshuffle).
void pdd_planes_read(const float *src, int channels, int height, int width, int factor, pdd_planes dst, int threads);

// Rows [from, to) of planes of channels*factor^2 channels to dst [channels][factor*height][factor*width] (PyTorch's
// pixel_shuffle). base, if not NULL, is [channels][height][width]; its pixels are added to all of their factor^2.
void pdd_planes_write(pdd_planes src, int from, int to, int channels, int height, int width, int factor,
                      const float *base, float *dst, int threads);

// What a caller in another package reaches the kernels by.
typedef struct {
  int64_t (*weights)(int in_blocks, int out_blocks);
  int64_t (*scratch)(int in_blocks, int out_blocks);
  int64_t (*gradient_scratch)(const pdd_conv *c);
  int64_t (*bias_scratch)(int blocks);
  void (*pack)(int isa, pdd_filters w, int out, int in, const int32_t *channel, float gain, int in_blocks, float *u,
               int from, int to, int threads);
  void (*run)(int isa, const pdd_conv *c, int threads, float *scratch);
  void (*gradient)(int isa, const pdd_conv *c, float gain, pdd_filters w, int threads, float *scratch);
  void (*activation)(int isa, pdd_planes g, pdd_planes y, float slope, int images, int height, int width, float gain,
                     float *bias, int threads, float *scratch);
} pdd_winograd;
extern const pdd_winograd pdd_winograd_table;

#ifdef __cplusplus
}
#endif
