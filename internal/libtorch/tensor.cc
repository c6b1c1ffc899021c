// Handles: freeing, inspecting, copying in and out; gradients.
#include <torch/csrc/autograd/autograd.h>

#include <vector>

#include "guard.h"

using at::Tensor;
using pdd::deref;

void pdd_free(pdd_tensor t) {
  if (!t) return;
  pdd::live_tensors--;
  pdd::guarded([&] { delete static_cast<Tensor *>(t); });
}

pdd_status pdd_inspect(pdd_tensor t, pdd_info *info) {
  return pdd::guarded([&] {
    const Tensor &x = deref(t);
    info->dims = x.dim() <= 8 ? static_cast<int>(x.dim()) : -1;
    for (int k = 0; k < info->dims; k++) info->shape[k] = x.size(k);
    info->dtype = pdd::dtype_code(x.scalar_type());
    info->cuda = x.is_cuda() ? x.device().index() : -1;
    info->channels_last = x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast);
    info->requires_grad = x.requires_grad();
  });
}

pdd_status pdd_data(pdd_tensor t, void **data) {
  return pdd::guarded([&] {
    const Tensor &x = deref(t);
    TORCH_CHECK(x.device().is_cpu() && x.is_contiguous(), "want a contiguous tensor on the CPU");
    *data = x.data_ptr();
  });
}

pdd_status pdd_from_memory(const void *src, int64_t n, int dtype, const int64_t *shape, int dims, int cuda, pdd_tensor *out) {
  return pdd::guarded([&] {
    auto options = at::TensorOptions().dtype(pdd::scalar_type(dtype)).pinned_memory(cuda >= 0);
    Tensor x = at::empty(at::IntArrayRef(shape, dims), options);
    TORCH_CHECK(static_cast<int64_t>(x.nbytes()) == n, "shape ", x.sizes(), " needs ", x.nbytes(), " bytes, got ", n);
    if (n > 0) memcpy(x.data_ptr(), src, n);
    if (cuda >= 0) x = pdd::to_device(x, cuda);
    *out = pdd::hand_out(std::move(x));
  });
}

pdd_status pdd_to_memory(pdd_tensor t, void *dst, int64_t n, int dtype) {
  return pdd::guarded([&] {
    Tensor x = deref(t).detach().to(pdd::scalar_type(dtype)).contiguous();
    if (!x.is_cpu()) x = pdd::from_device(x);
    TORCH_CHECK(static_cast<int64_t>(x.nbytes()) == n, "shape ", x.sizes(), " has ", x.nbytes(), " bytes, not ", n);
    if (n > 0) memcpy(dst, x.data_ptr(), n);
  });
}

pdd_status pdd_backward(pdd_tensor loss, int retain_graph) {
  return pdd::guarded([&] { torch::autograd::backward({deref(loss)}, {}, retain_graph != 0); });
}

pdd_status pdd_grads(pdd_tensor loss, pdd_tensor *inputs, int n, int retain_graph, pdd_tensor *out) {
  return pdd::guarded([&] {
    std::vector<Tensor> xs;
    for (int k = 0; k < n; k++) xs.push_back(deref(inputs[k]));
    auto grads = torch::autograd::grad({deref(loss)}, xs, {}, retain_graph != 0, false, false);
    for (int k = 0; k < n; k++) out[k] = pdd::hand_out(std::move(grads[k]));
  });
}

pdd_status pdd_grad(pdd_tensor t, pdd_tensor *out) {
  return pdd::guarded([&] {
    const Tensor &g = deref(t).grad();
    *out = g.defined() ? pdd::hand_out(g) : nullptr;
  });
}
