package pdd

import (
	"fmt"
	"math"

	"github.com/gopdd/gopdd/data"
)

// CorrectColor changes sr in place so that each of its planes has the mean and standard deviation (with N−1) of the
// same plane of lr: (sr − mean(sr)) / std(sr) · std(lr) + mean(lr). The sizes may differ, the number of planes may not.
// Nothing is clamped. A constant plane of sr has no deviation to set and is only moved to lr's mean.
//
// It is the colour correction of the paper's inference; where the paper says variance, the authors' code and this
// function use standard deviations.
func CorrectColor(sr, lr *data.Image) error {
	if sr.C != lr.C || len(sr.Pix) == 0 || len(lr.Pix) == 0 {
		return fmt.Errorf("pdd: correct colour of %d×%d×%d by %d×%d×%d: want as many planes, not empty",
			sr.C, sr.H, sr.W, lr.C, lr.H, lr.W)
	}
	for c := range sr.C {
		plane := sr.Plane(c)
		mean, std := moments(plane)
		wantMean, wantStd := moments(lr.Plane(c))
		gain := 1.0
		if std > 0 {
			gain = wantStd / std
		}
		for i, v := range plane {
			plane[i] = float32((float64(v)-mean)*gain + wantMean)
		}
	}
	return nil
}

// moments are the mean and the unbiased standard deviation; one sample has deviation 0.
func moments(v []float32) (mean, std float64) {
	for _, x := range v {
		mean += float64(x)
	}
	mean /= float64(len(v))
	for _, x := range v {
		std += (float64(x) - mean) * (float64(x) - mean)
	}
	return mean, math.Sqrt(std / float64(max(len(v)-1, 1)))
}
