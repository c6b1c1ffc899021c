package losses_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/tensor"
)

type T = torch.Tensor

// in runs fn in a scope of the default worker and checks for leaks.
func in(t *testing.T, fn func(s *tensor.Scope)) {
	t.Helper()
	tensortest.Do(t, fn)
}

// random draws float64 features of a standard normal distribution.
func random(s *tensor.Scope, seed int64, shape ...int64) T {
	return s.RandN(seed, tensor.Float64, tensor.CPU, shape...)
}

// four are the features of Intra and Inter: sU, gU, sL, gL.
func four(s *tensor.Scope, shape ...int64) [4]T {
	var f [4]T
	for i := range f {
		f[i] = random(s, int64(i+1), shape...)
	}
	return f
}

// cells is an image [1,1,2,W] of its lines.
func cells(s *tensor.Scope, upper, lower []float64) T {
	return s.FromFloat64s(slices.Concat(upper, lower), 1, 1, 2, int64(len(upper)))
}

// near fails t unless got is want up to rounding in float64.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-12*max(1, math.Abs(want))) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// isZero fails t unless every element of x is exactly 0.
func isZero(t *testing.T, what string, s *tensor.Scope, x T) {
	t.Helper()
	for _, v := range s.Float64s(x) {
		if v != 0 {
			t.Errorf("%s: %v, want exactly 0", what, v)
			return
		}
	}
}

// gradients of loss with respect to xs, which collect none afterwards.
func gradients(s *tensor.Scope, loss func() T, xs ...T) []T {
	s.RequiresGrad(true, xs...)
	defer s.RequiresGrad(false, xs...)
	return s.Grads(loss(), false, xs...)
}

// checkGradients compares the gradient of loss for every element of xs, which are float64, with a difference quotient.
func checkGradients(t *testing.T, s *tensor.Scope, loss func() T, xs ...T) {
	t.Helper()
	const step = 1e-5
	grads := gradients(s, loss, xs...)
	for k, x := range xs {
		elements, got := s.Reshape(x, -1), s.Float64s(grads[k]) // a view: changing it changes x
		for i, value := range s.Float64s(x) {
			at := func(v float64) float64 {
				s.Fill(s.Narrow(elements, 0, int64(i), 1), v)
				return s.Item(loss())
			}
			want := (at(value+step) - at(value-step)) / (2 * step)
			at(value)
			if !(math.Abs(got[i]-want) <= 1e-8+1e-6*math.Abs(want)) {
				t.Errorf("tensor %d, element %d: gradient %g, by differences %g", k, i, got[i], want)
				return
			}
		}
	}
}

// requireFailure runs fn and wants the *tensor.Error of operation op with text in it.
func requireFailure(t *testing.T, fn func(), op, text string) {
	t.Helper()
	err := tensor.Catch(fn)
	var e *tensor.Error
	if !errors.As(err, &e) || e.Op != op || !strings.Contains(e.Error(), text) {
		t.Errorf("got %v, want an error of %s with ...%s...", err, op, text)
	}
}
