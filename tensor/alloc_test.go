package tensor_test

import (
	"testing"

	"github.com/gopdd/gopdd/tensor"
)

// A call makes the slices of its arguments, the result's cell and its place in the scope; guards against more.
func TestAllocationsOfACall(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		s = s.NoGrad()
		x, w, b := s.Zeros(tensor.Float32, tensor.CPU, 1, 1, 4, 4), s.Zeros(tensor.Float32, tensor.CPU, 1, 1, 1, 1), vector(s, 0)
		const most = 5
		if n := testing.AllocsPerRun(100, func() { s.Free(s.Conv2DLeaky(x, w, b, tensor.ConvOptions{}, .2)) }); n > most {
			t.Errorf("%v allocations in a convolution, want at most %d", n, most)
		}
		if n := testing.AllocsPerRun(100, func() { s.Free(s.Add(x, b)) }); n > most {
			t.Errorf("%v allocations in an addition, want at most %d", n, most)
		}
	})
}

func BenchmarkCall(b *testing.B) {
	s := tensor.NewScope()
	defer s.Close()
	x := s.Zeros(tensor.Float32, tensor.CPU, 1)
	b.ReportAllocs()
	for b.Loop() {
		s.Free(s.Add(x, x))
	}
}
