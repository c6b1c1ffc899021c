package metrics

import (
	"math"
	"sync"
)

// shapeGrid finds the shape of a generalised Gaussian whose moment ratio is nearest to a given one, among grid points
// from, from+step, … The ratio is strictly monotone in the shape. A shapeGrid is safe for concurrent use.
type shapeGrid struct {
	from, step float64
	ratio      []float64
	falling    bool
}

func newShapeGrid(from, step float64, n int, ratio func(shape float64) float64) *shapeGrid {
	g := &shapeGrid{from: from, step: step, ratio: make([]float64, n)}
	for i := range g.ratio {
		g.ratio[i] = ratio(g.shape(i))
	}
	g.falling = g.ratio[0] > g.ratio[n-1]
	return g
}

func (g *shapeGrid) shape(i int) float64 { return g.from + float64(i)*g.step }

// nearest returns the grid point nearest in ratio, the smaller of two equally near; for a ratio that is no finite
// number the first, as numpy's and torch's argmin do.
func (g *shapeGrid) nearest(ratio float64) float64 {
	if ratio-ratio != 0 {
		return g.from
	}
	lo, hi := 0, len(g.ratio) // the first grid point at or beyond ratio lies in [lo, hi]
	for lo < hi {
		mid := (lo + hi) / 2
		before := g.ratio[mid] < ratio
		if g.falling {
			before = g.ratio[mid] > ratio
		}
		if before {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == len(g.ratio) || (lo > 0 && math.Abs(g.ratio[lo-1]-ratio) <= math.Abs(g.ratio[lo]-ratio)) {
		lo--
	}
	return g.shape(lo)
}

// gammaQuotient is Γ(a/s)/Γ(b/s).
func gammaQuotient(a, b, s float64) float64 { return math.Exp(lnGamma(a/s) - lnGamma(b/s)) }

func lnGamma(x float64) float64 {
	v, _ := math.Lgamma(x)
	return v
}

// varianceRatio is E x² / (E|x|)² of a generalised Gaussian of shape s: Γ(1/s)Γ(3/s)/Γ(2/s)². It falls with s.
func varianceRatio(s float64) float64 {
	return math.Exp(lnGamma(1/s) + lnGamma(3/s) - 2*lnGamma(2/s))
}

// aggdGrid is the grid of NIQE's fit, 0.2 to 10.
var aggdGrid = sync.OnceValue(func() *shapeGrid {
	return newShapeGrid(0.2, 0.001, 9801, func(s float64) float64 { return 1 / varianceRatio(s) })
})

// aggd is an asymmetric generalised Gaussian: its shape and the scales of its left and right half.
type aggd struct{ shape, left, right float64 }

// fitAGGD fits by moments (Lasmar, Stitou and Berthoumieu 2009; Mittal et al. 2013, eq. 4 to 7). A side without
// samples has the scale NaN, and the shape is then the grid's first.
func fitAGGD(x []float64) aggd {
	var abs, squaresL, squaresR float64
	var left, right int
	for _, v := range x {
		abs += math.Abs(v)
		if v < 0 {
			squaresL += v * v
			left++
		} else if v > 0 {
			squaresR += v * v
			right++
		}
	}
	n := float64(len(x))
	sl, sr := math.Sqrt(squaresL/float64(left)), math.Sqrt(squaresR/float64(right))
	g := sl / sr
	r := (abs / n) * (abs / n) / ((squaresL + squaresR) / n)
	r *= (g*g*g + 1) * (g + 1) / ((g*g + 1) * (g*g + 1))
	shape := aggdGrid().nearest(r)
	scale := math.Sqrt(gammaQuotient(1, 3, shape))
	return aggd{shape: shape, left: sl * scale, right: sr * scale}
}
