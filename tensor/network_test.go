package tensor_test

import (
	"math"
	"slices"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/tensor"
)

// Expected values are written by hand from a kernel with ones on its diagonal, x[i,j] + x[i+1,j+1], and
//
//	x = 1 2 3
//	    4 5 6
//	    7 8 9
func TestConv2D(t *testing.T) {
	type T = torch.Tensor
	var none T
	for _, c := range []struct {
		name  string
		conv  func(s *tensor.Scope, x, diagonal T) T
		shape []int64
		want  []float64
	}{
		{"plain", func(s *tensor.Scope, x, k T) T { return s.Conv2D(x, k, none, tensor.ConvOptions{}) },
			of(1, 1, 2, 2), []float64{1 + 5, 2 + 6, 4 + 8, 5 + 9}},
		{"bias", func(s *tensor.Scope, x, k T) T { return s.Conv2D(x, k, vector(s, .5), tensor.ConvOptions{}) },
			of(1, 1, 2, 2), []float64{6.5, 8.5, 12.5, 14.5}},
		{"padding 1, stride 2", func(s *tensor.Scope, x, k T) T {
			return s.Conv2D(x, k, none, tensor.ConvOptions{Stride: 2, Padding: 1})
		}, of(1, 1, 2, 2), []float64{1, 3, 7, 5 + 9}},
		{"dilation 2", func(s *tensor.Scope, x, k T) T { return s.Conv2D(x, k, none, tensor.ConvOptions{Dilation: 2}) },
			of(1, 1, 1, 1), []float64{1 + 9}},
		{"two groups: 2·x and 3·x", func(s *tensor.Scope, x, _ T) T {
			w := s.FromFloat32s([]float32{2, 3}, 2, 1, 1, 1)
			return s.Narrow(s.Conv2D(s.Cat(1, x, x), w, none, tensor.ConvOptions{Groups: 2}), 2, 0, 1)
		}, of(1, 2, 1, 3), []float64{2, 4, 6, 3, 6, 9}},
		{"leaky: x − 5, halved below 0", func(s *tensor.Scope, x, _ T) T {
			return s.Conv2DLeaky(x, s.FromFloat32s([]float32{1}, 1, 1, 1, 1), vector(s, -5), tensor.ConvOptions{}, .5)
		}, of(1, 1, 3, 3), []float64{-2, -1.5, -1, -.5, 0, 1, 2, 3, 4}},
		{"pool 2, stride 2", func(s *tensor.Scope, x, _ T) T { return s.MaxPool2D(x, 2, 2, false) }, of(1, 1, 1, 1), []float64{5}},
		{"pool with partial windows", func(s *tensor.Scope, x, _ T) T { return s.MaxPool2D(x, 2, 2, true) }, of(1, 1, 2, 2), []float64{5, 6, 8, 9}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, func(s *tensor.Scope) {
				x := s.FromFloat32s([]float32{1, 2, 3, 4, 5, 6, 7, 8, 9}, 1, 1, 3, 3)
				want(t, s, c.conv(s, x, s.FromFloat32s([]float32{1, 0, 0, 1}, 1, 1, 2, 2)), c.shape, c.want...)
			})
		})
	}
}

// The fused call is the two calls, in values and in gradients, and does not change its arguments.
func TestConv2DLeakyIsConvThenLeaky(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		x := s.RandN(1, tensor.Float32, tensor.CPU, 2, 3, 8, 9)
		w := s.RandN(2, tensor.Float32, tensor.CPU, 4, 3, 3, 3)
		b := s.RandN(3, tensor.Float32, tensor.CPU, 4)
		s.RequiresGrad(true, w)
		o := tensor.ConvOptions{Padding: 1}
		fused := s.Conv2DLeaky(x, w, b, o, .2)
		apart := s.LeakyReLU(s.Conv2D(x, w, b, o), .2)
		if !slices.Equal(s.Float32s(fused), s.Float32s(apart)) {
			t.Error("values differ")
		}
		grad := func(y torch.Tensor) []float32 { return s.Float32s(s.Grads(s.Sum(s.Mul(y, y), false), false, w)[0]) }
		if !slices.Equal(grad(fused), grad(apart)) {
			t.Error("gradients differ")
		}
	})
}

func TestGradients(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		x := vector(s, 1, -2)
		s.RequiresGrad(true, x)
		if _, ok := s.GradOf(x); ok {
			t.Error("a gradient before backward")
		}
		loss := func() torch.Tensor { return s.Sum(s.Mul(x, x), false) } // gradient 2x
		s.Backward(loss())
		s.Backward(loss()) // adds
		g, _ := s.GradOf(x)
		want(t, s, g, of(2), 4, -8)
		s.Fill(g, 1)
		g, _ = s.GradOf(x)
		want(t, s, g, of(2), 1, 1) // shared
		s.ZeroGrad(x)
		if _, ok := s.GradOf(x); ok {
			t.Error("a gradient after ZeroGrad")
		}
		y := loss()
		want(t, s, s.Grads(y, true, x)[0], of(2), 2, -4)
		want(t, s, s.Grads(y, false, x)[0], of(2), 2, -4) // the graph was kept
		if _, ok := s.GradOf(x); ok {
			t.Error("Grads accumulated")
		}
		wantError(t, func() { s.Grads(y, false, x) }) // and then was not
		s.RequiresGrad(false, x)
		wantError(t, func() { s.Backward(loss()) })
		s.RequiresGrad(true, x)
		wantError(t, func() { s.Backward(s.Sum(s.Detach(x), false)) })
	})
}

