package data

import (
	"math"
	"testing"

	"github.com/gopdd/gopdd/internal/pixel"
)

// What works on the bits of numbers must do what comparisons do, for every kind of number.
func TestBitsEqualComparisons(t *testing.T) {
	values := []float32{0, 1, 0.5, 254.5 / 255, 0.5 / 255, 1.5 / 255, 1e-40, 7, 1e30,
		float32(math.Inf(1)), float32(math.NaN()), math.Nextafter32(1, 0), math.Nextafter32(1, 2)}
	for i := range 3000 {
		values = append(values, float32(i)/2999*1.2)
	}
	for _, v := range values {
		for _, v := range []float32{v, -v, float32(math.Copysign(float64(v), -1))} {
			want := float32(0)
			if v >= 1 {
				want = 1
			} else if v > 0 {
				want = v
			}
			if got := clamp01(v); got != want {
				t.Errorf("clamp01(%v) = %v, want %v", v, got, want)
			}
			if got, want := level8(v), uint8(pixel.Level(v, 255)); got != want {
				t.Errorf("level8(%v) = %d, want %d", v, got, want)
			}
		}
	}
}

// Sharpen against its definition, sample by sample.
func TestSharpen(t *testing.T) {
	m := noisy(3, 40, 33)
	for _, u := range []USM{DefaultUSM, {Weight: 2, Radius: 7, Threshold: 0}, {Weight: 0.5, Radius: 21, Threshold: 60, Sigma: 3}} {
		got, err := Sharpen(m, u)
		if err != nil {
			t.Fatal(err)
		}
		weights, side, _ := u.kernel()
		blur, _ := Filter2D(m, weights, side)
		mask := newImage(3, 40, 33)
		for i, v := range m.Pix {
			if math.Abs(255*float64(v-blur.Pix[i])) > u.Threshold {
				mask.Pix[i] = 1
			}
		}
		soft, _ := Filter2D(mask, weights, side)
		for i, v := range m.Pix {
			sharp := min(max(v+float32(u.Weight)*(v-blur.Pix[i]), 0), 1)
			if want := soft.Pix[i]*sharp + (1-soft.Pix[i])*v; math.Abs(float64(got.Pix[i]-want)) > 1e-6 {
				t.Fatalf("%+v: sample %d is %v, want %v", u, i, got.Pix[i], want)
			}
		}
	}
	even := newImage(1, 9, 9)
	if got, err := Sharpen(even, DefaultUSM); err != nil || got != even {
		t.Errorf("an even picture gives %p, %v, want itself", got, err)
	}
	for _, u := range []USM{{Weight: 1, Radius: 0}, {Weight: 1, Radius: 5, Threshold: -1}, {Weight: 1, Radius: 300}} {
		if _, err := Sharpen(m, u); err == nil {
			t.Errorf("%+v: no error", u)
		}
	}
}
