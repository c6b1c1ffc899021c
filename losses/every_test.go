package losses_test

import (
	"math"
	"testing"

	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/losses"
	"github.com/gopdd/gopdd/tensor"
)

// every loss as a function of four features [N,C,H,W] with even sides.
var every = map[string]func(s *tensor.Scope, f [4]T) T{
	"intra ce":         func(s *tensor.Scope, f [4]T) T { return intra(s, f, losses.CrossEntropy) },
	"intra l1":         func(s *tensor.Scope, f [4]T) T { return intra(s, f, losses.CriterionL1) },
	"intra l2":         func(s *tensor.Scope, f [4]T) T { return intra(s, f, losses.CriterionL2) },
	"intra cosine":     func(s *tensor.Scope, f [4]T) T { return intra(s, f, losses.Cosine) },
	"inter whole":      func(s *tensor.Scope, f [4]T) T { return inter(s, f, losses.WholeBatch) },
	"inter per_sample": func(s *tensor.Scope, f [4]T) T { return inter(s, f, losses.PerSample) },
	"gram":             func(s *tensor.Scope, f [4]T) T { return s.Norm(losses.Gram(s, f[0]), false) },
	"wavelet":          func(s *tensor.Scope, f [4]T) T { return losses.Wavelet(s, f[0], f[1], all) },
	"haar": func(s *tensor.Scope, f [4]T) T {
		low, middle, high := losses.Haar(s, f[0])
		return s.Add(s.Norm(low, false), s.Add(s.Norm(middle, false), s.Norm(high, false)))
	},
	"perceptual l1":          feature(losses.Perceptual, losses.DistanceL1),
	"perceptual l2":          feature(losses.Perceptual, losses.DistanceL2),
	"perceptual charbonnier": feature(losses.Perceptual, losses.DistanceCharbonnier),
	"style":                  feature(losses.Style, losses.DistanceL1),
	"l1":                     func(s *tensor.Scope, f [4]T) T { return losses.L1(s, f[0], f[1]) },
	"charbonnier":            func(s *tensor.Scope, f [4]T) T { return losses.Charbonnier(s, f[0], f[1], eps) },
	"vanilla":                func(s *tensor.Scope, f [4]T) T { return losses.Vanilla.Generator(s, f[0]) },
	"hinge":                  func(s *tensor.Scope, f [4]T) T { return losses.Hinge.Discriminator(s, f[0], true) },
}

func feature(loss featureLoss, d losses.Distance) func(s *tensor.Scope, f [4]T) T {
	return func(s *tensor.Scope, f [4]T) T {
		return loss(s, map[string]T{"a": f[0]}, map[string]T{"a": f[1]}, losses.Layers{"a": 0.5}, d)
	}
}

// valueAndGradient of a loss for its first features.
func valueAndGradient(s *tensor.Scope, loss func(s *tensor.Scope, f [4]T) T, f [4]T) (float64, T) {
	grad := gradients(s, func() T { return loss(s, f) }, f[0])[0]
	return s.Item(loss(s.NoGrad(), f)), grad
}

// relative is |got − want|/|want| in Euclidean norms.
func relative(s *tensor.Scope, got, want T) float64 {
	return s.Item(s.Norm(s.Sub(got, want), false)) / s.Item(s.Norm(want, false))
}

// Float32 agrees with float64 in both memory layouts, and so do the products that float32 takes through convolutions.
// 19 channels are no multiple of a vector register's width.
func TestFloat32(t *testing.T) {
	const most = 2e-5 // a few roundings, sums of thousands of terms
	for name, loss := range every {
		t.Run(name, func(t *testing.T) {
			in(t, func(s *tensor.Scope) {
				exact := four(s, 2, 19, 12, 14)
				want, wantGrad := valueAndGradient(s, loss, exact)
				for layout, arrange := range map[string]func(T) T{"channels first": s.Contiguous, "channels last": s.ChannelsLast} {
					var f [4]T
					for i := range f {
						f[i] = arrange(s.Cast(exact[i], tensor.Float32))
					}
					got, grad := valueAndGradient(s, loss, f)
					if d := math.Abs(got-want) / math.Abs(want); !(d < most) {
						t.Errorf("%s: %v in float32, %v in float64", layout, got, want)
					}
					if d := relative(s, grad, wantGrad); !(d < most) {
						t.Errorf("%s: gradient differs by %.2g", layout, d)
					}
				}
			})
		})
	}
}

