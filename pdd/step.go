package pdd

import (
	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/comm"
	"github.com/gopdd/gopdd/losses"
	"github.com/gopdd/gopdd/tensor"
)

// This file is one training step, in the order in which it happens. The order is the authors' code's; the golden cases
// train.trajectory hold it to it.

// part is as much of a batch as goes through the networks at once.
type part struct {
	lrL, hrL torch.Tensor // X_L (n,3,h,w) and Y_L (n,3,rh,rw)
	lrU      torch.Tensor // X_U (n,3,h,w)
}

// predictions are S_L, S_U, G_L and G_U, (n,3,rh,rw) each. Those of the generalist have no gradient; what the step does
// not need is the zero Tensor.
type predictions struct {
	sL, sU, gL, gU torch.Tensor
	trace          traced // of S_L and S_U
}

// features are Φ of the predictions and of Y_L, by layer. s holds S_L and S_U one after the other, g likewise G_L, G_U.
type features struct{ sL, sU, gL, gU, hrL map[string]torch.Tensor }

// phase says what happens in one step.
type phase struct {
	step       int     // from 1
	rate       float64 // factor of the learning rates
	generator  bool    // the specialist steps too, not the discriminator alone
	unlabelled bool    // the warm-up is over: terms on X_U count
}

func (c *Config) phase(step int) phase {
	w := c.Warmup.Discriminator
	return phase{
		step:       step,
		rate:       c.Optimizer.rate(step),
		generator:  step > w && step%c.Discriminator.GeneratorEvery == 0,
		unlabelled: step > w+c.Warmup.Distillation && c.Method != SupervisedOnly,
	}
}

// step makes the gradients of both networks part by part, then changes the weights.
func (t *Trainer) step(s *tensor.Scope, b data.Batch, r *StepReport) error {
	ph := t.cfg.phase(r.Step)
	sums := gradients{terms: newTerms(s), reducer: t.newReducer(r.Step)}
	parts := t.parts(s, b)
	for i, p := range parts {
		last := i == len(parts)-1
		y := t.predict(s, ph, p, sums.reducer)
		if ph.generator {
			sums.addG(s, t.generatorGradients(s, ph, p, y, sums.terms))
			if y.trace.reducer == nil {
				sums.reduce(last, sums.g) // they travel while the discriminator's are computed
			}
		}
		if t.disc != nil {
			sums.addD(s, t.discriminatorGradients(s, ph, p, y, sums.terms))
			sums.reduce(last, sums.d)
		}
		s.Free(y.sL, y.sU, y.gL, y.gU)
		s.Free(y.trace.kept()...)
	}
	if ok, err := t.accept(s, &sums, r); !ok {
		return err
	}
	if ph.generator {
		t.optG.Step(s, ph.rate*t.cfg.Optimizer.LR, sums.g)
	}
	if t.disc != nil {
		t.optD.Step(s, ph.rate*t.cfg.Optimizer.LRD, sums.d)
	}
	if t.average != nil {
		s.EMA(t.cfg.EMADecay, tensors(t.average.Parameters()), t.optG.Params())
	}
	return nil
}

// predict runs the generalist without gradients, then the specialist, each once over both halves. r takes the
// specialist's gradients later, see trace.
func (t *Trainer) predict(s *tensor.Scope, ph phase, p part, r *comm.Reducer) (y predictions) {
	if !ph.generator { // only the discriminator learns, from S_L
		y.sL = t.autocast(s.NoGrad(), t.specialist.Forward, p.lrL)
		return y
	}
	if !ph.unlabelled {
		y.trace = t.trace(s, p.lrL, r)
		y.sL = y.trace.out
		return y
	}
	lr := s.Cat(0, p.lrL, p.lrU) // (2n,3,h,w)
	y.gL, y.gU = halves(s, t.autocast(s.NoGrad(), t.generalist.Forward, lr))
	y.trace = t.trace(s, lr, r)
	y.sL, y.sU = halves(s, y.trace.out)
	return y
}

// generatorGradients are those of the specialist's loss, L_L + L_U (Eq. 9 and 11).
func (t *Trainer) generatorGradients(s *tensor.Scope, ph phase, p part, y predictions, terms *terms) []torch.Tensor {
	return s.LocalList(func(s *tensor.Scope) []torch.Tensor {
		f := t.features(s, ph, p, y)
		loss := &sum{s: s, terms: terms}
		if ph.unlabelled && t.cfg.Method == Distillation {
			t.distances(s, f, loss)
		}
		t.labelled(s, p, y, f, loss)
		if ph.unlabelled && t.cfg.Method == Imitation {
			t.imitation(s, y, f, loss)
		}
		if t.disc != nil {
			t.adversarial(s, y, loss)
		}
		return t.specialistGradients(s, y.trace, loss.total)
	})
}

