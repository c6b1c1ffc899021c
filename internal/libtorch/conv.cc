#include "conv.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <atomic>
#include <initializer_list>

#include "../conv/winograd.h"
#include "guard.h"

namespace pdd {
namespace {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr int64_t BLOCK = PDD_BLOCK;

const pdd_winograd *kernels = nullptr;  // set before the first call
std::atomic<int> kernels_isa{PDD_NO_ISA};

// The kernels load whole registers; views may begin anywhere.
Tensor aligned(const Tensor &x) { return reinterpret_cast<uintptr_t>(x.data_ptr()) % 64 ? x.clone() : x; }

Tensor channels_last(const Tensor &x) { return aligned(x.contiguous(at::MemoryFormat::ChannelsLast)); }

Tensor pictures(const Tensor &like, int64_t channels) {
  return at::empty({like.size(0), channels, like.size(2), like.size(3)}, like.options(), at::MemoryFormat::ChannelsLast);
}

// Channels [from, from+channels) of a channels-last tensor.
pdd_planes planes(const Tensor &x, int64_t from, int64_t channels) {
  const int64_t c = x.size(1), h = x.size(2), w = x.size(3);
  return {x.data_ptr<float>() + from, static_cast<int>(channels / BLOCK), 0, c, w * c, BLOCK, h * w * c};
}

pdd_planes planes(const Tensor &x) { return planes(x, 0, x.size(1)); }

pdd_filters filters(const Tensor &w) { return {w.data_ptr<float>(), w.stride(0), w.stride(1), w.stride(3)}; }

// The filters of the convolution that is the derivative for the input.
pdd_filters turned(pdd_filters w) { return {w.data + 8 * w.tap, w.in, w.out, -w.tap}; }

// A convolution of pictures of x's size, to be filled in further.
pdd_conv conv_of(const Tensor &x, pdd_planes in, pdd_planes in2, pdd_planes out) {
  pdd_conv c{};
  c.in[0] = in, c.in[1] = in2, c.out = out;
  c.images = x.size(0), c.height = c.to = x.size(2), c.width = x.size(3);
  return c;
}

Tensor floats(int64_t n) { return at::empty({n}, at::kFloat); }

int in_blocks(const pdd_conv &c) { return c.in[0].blocks + c.in[1].blocks; }

// The kernels' work on one call of an operation, in memory that all its steps use one after the other: of many blocks
// the allocator could keep fewer for the next call.
class Work {
 public:
  // Room for everything about these convolutions, each with its derivatives if asked for.
  Work(std::initializer_list<pdd_conv> convs, bool gradients) : Work(convs.begin(), convs.end(), gradients) {}

  template <class Iterator>
  Work(Iterator begin, Iterator end, bool gradients) {
    int64_t n = 0;
    for (Iterator c = begin; c != end; ++c) {
      const int in = in_blocks(*c), out = c->out.blocks;
      n = std::max(n, kernels->weights(in, out) + threads_ * kernels->scratch(in, out));
      if (!gradients) continue;
      n = std::max({n, kernels->weights(out, in) + threads_ * kernels->scratch(out, in), kernels->bias_scratch(out),
                    kernels->gradient_scratch(&*c)});
    }
    memory_ = floats(n);
  }

  // c with the filters w, times gain.
  void run(pdd_conv c, pdd_filters w, float gain, const Tensor &bias, const Tensor &slope) {
    const int in = in_blocks(c), out = c.out.blocks;
    float *u = memory_.data_ptr<float>();
    Tensor b = bias.defined() ? aligned(gain == 1 ? bias.contiguous() : bias.mul(gain)) : at::zeros({out * BLOCK}, at::kFloat);
    kernels->pack(isa_, w, out * BLOCK, in * BLOCK, nullptr, gain, in, u, 0, out, threads_);
    c.u = u, c.bias = b.data_ptr<float>(), c.slope = slope.defined() ? slope.data_ptr<float>() : nullptr;
    kernels->run(isa_, &c, threads_, u + kernels->weights(in, out));
  }

  // The derivative for the filters w, times gain; c.in is the input and c.out the derivative for the sums.
  Tensor filters_gradient(const pdd_conv &c, const Tensor &w, float gain) {
    Tensor grad = at::empty_like(w);
    kernels->gradient(isa_, &c, gain, filters(grad), threads_, memory_.data_ptr<float>());
    return grad;
  }

  // Makes of c.out the derivative for the sums that y = act(sums) came of, and returns gain times its sum.
  Tensor activation_gradient(const pdd_conv &c, pdd_planes y, double slope, float gain) {
    Tensor bias = floats(c.out.blocks * BLOCK);
    kernels->activation(isa_, c.out, y, slope, c.images, c.height, c.width, gain, bias.data_ptr<float>(), threads_,
                        memory_.data_ptr<float>());
    return bias;
  }

