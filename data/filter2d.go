package data

import (
	"fmt"
	"math"
)

// Filter2D correlates every plane of m with a kernel of side × side weights, side odd, row by row (see
// [Kernel.Weights]). Beyond the borders the image continues in mirror image without repeating the edge sample
// (… 2 1 | 0 1 2 …). Kernels that are a product of a column and a row, as every isotropic Gaussian is, take two passes
// of side weights instead of one of side².
func Filter2D(m *Image, weights []float32, side int) (*Image, error) {
	if err := m.check("filter"); err != nil {
		return nil, err
	}
	if side < 1 || side > maxKernel || side%2 == 0 || len(weights) != side*side {
		return nil, fmt.Errorf("data: filter: %d weights for a side of %d: want side² of them, side odd and up to %d", len(weights), side, maxKernel)
	}
	weights, side = trimKernel(weights, side)
	if col, row, ok := factor(weights, side); ok {
		return filterSeparable(m, col, row), nil
	}
	return filterFull(m, weights, side), nil
}

// trimKernel drops rings of zeros.
func trimKernel(weights []float32, side int) ([]float32, int) {
	for side > 1 && emptyRing(weights, side) {
		inner := make([]float32, 0, (side-2)*(side-2))
		for y := 1; y < side-1; y++ {
			inner = append(inner, weights[y*side+1:(y+1)*side-1]...)
		}
		weights, side = inner, side-2
	}
	return weights, side
}

func emptyRing(weights []float32, side int) bool {
	last := (side - 1) * side
	for i := range side {
		if weights[i] != 0 || weights[last+i] != 0 || weights[i*side] != 0 || weights[i*side+side-1] != 0 {
			return false
		}
	}
	return true
}

// factor finds col and row with weights[y][x] = col[y]·row[x] to float32 rounding.
func factor(weights []float32, side int) (col, row []float32, ok bool) {
	c := side / 2
	centre := float64(weights[c*side+c])
	if centre == 0 {
		return nil, nil, false
	}
	col, row = make([]float32, side), make([]float32, side)
	for i := range side {
		col[i] = weights[i*side+c]
		row[i] = float32(float64(weights[c*side+i]) / centre)
	}
	for i, w := range weights {
		product := float64(col[i/side]) * float64(row[i%side])
		if math.Abs(product-float64(w)) > 5e-7*math.Abs(float64(w))+1e-12 {
			return nil, nil, false
		}
	}
	return col, row, true
}

// reflect is the sample of 0..n-1 that stands at position i of the sequence … 2 1 | 0 1 2 … n-1 | n-2 …
func reflect(i, n int) int {
	if n == 1 {
		return 0
	}
	period := 2 * (n - 1)
	i %= period
	if i < 0 {
		i += period
	}
	if i >= n {
		i = period - i
	}
	return i
}

// padPlane returns plane c with r reflected samples on all sides, H+2r rows of W+2r samples.
func padPlane(m *Image, c, r int) []float32 {
	stride := m.W + 2*r
	out := newBuffer((m.H + 2*r) * stride)
	for y := range m.H + 2*r {
		dst := out[y*stride : (y+1)*stride]
		copy(dst[r:], m.Row(c, reflect(y-r, m.H)))
		reflectEnds(dst, r)
	}
	return out
}

// filterFull adds all weights to a row at once.
func filterFull(m *Image, weights []float32, side int) *Image {
	out := newImage(m.C, m.H, m.W)
	stride := m.W + side - 1
	taps := taps2{weight: weights, cols: side, rowStep: stride, colStep: 1}
	for c := range m.C {
		padded := padPlane(m, c, side/2)
		parallel(m.H, grain(side*side*m.W), func(lo, hi int) {
			for y := lo; y < hi; y++ {
				addTaps(out.Row(c, y), padded[y*stride:], taps)
			}
		})
		freeBuffer(padded)
	}
	return out
}

// strip is how many columns filterSeparable combines at a time: the rows that a large kernel reaches, so narrow, stay
// in the processor's first cache.
const strip = 64

// filterSeparable combines rows by col, then columns by row.
func filterSeparable(m *Image, col, row []float32) *Image {
	out := newImage(m.C, m.H, m.W)
	r := len(col) / 2
	for c := range m.C {
		padded, stride := padRows(m, c, r)
		down, across := taps2{weight: col, cols: 1, rowStep: stride}, taps2{weight: row, cols: len(row), colStep: 1}
		parallel(m.H, grain(2*len(col)*m.W), func(lo, hi int) {
			width := m.W + 2*r
			lines := newBuffer((hi - lo) * width)
			clear(lines)
			for x := 0; x < m.W; x += strip {
				n := min(strip, m.W-x)
				for y := lo; y < hi; y++ {
					at := (y-lo)*width + r + x
					addTaps(lines[at:at+n], padded[y*stride+x:], down)
				}
			}
			for y := lo; y < hi; y++ {
				line := lines[(y-lo)*width : (y-lo+1)*width]
				reflectEnds(line, r)
				addTaps(out.Row(c, y), line, across)
			}
			freeBuffer(lines)
		})
		freeBuffer(padded)
	}
	return out
}

// padRows returns plane c with r reflected rows above and below, and the distance between rows: an odd number of cache
// lines, so that rows do not compete for the same places.
func padRows(m *Image, c, r int) (padded []float32, stride int) {
	stride = 16 * ((m.W+15)/16 | 1)
	padded = newBuffer((m.H + 2*r) * stride)
	for y := range m.H + 2*r {
		copy(padded[y*stride:], m.Row(c, reflect(y-r, m.H)))
	}
	return padded, stride
}

// reflectEnds fills the first and last r samples of line with the mirror image of those between.
func reflectEnds(line []float32, r int) {
	inside := line[r : len(line)-r]
	for i := range r {
		line[i] = inside[reflect(i-r, len(inside))]
		line[r+len(inside)+i] = inside[reflect(len(inside)+i, len(inside))]
	}
}