// Half precision is widened: the loss is that of the rounded features in float32, exactly, also under autocast. The
// gradient is of the features' type.
func TestHalfPrecision(t *testing.T) {
	for name, loss := range every {
		for _, dt := range []tensor.DType{tensor.BFloat16, tensor.Float16} {
			in(t, func(s *tensor.Scope) {
				var half, widened [4]T
				for i, x := range four(s, 2, 5, 4, 6) {
					half[i] = s.Cast(x, dt)
					widened[i] = s.Cast(half[i], tensor.Float32)
				}
				want, wantGrad := valueAndGradient(s, loss, widened)
				for mode, m := range map[string]*tensor.Scope{"plain": s, "autocast": s.Autocast(tensor.BFloat16)} {
					if got := loss(m.NoGrad(), half); s.TypeOf(got) != tensor.Float32 || s.Item(got) != want {
						t.Errorf("%s of %v, %s: %v of type %v, want %v", name, dt, mode, s.Item(got), s.TypeOf(got), want)
					}
					if got := loss(m.NoGrad(), widened); s.Item(got) != want {
						t.Errorf("%s, %s: %v of float32, want %v", name, mode, s.Item(got), want)
					}
					grad := gradients(m, func() T { return loss(m, half) }, half[0])[0]
					if d := relative(s, s.Cast(grad, tensor.Float32), wantGrad); s.TypeOf(grad) != dt || !(d < 0.01) {
						t.Errorf("%s of %v, %s: gradient of type %v differs by %.2g", name, dt, mode, s.TypeOf(grad), d)
					}
				}
			})
		}
	}
}

// A loss leaves one tensor behind, its value, and the caller's features as they were.
func TestLossesFreeWhatTheyMake(t *testing.T) {
	for name, loss := range every {
		if name == "haar" || name == "gram" { // the table's own sums make more
			continue
		}
		in(t, func(s *tensor.Scope) {
			f := four(s, 2, 5, 4, 6)
			before, values := tensor.MemoryStats(tensor.CPU).LiveTensors, s.Float64s(f[0])
			loss(s, f)
			if n := tensor.MemoryStats(tensor.CPU).LiveTensors - before; n != 1 {
				t.Errorf("%s: %d tensors are left", name, n)
			}
			for i, v := range s.Float64s(f[0]) {
				if v != values[i] {
					t.Fatalf("%s changed its features", name)
				}
			}
		})
	}
}

// Without a scope the losses work too, as gotorch's own functions do.
func TestNilScope(t *testing.T) {
	tensortest.Check(t)
	var s *tensor.Scope
	for name, loss := range every {
		if v := s.Item(loss(s, four(s, 1, 3, 2, 4))); math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("%s: %v", name, v)
		}
	}
}

// Values do not depend on how often or in which order losses are computed: bit for bit.
func TestRepeatable(t *testing.T) {
	for name, loss := range every {
		in(t, func(s *tensor.Scope) {
			var f [4]T
			for i, x := range four(s, 2, 64, 24, 24) {
				f[i] = s.ChannelsLast(s.Cast(x, tensor.Float32))
			}
			v, grad := valueAndGradient(s, loss, f)
			again, gradAgain := valueAndGradient(s, loss, f)
			if v != again {
				t.Errorf("%s: %v, then %v", name, v, again)
			}
			isZero(t, name, s, s.Sub(grad, gradAgain))
		})
	}
}
