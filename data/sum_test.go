package data

import (
	"slices"
	"testing"
)

// The fast way must equal the plain one bit for bit, for every length around its step of eight.
func TestAddFourEqualsGo(t *testing.T) {
	for n := range 40 {
		m := noisy(6, 1, n+1)
		row := func(i int) []float32 { return m.Plane(i)[1 : n+1] } // not aligned
		w := [4]float32{0.3, -1.7, 2.1, 0.01}
		got, want := slices.Clone(row(0)), slices.Clone(row(0))
		addFour(got, row(1), row(2), row(3), row(4), &w)
		addFourGo(want, row(1), row(2), row(3), row(4), &w)
		if !slices.Equal(got, want) {
			t.Errorf("%d samples: %v, want %v", n, got, want)
		}
	}
}

func TestAddTapsEqualsGo(t *testing.T) {
	for _, step := range []int{1, 3, 50} {
		for n := range 75 {
			m := noisy(1, 1, 75+7*50+1)
			w := []float32{0.3, -1.7, 2.1, 0.01, 5, -2, 0.7}
			got, want := slices.Clone(m.Pix[:n]), slices.Clone(m.Pix[:n])
			addTaps(got, m.Pix[1:], step, w)
			addTapsGo(want, m.Pix[1:], step, w)
			if !slices.Equal(got, want) {
				t.Errorf("%d samples, step %d: %v, want %v", n, step, got, want)
			}
		}
	}
}
