package losses_test

import (
	"math"
	"testing"

	"github.com/gopdd/gopdd/losses"
	"github.com/gopdd/gopdd/tensor"
)

var gans = []losses.GAN{losses.Vanilla, losses.LSGAN, losses.Hinge, losses.WGAN, losses.WGANSoftplus}

// Logits ln 3 and −2: sigmoid(ln 3) = 3/4, softplus(x) = −ln(1 − sigmoid(x)).
func TestGANByHand(t *testing.T) {
	ln3 := math.Log(3)
	soft := func(x float64) float64 { return math.Log1p(math.Exp(x)) }
	in(t, func(s *tensor.Scope) {
		x := s.FromFloat64s([]float64{ln3, -2}, 2)
		for _, c := range []struct {
			kind                  losses.GAN
			generator, real, fake float64
		}{
			{losses.Vanilla, (-math.Log(.75) + soft(2)) / 2, (-math.Log(.75) + soft(2)) / 2, (-math.Log(.25) + soft(-2)) / 2},
			{losses.LSGAN, ((ln3-1)*(ln3-1) + 9) / 2, ((ln3-1)*(ln3-1) + 9) / 2, (ln3*ln3 + 4) / 2},
			{losses.Hinge, (-ln3 + 2) / 2, (0 + 3) / 2., (1 + ln3 + 0) / 2},
			{losses.WGAN, (-ln3 + 2) / 2, (-ln3 + 2) / 2, (ln3 - 2) / 2},
			{losses.WGANSoftplus, (soft(-ln3) + soft(2)) / 2, (soft(-ln3) + soft(2)) / 2, (soft(ln3) + soft(-2)) / 2},
		} {
			near(t, c.kind.String()+", generator", s.Item(c.kind.Generator(s, x)), c.generator)
			near(t, c.kind.String()+", real", s.Item(c.kind.Discriminator(s, x, true)), c.real)
			near(t, c.kind.String()+", fake", s.Item(c.kind.Discriminator(s, x, false)), c.fake)
		}
	})
}

// Smoothed labels {0.9, 0.2}: cross-entropy is softplus(x) − target·x, least squares compare with the target.
func TestGANTargets(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		x := s.FromFloat64s([]float64{2}, 1)
		targets := losses.Targets{Real: 0.9, Fake: 0.2}
		soft := math.Log1p(math.Exp(2))
		near(t, "vanilla, generator", s.Item(losses.Vanilla.GeneratorTo(s, x, targets)), soft-1.8)
		near(t, "vanilla, real", s.Item(losses.Vanilla.DiscriminatorTo(s, x, true, targets)), soft-1.8)
		near(t, "vanilla, fake", s.Item(losses.Vanilla.DiscriminatorTo(s, x, false, targets)), soft-0.4)
		near(t, "lsgan, generator", s.Item(losses.LSGAN.GeneratorTo(s, x, targets)), 1.1*1.1)
		near(t, "lsgan, fake", s.Item(losses.LSGAN.DiscriminatorTo(s, x, false, targets)), 1.8*1.8)
		for _, g := range []losses.GAN{losses.Hinge, losses.WGAN, losses.WGANSoftplus} {
			near(t, g.String()+" has no targets", s.Item(g.DiscriminatorTo(s, x, true, targets)), s.Item(g.Discriminator(s, x, true)))
		}
	})
}

// sides are the three losses of a kind.
func sides(g losses.GAN) map[string]func(s *tensor.Scope, x T) T {
	return map[string]func(s *tensor.Scope, x T) T{
		"generator": g.Generator,
		"real":      func(s *tensor.Scope, x T) T { return g.Discriminator(s, x, true) },
		"fake":      func(s *tensor.Scope, x T) T { return g.Discriminator(s, x, false) },
	}
}

func TestGANGradients(t *testing.T) {
	for _, g := range gans {
		for side, loss := range sides(g) {
			t.Run(g.String()+" "+side, func(t *testing.T) {
				in(t, func(s *tensor.Scope) {
					x := random(s, 1, 2, 1, 3, 4)
					checkGradients(t, s, func() T { return loss(s, x) }, x)
				})
			})
		}
	}
}

// Real and fake are one another's mirror, and what pleases the judge of real images pleases the generator.
func TestGANLaws(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		x := random(s, 1, 2, 1, 3, 4)
		mirrored := s.MulScalar(x, -1)
		for _, g := range gans {
			if g == losses.LSGAN {
				mirrored = s.AddScalar(mirrored, 1) // its targets are 0 and 1, the middle is ½
			}
			near(t, g.String()+", mirrored", s.Item(g.Discriminator(s, mirrored, false)), s.Item(g.Discriminator(s, x, true)))
			if g == losses.LSGAN {
				mirrored = s.AddScalar(mirrored, -1)
			}
			for side, loss := range sides(g) {
				near(t, g.String()+", any shape, "+side, s.Item(loss(s, s.Reshape(x, 4, 6))), s.Item(loss(s, x)))
			}
		}
		near(t, "softplus is cross-entropy", s.Item(losses.WGANSoftplus.Generator(s, x)), s.Item(losses.Vanilla.Generator(s, x)))
	})
}

// Far logits do not overflow, in any type.
func TestGANOfFarLogits(t *testing.T) {
	for _, dt := range []tensor.DType{tensor.Float32, tensor.Float64, tensor.BFloat16, tensor.Float16} {
		in(t, func(s *tensor.Scope) {
			x := s.Cast(s.FromFloat64s([]float64{-5e4, -200, 0, 200, 5e4}, 5), dt)
			for _, g := range gans {
				for side, loss := range sides(g) {
					y := loss(s, x)
					if !s.AllFinite(y) || !s.AllFinite(gradients(s, func() T { return loss(s, x) }, x)[0]) {
						t.Errorf("%v of type %v, %s: not finite", g, dt, side)
					}
				}
			}
		})
	}
}
