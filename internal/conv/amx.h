// The C face of the kernels for bfloat16.
#pragma once
#include "winograd.h"

#ifdef __cplusplus
extern "C" {
#endif

// Convolutions in bfloat16, on CPUs with AMX. There pictures lie in blocks of 32 channels, 64 bytes as well, with a pixel of
// zeros before each row and behind the last one, and 17 pixels of room behind that; distances still are in floats. Sums,
// bias and what is added are float32.
int pdd_amx_available(void);  // asks the kernel for the tiles' registers, too
int64_t pdd_amx_weights(int in_blocks, int out_blocks);  // of 32 channels, of 16
int64_t pdd_amx_scratch(int in_blocks);

// As pdd_winograd_pack; blocks [from, to) are of 16 out channels. With parts 3, `in` input channels are three times w's:
// pdd_amx_read's.
void pdd_amx_pack(pdd_filters w, int out, int in, int parts, const int32_t *channel, float gain, int in_blocks, float *u,
                  int from, int to);

// As pdd_winograd_run: out and add are float32 in blocks of 16. Neither `images` nor `stream` count: it is one image, and
// the output goes past the caches.
void pdd_amx_run(const pdd_conv *c, int threads, float *scratch);

// Zeros for the pixels around the rows.
void pdd_amx_clear(pdd_planes p, int rows);

// As pdd_planes_read, each number as two whose sum it is: the channels rounded, what that leaves, and the first once more,
// which meet filters rounded, those again, and what their rounding leaves.
void pdd_amx_read(const float *src, int channels, int height, int width, int factor, pdd_planes dst, int threads);

#ifdef __cplusplus
}
#endif
