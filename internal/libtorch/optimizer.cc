// Optimizer steps. On the CPU they go over all parameters at once, so that small ones too keep all threads busy.
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <latch>
#include <vector>

#include "guard.h"

using at::Tensor;
using pdd::deref;

namespace {

// Refuses what would broadcast. It is done for a whole list before its first tensor changes.
void check_shapes(int k, std::initializer_list<pdd_tensor> ts) {
  const Tensor &p = deref(*ts.begin());
  for (pdd_tensor t : ts)
    TORCH_CHECK(deref(t).sizes() == p.sizes(), "parameter ", k, ": shape ", deref(t).sizes(), " beside ", p.sizes());
}

// Tells whether element k of one tensor goes with element k in memory of all others, as float on the CPU.
bool plain(std::initializer_list<const Tensor *> ts) {
  const Tensor &p = **ts.begin();
  for (const Tensor *x : ts)
    if (x->scalar_type() != p.scalar_type() || x->strides() != p.strides() || x->sizes() != p.sizes() || !x->is_cpu()) return false;
  return p.is_cpu() && p.is_non_overlapping_and_dense() && p.scalar_type() == at::kFloat;
}

// Span is a part of a parameter that one thread works on at a time.
struct Span {
  int param;
  int64_t from, to;
};

void add_spans(std::vector<Span> &spans, int param, int64_t n) {
  constexpr int64_t most = 1 << 14;
  for (int64_t from = 0; from < n; from += most) spans.push_back({param, from, std::min(from + most, n)});
}

// Runs work, which must not throw, on all spans in as many threads as this one's operations use. (at::parallel_for is serial
// where the compiler is not told of OpenMP, and a second OpenMP beside libtorch's would have threads of its own.)
template <class F>
void in_parallel(const std::vector<Span> &spans, F work) {
  const size_t n = spans.size(), threads = std::min<size_t>(std::max(at::get_num_threads(), 1), n);
  if (n == 0) return;
  std::latch done(threads - 1);
  auto share = [&](size_t k) {
    for (size_t i = n * k / threads; i < n * (k + 1) / threads; i++) work(spans[i]);
  };
  for (size_t k = 1; k < threads; k++) {
    auto task = [&, k] {
      share(k);
      done.count_down();
    };
    try {
      at::launch(task);
    } catch (...) {  // no thread to be had: what is launched already refers to this frame, so it must come to its end
      task();
    }
  }
  share(0);
  done.wait();
}

// One Adam step (Kingma & Ba 2015, algorithm 1; epsilon outside the corrected root, as torch.optim.Adam).
void adam_span(const pdd_adam_options &o, float *p, const float *g, float *m, float *v, int64_t from, int64_t to) {
  const float b1 = o.beta1, b2 = o.beta2, eps = o.eps, decay = o.weight_decay;
  const float c1 = 1 - o.beta1, c2 = 1 - o.beta2;
  const float rate = o.lr / (1 - std::pow(o.beta1, o.step));
  const float root = std::sqrt(1 - std::pow(o.beta2, o.step));
  for (int64_t k = from; k < to; k++) {
    float gk = g[k] + decay * p[k];
    m[k] = b1 * m[k] + c1 * gk;
    v[k] = b2 * v[k] + c2 * gk * gk;
    p[k] -= rate * m[k] / (std::sqrt(v[k]) / root + eps);
  }
}

void lerp_span(float weight, float *average, const float *p, int64_t from, int64_t to) {
  for (int64_t k = from; k < to; k++) average[k] += weight * (p[k] - average[k]);
}

float *data(pdd_tensor t) { return deref(t).data_ptr<float>(); }

// Parameters that are not plain, with what goes with each.
struct Lists {
  std::vector<Tensor> p, g, m, v;
};

// adam_span in operations over whole lists, which on a CUDA device are a few kernels each.
void adam_lists(const pdd_adam_options &o, const Lists &l) {
  if (l.p.empty()) return;
  std::vector<Tensor> g = o.weight_decay != 0 ? at::_foreach_add(l.g, l.p, o.weight_decay) : l.g;
  at::_foreach_mul_(l.m, o.beta1);
  at::_foreach_add_(l.m, g, 1 - o.beta1);
  at::_foreach_mul_(l.v, o.beta2);
  at::_foreach_addcmul_(l.v, g, g, 1 - o.beta2);
  std::vector<Tensor> denominator = at::_foreach_sqrt(l.v);
  at::_foreach_div_(denominator, std::sqrt(1 - std::pow(o.beta2, o.step)));
  at::_foreach_add_(denominator, o.eps);
  at::_foreach_addcdiv_(l.p, l.m, denominator, -o.lr / (1 - std::pow(o.beta1, o.step)));
}

}  // namespace

pdd_status pdd_adam(pdd_adam_options o, pdd_tensor *params, pdd_tensor *grads, pdd_tensor *m, pdd_tensor *v, int n) {
  return pdd::guarded([&] {
    at::NoGradGuard no_grad;
    for (int k = 0; k < n; k++)
      if (grads[k]) check_shapes(k, {params[k], grads[k], m[k], v[k]});
    std::vector<Span> spans;
    Lists others;
    for (int k = 0; k < n; k++) {
      if (!grads[k]) continue;
      Tensor &p = deref(params[k]), &g = deref(grads[k]), &mk = deref(m[k]), &vk = deref(v[k]);
      if (plain({&p, &g, &mk, &vk})) {
        add_spans(spans, k, p.numel());
        continue;
      }
      others.p.push_back(p), others.g.push_back(g), others.m.push_back(mk), others.v.push_back(vk);
    }
    adam_lists(o, others);
    in_parallel(spans, [&](const Span &s) {
      int k = s.param;
      adam_span(o, data(params[k]), data(grads[k]), data(m[k]), data(v[k]), s.from, s.to);
    });
  });
}

// Equal weights stay bit-equal; at decay 0 the average is a copy.
pdd_status pdd_ema(double decay, pdd_tensor *averages, pdd_tensor *params, int n) {
  return pdd::guarded([&] {
    at::NoGradGuard no_grad;
    for (int k = 0; k < n; k++) check_shapes(k, {averages[k], params[k]});
    std::vector<Span> spans;
    std::vector<Tensor> others, towards;
    for (int k = 0; k < n; k++) {
      Tensor &a = deref(averages[k]), &p = deref(params[k]);
      if (decay <= 0.5) a.lerp_(p, 1 - decay);
      else if (plain({&a, &p})) add_spans(spans, k, a.numel());
      else others.push_back(a), towards.push_back(p);
    }
    if (!others.empty()) at::_foreach_add_(others, at::_foreach_sub(towards, others), 1 - decay);
    in_parallel(spans, [&](const Span &s) {
      lerp_span(1 - decay, data(averages[s.param]), data(params[s.param]), s.from, s.to);
    });
  });
}