// distances are R_inter (Eq. 7–8) and R_intra (Eq. 5–6).
func (t *Trainer) distances(s *tensor.Scope, f features, loss *sum) {
	sL := f.sL
	if t.cfg.Loss.DetachLabelled {
		sL = detached(s, sL)
	}
	inter, intra := t.cfg.Loss.Inter, t.cfg.Loss.Intra
	loss.add("inter", inter.Weight, func() torch.Tensor {
		return t.overRanks(inter)(s, inter.Layers, func(layer string) torch.Tensor {
			return losses.Inter(s, f.sU[layer], f.gU[layer], sL[layer], f.gL[layer], inter.Norm)
		})
	})
	loss.add("intra", intra.Weight, func() torch.Tensor {
		return intra.Layers.Sum(s, func(layer string) torch.Tensor {
			return losses.Intra(s, f.sU[layer], f.gU[layer], sL[layer], f.gL[layer], intra.Criterion, intra.Eps)
		})
	})
}

// labelled are the supervised terms without the adversarial one (Eq. 9).
func (t *Trainer) labelled(s *tensor.Scope, p part, y predictions, f features, loss *sum) {
	c, lambda := t.cfg.Loss, t.lambda()
	loss.add("l1", lambda*c.L1, func() torch.Tensor { return losses.L1(s, y.sL, p.hrL) })
	loss.add("wavelet", lambda*c.Wavelet.Weight, func() torch.Tensor { return c.Wavelet.of(s, y.sL, p.hrL, t.ranks()) })
	loss.add("perceptual", lambda*c.Perceptual.Weight, func() torch.Tensor { return c.Perceptual.of(s, f.sL, f.hrL) })
	loss.add("style", lambda*c.Perceptual.Style, func() torch.Tensor { return c.Perceptual.style(s, f.sL, f.hrL) })
}

// imitation are the unlabelled terms of naive distillation without the adversarial one (Eq. 3): G_U is the target.
func (t *Trainer) imitation(s *tensor.Scope, y predictions, f features, loss *sum) {
	c := t.cfg.Loss
	loss.add("imitate_l1", c.L1, func() torch.Tensor { return losses.L1(s, y.sU, y.gU) })
	loss.add("imitate_wavelet", c.Wavelet.Weight, func() torch.Tensor { return c.Wavelet.of(s, y.sU, y.gU, t.ranks()) })
	loss.add("imitate_perceptual", c.Perceptual.Weight, func() torch.Tensor { return c.Perceptual.of(s, f.sU, f.gU) })
	loss.add("imitate_style", c.Perceptual.Style, func() torch.Tensor { return c.Perceptual.style(s, f.sU, f.gU) })
}

// adversarial is L_gan on S_L (Eq. 9) and S_U (Eq. 11): one forward pass of the discriminator, with a power iteration.
func (t *Trainer) adversarial(s *tensor.Scope, y predictions, loss *sum) {
	c := t.cfg.Loss.GAN
	if y.sU.T == nil || c.Unlabelled == GANNone {
		loss.add("gan", t.lambda()*c.Weight, func() torch.Tensor { return c.Kind.Generator(s, t.judge(s, y.sL)) })
		return
	}
	logits := t.judge(s, s.Cat(0, y.sL, y.sU))
	if c.Unlabelled == GANJoint {
		loss.add("gan", c.Weight, func() torch.Tensor { return c.Kind.Generator(s, logits) })
		return
	}
	onL, onU := halves(s, logits)
	loss.add("gan", t.lambda()*c.Weight, func() torch.Tensor { return c.Kind.Generator(s, onL) })
	loss.add("gan_unlabelled", c.UnlabelledWeight, func() torch.Tensor { return c.Kind.Generator(s, onU) })
}

// discriminatorGradients are those of a pass over Y_L and a pass over the fakes, each after a power iteration of its
// own. The specialist's outputs are those from before its step.
func (t *Trainer) discriminatorGradients(s *tensor.Scope, ph phase, p part, y predictions, terms *terms) []torch.Tensor {
	fakes := y.sL
	if t.cfg.Discriminator.Fakes == FakesBoth && y.sU.T != nil {
		fakes = s.Cat(0, y.sL, y.sU)
	}
	grads := t.discriminate(s, p.hrL, true, terms)
	for i, g := range t.discriminate(s, s.Detach(fakes), false, terms) {
		s.NoGrad().AddInPlace(grads[i], g, 1)
		s.Free(g)
	}
	return grads
}

// discriminate are the discriminator's gradients for real or fake images.
func (t *Trainer) discriminate(s *tensor.Scope, x torch.Tensor, real bool, terms *terms) []torch.Tensor {
	name := "fake"
	if real {
		name = "real"
	}
	return s.LocalList(func(s *tensor.Scope) []torch.Tensor {
		logits := t.judge(s, x)
		loss := &sum{s: s, terms: terms}
		loss.add("d_"+name, 1, func() torch.Tensor { return t.cfg.Loss.GAN.Kind.Discriminator(s, logits, real) })
		terms.add(s, "logit_"+name, s.Mean(s.Detach(logits), false))
		return t.backward(s, loss.total, t.optD.Params())
	})
}
