package data

import (
	"math"
	"slices"
	"testing"
)

// What was in the memory that a degradation gets must not show in its result, and what it was given must stay.
func TestBuffersLeaveNoTrace(t *testing.T) {
	for _, hr := range []*Image{noisy(3, 96, 80), noisy(1, 61, 77)} {
		before := slices.Clone(hr.Pix)
		for _, name := range Presets {
			for i := range 8 {
				recipe := must(Preset(name, 4)).Draw(Rand(2, 0, i))
				if name == "bsrgan" && hr.C == 1 {
					continue // its correlated noise wants colour
				}
				lr, target, err := recipe.Apply(hr)
				if err != nil {
					t.Fatal(err)
				}
				spoilBuffers()
				again, targetAgain, err := recipe.Apply(hr)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(lr.Pix, again.Pix) || !slices.Equal(target.Pix, targetAgain.Pix) {
					t.Errorf("%s of %d planes gives another result in used memory", recipe, hr.C)
				}
				if !slices.Equal(hr.Pix, before) {
					t.Fatalf("%s changed its input", recipe)
				}
			}
		}
	}
}

// spoilBuffers fills what was given back with not-a-number.
func spoilBuffers() {
	var spoilt [][]float32
	for class := range 17 { // enough for these pictures
		for range 8 {
			b := newBuffer(1 << class)
			for i := range b {
				b[i] = float32(math.NaN())
			}
			spoilt = append(spoilt, b)
		}
	}
	for _, b := range spoilt {
		freeBuffer(b)
	}
}
