package losses_test

import (
	"math"
	"testing"

	"github.com/gopdd/gopdd/losses"
	"github.com/gopdd/gopdd/tensor"
)

var (
	criteria = []losses.Criterion{losses.CrossEntropy, losses.CriterionL1, losses.CriterionL2, losses.Cosine}
	norms    = []losses.Norm{losses.WholeBatch, losses.PerSample}
)

const eps = 1e-6

func intra(s *tensor.Scope, f [4]T, c losses.Criterion) T {
	return losses.Intra(s, f[0], f[1], f[2], f[3], c, eps)
}

func inter(s *tensor.Scope, f [4]T, n losses.Norm) T {
	return losses.Inter(s, f[0], f[1], f[2], f[3], n)
}

// One position with two channels; the distances are dS = (ln 3, 0) and dG = (0, 0): Q = (3/4, 1/4), P = (1/2, 1/2).
func TestIntraByHand(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		zero, sU := s.Zeros(tensor.Float64, tensor.CPU, 1, 2, 1, 1), s.FromFloat64s([]float64{-math.Log(3), 0}, 1, 2, 1, 1)
		gU := s.FromFloat64s([]float64{0, 2}, 1, 2, 1, 1)
		near(t, "ce", s.Item(losses.Intra(s, sU, zero, zero, zero, losses.CrossEntropy, 0)), -math.Log(3./16)/2)
		near(t, "ce with eps", s.Item(losses.Intra(s, sU, zero, zero, zero, losses.CrossEntropy, .25)), -math.Log(1./2)/2)
		near(t, "l1", s.Item(losses.Intra(s, sU, gU, zero, zero, losses.CriterionL1, 0)), (math.Log(3)+2)/2)
		near(t, "l2", s.Item(losses.Intra(s, sU, gU, zero, zero, losses.CriterionL2, 0)), (math.Log(3)*math.Log(3)+4)/2)
		near(t, "cosine of a right angle", s.Item(losses.Intra(s, sU, gU, zero, zero, losses.Cosine, 0)), 1)
		near(t, "cosine of no direction", s.Item(losses.Intra(s, zero, gU, zero, zero, losses.Cosine, 0)), 1)
	})
}

func TestIntraGradients(t *testing.T) {
	for _, c := range criteria {
		t.Run(c.String(), func(t *testing.T) {
			in(t, func(s *tensor.Scope) {
				f := four(s, 2, 3, 2, 3)
				checkGradients(t, s, func() T { return intra(s, f, c) }, f[:]...)
			})
		})
	}
	t.Run("ce without eps", func(t *testing.T) {
		in(t, func(s *tensor.Scope) {
			f := four(s, 2, 3, 2, 3)
			checkGradients(t, s, func() T { return losses.Intra(s, f[0], f[1], f[2], f[3], losses.CrossEntropy, 0) }, f[:]...)
		})
	})
}

// Only distances count: labelled and unlabelled may be exchanged, and what is added to both is not seen.
func TestIntraIsOfDistances(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		f := four(s, 2, 5, 3, 4)
		shift := random(s, 9, 2, 5, 3, 4)
		for _, c := range criteria {
			want := s.Item(intra(s, f, c))
			near(t, c.String()+", exchanged", s.Item(intra(s, [4]T{f[2], f[3], f[0], f[1]}, c)), want)
			near(t, c.String()+", shifted", s.Item(intra(s, [4]T{s.Add(f[0], shift), f[1], s.Add(f[2], shift), f[3]}, c)), want)
		}
	})
}

// Equal models: nothing is better. Cross-entropy then is the entropy, which it never falls below (Gibbs).
func TestIntraOfEqualModels(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		f := four(s, 2, 5, 3, 4)
		equal := [4]T{f[1], f[1], f[3], f[3]}
		near(t, "l1", s.Item(intra(s, equal, losses.CriterionL1)), 0)
		near(t, "l2", s.Item(intra(s, equal, losses.CriterionL2)), 0)
		near(t, "cosine", s.Item(intra(s, equal, losses.Cosine)), 0)
		ce := func(f [4]T) float64 {
			return s.Item(losses.Intra(s, f[0], f[1], f[2], f[3], losses.CrossEntropy, 0))
		}
		if best, other := ce(equal), ce(f); !(best < other) {
			t.Errorf("cross-entropy of equal models %v, of others %v", best, other)
		}
		twin := s.Clone(f[1])
		for _, c := range criteria {
			grad := gradients(s, func() T { return losses.Intra(s, twin, f[1], f[3], f[3], c, 0) }, twin)[0]
			if g := s.Item(s.Norm(grad, false)); !(g < 1e-12) {
				t.Errorf("%v: |gradient| %g of equal models, want 0", c, g)
			}
		}
	})
}

// The gradient of |0| is 0, also where a cosine has no direction.
func TestIntraGradientOfNoDistance(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		f := four(s, 2, 5, 3, 4)
		f[2] = s.Clone(f[0])
		for _, c := range criteria {
			for _, g := range gradients(s, func() T { return intra(s, f, c) }, f[0], f[2]) {
				isZero(t, c.String(), s, g)
			}
		}
	})
}

func TestIntraScales(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		f := four(s, 2, 5, 3, 4)
		var all [4]T
		for i := range f {
			all[i] = s.MulScalar(f[i], 3)
		}
		near(t, "l1 with all", s.Item(intra(s, all, losses.CriterionL1)), 3*s.Item(intra(s, f, losses.CriterionL1)))
		near(t, "l2 with all", s.Item(intra(s, all, losses.CriterionL2)), 9*s.Item(intra(s, f, losses.CriterionL2)))
		specialist := [4]T{all[0], f[1], all[2], f[3]}
		near(t, "cosine not at all", s.Item(intra(s, specialist, losses.Cosine)), s.Item(intra(s, f, losses.Cosine)))
	})
}

