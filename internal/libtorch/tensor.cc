// Handles: freeing, inspecting, copying in and out; gradients; optimizer steps.
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <cmath>
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

pdd_status pdd_from_memory(const void *src, int64_t n, int dtype, const int64_t *shape, int dims, pdd_tensor *out) {
  return pdd::guarded([&] {
    Tensor x = at::empty(at::IntArrayRef(shape, dims), pdd::scalar_type(dtype));
    TORCH_CHECK(static_cast<int64_t>(x.nbytes()) == n, "shape ", x.sizes(), " needs ", x.nbytes(), " bytes, got ", n);
    if (n > 0) memcpy(x.data_ptr(), src, n);
    *out = pdd::hand_out(std::move(x));
  });
}

pdd_status pdd_to_memory(pdd_tensor t, void *dst, int64_t n, int dtype) {
  return pdd::guarded([&] {
    Tensor x = deref(t).detach().to(at::kCPU, pdd::scalar_type(dtype)).contiguous();
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

namespace {

// Refuses what would broadcast. It is done for a whole list before its first tensor changes.
void check_shapes(int k, std::initializer_list<pdd_tensor> ts) {
  const Tensor &p = deref(*ts.begin());
  for (pdd_tensor t : ts)
    TORCH_CHECK(deref(t).sizes() == p.sizes(), "parameter ", k, ": shape ", deref(t).sizes(), " beside ", p.sizes());
}

bool same_layout(const Tensor &p, const Tensor &g, const Tensor &m, const Tensor &v) {
  for (const Tensor *x : {&g, &m, &v})
    if (x->scalar_type() != p.scalar_type() || x->strides() != p.strides() || x->sizes() != p.sizes()) return false;
  return p.is_cpu() && g.is_cpu() && p.is_non_overlapping_and_dense();
}

// Span is a part of a parameter that one thread steps at a time.
struct Span {
  int param;
  int64_t from, to;
};
constexpr int64_t kSpan = 1 << 14;

// One Adam step (Kingma & Ba 2015, algorithm 1; epsilon outside the corrected root, as torch.optim.Adam). Compilers make
// vectors of it only when told to, and where roots need not set errno.
template <class T>
__attribute__((optimize("O3", "no-math-errno"))) void adam_span(const pdd_adam_options &o, T *__restrict p, const T *__restrict g,
                                                                T *__restrict m, T *__restrict v, int64_t from, int64_t to) {
  const T b1 = o.beta1, b2 = o.beta2, eps = o.eps, decay = o.weight_decay;
  const T c1 = 1 - o.beta1, c2 = 1 - o.beta2;
  const T rate = o.lr / (1 - std::pow(o.beta1, o.step));
  const T root = std::sqrt(1 - std::pow(o.beta2, o.step));
  for (int64_t k = from; k < to; k++) {
    T gk = g[k] + decay * p[k];
    m[k] = b1 * m[k] + c1 * gk;
    v[k] = b2 * v[k] + c2 * gk * gk;
    p[k] -= rate * m[k] / (std::sqrt(v[k]) / root + eps);
  }
}

template <class T>
void adam_of(const pdd_adam_options &o, const Span &s, pdd_tensor p, pdd_tensor g, pdd_tensor m, pdd_tensor v) {
  adam_span<T>(o, deref(p).data_ptr<T>(), deref(g).data_ptr<T>(), deref(m).data_ptr<T>(), deref(v).data_ptr<T>(), s.from, s.to);
}

void adam_ops(const pdd_adam_options &o, Tensor &p, const Tensor &grad, Tensor &m, Tensor &v) {
  Tensor g = o.weight_decay != 0 ? grad.add(p, o.weight_decay) : grad;
  m.mul_(o.beta1).add_(g, 1 - o.beta1);
  v.mul_(o.beta2).addcmul_(g, g, 1 - o.beta2);
  Tensor denominator = v.sqrt().div_(std::sqrt(1 - std::pow(o.beta2, o.step))).add_(o.eps);
  p.addcdiv_(m, denominator, -o.lr / (1 - std::pow(o.beta1, o.step)));
}

}  // namespace

pdd_status pdd_adam(pdd_adam_options o, pdd_tensor *params, pdd_tensor *grads, pdd_tensor *m, pdd_tensor *v, int n) {
  return pdd::guarded([&] {
    at::NoGradGuard no_grad;
    for (int k = 0; k < n; k++)
      if (grads[k]) check_shapes(k, {params[k], grads[k], m[k], v[k]});
    std::vector<Span> spans; // of all parameters, so that small ones keep all threads busy too
    for (int k = 0; k < n; k++) {
      if (!grads[k]) continue;
      Tensor &p = deref(params[k]), &g = deref(grads[k]), &mk = deref(m[k]), &vk = deref(v[k]);
      bool plain = p.scalar_type() == at::kFloat || p.scalar_type() == at::kDouble;
      if (!plain || !same_layout(p, g, mk, vk)) {
        adam_ops(o, p, g, mk, vk);
        continue;
      }
      for (int64_t from = 0; from < p.numel(); from += kSpan) spans.push_back({k, from, std::min(from + kSpan, p.numel())});
    }
    at::parallel_for(0, spans.size(), 1, [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; i++) {
        const Span &s = spans[i];
        auto step = deref(params[s.param]).scalar_type() == at::kFloat ? adam_of<float> : adam_of<double>;
        step(o, s, params[s.param], grads[s.param], m[s.param], v[s.param]);
      }
    });
  });
}

// lerp leaves equal weights bit-equal and is a copy at decay 0.
pdd_status pdd_ema(double decay, pdd_tensor *averages, pdd_tensor *params, int n) {
  return pdd::guarded([&] {
    for (int k = 0; k < n; k++) check_shapes(k, {averages[k], params[k]});
    auto step = [&](int64_t from, int64_t to) {
      at::NoGradGuard no_grad;  // is a thread's own
      for (int64_t k = from; k < to; k++) deref(averages[k]).lerp_(deref(params[k]), 1 - decay);
    };
    if (n > 0 && deref(params[0]).is_cpu()) at::parallel_for(0, n, 1, step);
    else step(0, n);
  });
}
