package tensor

import (
	"math"
	"runtime"
	"slices"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/libtorch"
)

// ConvOptions of [Scope.Conv2D]; the zero value means stride 1, no padding, dilation 1, one group.
type ConvOptions struct {
	Stride, Padding, Dilation, Groups int64
}

// Conv2D correlates x [N,C,H,W] with weight [O,C/groups,kh,kw] and adds bias [O]; the zero Tensor is no bias. On the CPU
// in float32 most 3×3 convolutions run in our own kernels (package internal/conv, which says how exact they are); the
// result may be channels-last whatever x is.
func (s *Scope) Conv2D(x, weight, bias torch.Tensor, o ConvOptions) torch.Tensor {
	return s.call("conv2d", libtorch.OpConv2D, list(x, weight, bias),
		ints(max(o.Stride, 1), o.Padding, max(o.Dilation, 1), max(o.Groups, 1)))
}

// Conv2DLeaky is Conv2D of one group and dilation 1, then LeakyReLU in place of the convolution's output: one native
// call and no second buffer.
func (s *Scope) Conv2DLeaky(x, weight, bias torch.Tensor, o ConvOptions, slope float64) torch.Tensor {
	return s.call("conv2d+leaky_relu", libtorch.OpConv2DLeaky, list(x, weight, bias),
		ints(max(o.Stride, 1), o.Padding), slope)
}

// DenseBlock is x [N,C,H,W] plus scale times the last of some convolutions 3×3, each of which sees x and the outputs of
// those before it, behind LeakyReLU (ESRGAN, arXiv 1809.00219). Weights are [G,C+i·G,3,3], the last [C,…], with biases.
func (s *Scope) DenseBlock(x torch.Tensor, weights, biases []torch.Tensor, slope, scale float64) torch.Tensor {
	return s.call("dense block", libtorch.OpDenseBlock, slices.Concat(list(x), weights, biases), ints(int64(len(weights))),
		slope, scale)
}

// MaxPool2D takes maxima over kernel×kernel windows; ceil keeps a last partial window.
func (s *Scope) MaxPool2D(x torch.Tensor, kernel, stride int64, ceil bool) torch.Tensor {
	return s.call("max_pool2d", libtorch.OpMaxPool2D, list(x), ints(kernel, stride, bit(ceil)))
}

// Backward computes the gradients of a scalar loss and adds them to those of the leaves, see [Scope.GradOf].
func (s *Scope) Backward(loss torch.Tensor) {
	hs := handles("backward", list(loss))
	err := libtorch.Backward(hs[0], false)
	runtime.KeepAlive(loss)
	if err != nil {
		fail("backward", err, loss)
	}
}

// Grads returns the gradients of a scalar with respect to xs and adds them nowhere. The graph of loss is kept when
// retain is set.
func (s *Scope) Grads(loss torch.Tensor, retain bool, xs ...torch.Tensor) []torch.Tensor {
	hs := handles("grads", append(list(loss), xs...))
	got, err := libtorch.Grads(hs[0], hs[1:], retain)
	runtime.KeepAlive(xs)
	if err != nil {
		fail("grads", err, append(list(loss), xs...)...)
	}
	out := make([]torch.Tensor, len(got))
	for i, h := range got {
		out[i] = s.wrap(h)
	}
	return out
}

// GradOf is the accumulated gradient of a leaf, shared with it; ok is false where there is none.
func (s *Scope) GradOf(x torch.Tensor) (grad torch.Tensor, ok bool) {
	h, err := libtorch.Grad(handles("grad", list(x))[0])
	runtime.KeepAlive(x)
	if err != nil {
		fail("grad", err, x)
	}
	if h == nil {
		return torch.Tensor{}, false
	}
	return s.wrap(h), true
}

// RequiresGrad makes a leaf collect gradients, or stop to.
func (s *Scope) RequiresGrad(on bool, xs ...torch.Tensor) {
	for _, x := range xs {
		s.run("requires_grad", libtorch.OpRequiresGradInPlace, list(x), ints(bit(on)))
	}
}

// ZeroGrad drops the accumulated gradients of xs.
func (s *Scope) ZeroGrad(xs ...torch.Tensor) { s.run("zero_grad", libtorch.OpZeroGradInPlace, xs, nil) }

// Detach is x without its history; both share memory.
func (s *Scope) Detach(x torch.Tensor) torch.Tensor {
	return s.call("detach", libtorch.OpDetach, list(x), nil)
}

// AdamOptions are the rates of one step (Kingma & Ba 2015). Step counts from 1.
type AdamOptions struct {
	LR, Beta1, Beta2, Eps, WeightDecay float64
	Step                               int64
}

// Adam makes one step over all params with their gradients, in place; means and squares are the moments. A parameter
// whose gradient is the zero Tensor is skipped.
func (s *Scope) Adam(o AdamOptions, params, grads, means, squares []torch.Tensor) {
	if len(grads) != len(params) || len(means) != len(params) || len(squares) != len(params) {
		Failf("adam", "%d params, %d gradients, %d and %d moments", len(params), len(grads), len(means), len(squares))
	}
	if o.Step < 1 {
		Failf("adam", "step %d: steps count from 1", o.Step)
	}
	err := libtorch.Adam(libtorch.AdamOptions(o), handles("adam", params), handles("adam", grads),
		handles("adam", means), handles("adam", squares))
	runtime.KeepAlive([][]torch.Tensor{params, grads, means, squares})
	if err != nil {
		fail("adam", err)
	}
}

// EMA moves averages to decay·average + (1−decay)·param in place. Decay 0 copies; equal weights stay bit-equal.
func (s *Scope) EMA(decay float64, averages, params []torch.Tensor) {
	if len(averages) != len(params) || math.IsNaN(decay) {
		Failf("ema", "%d averages of %d params, decay %v", len(averages), len(params), decay)
	}
	err := libtorch.EMA(decay, handles("ema", averages), handles("ema", params))
	runtime.KeepAlive([][]torch.Tensor{averages, params})
	if err != nil {
		fail("ema", err)
	}
}