// Softmaxes of distances far apart: no overflow, no NaN, in value and gradient.
func TestIntraOfLargeDistances(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		var f [4]T
		for i, x := range four(s, 2, 5, 3, 4) {
			f[i] = s.Cast(s.MulScalar(x, 1e4), tensor.Float32)
		}
		for _, e := range []float64{0, 1e-60, 1e-37, eps} {
			loss := func() T { return losses.Intra(s, f[0], f[1], f[2], f[3], losses.CrossEntropy, e) }
			if !s.AllFinite(loss()) || !s.AllFinite(gradients(s, loss, f[0])[0]) {
				t.Errorf("eps %g: not finite", e)
			}
		}
	})
}

// Two channels, two positions: F = (1 2; 3 4), F·Fᵀ = (5 11; 11 25), divided by 2·2.
func TestGramByHand(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		g := s.Float64s(losses.Gram(s, s.FromFloat64s([]float64{1, 2, 3, 4}, 1, 2, 1, 2)))
		for i, want := range []float64{1.25, 2.75, 2.75, 6.25} {
			near(t, "gram", g[i], want)
		}
	})
}

func TestGramGradients(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		f, r := random(s, 1, 2, 3, 2, 4), random(s, 2, 2, 3, 3)
		checkGradients(t, s, func() T { return s.Sum(s.Mul(losses.Gram(s, f), r), false) }, f)
	})
}

// Positions may be in any order, the trace is the mean square.
func TestGramLaws(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		f := random(s, 1, 2, 5, 4, 6)
		g := losses.Gram(s, f)
		near(t, "transposed images", s.Item(s.Norm(s.Sub(losses.Gram(s, s.Permute(f, 0, 1, 3, 2)), g), false)), 0)
		near(t, "symmetry", s.Item(s.Norm(s.Sub(s.Permute(g, 0, 2, 1), g), false)), 0)
		trace := 0.0
		for i, v := range s.Float64s(g) {
			if i%25%6 == 0 { // the diagonals of 5×5
				trace += v / 2
			}
		}
		near(t, "trace", trace, s.Item(s.Mean(s.Mul(f, f), false)))
	})
}

func TestInterGradients(t *testing.T) {
	for _, n := range norms {
		t.Run(n.String(), func(t *testing.T) {
			in(t, func(s *tensor.Scope) {
				f := four(s, 2, 3, 2, 3)
				checkGradients(t, s, func() T { return inter(s, f, n) }, f[:]...)
			})
		})
	}
}

// Equal models, and models that differ alike on both kinds of images: loss and gradient are 0, never NaN.
func TestInterOfEqualModels(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		f := four(s, 2, 3, 4, 5)
		for _, n := range norms {
			for what, f := range map[string][4]T{
				"equal models":     {s.Clone(f[1]), f[1], s.Clone(f[3]), f[3]},
				"equal changes":    {f[0], f[1], s.Clone(f[0]), f[1]},
				"opposite changes": {f[0], f[1], s.Clone(f[1]), f[0]},
			} {
				what += ", " + n.String()
				isZero(t, what, s, inter(s, f, n))
				for _, g := range gradients(s, func() T { return inter(s, f, n) }, f[0], f[2]) {
					isZero(t, "gradient of "+what, s, g)
				}
			}
		}
	})
}

func TestInterLaws(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		f := four(s, 3, 4, 2, 5)
		each := func(fn func(x T) T) [4]T { return [4]T{fn(f[0]), fn(f[1]), fn(f[2]), fn(f[3])} }
		for _, n := range norms {
			is := func(what string, got [4]T, want float64) {
				near(t, n.String()+", "+what, s.Item(inter(s, got, n)), want)
			}
			loss := s.Item(inter(s, f, n))
			is("exchanged", [4]T{f[2], f[3], f[0], f[1]}, loss)
			is("three times the features", each(func(x T) T { return s.MulScalar(x, 3) }), 9*loss)
			is("positions in another order", each(func(x T) T { return s.Permute(x, 0, 1, 3, 2) }), loss)
			is("another order of the pairs", each(func(x T) T { return rotate(s, x, 0) }), loss)
			is("another order of the channels", each(func(x T) T { return rotate(s, x, 1) }), loss)
		}
	})
}

// rotate moves the first element of a dimension to its end.
func rotate(s *tensor.Scope, x T, dim int64) T {
	n := s.Shape(x)[dim]
	return s.Cat(dim, s.Narrow(x, dim, 1, n-1), s.Narrow(x, dim, 0, 1))
}

// For one pair both norms are one; for n copies of it the batch's norm is √n times that, the mean is the same.
func TestInterOfCopies(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		f := four(s, 1, 4, 2, 5)
		var copies [4]T
		for i, x := range f {
			copies[i] = s.Cat(0, x, x, x)
		}
		one := s.Item(inter(s, f, losses.WholeBatch))
		near(t, "one pair, per sample", s.Item(inter(s, f, losses.PerSample)), one)
		near(t, "three, whole", s.Item(inter(s, copies, losses.WholeBatch)), math.Sqrt(3)*one)
		near(t, "three, per sample", s.Item(inter(s, copies, losses.PerSample)), one)
	})
}

// Labelled and unlabelled images need not be of one size: Gram matrices are means over positions.
func TestInterOfSizes(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		f := four(s, 1, 4, 2, 5)
		twice := func(x T) T { return s.Cat(3, x, x) }
		for _, n := range norms {
			near(t, n.String(), s.Item(losses.Inter(s, f[0], f[1], twice(f[2]), twice(f[3]), n)), s.Item(inter(s, f, n)))
		}
	})
}
