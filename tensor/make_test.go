package tensor_test

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/gopdd/gopdd/tensor"
)

func TestMaking(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		want(t, s, s.Full(1.5, tensor.Float64, tensor.CPU, 2), of(2), 1.5, 1.5)
		want(t, s, s.Zeros(tensor.Float32, tensor.CPU, 1, 2), of(1, 2), 0, 0)
		want(t, s, s.FromFloat64s([]float64{math.Pi, 2}, 2), of(2), math.Pi, 2)
		want(t, s, s.FromFloat32s([]float32{4}), of(), 4)
		want(t, s, s.FromFloat32s(nil, 0, 3), of(0, 3))
		x := s.Cast(vector(s, 1.9, -1.9), tensor.Int64)
		want(t, s, x, of(2), 1, -1)
		want(t, s, s.To(x, tensor.CPU), of(2), 1, -1)
		if s.TypeOf(x) != tensor.Int64 || s.DeviceOf(x) != tensor.CPU || s.Numel(x) != 2 {
			t.Errorf("type %v on %v, %d elements", s.TypeOf(x), s.DeviceOf(x), s.Numel(x))
		}
	})
}

// Values from Go memory are copied: later changes do not show, in either direction.
func TestCopies(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		v := []float32{1, 2}
		x := vector(s, v...)
		v[0] = 9
		got := s.Float32s(x)
		s.Fill(x, 0)
		if !slices.Equal(got, []float32{1, 2}) {
			t.Errorf("got %v", got)
		}
	})
}

func TestReadInto(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		dst := make([]float32, 4)
		s.ReadFloat32s(s.Permute(s.FromFloat32s([]float32{1, 2, 3, 4}, 2, 2), 1, 0), dst)
		if !slices.Equal(dst, []float32{1, 3, 2, 4}) {
			t.Errorf("row-major order of a view: got %v", dst)
		}
	})
}

func TestFromBytes(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		// Two pixels of red, green, blue.
		x := s.FromBytes([]byte{255, 0, 51, 0, 102, 204}, 1, 2, 3)
		want(t, s, x, of(1, 3, 1, 2), 1, 0, 0, .4, .2, .8)
		wantError(t, func() { s.FromBytes([]byte{1, 2}, 1, 2, 3) })
	})
}

func TestBytesRoundTrip(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		pix := make([]byte, 256*3)
		for i := range pix {
			pix[i] = byte(i * 7)
		}
		if got := s.ToBytes(s.FromBytes(pix, 16, 16, 3)); !bytes.Equal(got, pix) {
			t.Error("bytes changed")
		}
	})
}

func TestToBytesRoundsHalfToEven(t *testing.T) {
	v := []float32{-1, 2, float32(math.Inf(1)), .5}
	expected := []byte{0, 255, 255, 128} // clamped; 127.5 → 128
	halves := 0
	for k := range 255 {
		x := (float32(k) + .5) / 255
		if x*255 != float32(k)+.5 {
			continue // not representable as a half
		}
		halves++
		v = append(v, x)
		expected = append(expected, byte(k+k%2))
	}
	if halves < 100 {
		t.Fatalf("only %d halves to test", halves)
	}
	in(t, func(s *tensor.Scope) {
		if got := s.ToBytes(row(s, v...)); !bytes.Equal(got, expected) {
			t.Errorf("got %v\nwant %v", got, expected)
		}
	})
}

func TestRandDependsOnTheSeedAlone(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		for name, draw := range map[string]func(int64, tensor.DType, tensor.Device, ...int64) []float32{
			"uniform": func(seed int64, dt tensor.DType, d tensor.Device, shape ...int64) []float32 {
				return s.Float32s(s.Rand(seed, dt, d, shape...))
			},
			"normal": func(seed int64, dt tensor.DType, d tensor.Device, shape ...int64) []float32 {
				return s.Float32s(s.RandN(seed, dt, d, shape...))
			},
		} {
			first := draw(1, tensor.Float32, tensor.CPU, 10, 100)
			other := draw(2, tensor.Float32, tensor.CPU, 10, 100)
			if slices.Equal(first, other) {
				t.Errorf("%s: two seeds, the same numbers", name)
			}
			if !slices.Equal(first, draw(1, tensor.Float32, tensor.CPU, 10, 100)) {
				t.Errorf("%s: one seed, other numbers", name)
			}
		}
	})
}

// Mean and deviation of 10⁵ draws, within 5 standard errors: ½ and 1/√12, 0 and 1.
func TestRandMoments(t *testing.T) {
	const n = 100_000
	in(t, func(s *tensor.Scope) {
		near := func(name string, got, want, sigma float64) {
			if math.Abs(got-want) > 5*sigma/math.Sqrt(n) {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
		}
		u, z := s.Rand(3, tensor.Float64, tensor.CPU, n), s.RandN(3, tensor.Float64, tensor.CPU, n)
		near("uniform mean", s.Item(s.Mean(u, false)), .5, math.Sqrt(1./12))
		near("normal mean", s.Item(s.Mean(z, false)), 0, 1)
		near("normal deviation", s.Item(s.Std(z, true, false)), 1, math.Sqrt(.5))
		if s.Item(s.Max(u)) >= 1 || s.Item(s.Max(s.MulScalar(u, -1))) > 0 {
			t.Error("uniform numbers outside of [0,1)")
		}
	})
}