 private:
  const int isa_ = kernels_isa, threads_ = at::get_num_threads();
  Tensor memory_;
};

Tensor slopes(int64_t channels, double slope) { return at::full({channels}, slope, at::kFloat); }

struct Conv3x3 : Function<Conv3x3> {
  static Tensor forward(AutogradContext *ctx, const Tensor &x0, const Tensor &w, const c10::optional<Tensor> &bias,
                        c10::optional<double> slope) {
    Tensor x = channels_last(x0), y = pictures(x, w.size(0));
    const pdd_conv c = conv_of(x, planes(x), {}, planes(y));
    Work({c}, false).run(c, filters(w), 1, bias.value_or(Tensor()), slope ? slopes(w.size(0), *slope) : Tensor());
    ctx->save_for_backward({x, w, slope ? y : Tensor()});
    ctx->saved_data["slope"] = slope.value_or(1);
    ctx->saved_data["bias"] = bias.has_value();
    return y;
  }

  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &x = saved[0], &w = saved[1], &y = saved[2];
    const bool want_bias = ctx->saved_data["bias"].toBool() && ctx->needs_input_grad(2);  // a bias left out has no number
    Tensor g = channels_last(grads[0]), gx, gw, gb;
    if (y.defined() && g.is_same(grads[0])) g = g.clone();  // it is not ours to change
    const pdd_conv c = conv_of(x, planes(x), {}, planes(g));
    Work work({c}, true);
    if (y.defined() || want_bias)
      gb = work.activation_gradient(c, y.defined() ? planes(y) : pdd_planes{}, ctx->saved_data["slope"].toDouble(), 1);
    if (ctx->needs_input_grad(0)) {
      gx = pictures(x, x.size(1));
      work.run(conv_of(x, planes(g), {}, planes(gx)), turned(filters(w)), 1, {}, {});
    }
    if (ctx->needs_input_grad(1)) gw = work.filters_gradient(c, w, 1);
    return {gx, gw, want_bias ? gb : Tensor(), Tensor()};
  }
};

// The convolutions of a dense block of x and of what all but the last of them make, side by side.
std::vector<pdd_conv> convolutions(const Tensor &x, const Tensor &grown, int64_t grow, pdd_planes last) {
  std::vector<pdd_conv> convs;
  for (int64_t from = 0; from <= grown.size(1); from += grow)
    convs.push_back(conv_of(x, planes(x), planes(grown, 0, from), from < grown.size(1) ? planes(grown, from, grow) : last));
  return convs;
}

// DenseBlock's saved tensors: its input, what the convolutions but the last made side by side, then the filters.
enum { X, GROWN, W };

struct DenseBlock : Function<DenseBlock> {
  static Tensor forward(AutogradContext *ctx, const Tensor &x0, at::TensorList w, at::TensorList bias, double slope,
                        double scale) {
    const int64_t last = w.size() - 1, grow = w[0].size(0);
    Tensor x = channels_last(x0), grown = pictures(x, last * grow), y = pictures(x, x.size(1)), leaky = slopes(grow, slope);
    std::vector<pdd_conv> convs = convolutions(x, grown, grow, planes(y));
    convs[last].add[0] = planes(x), convs[last].scale[0] = 1;
    Work work(convs.begin(), convs.end(), false);
    for (int64_t i = 0; i < last; i++) work.run(convs[i], filters(w[i]), 1, bias[i], leaky);
    work.run(convs[last], filters(w[last]), scale, bias[last], {});
    variable_list saved{x, grown};
    saved.insert(saved.end(), w.begin(), w.end());
    ctx->save_for_backward(std::move(saved));
    ctx->saved_data["slope"] = slope;
    ctx->saved_data["scale"] = scale;
    return y;
  }

