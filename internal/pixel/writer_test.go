package pixel

import (
	"math"
	"testing"
)

// Level must be what float64 rounds the product in float32 to, at every level, at every half, one step beside them, and
// for what is no sample.
func TestLevel(t *testing.T) {
	for _, top := range []float32{255, 65535} {
		values := []float32{0, float32(math.Copysign(0, -1)), 1, -1, 2, 1e-40, -1e-40, 1e30, -1e30,
			float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))}
		for twice := range 2*int(top) + 1 {
			v := float32(float64(twice) / 2 / float64(top))
			values = append(values, v, math.Nextafter32(v, -1), math.Nextafter32(v, 2))
		}
		for _, v := range values {
			want := 0.0
			if v > 0 {
				want = math.RoundToEven(float64(min(v, 1) * top))
			}
			if got := Level(v, top); float64(got) != want {
				t.Errorf("Level(%v, %v) = %d, want %v", v, top, got, want)
			}
		}
	}
}