// adamReference is algorithm 1 of Kingma & Ba (2015) with L2 decay, in float64.
func adamReference(o tensor.AdamOptions, p float64, grads []float64) float64 {
	var m, v float64
	for i, g := range grads {
		t := float64(i + 1)
		g += o.WeightDecay * p
		m = o.Beta1*m + (1-o.Beta1)*g
		v = o.Beta2*v + (1-o.Beta2)*g*g
		mHat, vHat := m/(1-math.Pow(o.Beta1, t)), v/(1-math.Pow(o.Beta2, t))
		p -= o.LR * mHat / (math.Sqrt(vHat) + o.Eps)
	}
	return p
}

func TestAdam(t *testing.T) {
	o := tensor.AdamOptions{LR: .1, Beta1: .9, Beta2: .999, Eps: 1e-8, WeightDecay: .01}
	grads := []float64{2, -1, .5}
	expected := []float64{adamReference(o, 1, grads), adamReference(o, -3, grads)}
	for _, c := range []struct {
		name string
		dt   tensor.DType
		view bool // every second element of a larger tensor: not the loop over dense memory
	}{
		{"float32", tensor.Float32, false},
		{"float64", tensor.Float64, false},
		{"by operations", tensor.Float32, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, func(s *tensor.Scope) {
				wide := s.Cast(s.FromFloat32s([]float32{1, 0, -3, 0}, 2, 2), c.dt)
				p := s.Narrow(wide, 1, 0, 1)
				if !c.view {
					p = s.Contiguous(p)
				}
				s.RequiresGrad(true, p)
				m, v := s.Zeros(c.dt, tensor.CPU, 2, 1), s.Zeros(c.dt, tensor.CPU, 2, 1)
				skipped := vector(s, 1)
				for i, g := range grads {
					o.Step = int64(i + 1)
					list := func(ts ...torch.Tensor) []torch.Tensor { return ts }
					grad := s.Full(g, c.dt, tensor.CPU, 2, 1)
					s.Adam(o, list(skipped, p), list(torch.Tensor{}, grad), list(skipped, m), list(skipped, v))
				}
				want(t, s, p, of(2, 1), expected...)
				want(t, s, skipped, of(1), 1)
			})
		})
	}
}

// The first step has length LR, whatever the gradient's: m̂/√v̂ = g/|g|.
func TestAdamFirstStep(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		for _, g := range []float64{1e-3, -1, 1e3} {
			p, grad := vector(s, 5), s.Full(g, tensor.Float32, tensor.CPU, 1)
			m, v := s.Zeros(tensor.Float32, tensor.CPU, 1), s.Zeros(tensor.Float32, tensor.CPU, 1)
			type list = []torch.Tensor
			s.Adam(tensor.AdamOptions{LR: .1, Beta1: .9, Beta2: .999, Step: 1}, list{p}, list{grad}, list{m}, list{v})
			want(t, s, p, of(1), 5-math.Copysign(.1, g))
		}
	})
}

// A list with one bad entry changes nothing.
func TestAdamAllOrNothing(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		p, q, g := vector(s, 1), vector(s, 1), vector(s, 1)
		wrong := vector(s, 1, 2)
		type list = []torch.Tensor
		wantError(t, func() {
			s.Adam(tensor.AdamOptions{LR: 1, Step: 1}, list{p, q}, list{g, wrong}, list{g, g}, list{g, g})
		})
		wantError(t, func() { s.EMA(0, list{p, q}, list{wrong, g}) })
		want(t, s, p, of(1), 1)
	})
}

func TestEMA(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		average, p := vector(s, 1, 2), vector(s, 3, -2)
		s.RequiresGrad(true, p)
		s.EMA(.75, []torch.Tensor{average}, []torch.Tensor{p})
		want(t, s, average, of(2), .75*1+.25*3, .75*2-.25*2)
		s.EMA(1, []torch.Tensor{average}, []torch.Tensor{p})
		want(t, s, average, of(2), 1.5, 1)
	})
}

func TestEMALaws(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		p := s.RandN(1, tensor.Float32, tensor.CPU, 1000)
		exact := s.Float32s(p)
		average := s.RandN(2, tensor.Float32, tensor.CPU, 1000)
		s.EMA(0, []torch.Tensor{average}, []torch.Tensor{p})
		if !slices.Equal(s.Float32s(average), exact) {
			t.Error("decay 0 is not a copy")
		}
		for _, decay := range []float64{.1, .5, .999, 1} {
			s.EMA(decay, []torch.Tensor{average}, []torch.Tensor{p})
			if !slices.Equal(s.Float32s(average), exact) {
				t.Errorf("decay %v moved equal weights", decay)
			}
		}
	})
}
