package main

import (
	"math"
	"slices"
	"testing"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

const width = 4

// start gives a network that training has begun with, and a batch of crops.
func start(t *testing.T, n int) (*crops, batch, *models.Features) {
	t.Helper()
	c, err := newCrops("../../testdata/photos/labelled")
	if err != nil {
		t.Fatal(err)
	}
	b := c.batch(data.Rand(1, 0, 0), n)
	if b.err != nil {
		t.Fatal(b.err)
	}
	phi, err := models.NewVGG19(width, models.InputNorm{ImageNet: true}, 1, tensor.CPU)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { phi.Close() })
	tensortest.Do(t, func(s *tensor.Scope) { begin(s, phi, b.pixels(s)) })
	return c, b, phi
}

// TestBeginning: each layer begins with mean 0 and deviation 1 over the crops.
func TestBeginning(t *testing.T) {
	_, b, phi := start(t, 8)
	tensortest.Do(t, func(s *tensor.Scope) {
		for layer, y := range phi.Forward(s.NoGrad(), b.pixels(s), convolutions(phi)...) {
			mean, std := s.Item(s.Mean(y, false)), s.Item(s.Std(y, false, false))
			if math.Abs(mean) > 1e-4 || math.Abs(std-1) > 1e-2 { // a channel may be 0 everywhere
				t.Errorf("%s: mean %g, deviation %g", layer, mean, std)
			}
		}
	})
}

// TestScale: the deviation is as asked for, and each layer is what it was times one number.
func TestScale(t *testing.T) {
	_, b, phi := start(t, 8)
	tensortest.Do(t, func(s *tensor.Scope) {
		s = s.NoGrad()
		layers := convolutions(phi)
		before := phi.Forward(s, b.pixels(s), layers...)
		scale(s, phi, b.pixels(s), 3)
		for layer, y := range phi.Forward(s, b.pixels(s), layers...) {
			if std := s.Item(s.Std(y, false, false)); math.Abs(std-3) > 1e-3 {
				t.Errorf("%s: deviation %g, want 3", layer, std)
			}
			want := s.MulScalar(before[layer], 3/s.Item(s.Std(before[layer], false, false)))
			if d := s.Item(s.Max(s.Abs(s.Sub(y, want)))); d > 1e-2 {
				t.Errorf("%s: differs by %g from what it was, scaled", layer, d)
			}
		}
	})
}

// TestLearning: steps on one batch tell its kinds and photographs better and better.
func TestLearning(t *testing.T) {
	c, b, phi := start(t, 8)
	l, err := newLearner(phi, width, len(kinds), c.photos())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var losses []float64
	for range 30 {
		tensortest.Do(t, func(s *tensor.Scope) { losses = append(losses, l.step(s, b, 2e-3).loss) })
	}
	first, last := losses[0], losses[len(losses)-1]
	if want := math.Log(float64(len(kinds))) + 0.3*math.Log(float64(c.photos())); math.Abs(first-want) > 1e-3 || last > 0.75*first {
		t.Errorf("loss %g at first, want %g of classifiers that know nothing; %g in the end", first, want, last)
	}
}

// TestBatches: a batch depends on the seed and its number alone.
func TestBatches(t *testing.T) {
	c, b, _ := start(t, 4)
	if again := <-c.batches(t.Context(), 1, 4); again.err != nil || !slices.Equal(again.pix, b.pix) || !slices.Equal(again.kind, b.kind) {
		t.Errorf("the first batch is another one: %v", again.err)
	}
}
