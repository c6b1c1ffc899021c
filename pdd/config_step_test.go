package pdd_test

import (
	"fmt"
	"testing"

	"github.com/gopdd/gopdd/losses"
	"github.com/gopdd/gopdd/pdd"
)

// What Validate accepts can be trained: every choice of terms in every method, through all phases.
func TestValidTermsStep(t *testing.T) {
	valid := 0
	for _, method := range []pdd.Method{pdd.Distillation, pdd.Imitation, pdd.SupervisedOnly} {
		for terms := range 1 << 4 {
			for _, gan := range []pdd.UnlabelledGAN{pdd.GANNone, pdd.GANJoint, pdd.GANSeparate} {
				c := small(pdd.EMA())
				c.Method = method
				on := func(bit int) float64 { return float64(terms >> bit & 1) }
				c.Loss.Intra.Weight, c.Loss.Inter.Weight, c.Loss.Perceptual.Weight, c.Loss.GAN.Weight = on(0), on(1), on(2), on(3)
				c.Loss.L1, c.Loss.Wavelet.Weight, c.Loss.GAN.Unlabelled = on(1), 0, gan
				if gan == pdd.GANSeparate {
					c.Loss.GAN.UnlabelledWeight = 1
				}
				if c.Validate() != nil {
					continue
				}
				valid++
				t.Run(fmt.Sprintf("%v/%04b/%v", method, terms, gan), func(t *testing.T) { stepThrough(t, c) })
			}
		}
	}
	if valid < 80 {
		t.Errorf("%d choices are valid", valid)
	}
	c := small(pdd.Naive())
	c.Discriminator.Fakes, c.Loss.Perceptual.Style, c.Loss.Wavelet.Sum = pdd.FakesBoth, 1, true
	c.Loss.Perceptual.Distance, c.Loss.GAN.Kind, c.Optimizer.Accumulate = losses.DistanceL2, losses.Hinge, 2
	stepThrough(t, c)
}

func stepThrough(t *testing.T, c pdd.Config) {
	tr := newTrainer(t, c)
	for i := range uint64(3) { // the discriminator alone, without unlabelled terms, all
		b := batch(i)
		if c.Method == pdd.SupervisedOnly {
			b.UnlabelledLR.N, b.UnlabelledLR.Pix = 0, nil
		}
		if r, err := tr.Step(t.Context(), b); err != nil || r.Skipped != "" {
			t.Fatalf("step %d: %v %s", i+1, err, r.Skipped)
		}
	}
}
