package losses_test

import (
	"math"
	"testing"

	"github.com/gopdd/gopdd/losses"
	"github.com/gopdd/gopdd/tensor"
)

var all = losses.Bands{Low: 1, Middle: 0.1, High: 0.01}

// a b   = 1 2
// c d     4 8: low 15/2, across (2+8−1−4)/2 = 5/2, down (4+8−1−2)/2 = 9/2, high (1−2−4+8)/2 = 3/2.
func TestHaarByHand(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		low, middle, high := losses.Haar(s, cells(s, []float64{1, 2}, []float64{4, 8}))
		near(t, "low", s.Item(low), 7.5)
		near(t, "high", s.Item(high), 1.5)
		m := s.Float64s(middle)
		near(t, "across", m[0], 2.5)
		near(t, "down", m[1], 4.5)
	})
}

// The transform is orthonormal: energies add up.
func TestHaarKeepsEnergy(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		x := random(s, 1, 2, 3, 4, 6)
		energy := func(x T) float64 { return s.Item(s.Sum(s.Mul(x, x), false)) }
		low, middle, high := losses.Haar(s, x)
		near(t, "energy", energy(low)+energy(middle)+energy(high), energy(x))
	})
}

// By linearity the loss of the cell above against 0 is the weighted sum of its bands; the middle ones share one mean.
func TestWaveletByHand(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		x := cells(s, []float64{1, 2}, []float64{4, 8})
		zero := s.Zeros(tensor.Float64, tensor.CPU, 1, 1, 2, 2)
		near(t, "wavelet", s.Item(losses.Wavelet(s, x, zero, all)), 7.5+0.1*(2.5+4.5)/2+0.01*1.5)
		near(t, "sides exchanged", s.Item(losses.Wavelet(s, zero, x, all)), 7.5+0.1*(2.5+4.5)/2+0.01*1.5)
		near(t, "middle alone", s.Item(losses.Wavelet(s, x, zero, losses.Bands{Middle: 1})), 3.5)
	})
}

func TestWaveletGradients(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		x, gt := random(s, 1, 2, 3, 4, 2), random(s, 2, 2, 3, 4, 2)
		checkGradients(t, s, func() T { return losses.Wavelet(s, x, gt, all) }, x, gt)
		low, middle, high := random(s, 3, 2, 3, 2, 1), random(s, 4, 2, 6, 2, 1), random(s, 5, 2, 3, 2, 1)
		checkGradients(t, s, func() T {
			l, m, h := losses.Haar(s, x)
			return s.Add(s.Sum(s.Mul(l, low), false), s.Add(s.Sum(s.Mul(m, middle), false), s.Sum(s.Mul(h, high), false)))
		}, x)
	})
}

func TestWaveletLaws(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		x, gt := random(s, 1, 2, 3, 6, 4), random(s, 2, 2, 3, 6, 4)
		loss := s.Item(losses.Wavelet(s, x, gt, all))
		isZero(t, "equal images", s, losses.Wavelet(s, x, x, all))
		isZero(t, "gradient of equal images", s, gradients(s, func() T { return losses.Wavelet(s, x, s.Detach(x), all) }, x)[0])
		near(t, "twice the images", s.Item(losses.Wavelet(s, s.MulScalar(x, 2), s.MulScalar(gt, 2), all)), 2*loss)
		near(t, "transposed", s.Item(losses.Wavelet(s, s.Permute(x, 0, 1, 3, 2), s.Permute(gt, 0, 1, 3, 2), all)), loss)
		near(t, "channels in another order", s.Item(losses.Wavelet(s, rotate(s, x, 1), rotate(s, gt, 1), all)), loss)
		near(t, "moved by two pixels", s.Item(losses.Wavelet(s, rotate(s, rotate(s, x, 3), 3), rotate(s, rotate(s, gt, 3), 3), all)), loss)
		brighter := s.AddScalar(gt, 0.25) // a cell's low coefficient rises by 2·¼
		near(t, "brightness is low", s.Item(losses.Wavelet(s, brighter, gt, losses.Bands{Low: 1})), 0.5)
		near(t, "brightness is nothing else", s.Item(losses.Wavelet(s, brighter, gt, losses.Bands{Middle: 1, High: 1})), 0)
	})
}

func TestPixelLosses(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		x, gt := cells(s, []float64{1, 2}, []float64{4, 8}), cells(s, []float64{1, 3}, []float64{2, 8}) // differences 0 −1 2 0
		near(t, "l1", s.Item(losses.L1(s, x, gt)), 3./4)
		near(t, "charbonnier", s.Item(losses.Charbonnier(s, x, gt, 9)), (3+math.Sqrt(10)+math.Sqrt(13)+3)/4)
		for _, e := range []float64{0, 1e-300} {
			near(t, "charbonnier without roundness is l1", s.Item(losses.Charbonnier(s, x, gt, e)), 3./4)
		}
		a, b := random(s, 1, 2, 3, 2, 3), random(s, 2, 2, 3, 2, 3)
		checkGradients(t, s, func() T { return losses.L1(s, a, b) }, a, b)
		checkGradients(t, s, func() T { return losses.Charbonnier(s, a, b, 1e-3) }, a, b)
		single := s.Cast(a, tensor.Float32)
		for _, e := range []float64{0, 1e-45, 1e-37, 1e-12} {
			isZero(t, "gradient of equal images", s, gradients(s, func() T { return losses.Charbonnier(s, single, s.Detach(single), e) }, single)[0])
		}
	})
}
