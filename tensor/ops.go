package tensor

import (
	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/libtorch"
)

// Elementwise operations. Shapes broadcast as in libtorch.

// Add is a + b.
func (s *Scope) Add(a, b torch.Tensor) torch.Tensor { return s.AddScaled(a, b, 1) }

// Sub is a − b.
func (s *Scope) Sub(a, b torch.Tensor) torch.Tensor { return s.AddScaled(a, b, -1) }

// AddScaled is a + alpha·b.
func (s *Scope) AddScaled(a, b torch.Tensor, alpha float64) torch.Tensor {
	return s.call("add", libtorch.OpAdd, list(a, b), nil, alpha)
}

// Mul is a·b, element by element.
func (s *Scope) Mul(a, b torch.Tensor) torch.Tensor {
	return s.call("mul", libtorch.OpMul, list(a, b), nil)
}

// Div is a/b, element by element.
func (s *Scope) Div(a, b torch.Tensor) torch.Tensor {
	return s.call("div", libtorch.OpDiv, list(a, b), nil)
}

// AddScalar is a + c.
func (s *Scope) AddScalar(a torch.Tensor, c float64) torch.Tensor {
	return s.call("add scalar", libtorch.OpAddScalar, list(a), nil, c)
}

// MulScalar is c·a.
func (s *Scope) MulScalar(a torch.Tensor, c float64) torch.Tensor {
	return s.call("mul scalar", libtorch.OpMulScalar, list(a), nil, c)
}

// Pow is a to the power of e.
func (s *Scope) Pow(a torch.Tensor, e float64) torch.Tensor {
	return s.call("pow", libtorch.OpPow, list(a), nil, e)
}

// Abs is |a|; its gradient at 0 is 0.
func (s *Scope) Abs(a torch.Tensor) torch.Tensor { return s.call("abs", libtorch.OpAbs, list(a), nil) }

// Sqrt is the square root.
func (s *Scope) Sqrt(a torch.Tensor) torch.Tensor {
	return s.call("sqrt", libtorch.OpSqrt, list(a), nil)
}

// Exp is e to the power of a.
func (s *Scope) Exp(a torch.Tensor) torch.Tensor { return s.call("exp", libtorch.OpExp, list(a), nil) }

// Log is the natural logarithm.
func (s *Scope) Log(a torch.Tensor) torch.Tensor { return s.call("log", libtorch.OpLog, list(a), nil) }

// Sigmoid is 1/(1+exp(−a)).
func (s *Scope) Sigmoid(a torch.Tensor) torch.Tensor {
	return s.call("sigmoid", libtorch.OpSigmoid, list(a), nil)
}

// Softplus is log(1+exp(a)).
func (s *Scope) Softplus(a torch.Tensor) torch.Tensor {
	return s.call("softplus", libtorch.OpSoftplus, list(a), nil)
}

// ReLU is max(a, 0).
func (s *Scope) ReLU(a torch.Tensor) torch.Tensor {
	return s.call("relu", libtorch.OpReLU, list(a), nil)
}

// LeakyReLU is a where positive, slope·a elsewhere.
func (s *Scope) LeakyReLU(a torch.Tensor, slope float64) torch.Tensor {
	return s.call("leaky_relu", libtorch.OpLeakyReLU, list(a), nil, slope)
}

// PReLU is LeakyReLU with one slope for each channel of a [N,C,H,W].
func (s *Scope) PReLU(a, slopes torch.Tensor) torch.Tensor {
	return s.call("prelu", libtorch.OpPReLU, list(a, slopes), nil)
}

// Clamp limits a to [lo, hi].
func (s *Scope) Clamp(a torch.Tensor, lo, hi float64) torch.Tensor {
	return s.call("clamp", libtorch.OpClamp, list(a), nil, lo, hi)
}

// Operations in place change their first tensor. Under autograd libtorch's rules for in-place operations hold.

