// Operations of losses that have derivatives of their own: what autograd would record for them keeps several tensors of
// the features' size until backward; these keep their inputs, which the caller holds anyway, or one tensor. Half
// precision is computed in float32.
#pragma once
#include <ATen/ATen.h>

namespace pdd {

at::Tensor abs_diff(const at::Tensor &a, const at::Tensor &b);             // |a-b|; keeps a, b
at::Tensor gram(const at::Tensor &a, const c10::optional<at::Tensor> &b);  // of a or a-b [n,c,h,w]; keeps a, b
at::Tensor channel_ce(const at::Tensor &x, const at::Tensor &target, double eps);  // [n,c,h,w]; keeps its gradients

}  // namespace pdd
