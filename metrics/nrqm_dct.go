package metrics

import (
	"math"
	"slices"
	"sync"
)

// NRQM's frequency features (Ma et al. 2017, section 3.1): statistics of the cosine transforms of overlapping patches.
const (
	patchSize   = 7
	patchStride = 3
)

// generalizedGrid is the grid of NRQM's fit, 0.03 to 10.
var generalizedGrid = sync.OnceValue(func() *shapeGrid { return newShapeGrid(0.03, 0.001, 9971, varianceRatio) })

// dctBasis[k] is the k-th row of the orthonormal DCT-II.
var dctBasis = func() (basis [patchSize][patchSize]float64) {
	for k := range basis {
		norm := math.Sqrt(2. / patchSize)
		if k == 0 {
			norm = math.Sqrt(1. / patchSize)
		}
		for i := range basis[k] {
			basis[k][i] = norm * math.Cos(math.Pi*float64(k)*(float64(i)+0.5)/patchSize)
		}
	}
	return basis
}()

// patch holds coefficients row after row, the constant one first.
type patch [patchSize * patchSize]float64

// The coefficients of three orientations, as indices into a patch: mostly horizontal frequencies, diagonal ones, and
// mostly vertical ones (the first group transposed).
var orientedGroups = func() [3][]int {
	at := func(row, from, to int) (list []int) {
		for col := from; col < to; col++ {
			list = append(list, row*patchSize+col)
		}
		return list
	}
	across := slices.Concat(at(0, 1, 7), at(1, 2, 7), at(2, 4, 7), at(3, 5, 7))
	diagonal := slices.Concat(at(1, 1, 2), at(2, 2, 4), at(3, 2, 5), at(4, 3, 7), at(5, 4, 7), at(6, 4, 7))
	down := make([]int, len(across))
	for i, k := range across {
		down[i] = k%patchSize*patchSize + k/patchSize
	}
	return [3][]int{across, diagonal, down}
}()

// frequencyFeatures returns six numbers of a plane with values in 0..1.
func frequencyFeatures(p plane) []float64 {
	across, down := ceilDiv(p.w, patchStride), ceilDiv(p.h, patchStride)
	left := ((across-1)*patchStride + patchSize - p.w) / 2
	top := ((down-1)*patchStride + patchSize - p.h) / 2
	shapes, variations, spreads := newPlane(across, down), newPlane(across, down), newPlane(across, down)
	parallelFor(down, func(row int) {
		var c patch
		for col := range across {
			c.load(p, col*patchStride-left, row*patchStride-top)
			c.transform()
			i := row*across + col
			shapes.pix[i] = generalizedShape(c[1:])
			variations.pix[i] = variation(c[1:], 1e-7)
			spreads.pix[i] = c.orientationSpread()
		}
	})
	parallelFor(3, func(i int) { slices.Sort([...]plane{shapes, variations, spreads}[i].pix) })
	n := across * down
	low := min(int(math.Ceil(0.1*float64(n)))+1, n)
	high := int(math.Floor(0.9 * float64(n)))
	return []float64{
		mean(shapes.pix[:low]), mean(shapes.pix),
		mean(variations.pix[high:]), mean(variations.pix),
		mean(spreads.pix[high:]), mean(spreads.pix),
	}
}

// load reads the patch whose top left corner is (x, y); outside the plane there are zeros.
func (c *patch) load(p plane, x, y int) {
	for dy := range patchSize {
		dst := c[dy*patchSize : (dy+1)*patchSize]
		if y+dy < 0 || y+dy >= p.h {
			clear(dst)
			continue
		}
		row := p.row(y + dy)
		for dx := range dst {
			dst[dx] = 0
			if x+dx >= 0 && x+dx < p.w {
				dst[dx] = row[x+dx]
			}
		}
	}
}

// transform is the two-dimensional DCT-II, in place.
func (c *patch) transform() {
	var rows patch
	for y := range patchSize {
		in := (*[patchSize]float64)(c[y*patchSize:])
		for k := range patchSize {
			rows[y*patchSize+k] = dot7(&dctBasis[k], in)
		}
	}
	for x := range patchSize {
		in := [patchSize]float64{rows[x], rows[7+x], rows[14+x], rows[21+x], rows[28+x], rows[35+x], rows[42+x]}
		for k := range patchSize {
			c[k*patchSize+x] = dot7(&dctBasis[k], &in)
		}
	}
}

func dot7(a, b *[patchSize]float64) float64 {
	return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] + a[3]*b[3] + a[4]*b[4] + a[5]*b[5] + a[6]*b[6]
}

// orientationSpread is the unbiased variance over the three orientations of their coefficients' variation.
func (c *patch) orientationSpread() float64 {
	var group [24]float64
	var v [3]float64
	for g, indices := range orientedGroups {
		for i, k := range indices {
			group[i] = c[k]
		}
		v[g] = variation(group[:len(indices)], 1e-8)
	}
	m := (v[0] + v[1] + v[2]) / 3
	return ((v[0]-m)*(v[0]-m) + (v[1]-m)*(v[1]-m) + (v[2]-m)*(v[2]-m)) / 2
}

// variation is the unbiased standard deviation of |x| over its mean.
func variation(x []float64, eps float64) float64 {
	var abs, squares float64
	for _, v := range x {
		abs += math.Abs(v)
	}
	m := abs / float64(len(x))
	for _, v := range x {
		d := math.Abs(v) - m
		squares += d * d
	}
	return math.Sqrt(squares/float64(len(x)-1)) / (m + eps)
}

// generalizedShape fits a generalised Gaussian to the numbers of all parts together and returns its shape.
func generalizedShape(parts ...[]float64) float64 {
	var n, total, deviation, squares float64
	for _, x := range parts {
		n += float64(len(x))
		total += sum(x)
	}
	m := total / n
	for _, x := range parts {
		for _, v := range x {
			d := v - m
			deviation += math.Abs(d)
			squares += d * d
		}
	}
	deviation /= n
	return generalizedGrid().nearest(squares / (n - 1) / (deviation*deviation + 1e-7))
}

func mean(x []float64) float64 { return sum(x) / float64(len(x)) }
