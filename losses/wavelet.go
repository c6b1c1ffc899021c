package losses

import (
	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/tensor"
)

// Bands are weights of the frequency bands of [Wavelet].
type Bands struct {
	Low    float64 `json:"low" yaml:"low"`
	Middle float64 `json:"middle" yaml:"middle"`
	High   float64 `json:"high" yaml:"high"`
}

// Haar splits images x [N,C,H,W] with even H and W by the orthonormal Haar transform. With a, b above c, d in each cell
// of 2×2 pixels:
//
//	low [N,C,H/2,W/2]      (a+b+c+d)/2
//	middle [N,2C,H/2,W/2]  (b+d−a−c)/2 for all channels, then (c+d−a−b)/2 for all channels
//	high [N,C,H/2,W/2]     (a−b−c+d)/2
func Haar(s *tensor.Scope, x torch.Tensor) (low, middle, high torch.Tensor) {
	even(s, "haar", named{"x", x})
	bands := s.Autocast(0).LocalList(func(s *tensor.Scope) []torch.Tensor {
		b := haar(s, wide(s, x))
		return []torch.Tensor{b.low, s.Cat(1, b.across, b.down), b.high}
	})
	return bands[0], bands[1], bands[2]
}

// bands are those of Haar with the middle one in its halves, each [N,C,H/2,W/2].
type bands struct{ low, across, down, high torch.Tensor }

// haar gives bands that are exactly 0 where x is constant in a cell, all but the low one.
func haar(s *tensor.Scope, x torch.Tensor) bands {
	x = s.MulScalar(x, 0.5)
	upper, lower := halves(s, x, 2)
	left, right := halves(s, s.Add(upper, lower), 3)
	leftStep, rightStep := halves(s, s.Sub(lower, upper), 3)
	return bands{
		low:    s.Add(left, right),
		across: s.Sub(right, left),
		down:   s.Add(leftStep, rightStep),
		high:   s.Sub(rightStep, leftStep),
	}
}

// halves are the even and the odd elements of a dimension.
func halves(s *tensor.Scope, x torch.Tensor, dim int64) (even, odd torch.Tensor) {
	n := s.Shape(x)[dim]
	return s.Slice(x, dim, 0, n, 2), s.Slice(x, dim, 1, n, 2)
}

// even panics unless the sides of x are even.
func even(s *tensor.Scope, op string, x named) {
	shape := batch(s, op, x)
	if shape[2]%2 != 0 || shape[3]%2 != 0 {
		tensor.Failf(op, "%s is %v: want even sides; crop or pad the images", x.name, shape)
	}
}

// Wavelet is the mean absolute difference of the images' Haar bands, weighted by band (Eq. 10): w.Low for the low
// band, w.Middle for both middle ones in one mean, w.High for the high one. The transform is linear, so it is the
// difference of the images that is split. pred and gt are [N,C,H,W] with even sides.
//
// The paper writes ℓ1 norms; the authors' code takes means, has 1, 0.1 and 0.01 for the bands and 0.5 for the whole.
// On sides of 3 pixels their code silently broadcasts, which no sizes do here.
func Wavelet(s *tensor.Scope, pred, gt torch.Tensor, w Bands) torch.Tensor {
	same(s, "wavelet", named{"pred", pred}, named{"gt", gt})
	even(s, "wavelet", named{"pred", pred})
	return local(s, func(s *tensor.Scope) torch.Tensor {
		b := haar(s, difference(s, pred, gt))
		mean := func(x torch.Tensor) torch.Tensor { return s.Mean(s.Abs(x), false) }
		loss := s.MulScalar(mean(b.low), w.Low)
		loss = s.AddScaled(loss, s.Add(mean(b.across), mean(b.down)), w.Middle/2)
		return s.AddScaled(loss, mean(b.high), w.High)
	})
}
