package tensor_test

import (
	"runtime"
	"testing"

	torch "github.com/wangkuiyi/gotorch"
	"github.com/wangkuiyi/gotorch/nn/initializer"

	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/tensor"
)

func TestMixingWithGotorch(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		theirs := torch.Full([]int64{2, 3}, 2, false)
		ours := s.FromFloat32s([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
		want(t, s, s.Mul(theirs, ours), of(2, 3), 2, 4, 6, 8, 10, 12)      // our operation
		want(t, s, torch.Add(ours, theirs, 1), of(2, 3), 3, 4, 5, 6, 7, 8) // theirs
		want(t, s, s.Sum(torch.Relu(ours), false), of(), 21)               // a chain of both
		wantError(t, func() { s.Move(nil, theirs) })                       // borrowed, never owned
		s.Free(theirs)                                                     // of no effect
		want(t, s, theirs, of(2, 3), 2, 2, 2, 2, 2, 2)
	})
}

// Their finalizers free theirs, ours nothing of it: freed twice, the process would not survive this loop.
func TestGotorchFinalizers(t *testing.T) {
	tensortest.Check(t)
	for range 50 {
		in(t, func(s *tensor.Scope) {
			for range 20 {
				s.Add(torch.Full([]int64{10}, 1, false), vector(s, 1))
			}
		})
		runtime.GC()
	}
}

func TestGotorchBackward(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		x := torch.Full([]int64{2}, 3, true)
		s.Sum(s.Mul(x, x), false).Backward()
		want(t, s, x.Grad(), of(2), 6, 6) // 2x
		g, ok := s.GradOf(x)
		if !ok {
			t.Fatal("no gradient")
		}
		want(t, s, g, of(2), 6, 6)
	})
}

func TestManualSeedDoesNotReachRand(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		first := s.Float32s(s.RandN(7, tensor.Float32, tensor.CPU, 40))
		initializer.ManualSeed(1)
		torch.RandN([]int64{40}, false)
		for i, v := range s.Float32s(s.RandN(7, tensor.Float32, tensor.CPU, 40)) {
			if v != first[i] {
				t.Fatal("the same seed gave other numbers")
			}
		}
	})
}
