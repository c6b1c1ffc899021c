package metrics

import "math"

// windowSize is the side of SSIM's Gaussian window (Wang et al. 2004, section III-C).
const windowSize = 11

// gauss11 holds one half of the normalised 11-tap Gaussian of sigma 1.5, the centre last.
var gauss11 = halfGaussian11()

func halfGaussian11() (w [6]float64) {
	total := 0.0
	for k := range w {
		d := float64(k - 5)
		w[k] = math.Exp(-d * d / (2 * 1.5 * 1.5))
		total += 2 * w[k]
	}
	total -= w[5]
	for k := range w {
		w[k] /= total
	}
	return w
}

// smoothRow filters a row with gauss11; dst is 10 samples shorter than src.
func smoothRow(dst, src []float64) {
	w := gauss11
	for i := range dst {
		p := src[i : i+windowSize : i+windowSize]
		dst[i] = w[0]*(p[0]+p[10]) + w[1]*(p[1]+p[9]) + w[2]*(p[2]+p[8]) +
			w[3]*(p[3]+p[7]) + w[4]*(p[4]+p[6]) + w[5]*p[5]
	}
}

// ring holds the last 11 rows that smoothRow made of one map.
type ring [windowSize][]float64

// smoothColumns filters the columns of the ring whose oldest row is in slot first.
func (r *ring) smoothColumns(dst []float64, first int) {
	w := gauss11
	row := func(k int) []float64 { return r[(first+k)%windowSize][:len(dst)] }
	r0, r1, r2, r3, r4, r5 := row(0), row(1), row(2), row(3), row(4), row(5)
	r6, r7, r8, r9, r10 := row(6), row(7), row(8), row(9), row(10)
	for i := range dst {
		dst[i] = w[0]*(r0[i]+r10[i]) + w[1]*(r1[i]+r9[i]) + w[2]*(r2[i]+r8[i]) +
			w[3]*(r3[i]+r7[i]) + w[4]*(r4[i]+r6[i]) + w[5]*r5[i]
	}
}
