// Convolutions of networks. On the CPU in float32 those of 3x3 taps and whole blocks of 16 channels run in the kernels of
// package conv, forward and backward; the others, and all where there are no kernels, in libtorch.
#pragma once
#include <ATen/ATen.h>

#include <vector>

namespace pdd {

// act(x * w + bias), act(v) = v > 0 ? v : slope v.
at::Tensor conv2d_leaky(const at::Tensor &x, const at::Tensor &w, const c10::optional<at::Tensor> &bias, int64_t stride,
                        int64_t padding, double slope);

at::Tensor conv2d(const at::Tensor &x, const at::Tensor &w, const c10::optional<at::Tensor> &bias, int64_t stride,
                  int64_t padding, int64_t dilation, int64_t groups);

// x + scale conv5, each convolution seeing x and what those before it made, LeakyReLU behind all but the last; w and bias
// have five each. Keeps one buffer of all of them until backward.
at::Tensor dense_block(const at::Tensor &x, const std::vector<at::Tensor> &w, const std::vector<at::Tensor> &bias,
                       double slope, double scale);

}  // namespace pdd
