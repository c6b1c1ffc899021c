package tensor_test

import (
	"math"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/tensor"
)

// a = 1 2 / 3 4 as two channels of two positions, b = 0 4 / 3 1.
func TestLossParts(t *testing.T) {
	type T = torch.Tensor
	for _, c := range []struct {
		name  string
		op    func(s *tensor.Scope, a, b T) T
		shape []int64
		want  []float64
		grad  []float64 // for a, of the sum of the result times 1, 2, 3…
	}{
		{"abs diff", func(s *tensor.Scope, a, b T) T { return s.AbsDiff(a, b) }, of(1, 2, 1, 2), []float64{1, 2, 0, 3}, []float64{1, -2, 0, 4}},
		{"mse: (1+4+0+9)/4", func(s *tensor.Scope, a, b T) T { return s.MSE(a, b) }, of(), []float64{3.5}, []float64{.5, -1, 0, 1.5}},
		// Gram·(1 2; 3 4) = (g₀₀ + 5g₀₁ + 4g₁₁): a row's derivatives are (2f₀ + 5f₁)/4 and (5f₀ + 8f₁)/4.
		{"gram", func(s *tensor.Scope, a, _ T) T { return s.Gram(a) }, of(1, 2, 2), []float64{1.25, 2.75, 2.75, 6.25}, []float64{17. / 4, 6, 29. / 4, 42. / 4}},
		// a − b = 1 −2 / 0 3
		{"gram diff", func(s *tensor.Scope, a, b T) T { return s.GramDiff(a, b) }, of(1, 2, 2), []float64{1.25, -1.5, -1.5, 2.25}, []float64{.5, 11. / 4, 5. / 4, 14. / 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, func(s *tensor.Scope) {
				a, b := s.FromFloat32s([]float32{1, 2, 3, 4}, 1, 2, 1, 2), s.FromFloat32s([]float32{0, 4, 3, 1}, 1, 2, 1, 2)
				s.RequiresGrad(true, a, b)
				y := c.op(s, a, b)
				want(t, s, y, c.shape, c.want...)
				r := s.Reshape(s.FromFloat32s([]float32{1, 2, 3, 4}, 4), 4)
				loss := s.Sum(s.Mul(s.Reshape(y, -1), s.Narrow(r, 0, 0, s.Numel(y))), false)
				want(t, s, s.Grads(loss, true, a)[0], of(1, 2, 1, 2), c.grad...)
				if c.name == "gram" {
					return
				}
				for i := range c.grad {
					c.grad[i] *= -1
				}
				want(t, s, s.Grads(loss, false, b)[0], of(1, 2, 1, 2), c.grad...)
			})
		})
	}
}

// One position: Q = softmax(0, ln 3) = (1/4, 3/4), P = softmax(0, 0). The derivative for x is Q − P without eps.
func TestChannelCrossEntropy(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		x, target := s.FromFloat32s([]float32{0, ln3}, 1, 2, 1, 1), s.FromFloat32s([]float32{0, 0}, 1, 2, 1, 1)
		s.RequiresGrad(true, x, target)
		loss := s.ChannelCrossEntropy(x, target, 0)
		want(t, s, loss, of(), -math.Log(3./16)/2)
		want(t, s, s.ChannelCrossEntropy(x, target, .25), of(), -math.Log(1./2)/2)
		grads := s.Grads(loss, false, x, target)
		want(t, s, grads[0], of(1, 2, 1, 1), -.25, .25)
		// P·(Σ P·log Q − log Q): ½·(ln(3/16)/2 − ln ¼) = ln(3)/4, and its opposite.
		want(t, s, grads[1], of(1, 2, 1, 1), math.Log(3)/4, -math.Log(3)/4)
		wantError(t, func() { s.Backward(s.NoGrad().ChannelCrossEntropy(x, target, 0)) })
	})
}

func TestLossPartsRefuse(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		x, wide, empty := s.Zeros(tensor.Float32, tensor.CPU, 1, 2, 2, 2), s.Zeros(tensor.Float32, tensor.CPU, 1, 2, 2, 1), s.Zeros(tensor.Float32, tensor.CPU, 0, 2, 2, 2)
		wantError(t, func() { s.AbsDiff(x, wide) }) // they would broadcast
		wantError(t, func() { s.GramDiff(x, wide) })
		wantError(t, func() { s.Gram(s.Reshape(x, 2, 4)) })
		wantError(t, func() { s.Gram(empty) })
		wantError(t, func() { s.ChannelCrossEntropy(x, wide, 0) })
		wantError(t, func() { s.ChannelCrossEntropy(empty, empty, 0) })
	})
}
