package models

import (
	"path/filepath"
	"slices"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/nn"
	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/tensor"
)

func newDiscriminator(t *testing.T, dt tensor.DType) *UNetDiscriminator {
	t.Helper()
	d, err := buildDiscriminator(UNetDiscriminatorConfig{3, 4, true}, nn.He(1), placement{dt, tensor.CPU})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func logits(t *testing.T, d *UNetDiscriminator) (y []float64) {
	t.Helper()
	tensortest.Do(t, func(s *tensor.Scope) {
		y = s.Float64s(d.Forward(s.NoGrad(), s.Rand(1, tensor.Float64, tensor.CPU, 1, 3, 16, 24)))
	})
	return y
}

// With u and v as they are, Forward is a function of the weights alone.
func TestDiscriminatorGradients(t *testing.T) {
	d := newDiscriminator(t, tensor.Float64)
	checkGradients(t, d.Parameters(), func(s *tensor.Scope) torch.Tensor {
		return d.Forward(s, s.Rand(6, tensor.Float64, tensor.CPU, 1, 3, 8, 16))
	})
}

// After many power iterations the normalised weights have a largest singular value of 1: |W x| ≤ |x|, and W v = u.
func TestSpectralNorm(t *testing.T) {
	d := newDiscriminator(t, tensor.Float64)
	tensortest.Do(t, func(s *tensor.Scope) {
		s = s.NoGrad()
		for range 300 {
			for i := range d.convs {
				d.convs[i].iterate(s)
			}
		}
		for i := range d.convs {
			c := &d.convs[i]
			w := s.Reshape(c.normalised(s, c.u, c.v), s.Shape(c.u)[0], -1)
			if diff := s.Item(s.Norm(s.Sub(s.MatMul(w, c.v), c.u), false)); diff > 1e-3 {
				t.Errorf("conv_%d: |Wv - u| = %g", i+1, diff)
			}
			x := s.RandN(int64(i), tensor.Float64, tensor.CPU, s.Shape(c.v)...)
			if gain := s.Item(s.Norm(s.MatMul(w, x), false)) / s.Item(s.Norm(x, false)); gain > 1.001 {
				t.Errorf("conv_%d: lengthens a vector %g times", i+1, gain)
			}
		}
	})
}

// ForwardTrain changes u and v and is Forward with the changed ones. Two passes may come before one backward.
func TestForwardTrain(t *testing.T) {
	d := newDiscriminator(t, tensor.Float64)
	before := logits(t, d)
	tensortest.Do(t, func(s *tensor.Scope) {
		x := s.Rand(1, tensor.Float64, tensor.CPU, 1, 3, 16, 24)
		trained := s.Float64s(d.ForwardTrain(s.NoGrad(), x))
		if slices.Equal(trained, before) {
			t.Error("no power iteration")
		}
		if !slices.Equal(trained, s.Float64s(d.Forward(s.NoGrad(), x))) {
			t.Error("the iterated vectors were not stored")
		}
		params := tensors(d.Parameters())
		s.RequiresGrad(true, params...)
		defer s.RequiresGrad(false, params...)
		for _, first := range []func(*tensor.Scope, torch.Tensor) torch.Tensor{d.Forward, d.ForwardTrain} {
			real := first(s, x)
			fake := d.ForwardTrain(s, s.MulScalar(x, 0.5))
			s.Grads(s.Mean(s.Sub(real, fake), false), false, params...)
		}
	})
}

func TestDiscriminatorSaveAndLoad(t *testing.T) {
	tensortest.Check(t)
	d := newDiscriminator(t, tensor.Float32)
	for _, name := range []string{"d.safetensors", "d.pth"} {
		path := filepath.Join(t.TempDir(), name)
		if err := d.Save(path, nil); err != nil {
			t.Fatal(err)
		}
		loaded, err := LoadDiscriminator(path)
		if err != nil {
			t.Fatal(err)
		}
		if loaded.Config() != d.Config() || !slices.Equal(logits(t, d), logits(t, loaded)) {
			t.Errorf("%s: another network came back", name)
		}
		loaded.Close()
		plain, err := LoadDiscriminator(path, WithoutSkipConnections())
		if err != nil {
			t.Fatal(err)
		}
		if slices.Equal(logits(t, d), logits(t, plain)) {
			t.Errorf("%s: the skip connections are still there", name)
		}
		plain.Close()
	}
}

func TestDiscriminatorClosedAndWrongSizes(t *testing.T) {
	d := newDiscriminator(t, tensor.Float32)
	forward := func(h int64) error {
		return tensor.Do(t.Context(), func(s *tensor.Scope) error {
			d.ForwardTrain(s, s.Zeros(tensor.Float32, tensor.CPU, 1, 3, h, 8))
			return nil
		})
	}
	if err := forward(12); err == nil {
		t.Error("a side of 12, not a multiple of 8: no error")
	}
	d.Close()
	if err := forward(8); err == nil {
		t.Error("closed: no error")
	}
}
