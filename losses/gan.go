package losses

import (
	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/tensor"
)

// GAN is a kind of adversarial loss (L_gan of Eq. 9 and 11). All are means over all logits of a discriminator.
type GAN uint8

const (
	Vanilla      GAN = iota // cross-entropy against 1 for real, 0 for fake (Goodfellow et al. 2014): the paper's
	LSGAN                   // squares of the difference to 1 and 0 (Mao et al. 2017)
	Hinge                   // max(0, 1 ∓ logit); the generator: −logit (Lim & Ye 2017)
	WGAN                    // ∓logit (Arjovsky et al. 2017)
	WGANSoftplus            // log(1 + exp(∓logit)) (Karras et al. 2019)
)

var gans = choices{"gan", []string{"vanilla", "lsgan", "hinge", "wgan", "wgan_softplus"}}

// String gives "vanilla", "lsgan", "hinge", "wgan" or "wgan_softplus".
func (g GAN) String() string { return gans.text(uint8(g)) }

// MarshalText gives String; a value without a name is an error.
func (g GAN) MarshalText() ([]byte, error) { return gans.marshal(uint8(g)) }

// UnmarshalText reads what String gives.
func (g *GAN) UnmarshalText(text []byte) error { return unmarshal(gans, text, g) }

// Targets are what [Vanilla] and [LSGAN] compare logits with, e.g. {0.9, 0} to smooth the labels of real images. The
// other kinds have none.
type Targets struct{ Real, Fake float64 }

// usual are the targets of [GAN.Generator] and [GAN.Discriminator].
var usual = Targets{Real: 1, Fake: 0}

// Generator is the loss of the network whose output was judged: it wants logits of any shape to be those of real images.
//
// The authors' code has one such mean over labelled and unlabelled outputs with one weight, 1e-2, where Eq. 9 and 11
// have a term for each; in its warm-up the whole weight lies on the labelled ones.
func (g GAN) Generator(s *tensor.Scope, logits torch.Tensor) torch.Tensor {
	return g.GeneratorTo(s, logits, usual)
}

// Discriminator is the loss of the judge, whose logits are of real images or of fake ones.
func (g GAN) Discriminator(s *tensor.Scope, logits torch.Tensor, real bool) torch.Tensor {
	return g.DiscriminatorTo(s, logits, real, usual)
}

// GeneratorTo is [GAN.Generator] with other targets.
func (g GAN) GeneratorTo(s *tensor.Scope, logits torch.Tensor, t Targets) torch.Tensor {
	if g == Hinge {
		g = WGAN // a generator has no margin to reach
	}
	return g.DiscriminatorTo(s, logits, true, t)
}

// DiscriminatorTo is [GAN.Discriminator] with other targets.
func (g GAN) DiscriminatorTo(s *tensor.Scope, logits torch.Tensor, real bool, t Targets) torch.Tensor {
	if s.Numel(logits) == 0 {
		tensor.Failf("gan", "no logits: their shape is %v", s.Shape(logits))
	}
	target, sign := t.Fake, 1.0
	if real {
		target, sign = t.Real, -1
	}
	return local(s, func(s *tensor.Scope) torch.Tensor {
		x := wide(s, logits)
		switch g {
		case Vanilla:
			return s.BCEWithLogits(x, target)
		case LSGAN:
			return s.Mean(s.Pow(s.AddScalar(x, -target), 2), false)
		case Hinge:
			return s.Mean(s.ReLU(s.AddScalar(s.MulScalar(x, sign), 1)), false)
		case WGAN:
			return s.MulScalar(s.Mean(x, false), sign)
		case WGANSoftplus:
			return s.Mean(s.Softplus(s.MulScalar(x, sign)), false)
		}
		gans.refuse("gan", uint8(g))
		return torch.Tensor{}
	})
}
