package tensor_test

import (
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/tensor"
)

// tracks tells whether an operation of s on a leaf records a graph.
func tracks(s *tensor.Scope, leaf torch.Tensor) bool {
	return tensor.Catch(func() { s.Grads(s.Sum(leaf, false), false, leaf) }) == nil
}

func TestGradientModes(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		x := vector(s, 1, 2)
		s.RequiresGrad(true, x)
		for _, c := range []struct {
			name string
			s    *tensor.Scope
			want bool
		}{
			{"default: on", s, true},
			{"off", s.NoGrad(), false},
			{"on again: the mode was of that call alone", s, true},
			{"off and on", s.NoGrad().Grad(), true},
			{"on and off", s.Grad().NoGrad(), false},
			{"off with autocast", s.NoGrad().Autocast(tensor.BFloat16), false},
		} {
			if got := tracks(c.s, x); got != c.want {
				t.Errorf("%s: got %v", c.name, got)
			}
		}
		local := s.NoGrad().Local(func(s *tensor.Scope) torch.Tensor { return s.Sum(x, false) })
		wantError(t, func() { s.Backward(local) }) // Local keeps the mode
	})
}

func TestNilScopeModes(t *testing.T) {
	tensortest.Check(t)
	var s *tensor.Scope
	x := vector(s, 1, 2)
	s.RequiresGrad(true, x)
	if !tracks(s, x) || tracks(s.NoGrad(), x) || !tracks(s, x) {
		t.Error("NoGrad of a nil scope is for its calls alone")
	}
}

// A mode is restored when its call fails too.
func TestModesAfterErrors(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		x := vector(s, 1, 2)
		s.RequiresGrad(true, x)
		wantError(t, func() { s.NoGrad().Autocast(tensor.BFloat16).Add(x, vector(s, 1, 2, 3)) })
		wantError(t, func() { s.NoGrad().Autocast(tensor.Uint8).Abs(x) })
		if !tracks(s, x) {
			t.Error("gradients stayed off")
		}
		if dt := productType(s, s); dt != tensor.Float32 {
			t.Errorf("a product is of type %v: autocast stayed on", dt)
		}
	})
}

// productType is the type of a matrix product of float32 tensors in mode's scope.
func productType(s, mode *tensor.Scope) tensor.DType {
	x := s.Full(1, tensor.Float32, tensor.CPU, 4, 4)
	return s.TypeOf(mode.MatMul(x, x))
}

func TestAutocast(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		half := s.Autocast(tensor.BFloat16)
		for _, c := range []struct {
			name string
			s    *tensor.Scope
			want tensor.DType
		}{
			{"off by default", s, tensor.Float32},
			{"on", half, tensor.BFloat16},
			{"of its calls alone", s, tensor.Float32},
			{"off in a child", half.Autocast(0), tensor.Float32},
		} {
			if got := productType(s, c.s); got != c.want {
				t.Errorf("%s: type %v, want %v", c.name, got, c.want)
			}
		}
		x, w := s.Full(1, tensor.Float32, tensor.CPU, 1, 1, 4, 4), s.Full(1, tensor.Float32, tensor.CPU, 1, 1, 3, 3)
		y := half.NoGrad().Conv2D(x, w, torch.Tensor{}, tensor.ConvOptions{})
		if dt := s.TypeOf(y); dt != tensor.BFloat16 {
			t.Errorf("a convolution is of type %v", dt)
		}
		want(t, s, y, of(1, 1, 2, 2), 9, 9, 9, 9)
	})
}

// Autocast's cache of cast weights would not see that an optimizer changed them.
func TestAutocastSeesChangedWeights(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		half := s.Autocast(tensor.BFloat16)
		x, w := s.Full(1, tensor.Float32, tensor.CPU, 2, 2), s.Full(1, tensor.Float32, tensor.CPU, 2, 2)
		s.RequiresGrad(true, w)
		want(t, s, half.MatMul(x, w), of(2, 2), 2, 2, 2, 2)
		s.NoGrad().Fill(w, 3)
		want(t, s, half.MatMul(x, w), of(2, 2), 6, 6, 6, 6)
	})
}
