// pdd_call: one line per operation, named in ops.h.
#include <ATen/CPUGeneratorImpl.h>

#include <vector>

#include "conv.h"
#include "guard.h"
#include "losses.h"
#include "ops.h"

namespace {

using at::Tensor;
using pdd::deref;

// The arguments of one call, read by position.
struct Args {
  pdd_tensor *in;
  int nin;
  const int64_t *ints;
  int nints;
  const double *nums;
  int nnums;

  const Tensor &t(int k) const {
    TORCH_CHECK(k < nin && in[k], "tensor argument ", k, " is missing or was freed");
    return deref(in[k]);
  }
  Tensor &mut(int k) const { return const_cast<Tensor &>(t(k)); }
  c10::optional<Tensor> maybe(int k) const {
    return k < nin && in[k] ? c10::optional<Tensor>(deref(in[k])) : c10::optional<Tensor>();
  }
  int64_t i(int k) const {
    TORCH_CHECK(k < nints, "integer argument ", k, " is missing");
    return ints[k];
  }
  double f(int k) const {
    TORCH_CHECK(k < nnums, "number argument ", k, " is missing");
    return nums[k];
  }
  at::IntArrayRef rest(int from) const {
    TORCH_CHECK(from <= nints, "integer argument ", from, " is missing");
    return at::IntArrayRef(ints + from, nints - from);
  }
  std::vector<Tensor> list() const {
    std::vector<Tensor> v;
    for (int k = 0; k < nin; k++) v.push_back(t(k));
    return v;
  }
  at::TensorOptions options() const {  // dtype and device as the first two integers
    return at::TensorOptions().dtype(pdd::scalar_type(i(0))).device(pdd::device(i(1)));
  }
};

at::MemoryFormat format(bool channels_last) {
  return channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
}

// Reductions over no named dimension are over all.
std::vector<int64_t> dims_or_all(const Tensor &x, at::IntArrayRef dims) {
  if (!dims.empty()) return dims.vec();
  std::vector<int64_t> all(x.dim());
  for (size_t k = 0; k < all.size(); k++) all[k] = k;
  return all;
}

Tensor norm_all(const std::vector<Tensor> &ts) {
  return at::norm(at::stack(at::_foreach_norm(ts)));
}

// One reading of x, where at::isfinite makes several copies of it: NaN anywhere is the minimum and the maximum.
Tensor all_finite(const Tensor &x) {
  if (x.scalar_type() != at::kFloat || x.numel() == 0) return at::isfinite(x).all();
  auto [least, most] = at::aminmax(x);
  return at::isfinite(least).logical_and(at::isfinite(most));
}

// With dimensions, libtorch 1.13 keeps the input until backward; without it does not.
Tensor mean(const Args &a) {
  auto dims = a.rest(1);
  return dims.empty() && !a.i(0) ? at::mean(a.t(0)) : at::mean(a.t(0), dims_or_all(a.t(0), dims), a.i(0) != 0);
}

Tensor pad(const Args &a) {
  auto sizes = a.rest(1);
  TORCH_CHECK(sizes.size() == 4, "pad wants left, right, top, bottom");
  switch (a.i(0)) {
    case 0: return at::constant_pad_nd(a.t(0), sizes, a.f(0));
    case 1: return at::reflection_pad2d(a.t(0), sizes);
    default: return at::replication_pad2d(a.t(0), sizes);
  }
}

enum { NEAREST, BILINEAR, BICUBIC, AREA };

// Twice as long along a dimension, linearly.
Tensor twice(const Tensor &x, int64_t dim) {
  const int64_t n = x.size(dim);
  Tensor before = at::cat({x.narrow(dim, 0, 1), x.narrow(dim, 0, n - 1)}, dim);
  Tensor after = at::cat({x.narrow(dim, 1, n - 1), x.narrow(dim, n - 1, 1)}, dim);
  return at::stack({at::lerp(x, before, 0.25), at::lerp(x, after, 0.25)}, dim + 1).flatten(dim, dim + 1);
}

// Bilinear enlargement in operations whose gradients on CUDA devices come out equal in every run, unlike that of
// libtorch's own.
Tensor twice(const Tensor &x) {
  TORCH_CHECK(x.dim() == 4, "want [n,c,h,w]");
  return twice(twice(x, 2), 3);
}

// As torch.nn.functional.interpolate with align_corners false; scale 0 means the ratio of the sizes.
Tensor interpolate(const Args &a) {
  const Tensor &x = a.t(0);
  int64_t size[2] = {a.i(1), a.i(2)};
  c10::optional<double> sh, sw;
  if (a.f(0) > 0) sh = a.f(0);
  if (a.f(1) > 0) sw = a.f(1);
  bool antialias = a.i(3) != 0;
  switch (a.i(0)) {
    case NEAREST: return at::upsample_nearest2d(x, size, sh, sw);
    case BILINEAR:
      if (pdd::repeatable && x.is_cuda() && !antialias && !sh && !sw && x.dim() == 4 && size[0] == 2 * x.size(2) &&
          size[1] == 2 * x.size(3))
        return twice(x);
      return antialias ? at::_upsample_bilinear2d_aa(x, size, false, sh, sw)
                       : at::upsample_bilinear2d(x, size, false, sh, sw);
    case BICUBIC:
      return antialias ? at::_upsample_bicubic2d_aa(x, size, false, sh, sw)
                       : at::upsample_bicubic2d(x, size, false, sh, sw);
    case AREA: return at::adaptive_avg_pool2d(x, size);
  }
  TORCH_CHECK(false, "unknown interpolation mode ", a.i(0));
}

Tensor dense_block(const Args &a) {
  const std::vector<Tensor> all = a.list();
  const int64_t n = a.i(0);
  TORCH_CHECK(n > 0 && static_cast<int64_t>(all.size()) == 1 + 2 * n, "want one input, ", n, " filters, ", n, " biases");
  const auto w = all.begin() + 1, b = w + n;
  return pdd::dense_block(all[0], {w, b}, {b, all.end()}, a.f(0), a.f(1));
}

Tensor max_pool2d(const Args &a) {
  int64_t kernel[2] = {a.i(0), a.i(0)}, stride[2] = {a.i(1), a.i(1)};
  return at::max_pool2d(a.t(0), kernel, stride, 0, 1, a.i(2) != 0);
}

// Random numbers depend on the seed alone, so they are drawn on the CPU and then moved.
Tensor random(const Args &a, bool normal) {
  auto g = at::detail::createCPUGenerator(static_cast<uint64_t>(a.i(2)));
  auto cpu = at::TensorOptions().dtype(pdd::scalar_type(a.i(0)));
  Tensor r = normal ? at::randn(a.rest(3), g, cpu) : at::rand(a.rest(3), g, cpu);
  return r.to(pdd::device(a.i(1)));
}

Tensor to(const Args &a) {
  Tensor x = a.t(0);
  if (a.i(1) != -2) x = x.to(pdd::device(a.i(1)));
  return a.i(0) ? x.to(pdd::scalar_type(a.i(0))) : x;
}

Tensor bce_with_logits(const Args &a) {
  const Tensor &x = a.t(0);
  return at::binary_cross_entropy_with_logits(x, at::full_like(x, a.f(0)));
}

Tensor from_bytes(const Tensor &hwc) {
  TORCH_CHECK(hwc.dim() == 3 && hwc.scalar_type() == at::kByte, "want bytes [h,w,c]");
  return hwc.permute({2, 0, 1}).unsqueeze(0).to(at::kFloat).div_(255).contiguous();
}

Tensor to_bytes(const Tensor &x) {
  TORCH_CHECK(x.dim() == 4 && x.size(0) == 1, "want one image [1,c,h,w]");
  return x.detach().to(at::kCPU, at::kFloat).clamp(0, 1).mul_(255).round_().to(at::kByte).squeeze(0).permute({1, 2, 0})
      .contiguous();
}

Tensor requires_grad(const Args &a) {
  a.mut(0).requires_grad_(a.i(0) != 0);
  return a.t(0);
}

// Drops gradients instead of zeroing them, so the next backward writes and need not add.
void zero_grad(const Args &a) {
  for (int k = 0; k < a.nin; k++) a.mut(k).mutable_grad() = Tensor();
}

Tensor run(int op, const Args &a) {
  switch (static_cast<pdd_op>(op)) {
    case PDD_ADD: return at::add(a.t(0), a.t(1), a.f(0));
    case PDD_MUL: return at::mul(a.t(0), a.t(1));
    case PDD_DIV: return at::div(a.t(0), a.t(1));
    case PDD_ADD_SCALAR: return at::add(a.t(0), a.f(0));
    case PDD_MUL_SCALAR: return at::mul(a.t(0), a.f(0));
    case PDD_POW: return at::pow(a.t(0), a.f(0));
    case PDD_ABS: return at::abs(a.t(0));
    case PDD_SQRT: return at::sqrt(a.t(0));
    case PDD_EXP: return at::exp(a.t(0));
    case PDD_LOG: return at::log(a.t(0));
    case PDD_SIGMOID: return at::sigmoid(a.t(0));
    case PDD_SOFTPLUS: return at::softplus(a.t(0));
    case PDD_RELU: return at::relu(a.t(0));
    case PDD_LEAKY_RELU: return at::leaky_relu(a.t(0), a.f(0));
    case PDD_PRELU: return at::prelu(a.t(0), a.t(1));
    case PDD_CLAMP: return at::clamp(a.t(0), a.f(0), a.f(1));
    case PDD_ADDCMUL_: return a.mut(0).addcmul_(a.t(1), a.t(2), a.f(0));
    case PDD_AXPY_: return a.mut(0).add_(a.t(1), a.f(0));
    case PDD_SCALE_: return a.mut(0).mul_(a.f(0));
    case PDD_COPY_: return a.mut(0).copy_(a.t(1));
    case PDD_FILL_: return a.mut(0).fill_(a.f(0));
    case PDD_SUM: return at::sum(a.t(0), dims_or_all(a.t(0), a.rest(1)), a.i(0) != 0);
    case PDD_MEAN: return mean(a);
    case PDD_STD: return at::std(a.t(0), dims_or_all(a.t(0), a.rest(2)), a.i(0) != 0, a.i(1) != 0);
    case PDD_NORM: return at::norm(a.t(0), 2, dims_or_all(a.t(0), a.rest(1)), a.i(0) != 0);
    case PDD_ALLFINITE: return all_finite(a.t(0));
    case PDD_NORM_ALL: return norm_all(a.list());
    case PDD_MAX: return at::max(a.t(0));
    case PDD_MATMUL: return at::matmul(a.t(0), a.t(1));
    case PDD_SOFTMAX: return at::softmax(a.t(0), a.i(0));
    case PDD_LOG_SOFTMAX: return at::log_softmax(a.t(0), a.i(0));
    case PDD_BCE_LOGITS: return bce_with_logits(a);
    case PDD_MSE: return at::mse_loss(a.t(0), a.t(1));
    case PDD_ABS_DIFF: return pdd::abs_diff(a.t(0), a.t(1));
    case PDD_GRAM: return pdd::gram(a.t(0), a.maybe(1));
    case PDD_CHANNEL_CE: return pdd::channel_ce(a.t(0), a.t(1), a.f(0));
    case PDD_CAT: return at::cat(a.list(), a.i(0));
    case PDD_NARROW: return at::narrow(a.t(0), a.i(0), a.i(1), a.i(2));
    case PDD_SLICE: return at::slice(a.t(0), a.i(0), a.i(1), a.i(2), a.i(3));
    case PDD_RESHAPE: return at::reshape(a.t(0), a.rest(0));
    case PDD_PERMUTE: return a.t(0).permute(a.rest(0));
    case PDD_CONTIGUOUS: return a.t(0).contiguous(format(a.i(0) != 0));
    case PDD_PAD: return pad(a);
    case PDD_PIXEL_SHUFFLE: return at::pixel_shuffle(a.t(0), a.i(0));
    case PDD_PIXEL_UNSHUFFLE: return at::pixel_unshuffle(a.t(0), a.i(0));
    case PDD_INTERPOLATE: return interpolate(a);
    case PDD_TWICE: return twice(a.t(0));
    case PDD_CONV2D: return pdd::conv2d(a.t(0), a.t(1), a.maybe(2), a.i(0), a.i(1), a.i(2), a.i(3));
    case PDD_CONV2D_LEAKY: return pdd::conv2d_leaky(a.t(0), a.t(1), a.maybe(2), a.i(0), a.i(1), a.f(0));
    case PDD_DENSE_BLOCK: return dense_block(a);
    case PDD_MAX_POOL2D: return max_pool2d(a);
    case PDD_FULL: return at::full(a.rest(2), a.f(0), a.options());
    case PDD_EMPTY: return at::empty(a.rest(2), a.options());
    case PDD_RAND: return random(a, false);
    case PDD_RANDN: return random(a, true);
    case PDD_TO: return to(a);
    case PDD_CLONE: return a.t(0).clone();
    case PDD_DETACH: return a.t(0).detach();
    case PDD_REQUIRES_GRAD_: return requires_grad(a);
    case PDD_ZERO_GRAD_: zero_grad(a); return Tensor();
    case PDD_FROM_BYTES: return from_bytes(a.t(0));
    case PDD_TO_BYTES: return to_bytes(a.t(0));
    case PDD_OP_COUNT: break;
  }
  TORCH_CHECK(false, "unknown operation ", op);
}

}  // namespace

pdd_status pdd_call(int op, pdd_mode mode, pdd_tensor *in, int nin, const int64_t *ints, int nints,
                    const double *nums, int nnums, pdd_tensor *out, int nout) {
  return pdd::guarded([&] {
    pdd::ModeGuard modes(mode);
    Tensor y = run(op, Args{in, nin, ints, nints, nums, nnums});
    if (nout == 1) out[0] = pdd::hand_out(std::move(y));
  });
}
