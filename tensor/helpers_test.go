package tensor_test

import (
	"math"
	"slices"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/tensor"
)

// in runs fn in a scope of the default worker and checks for leaks.
func in(t *testing.T, fn func(s *tensor.Scope)) {
	t.Helper()
	tensortest.Do(t, fn)
}

// want compares shape and values; the tolerance is a few float32 roundings of values near 1.
func want(t *testing.T, s *tensor.Scope, got torch.Tensor, shape []int64, values ...float64) {
	t.Helper()
	if g := s.Shape(got); !slices.Equal(g, shape) {
		t.Errorf("shape %v, want %v", g, shape)
		return
	}
	g := s.Float64s(got)
	for i, w := range values {
		if !(math.Abs(g[i]-w) <= 1e-6*max(1, math.Abs(w))) {
			t.Errorf("got %v, want %v", g, values)
			return
		}
	}
}

// wantError runs fn and returns the *Error it must panic with.
func wantError(t *testing.T, fn func()) *tensor.Error {
	t.Helper()
	err, ok := tensor.Catch(fn).(*tensor.Error)
	if !ok {
		t.Fatal("no *Error")
	}
	return err
}

func of(v ...int64) []int64 { return v }

// vector is a float32 tensor of one dimension.
func vector(s *tensor.Scope, v ...float32) torch.Tensor { return s.FromFloat32s(v, int64(len(v))) }

// row is an image of one line, [1,1,1,W].
func row(s *tensor.Scope, v ...float32) torch.Tensor {
	return s.FromFloat32s(v, 1, 1, 1, int64(len(v)))
}
