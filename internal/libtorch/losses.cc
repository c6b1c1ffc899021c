#include "losses.h"

#include <torch/csrc/autograd/custom_function.h>

#include <vector>

namespace pdd {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

Tensor wide(const Tensor &x) {
  bool half = x.scalar_type() == at::kBFloat16 || x.scalar_type() == at::kHalf;
  return half ? x.to(at::kFloat) : x;
}

Tensor difference(const Tensor &a, const Tensor &b) { return b.defined() ? at::sub(wide(a), wide(b)) : wide(a); }

// The derivatives for a and b, given that for a-b.
variable_list of_both(AutogradContext *ctx, Tensor grad, bool has_b) {
  return {ctx->needs_input_grad(0) ? grad : Tensor(), has_b && ctx->needs_input_grad(1) ? grad.neg() : Tensor()};
}

struct AbsDiff : Function<AbsDiff> {
  static Tensor forward(AutogradContext *ctx, const Tensor &a, const Tensor &b) {
    ctx->save_for_backward({a, b});
    return difference(a, b).abs_();
  }
  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    auto ab = ctx->get_saved_variables();
    return of_both(ctx, difference(ab[0], ab[1]).sign_().mul_(grads[0]), true);
  }
};

// Without MKL, libtorch multiplies float32 matrices with the system's BLAS, which on Debian is the reference one, 16
// times slower than oneDNN. Its convolutions of 1x1 pixel are the same products. Dilation means nothing to one pixel, but
// with a single thread libtorch takes such a convolution to the BLAS too unless it is dilated.
bool by_convolution(const Tensor &f) { return f.is_cpu() && f.scalar_type() == at::kFloat && !at::hasMKL(); }
const std::vector<int64_t> zero{0, 0}, one{1, 1}, dilated{2, 2};

// F*F^T for each sample: the derivative for the weight of a convolution 1x1 whose input and output gradient are F.
Tensor products(const Tensor &f) {
  int64_t n = f.size(0), c = f.size(1);
  Tensor m = f.flatten(2);
  if (!by_convolution(f)) return at::bmm(m, m.transpose(1, 2));
  Tensor out = at::empty({n, c, c}, f.options()), weight = at::empty({c, c, 1, 1}, f.options());
  for (int64_t k = 0; k < n; k++) {
    Tensor x = f.narrow(0, k, 1);
    auto grads = at::convolution_backward(x, x, weight, c10::nullopt, one, zero, dilated, false, zero, 1, {false, true, false});
    out.select(0, k).copy_(std::get<1>(grads).view({c, c}));
  }
  return out;
}

// M*F for each sample, with symmetric M [n,c,c], in the layout of f.
Tensor mixed(const Tensor &f, const Tensor &m) {
  int64_t c = f.size(1);
  if (by_convolution(f)) {
    Tensor out = at::empty_like(f);
    for (int64_t k = 0; k < f.size(0); k++)
      out.narrow(0, k, 1).copy_(at::conv2d(f.narrow(0, k, 1), m[k].view({c, c, 1, 1}), {}, one, zero, dilated));
    return out;
  }
  if (f.is_contiguous()) return at::bmm(m, f.flatten(2)).view(f.sizes());
  Tensor rows = f.permute({0, 2, 3, 1}).flatten(1, 2);
  return at::bmm(rows, m).transpose(1, 2).view(f.sizes());
}

struct Gram : Function<Gram> {
  static Tensor forward(AutogradContext *ctx, const Tensor &a, const c10::optional<Tensor> &maybe_b) {
    Tensor b = maybe_b ? *maybe_b : Tensor();
    ctx->save_for_backward({a, b});
    return products(difference(a, b)).div_(static_cast<double>(a.numel() / a.size(0)));
  }
  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    auto ab = ctx->get_saved_variables();
    Tensor m = grads[0].add(grads[0].transpose(1, 2)).div_(static_cast<double>(ab[0].numel() / ab[0].size(0)));
    return of_both(ctx, mixed(difference(ab[0], ab[1]), m), ab[1].defined());
  }
};

// Channels become the last dimension, where softmax and sums run along memory for channels-last features.
Tensor rows(const Tensor &x) { return wide(x).permute({0, 2, 3, 1}); }
Tensor unrows(const Tensor &x) { return x.permute({0, 3, 1, 2}); }

struct ChannelCE : Function<ChannelCE> {
  static Tensor forward(AutogradContext *ctx, const Tensor &x, const Tensor &target, double eps, bool dx, bool dt) {
    double positions = static_cast<double>(x.numel() / x.size(1));
    Tensor p = at::softmax(rows(target), -1);
    Tensor q = at::softmax(rows(x), -1);
    Tensor log = eps > 0 ? q.add(eps).log_() : at::log_softmax(rows(x), -1);
    Tensor gx, gt;
    if (dt) {  // p*(sum(p*log) - log)
      Tensor mean = at::mul(p, log).sum(-1, true);
      gt = mean.sub(log).mul_(p).div_(positions);
    }
    Tensor loss = log.mul_(p).sum().div_(-positions);
    log = Tensor();
    if (dx && eps > 0) {  // q*(sum(q*w) - w), w = p/(q+eps)
      Tensor w = p.div_(at::add(q, eps));
      Tensor mean = at::mul(q, w).sum(-1, true);
      gx = mean.sub(w).mul_(q).div_(positions);
    } else if (dx) {
      gx = q.sub_(p).div_(positions);
    }
    ctx->save_for_backward({gx, gt});
    return loss;
  }
  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    variable_list out;
    for (const Tensor &g : ctx->get_saved_variables()) out.push_back(g.defined() ? unrows(g.mul(grads[0])) : Tensor());
    out.resize(5);
    return out;
  }
};

}  // namespace

Tensor abs_diff(const Tensor &a, const Tensor &b) {
  TORCH_CHECK(a.sizes() == b.sizes(), "want the same shape");
  return AbsDiff::apply(a, b);
}

Tensor gram(const Tensor &a, const c10::optional<Tensor> &b) {
  TORCH_CHECK(a.dim() == 4 && a.numel() > 0, "want features [n,c,h,w]");
  TORCH_CHECK(!b || b->sizes() == a.sizes(), "want the same shape");
  return Gram::apply(a, b);
}

Tensor channel_ce(const Tensor &x, const Tensor &target, double eps) {
  TORCH_CHECK(x.dim() == 4 && x.numel() > 0 && x.sizes() == target.sizes(), "want two features of one shape [n,c,h,w]");
  if (eps < 1e-38) eps = 0;  // what float32 cannot tell from 0 would let log(0) in
  bool grad = at::GradMode::is_enabled();
  return ChannelCE::apply(x, target, eps, grad && x.requires_grad(), grad && target.requires_grad());
}

}  // namespace pdd
