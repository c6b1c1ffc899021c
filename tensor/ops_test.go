package tensor_test

import (
	"math"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/tensor"
)

var ln2, ln3 = float32(math.Log(2)), float32(math.Log(3))

// Expected values are computed by hand from
//
//	a = 1 2 3    b = 10 20 30
//	    4 5 6
func TestElementwise(t *testing.T) {
	type T = torch.Tensor
	for _, c := range []struct {
		name  string
		op    func(s *tensor.Scope, a, b T) T
		shape []int64
		want  []float64
	}{
		{"add broadcasts", func(s *tensor.Scope, a, b T) T { return s.Add(a, b) }, of(2, 3), []float64{11, 22, 33, 14, 25, 36}},
		{"sub", func(s *tensor.Scope, a, b T) T { return s.Sub(a, b) }, of(2, 3), []float64{-9, -18, -27, -6, -15, -24}},
		{"add scaled: a + b/2", func(s *tensor.Scope, a, b T) T { return s.AddScaled(a, b, 0.5) }, of(2, 3), []float64{6, 12, 18, 9, 15, 21}},
		{"mul", func(s *tensor.Scope, a, b T) T { return s.Mul(a, b) }, of(2, 3), []float64{10, 40, 90, 40, 100, 180}},
		{"div", func(s *tensor.Scope, a, b T) T { return s.Div(a, b) }, of(2, 3), []float64{.1, .1, .1, .4, .25, .2}},
		{"add scalar", func(s *tensor.Scope, a, _ T) T { return s.AddScalar(a, -1) }, of(2, 3), []float64{0, 1, 2, 3, 4, 5}},
		{"mul scalar", func(s *tensor.Scope, a, _ T) T { return s.MulScalar(a, 2) }, of(2, 3), []float64{2, 4, 6, 8, 10, 12}},
		{"pow", func(s *tensor.Scope, a, _ T) T { return s.Pow(a, 2) }, of(2, 3), []float64{1, 4, 9, 16, 25, 36}},
		{"clamp", func(s *tensor.Scope, a, _ T) T { return s.Clamp(a, 2, 5) }, of(2, 3), []float64{2, 2, 3, 4, 5, 5}},
		{"abs", func(s *tensor.Scope, _, _ T) T { return s.Abs(vector(s, -1, 0, 2)) }, of(3), []float64{1, 0, 2}},
		{"sqrt", func(s *tensor.Scope, _, _ T) T { return s.Sqrt(vector(s, 0, 4, 9)) }, of(3), []float64{0, 2, 3}},
		{"exp of 0, ln 2", func(s *tensor.Scope, _, _ T) T { return s.Exp(vector(s, 0, ln2)) }, of(2), []float64{1, 2}},
		{"log of 1, e", func(s *tensor.Scope, _, _ T) T { return s.Log(vector(s, 1, math.E)) }, of(2), []float64{0, 1}},
		{"sigmoid of ln 3 = 1/(1+1/3)", func(s *tensor.Scope, _, _ T) T { return s.Sigmoid(vector(s, 0, ln3)) }, of(2), []float64{.5, .75}},
		{"softplus of 0 = ln 2, of large = itself", func(s *tensor.Scope, _, _ T) T { return s.Softplus(vector(s, 0, 100)) }, of(2), []float64{math.Ln2, 100}},
		{"relu", func(s *tensor.Scope, _, _ T) T { return s.ReLU(vector(s, -2, 0, 3)) }, of(3), []float64{0, 0, 3}},
		{"leaky relu", func(s *tensor.Scope, _, _ T) T { return s.LeakyReLU(vector(s, -2, 0, 3), .5) }, of(3), []float64{-1, 0, 3}},
		{"prelu: a slope per channel", func(s *tensor.Scope, _, _ T) T {
			return s.PReLU(s.FromFloat32s([]float32{-1, 1, -2, 2}, 1, 2, 1, 2), vector(s, .5, .25))
		}, of(1, 2, 1, 2), []float64{-.5, 1, -.5, 2}},
		{"add in place", func(s *tensor.Scope, a, b T) T { s.AddInPlace(a, b, .1); return a }, of(2, 3), []float64{2, 4, 6, 5, 7, 9}},
		{"add product in place: a + b·b/100", func(s *tensor.Scope, a, b T) T { s.AddProductInPlace(a, b, b, .01); return a }, of(2, 3), []float64{2, 6, 12, 5, 9, 15}},
		{"scale in place", func(s *tensor.Scope, a, _ T) T { s.ScaleInPlace(a, -1); return a }, of(2, 3), []float64{-1, -2, -3, -4, -5, -6}},
		{"copy converts: a as bfloat16 and back", func(s *tensor.Scope, a, _ T) T {
			half := s.Zeros(tensor.BFloat16, tensor.CPU, 2, 3)
			s.Copy(half, a)
			return half
		}, of(2, 3), []float64{1, 2, 3, 4, 5, 6}},
		{"fill", func(s *tensor.Scope, a, _ T) T { s.Fill(a, 7); return a }, of(2, 3), []float64{7, 7, 7, 7, 7, 7}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, func(s *tensor.Scope) {
				a := s.FromFloat32s([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
				want(t, s, c.op(s, a, vector(s, 10, 20, 30)), c.shape, c.want...)
			})
		})
	}
}

