package models

import (
	"math"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/nn"
	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/tensor"
)

// passOn makes every convolution the mean over its input channels of sums over 3x3 windows, thirded: what changes in
// one column changes in its neighbours, with nothing cancelled, so a network reaches as far as it can.
func passOn(r nn.Request) ([]float32, error) {
	n, value := int64(1), float32(0)
	for _, d := range r.Shape {
		n *= d
	}
	switch {
	case len(r.Shape) == 4:
		value = 1 / float32(3*r.Shape[1])
	case r.Name[len(r.Name)-len("weight"):] == "weight": // slopes of a PReLU
		value = 1
	}
	out := make([]float32, n)
	for i := range out {
		out[i] = value
	}
	return out, nil
}

// An output pixel depends on LR pixels up to Reach from the one it lies in, and on some of those at Reach.
func TestReach(t *testing.T) {
	for _, n := range small {
		t.Run(n.name, func(t *testing.T) {
			g := opened(t)(n.build(nn.Func(passOn), placement{tensor.Float64, tensor.CPU}))
			m := g.Multiple()
			const height = 4
			width := (2*g.Reach() + 8) / m * m
			furthest := 0
			for at := width / 2; at < width/2+m; at++ { // every place inside an unshuffled cell
				changed := columnsChangedBy(t, g, height, width, at)
				for column, yes := range changed {
					if yes {
						furthest = max(furthest, column/g.Scale()-at, at-column/g.Scale())
					}
				}
			}
			if furthest != g.Reach() {
				t.Errorf("a pixel changes output pixels up to %d LR pixels away, Reach says %d", furthest, g.Reach())
			}
		})
	}
}

func columnsChangedBy(t *testing.T, g Generator, height, width, at int) []bool {
	t.Helper()
	x := make([]float64, 3*height*width)
	before := forward64(t, g, x, height, width)
	x[at] = 1e6
	after := forward64(t, g, x, height, width)
	columns := make([]bool, width*g.Scale())
	for i := range after {
		if after[i] != before[i] {
			columns[i%len(columns)] = true
		}
	}
	return columns
}

func forward64(t *testing.T, g Generator, x []float64, height, width int) (y []float64) {
	t.Helper()
	tensortest.Do(t, func(s *tensor.Scope) {
		y = s.Float64s(g.Forward(s.NoGrad(), s.FromFloat64s(x, 1, 3, int64(height), int64(width))))
	})
	return y
}

// What follows from the sizes of the published networks: the figures the choice of tiles rests on.
func TestReachOfPublishedSizes(t *testing.T) {
	x4plus := RRDBNet{cfg: RRDBNetConfig{3, 3, 64, 23, 32, 4}}
	if got := x4plus.Reach(); got != 349 { // 1 + 23·15 + 1 and 2 behind the upsampling
		t.Errorf("RealESRGAN_x4plus reaches %d, want 349", got)
	}
	video := SRVGGNetCompact{cfg: SRVGGNetCompactConfig{3, 3, 64, 16, 4}}
	if got := video.Reach(); got != 18 {
		t.Errorf("realesr-animevideov3 reaches %d, want 18", got)
	}
}

// A shifted input gives a shifted output, except where the border is in reach.
func TestTranslation(t *testing.T) {
	eachSmall(t, func(t *testing.T, build func(int64, tensor.DType) Trainable) {
		g := build(3, tensor.Float64)
		m, r := int64(g.Multiple()), int64(g.Scale())
		margin := (int64(g.Reach())/m + 1) * m
		side := 2*margin + 4*m
		tensortest.Do(t, func(s *tensor.Scope) {
			s = s.NoGrad()
			wide := s.Rand(5, tensor.Float64, tensor.CPU, 1, 3, side, side+m)
			inner := func(x torch.Tensor) []float64 {
				y := g.Forward(s, x)
				return s.Float64s(s.Narrow(s.Narrow(y, 2, r*margin, r*4*m), 3, r*margin, r*3*m))
			}
			left := g.Forward(s, s.Narrow(wide, 3, 0, side))
			want := s.Float64s(s.Narrow(s.Narrow(left, 2, r*margin, r*4*m), 3, r*(margin+m), r*3*m))
			if d := maxDifference(t, inner(s.Narrow(wide, 3, m, side)), want); d > 1e-12 {
				t.Errorf("the shifted output differs by %g", d)
			}
		})
	})
}