  static variable_list backward(AutogradContext *ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const Tensor &x = saved[X], &grown = saved[GROWN], *w = &saved[W];
    const int64_t last = saved.size() - W - 1, feat = x.size(1), grow = w[0].size(0);
    const double slope = ctx->saved_data["slope"].toDouble(), scale = ctx->saved_data["scale"].toDouble();
    Tensor gy = channels_last(grads[0]), g = pictures(x, feat + last * grow);  // g: for x and grown
    std::vector<pdd_conv> convs = convolutions(x, grown, grow, planes(gy));
    for (int64_t i = 0; i < last; i++) convs[i].out = planes(g, feat + i * grow, grow);
    Work work(convs.begin(), convs.end(), true);
    variable_list out(1 + 2 * (last + 1) + 2);  // for x, w, bias, slope and scale
    for (int64_t i = last; i >= 0; i--) {
      const float gain = i == last ? scale : 1;
      out[2 + last + i] = work.activation_gradient(convs[i], i == last ? pdd_planes{} : planes(grown, i * grow, grow), slope, gain);
      if (ctx->needs_input_grad(1 + i)) out[1 + i] = work.filters_gradient(convs[i], w[i], gain);
      pdd_conv c = conv_of(x, convs[i].out, {}, planes(g, 0, feat + i * grow));
      if (i < last) c.add[0] = c.out, c.scale[0] = 1;
      if (i == 0) {
        out[0] = pictures(x, feat);
        c.out = planes(out[0]), c.add[1] = planes(gy), c.scale[1] = 1;
      }
      work.run(c, turned(filters(w[i])), gain, {}, {});
    }
    return out;
  }
};

// Filters that the kernels know: 3x3, between whole blocks of channels.
bool fits(const Tensor &w) {
  return w.dim() == 4 && w.size(2) == 3 && w.size(3) == 3 && w.size(0) % BLOCK == 0 && w.size(1) % BLOCK == 0 &&
         w.is_cpu() && w.scalar_type() == at::kFloat;
}

// Whether the kernels compute x * w. They transform the filters anew at each call, which takes as long as some tens of
// tiles (docs/PERFORMANCE.md), and whole tiles even where the pictures fill a small part of them.
bool eligible(const Tensor &x, const Tensor &w, int64_t stride, int64_t padding) {
  if (kernels_isa == PDD_NO_ISA || autocast_on_cpu() || !fits(w) || stride != 1 || padding != 1 || x.dim() != 4 ||
      x.size(1) != w.size(1) || !x.is_cpu() || x.scalar_type() != at::kFloat)
    return false;
  constexpr int64_t fewest = 32, pixels = 16;  // of a tile
  const int64_t tiles = x.size(0) * ((x.size(2) + 3) / 4) * ((x.size(3) + 3) / 4);
  return tiles >= fewest && x.size(0) * x.size(2) * x.size(3) * 2 >= tiles * pixels;
}

// The derivative of LeakyReLU is told from its result, which needs a slope that keeps the sign.
bool keeps_sign(double slope) { return slope >= 0; }

bool regular(const Tensor &w) { return w.stride(2) == 3 * w.stride(3); }  // taps a fixed distance apart

bool plain_bias(const Tensor &b, const Tensor &w) {
  return b.is_cpu() && b.scalar_type() == at::kFloat && b.dim() == 1 && b.size(0) == w.size(0);
}

// Whether the kernels compute a dense block: all but the last convolution add as many channels.
bool eligible_block(const Tensor &x, const std::vector<Tensor> &w, const std::vector<Tensor> &bias) {
  if (!eligible(x, w[0], 1, 1)) return false;
  const int64_t feat = x.size(1), grow = w[0].size(0);
  for (size_t i = 0; i < w.size(); i++) {
    const int64_t out = i + 1 < w.size() ? grow : feat, in = feat + static_cast<int64_t>(i) * grow;
    if (!fits(w[i]) || w[i].size(0) != out || w[i].size(1) != in || !regular(w[i]) || !plain_bias(bias[i], w[i])) return false;
  }
  return true;
}

Tensor conv3x3(const Tensor &x, const Tensor &w, const c10::optional<Tensor> &bias, c10::optional<double> slope) {
  TORCH_CHECK(!bias || plain_bias(*bias, w), "want a bias of float32 [", w.size(0), "]");
  return Conv3x3::apply(x, regular(w) ? w : w.contiguous(), bias, slope);
}

}  // namespace

Tensor conv2d_leaky(const Tensor &x, const Tensor &w, const c10::optional<Tensor> &bias, int64_t stride, int64_t padding,
                    double slope) {
  if (keeps_sign(slope) && eligible(x, w, stride, padding)) return conv3x3(x, w, bias, slope);
  int64_t strides[2] = {stride, stride}, paddings[2] = {padding, padding};
  Tensor y = at::conv2d(x, w, bias, strides, paddings);
  return at::leaky_relu_(y, slope);
}

Tensor conv2d(const Tensor &x, const Tensor &w, const c10::optional<Tensor> &bias, int64_t stride, int64_t padding,
              int64_t dilation, int64_t groups) {
  if (dilation == 1 && groups == 1 && eligible(x, w, stride, padding)) return conv3x3(x, w, bias, c10::nullopt);
  int64_t strides[2] = {stride, stride}, paddings[2] = {padding, padding}, dilations[2] = {dilation, dilation};
  return at::conv2d(x, w, bias, strides, paddings, dilations, groups);
}

Tensor dense_block(const Tensor &x, const std::vector<Tensor> &w, const std::vector<Tensor> &bias, double slope, double scale) {
  TORCH_CHECK(w.size() >= 2 && w.size() == bias.size(), "want as many filters as biases, two at least");
  if (keeps_sign(slope) && eligible_block(x, w, bias)) return DenseBlock::apply(x, at::TensorList(w), at::TensorList(bias), slope, scale);
  Tensor seen = x;
  for (size_t i = 0; i + 1 < w.size(); i++) {
    Tensor out = conv2d_leaky(seen, w[i], bias[i], 1, 1, slope);
    seen = at::cat({seen.to(out.scalar_type()), out}, 1);  // under autocast out has a smaller type
  }
  return at::add(x, conv2d(seen, w.back(), bias.back(), 1, 1, 1, 1), scale);
}

}  // namespace pdd

void pdd_set_conv_kernels(const void *table, int isa) {
  pdd::kernels = static_cast<const pdd_winograd *>(table);
  pdd::kernels_isa = isa;
}
