package metrics

import (
	"fmt"
	"image"
	"math"
)

// PSNR is the peak signal-to-noise ratio of img against ref in decibels, in the given convention: 10 log10(255²/MSE)
// over all samples. Equal pictures give 80 with [PyIQA], which adds 1e-8 to the error of values in 0..1, and +Inf with
// [BasicSR]. It fails on pictures of different sizes, when cropping leaves nothing, and on samples that are no numbers.
// It is safe for concurrent use.
func PSNR(img, ref image.Image, c Convention) (float64, error) {
	a, b, err := newPair(img, ref, c)
	if err != nil {
		return 0, fmt.Errorf("metrics: psnr %v: %w", c, err)
	}
	mse := meanSquaredError(a, b) / (255 * 255)
	if c.Impl == PyIQA {
		mse += 1e-8
	}
	return 10 * math.Log10(1/mse), nil
}

// meanSquaredError sums row by row, so that the result does not depend on the number of goroutines.
func meanSquaredError(a, b view) float64 {
	rows := make([]float64, a.h)
	parallel(a.h, func() func(int) {
		readA, readB := a.reader(a.w), b.reader(a.w)
		da, db := makeRows(a.planes(), a.w), makeRows(a.planes(), a.w)
		return func(y int) {
			readA(da, 0, y)
			readB(db, 0, y)
			for c := range da {
				rows[y] += squaredDistance(da[c], db[c])
			}
		}
	})
	return sum(rows) / float64(a.planes()*a.w*a.h)
}

func squaredDistance(a, b []float64) float64 {
	var s float64
	b = b[:len(a)]
	for i, v := range a {
		d := v - b[i]
		s += d * d
	}
	return s
}

func makeRows(n, w int) [][]float64 {
	rows := make([][]float64, n)
	for i := range rows {
		rows[i] = make([]float64, w)
	}
	return rows
}

func sum(x []float64) float64 {
	var s float64
	for _, v := range x {
		s += v
	}
	return s
}
