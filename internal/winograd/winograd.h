// The C face of the kernels. Pictures are planes of 16 channels: float [blocks][rows][width][16], 64-byte aligned.
#pragma once
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  float *data;
  int blocks;  // of 16 channels
  int rows;    // held
  int width;
  int top;  // the picture's row that is the first one held
} pdd_planes;

// out = act(in * u + bias) + scale[0] add[0] + scale[1] add[1], rows [from, to) of the output.
typedef struct {
  pdd_planes in[2];  // side by side; blocks 0: absent
  int height;        // rows of the picture that the convolution sees; beyond them, and beyond the width, it sees zeros
  int width;
  int enlarge;         // 1: it sees the input enlarged by 2, each pixel four times
  const float *u;      // pdd_winograd_pack's
  const float *bias;   // [out blocks][16]
  const float *slope;  // [out blocks][16], act(v) = v > 0 ? v : slope v; NULL: act(v) = v
  pdd_planes add[2];   // data NULL: absent
  float scale[2];
  pdd_planes out;
  int from, to;
} pdd_conv;

// The instruction sets there are kernels for, best last.
enum { PDD_NO_ISA, PDD_AVX2, PDD_AVX512 };
int pdd_winograd_isa(void);  // the best this CPU has

// Floats that a layer's u takes, and that a call takes beside its pictures, for each thread.
int64_t pdd_winograd_weights(int in_blocks, int out_blocks);
int64_t pdd_winograd_scratch(int in_blocks, int out_blocks);

// Makes output channels [from, to) of u out of w [out][in][3][3] times gain. channel[k] is input channel k's place in
// the blocks. What no channel takes is left as it is.
void pdd_winograd_pack(int isa, const float *w, int from, int to, int in, const int32_t *channel, float gain,
                       int in_blocks, float *u, int out_blocks);

void pdd_winograd_run(int isa, const pdd_conv *c, int threads, float *scratch);

// src [channels][height][width] to planes of channels*factor^2 channels, a factor-th of the sides (PyTorch's pixel_unshuffle).
void pdd_planes_read(const float *src, int channels, int height, int width, int factor, pdd_planes dst, int threads);

// Rows [from, to) of planes of channels*factor^2 channels to dst [channels][factor*height][factor*width] (PyTorch's
// pixel_shuffle). base, if not NULL, is [channels][height][width]; its pixels are added to all of their factor^2.
void pdd_planes_write(pdd_planes src, int from, int to, int channels, int height, int factor, const float *base,
                      float *dst, int threads);

#ifdef __cplusplus
}
#endif
