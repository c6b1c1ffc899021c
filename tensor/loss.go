package tensor

import (
	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/libtorch"
)

// Parts of losses in one step each, which keep no more for the backward pass than their own tensors. Those of half
// precision are computed in float32 whatever autocast says, and float32 is then the result's type; gradients have the
// type of their tensor.

// AbsDiff is |a − b|, element by element, of tensors of one shape. Its gradient where a = b is 0.
func (s *Scope) AbsDiff(a, b torch.Tensor) torch.Tensor {
	return s.Autocast(0).call("abs diff", libtorch.OpAbsDiff, list(a, b), nil)
}

// MSE is the mean of (a − b)² of float32 or float64 tensors of one shape.
func (s *Scope) MSE(a, b torch.Tensor) torch.Tensor {
	return s.Autocast(0).call("mse", libtorch.OpMSE, list(a, b), nil)
}

// Gram gives F·Fᵀ/(C·H·W) [N,C,C] with F [C,H·W] of each sample of a [N,C,H,W].
func (s *Scope) Gram(a torch.Tensor) torch.Tensor {
	return s.Autocast(0).call("gram", libtorch.OpGram, list(a), nil)
}

// GramDiff is Gram of a − b.
func (s *Scope) GramDiff(a, b torch.Tensor) torch.Tensor {
	return s.Autocast(0).call("gram diff", libtorch.OpGram, list(a, b), nil)
}

// ChannelCrossEntropy is the mean over all N·H·W positions of −Σ_c P·log(Q+eps), P and Q being the softmaxes over the
// channels of target and x [N,C,H,W]. With eps 0 it does not overflow. It keeps one tensor of x's size for backward.
func (s *Scope) ChannelCrossEntropy(x, target torch.Tensor, eps float64) torch.Tensor {
	return s.Autocast(0).call("channel cross-entropy", libtorch.OpChannelCE, list(x, target), nil, eps)
}
