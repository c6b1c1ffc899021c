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
	w := []float32{0.3, -1.7, 2.1, 0.01, 5, -2}
	for _, taps := range []taps2{
		{weight: w, cols: 6, colStep: 1},
		{weight: w, cols: 1, rowStep: 50},
		{weight: w, cols: 6, colStep: 50},
		{weight: w, cols: 3, rowStep: 90, colStep: 1},
		{weight: w, cols: 2, rowStep: 90, colStep: 3},
		{},
	} {
		for n := range 75 {
			m := noisy(1, 1, 75+6*90)
			got, want := slices.Clone(m.Pix[:n]), slices.Clone(m.Pix[:n])
			addTaps(got, m.Pix[1:], taps)
			addTapsGo(want, m.Pix[1:], taps)
			if !slices.Equal(got, want) {
				t.Errorf("%d samples, %+v: %v, want %v", n, taps, got, want)
			}
		}
	}
}