// AddInPlace is a += alpha·b.
func (s *Scope) AddInPlace(a, b torch.Tensor, alpha float64) {
	s.run("add in place", libtorch.OpAxpyInPlace, list(a, b), nil, alpha)
}

// AddProductInPlace is a += c·x·y.
func (s *Scope) AddProductInPlace(a, x, y torch.Tensor, c float64) {
	s.run("addcmul in place", libtorch.OpAddcmulInPlace, list(a, x, y), nil, c)
}

// ScaleInPlace is a *= c.
func (s *Scope) ScaleInPlace(a torch.Tensor, c float64) {
	s.run("scale in place", libtorch.OpScaleInPlace, list(a), nil, c)
}

// Copy copies src into dst, converting its type and place.
func (s *Scope) Copy(dst, src torch.Tensor) {
	s.run("copy", libtorch.OpCopyInPlace, list(dst, src), nil)
}

// Fill sets every element of a to c.
func (s *Scope) Fill(a torch.Tensor, c float64) {
	s.run("fill", libtorch.OpFillInPlace, list(a), nil, c)
}

// Reductions. No dimensions mean all of them, which gives a scalar (shape []). keep leaves reduced dimensions as 1.

// Sum adds up.
func (s *Scope) Sum(a torch.Tensor, keep bool, dims ...int64) torch.Tensor {
	return s.call("sum", libtorch.OpSum, list(a), append(ints(bit(keep)), dims...))
}

// Mean is the arithmetic mean.
func (s *Scope) Mean(a torch.Tensor, keep bool, dims ...int64) torch.Tensor {
	return s.call("mean", libtorch.OpMean, list(a), append(ints(bit(keep)), dims...))
}

// Std is the standard deviation, unbiased (N−1) or not (N).
func (s *Scope) Std(a torch.Tensor, unbiased, keep bool, dims ...int64) torch.Tensor {
	return s.call("std", libtorch.OpStd, list(a), append(ints(bit(unbiased), bit(keep)), dims...))
}

// Norm is the Euclidean (over two dimensions: Frobenius) norm; its gradient at 0 is 0.
func (s *Scope) Norm(a torch.Tensor, keep bool, dims ...int64) torch.Tensor {
	return s.call("norm", libtorch.OpNorm, list(a), append(ints(bit(keep)), dims...))
}

// Max is the largest element, a scalar.
func (s *Scope) Max(a torch.Tensor) torch.Tensor { return s.call("max", libtorch.OpMax, list(a), nil) }

// NormAll is the Euclidean norm over the elements of all tensors together, at least one.
func (s *Scope) NormAll(ts ...torch.Tensor) torch.Tensor {
	return s.call("norm of all", libtorch.OpNormAll, ts, nil)
}

// AllFinite tells whether no element is NaN or infinite.
func (s *Scope) AllFinite(a torch.Tensor) bool {
	t := s.call("isfinite", libtorch.OpAllFinite, list(a), nil)
	defer s.Free(t)
	return s.Item(t) != 0
}

// MatMul is the matrix product of [..,m,k] and [..,k,n]; with vectors as in torch.matmul.
func (s *Scope) MatMul(a, b torch.Tensor) torch.Tensor {
	return s.call("matmul", libtorch.OpMatmul, list(a, b), nil)
}

// Softmax along dimension dim.
func (s *Scope) Softmax(a torch.Tensor, dim int64) torch.Tensor {
	return s.call("softmax", libtorch.OpSoftmax, list(a), ints(dim))
}

// LogSoftmax along dimension dim.
func (s *Scope) LogSoftmax(a torch.Tensor, dim int64) torch.Tensor {
	return s.call("log_softmax", libtorch.OpLogSoftmax, list(a), ints(dim))
}

// BCEWithLogits is the mean binary cross-entropy of logits against one target value for all.
func (s *Scope) BCEWithLogits(logits torch.Tensor, target float64) torch.Tensor {
	return s.call("bce_with_logits", libtorch.OpBCELogits, list(logits), nil, target)
}
