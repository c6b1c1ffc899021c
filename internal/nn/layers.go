package nn

import (
	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/tensor"
)

// Conv2D is a convolution with bias.
type Conv2D struct {
	Weight, Bias torch.Tensor
	opts         tensor.ConvOptions
}

// Conv2D asks for the weight [out,in,kernel,kernel] and the bias [out] of a convolution.
func (p Path) Conv2D(in, out, kernel int64, o tensor.ConvOptions) Conv2D {
	return Conv2D{Weight: p.Param("weight", out, in, kernel, kernel), Bias: p.Param("bias", out), opts: o}
}

// Conv3x3 asks for a convolution that keeps the size: kernel 3, stride 1, zero padding 1.
func (p Path) Conv3x3(in, out int64) Conv2D {
	return p.Conv2D(in, out, 3, tensor.ConvOptions{Padding: 1})
}

// Forward convolves x [N,in,H,W].
func (c Conv2D) Forward(s *tensor.Scope, x torch.Tensor) torch.Tensor {
	return s.Conv2D(x, c.Weight, c.Bias, c.opts)
}

// Leaky convolves x and applies LeakyReLU.
func (c Conv2D) Leaky(s *tensor.Scope, x torch.Tensor, slope float64) torch.Tensor {
	return s.Conv2DLeaky(x, c.Weight, c.Bias, c.opts, slope)
}