// The same a. Squares of a: 1 4 9 16 25 36, sum 91. Squared deviations from 3.5: 2·(6.25+2.25+0.25) = 17.5.
func TestReductionsAndProducts(t *testing.T) {
	type T = torch.Tensor
	for _, c := range []struct {
		name  string
		op    func(s *tensor.Scope, a T) T
		shape []int64
		want  []float64
	}{
		{"sum of all", func(s *tensor.Scope, a T) T { return s.Sum(a, false) }, of(), []float64{21}},
		{"sum over rows", func(s *tensor.Scope, a T) T { return s.Sum(a, false, 0) }, of(3), []float64{5, 7, 9}},
		{"sum kept", func(s *tensor.Scope, a T) T { return s.Sum(a, true, 1) }, of(2, 1), []float64{6, 15}},
		{"all kept", func(s *tensor.Scope, a T) T { return s.Sum(a, true) }, of(1, 1), []float64{21}},
		{"last dimension", func(s *tensor.Scope, a T) T { return s.Sum(a, false, -1) }, of(2), []float64{6, 15}},
		{"mean of all", func(s *tensor.Scope, a T) T { return s.Mean(a, false) }, of(), []float64{3.5}},
		{"mean of lines", func(s *tensor.Scope, a T) T { return s.Mean(a, false, 1) }, of(2), []float64{2, 5}},
		{"std, N-1", func(s *tensor.Scope, a T) T { return s.Std(a, true, false) }, of(), []float64{math.Sqrt(17.5 / 5)}},
		{"std, N", func(s *tensor.Scope, a T) T { return s.Std(a, false, false) }, of(), []float64{math.Sqrt(17.5 / 6)}},
		{"std of lines", func(s *tensor.Scope, a T) T { return s.Std(a, true, true, 1) }, of(2, 1), []float64{1, 1}},
		{"norm", func(s *tensor.Scope, a T) T { return s.Norm(a, false) }, of(), []float64{math.Sqrt(91)}},
		{"norm of lines: 1+4+9, 16+25+36", func(s *tensor.Scope, a T) T { return s.Norm(a, true, 1) }, of(2, 1), []float64{math.Sqrt(14), math.Sqrt(77)}},
		{"frobenius", func(s *tensor.Scope, a T) T { return s.Norm(a, false, 0, 1) }, of(), []float64{math.Sqrt(91)}},
		{"max", func(s *tensor.Scope, a T) T { return s.Max(a) }, of(), []float64{6}},
		{"a·aᵀ", func(s *tensor.Scope, a T) T { return s.MatMul(a, s.Permute(a, 1, 0)) }, of(2, 2), []float64{14, 32, 32, 77}},
		{"a·vector", func(s *tensor.Scope, a T) T { return s.MatMul(a, vector(s, 1, 0, -1)) }, of(2), []float64{-2, -2}},
		{"batches of products", func(s *tensor.Scope, a T) T {
			return s.MatMul(s.Reshape(a, 2, 1, 3), s.Reshape(a, 2, 3, 1))
		}, of(2, 1, 1), []float64{14, 77}},
		{"softmax of 0, ln 3 = 1/4, 3/4", func(s *tensor.Scope, _ T) T { return s.Softmax(vector(s, 0, ln3), 0) }, of(2), []float64{.25, .75}},
		{"log softmax", func(s *tensor.Scope, _ T) T { return s.LogSoftmax(vector(s, 0, ln3), 0) }, of(2), []float64{math.Log(.25), math.Log(.75)}},
		{"bce, target 1: −(ln ½ + ln ¾)/2", func(s *tensor.Scope, _ T) T { return s.BCEWithLogits(vector(s, 0, ln3), 1) }, of(), []float64{-(math.Log(.5) + math.Log(.75)) / 2}},
		{"bce, target 0: −(ln ½ + ln ¼)/2", func(s *tensor.Scope, _ T) T { return s.BCEWithLogits(vector(s, 0, ln3), 0) }, of(), []float64{-(math.Log(.5) + math.Log(.25)) / 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, func(s *tensor.Scope) {
				want(t, s, c.op(s, s.FromFloat32s([]float32{1, 2, 3, 4, 5, 6}, 2, 3)), c.shape, c.want...)
			})
		})
	}
}

func TestAllFinite(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		for _, c := range []struct {
			v    float32
			want bool
		}{{0, true}, {math.MaxFloat32, true}, {float32(math.Inf(-1)), false}, {float32(math.NaN()), false}} {
			if got := s.AllFinite(vector(s, 1, c.v)); got != c.want {
				t.Errorf("AllFinite(1, %v) = %v", c.v, got)
			}
		}
	})
}

// The gradients at the points where the functions have a kink: subgradient 0, never NaN.
func TestGradientsAtZero(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		x := vector(s, 0, 0)
		s.RequiresGrad(true, x)
		want(t, s, s.Grads(s.Norm(x, false), false, x)[0], of(2), 0, 0)
		want(t, s, s.Grads(s.Sum(s.Abs(x), false), false, x)[0], of(2), 0, 0)
	})
}