// Gradients of sum(y·r), in float64, are those of central differences.
func TestGradients(t *testing.T) {
	eachSmall(t, func(t *testing.T, build func(int64, tensor.DType) Trainable) {
		g := build(4, tensor.Float64)
		params := g.Parameters()
		checkGradients(t, params, func(s *tensor.Scope) torch.Tensor {
			return g.Forward(s, s.Rand(6, tensor.Float64, tensor.CPU, 1, 3, 4, 8))
		})
	})
}

// checkGradients compares one element of each of some parameters.
func checkGradients(t *testing.T, params []Named, forward func(s *tensor.Scope) torch.Tensor) {
	t.Helper()
	const step = 1e-5
	tensortest.Do(t, func(s *tensor.Scope) {
		loss := func(s *tensor.Scope) torch.Tensor {
			y := forward(s)
			return s.Sum(s.Mul(y, s.RandN(9, tensor.Float64, tensor.CPU, s.Shape(y)...)), false)
		}
		all := tensors(params)
		s.RequiresGrad(true, all...)
		grads := s.Grads(loss(s), false, all...)
		s.RequiresGrad(false, all...)
		for i := 0; i < len(params); i += 1 + len(params)/12 {
			element := s.Slice(all[i], 0, 0, 1, 1)
			for len(s.Shape(element)) > 0 && s.Numel(element) > 1 {
				element = s.Reshape(s.Narrow(element, int64(len(s.Shape(element))-1), 0, 1), s.Shape(element)[:len(s.Shape(element))-1]...)
			}
			value := s.Item(element)
			s.Fill(element, value+step)
			up := s.Item(loss(s))
			s.Fill(element, value-step)
			down := s.Item(loss(s))
			s.Fill(element, value)
			want := (up - down) / (2 * step)
			if got := s.Float64s(grads[i])[0]; math.Abs(got-want) > 1e-6*(1+math.Abs(want)) {
				t.Errorf("%s: gradient %g, by differences %g", params[i].Name, got, want)
			}
		}
	})
}

// Smaller types compute close to float32 and give float32; gradients under autocast are the parameters' type.
func TestSmallerTypes(t *testing.T) {
	eachSmall(t, func(t *testing.T, build func(int64, tensor.DType) Trainable) {
		full, half := build(1, tensor.Float32), build(1, tensor.BFloat16)
		y := run(t, full, 8, 8)
		if d := maxDifference(t, y, run(t, half, 8, 8)); d == 0 || d > 0.05 {
			t.Errorf("bfloat16 differs from float32 by %g", d)
		}
		tensortest.Do(t, func(s *tensor.Scope) {
			params := tensors(full.Parameters())
			s.RequiresGrad(true, params...)
			defer s.RequiresGrad(false, params...)
			cast := full.Forward(s.Autocast(tensor.BFloat16), s.Rand(1, tensor.Float32, tensor.CPU, 1, 3, 8, 8))
			if s.TypeOf(cast) != tensor.Float32 {
				t.Error("the output under autocast is not float32")
			}
			if d := maxDifference(t, y, s.Float64s(cast)); d == 0 || d > 0.1 {
				t.Errorf("autocast differs from float32 by %g", d)
			}
			for i, g := range s.Grads(s.Sum(cast, false), false, params...) {
				if s.TypeOf(g) != tensor.Float32 || !s.AllFinite(g) {
					t.Errorf("%s: the gradient is not finite float32", full.Parameters()[i].Name)
				}
			}
		})
	})
}
