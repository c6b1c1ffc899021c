package models

import (
	"math"
	"testing"

	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/tensor"
)

// TestNewCompactInterpolates: a new SRVGGNetCompact enlarges a picture of parabolas exactly, away from the border, and
// every channel can learn: no gradient of the last convolution is 0.
func TestNewCompactInterpolates(t *testing.T) {
	for _, scale := range []int{2, 3, 4} {
		n, err := NewSRVGGNetCompact(SRVGGNetCompactConfig{NumInCh: 3, NumOutCh: 3, NumFeat: 8, NumConv: 3, Upscale: scale}, 1, tensor.CPU)
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		const side = 12
		at := func(c int, y, x float64) float64 {
			return 0.3 + 0.1*float64(c) + 0.004*y*y - 0.003*x*x + 0.01*x*y - 0.02*x
		}
		tensortest.Do(t, func(s *tensor.Scope) {
			lr := make([]float32, 3*side*side)
			for i := range lr {
				lr[i] = float32(at(i/(side*side), float64(i/side%side), float64(i%side)))
			}
			last := n.convs[len(n.convs)-1].Weight
			s.RequiresGrad(true, last)
			y := n.Forward(s, s.FromFloat32s(lr, 1, 3, side, side))
			big := side * scale
			for i, got := range s.Float32s(s.Detach(y)) {
				c, y, x := i/(big*big), i/big%big, i%big
				if min(y, x) < scale || max(y, x) >= big-scale {
					continue
				}
				centre := func(k int) float64 { return (float64(k)+0.5)/float64(scale) - 0.5 }
				if want := at(c, centre(y), centre(x)); math.Abs(float64(got)-want) > 1e-5 {
					t.Fatalf("scale %d, channel %d, row %d, column %d: %v, want %v", scale, c, y, x, got, want)
				}
			}
			still := 0
			for _, g := range s.Float32s(s.Grads(s.Sum(s.Mul(y, y), false), false, last)[0]) {
				if g == 0 {
					still++
				}
			}
			if still > 0 {
				t.Errorf("scale %d: %d weights have no gradient", scale, still)
			}
		})
	}
}
