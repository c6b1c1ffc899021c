package metrics

import (
	"errors"
	"fmt"
	"image"
	"math"
)

// Sharpness is the mean gradient magnitude of img's full-range luma in 0..255: the root of the sum of squares of the
// two 3×3 Sobel filters (weights 1 2 1, not normalised), over all pixels that have eight neighbours. It says how much
// detail, or noise, a picture has; compare pictures of the same scene with [SharpnessRatio]. A picture of one colour
// has 0. It fails on pictures smaller than 3×3 after cropping and is safe for concurrent use.
func Sharpness(img image.Image, crop int) (float64, error) {
	s, err := sharpness(img, crop)
	if err != nil {
		return 0, fmt.Errorf("metrics: sharpness: %w", err)
	}
	return s, nil
}

// SharpnessRatio is the sharpness of img over that of ref, the ground truth: below 1 where img is blurred, above 1
// where it is over-sharp or noisy. It fails where ref has no gradient at all, and on pictures of different sizes.
func SharpnessRatio(img, ref image.Image, crop int) (float64, error) {
	if _, _, err := newPair(img, ref, Convention{Color: YYIQ, Crop: crop}); err != nil {
		return 0, fmt.Errorf("metrics: sharpness ratio: %w", err)
	}
	a, err := Sharpness(img, crop)
	if err != nil {
		return 0, err
	}
	b, err := Sharpness(ref, crop)
	if err != nil {
		return 0, err
	}
	if b == 0 {
		return 0, errors.New("metrics: sharpness ratio: ref is of one colour: there is nothing to compare with")
	}
	return a / b, nil
}

func sharpness(img image.Image, crop int) (float64, error) {
	if err := checkColor(YYIQ, crop); err != nil {
		return 0, err
	}
	v, err := newView(img, YYIQ, crop)
	if err != nil {
		return 0, err
	}
	if v.w < 3 || v.h < 3 {
		return 0, fmt.Errorf("%d×%d pixels are left to measure: at least 3×3 are needed", v.w, v.h)
	}
	rows := make([]float64, v.h-2)
	parallel(len(rows), func() func(int) {
		read := v.reader(v.w)
		lines := makeRows(3, v.w)
		return func(y int) {
			for k := range lines {
				read(lines[k:k+1], 0, y+k)
			}
			rows[y] = gradientSum(lines[0], lines[1], lines[2])
		}
	})
	return sum(rows) / float64((v.w-2)*(v.h-2)), nil
}

// gradientSum adds up the gradient magnitudes along the middle one of three rows.
func gradientSum(above, row, below []float64) float64 {
	s := 0.0
	for x := 2; x < len(row); x++ {
		gx := above[x] - above[x-2] + 2*(row[x]-row[x-2]) + below[x] - below[x-2]
		gy := below[x-2] - above[x-2] + 2*(below[x-1]-above[x-1]) + below[x] - above[x]
		s += math.Sqrt(gx*gx + gy*gy)
	}
	return s
}
