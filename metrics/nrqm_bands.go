package metrics

import (
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// NRQM's spatial features (Ma et al. 2017, section 3.2): statistics of the bands of a steerable pyramid, divided by
// what their neighbours predict (Moorthy and Bovik 2011, DIIVINE).

// guard is the width of the border that is not measured at level 0; half of it at level 1.
const guard = 16

var errFlatBands = errors.New("the picture has too little texture: its frequency bands depend on each other")

// spatialFeatures returns 45 numbers of a luma plane with values in 0..255.
func spatialFeatures(luma plane) ([]float64, error) {
	p := newPyramid(luma)
	var normalized [pyramidLevels][orientations]plane
	for level := range p.bands {
		for b := range p.bands[level] {
			var err error
			if normalized[level][b], err = p.normalize(level, b); err != nil {
				return nil, err
			}
		}
	}
	features := shapeFeatures(&normalized)
	features = append(features, p.scaleCorrelations()...)
	return append(features, orientationCorrelations(&normalized[0])...), nil
}

// shapeFeatures are the shapes of the bands one by one, then of both levels of each orientation together.
func shapeFeatures(bands *[pyramidLevels][orientations]plane) []float64 {
	const single = pyramidLevels * orientations
	features := make([]float64, single+orientations)
	parallelFor(len(features), func(i int) {
		if i < single {
			features[i] = generalizedShape(bands[i/orientations][i%orientations].pix)
		} else {
			features[i] = generalizedShape(bands[0][i-single].pix, bands[1][i-single].pix)
		}
	})
	return features
}

// scaleCorrelations are the contrast-structure factors between each band and the high-pass residual.
func (p *pyramid) scaleCorrelations() []float64 {
	planes := slices.Concat([]plane{p.residual}, p.bands[0][:], p.enlarged[:])
	var pairs [][2]int
	for i := 1; i < len(planes); i++ {
		pairs = append(pairs, [2]int{i, 0})
	}
	return contrastStructures(planes, pairs)
}

// orientationCorrelations are those between each two bands of one level.
func orientationCorrelations(bands *[orientations]plane) []float64 {
	var pairs [][2]int
	for i := range bands {
		for j := i + 1; j < len(bands); j++ {
			pairs = append(pairs, [2]int{i, j})
		}
	}
	return contrastStructures(bands[:], pairs)
}

// neighbours is the matrix X of a band's divisive normalisation: a row per pixel inside a frame of one pixel; columns
// are the 3×3 window, the coarser band at this place and the other orientations. Columns are views, never copied.
type neighbours struct {
	planes []plane
	shift  [][2]int // of each column, in 0..2 from the frame's corner
	window int      // columns that pyiqa counts: the 3×3 window and the coarser band
}

func (p *pyramid) neighbours(level, band int) neighbours {
	var n neighbours
	own := p.bands[level][band]
	for k := range 9 {
		n.add(own, k%3, k/3)
	}
	if level == 0 {
		n.add(p.enlarged[band], 1, 1)
	}
	n.window = len(n.planes)
	for other := range orientations {
		if other != band {
			n.add(p.bands[level][other], 1, 1)
		}
	}
	return n
}

func (n *neighbours) add(p plane, dx, dy int) {
	n.planes = append(n.planes, p)
	n.shift = append(n.shift, [2]int{dx, dy})
}

// row is the part of column k that belongs to inner row y.
func (n *neighbours) row(k, y int) []float64 {
	dx := n.shift[k][0]
	return n.planes[k].row(y + n.shift[k][1])[dx : dx+n.planes[k].w-2]
}

// normalize divides a band by the square root of x C⁻¹ xᵀ / N, where x are its neighbours and C their covariance, and
// cuts off the border.
func (p *pyramid) normalize(level, band int) (plane, error) {
	n := p.neighbours(level, band)
	inverse, err := n.inverseCovariance()
	if err != nil {
		return plane{}, err
	}
	own := p.bands[level][band]
	w, h := own.w-2, own.h-2
	border := guard >> level
	out := newPlane(w-2*border, h-2*border)
	average := n.average()
	parallel(out.h, func() func(int) {
		energy, scratch := make([]float64, w), make([]float64, w)
		return func(y int) {
			n.form(energy, scratch, inverse, y+border)
			dst, src := out.row(y), n.row(4, y+border) // the window's centre
			for x := range dst {
				if z := math.Sqrt(energy[x+border] / float64(n.window)); z != 0 {
					dst[x] = (src[x+border] - average) / (z + 1e-12)
				}
			}
		}
	})
	floats.AddConst(-mean(out.pix), out.pix)
	return out, nil
}

// average is the mean of the window's centre.
func (n *neighbours) average() float64 {
	h, w := n.planes[0].h-2, n.planes[0].w-2
	rows := make([]float64, h)
	parallelFor(h, func(y int) { rows[y] = sum(n.row(4, y)) })
	return sum(rows) / float64(w*h)
}

// inverseCovariance is the inverse of C = XᵀX/rows after its negative eigenvalues were set to 0 and the others scaled
// to keep the sum.
func (n *neighbours) inverseCovariance() (*mat.SymDense, error) {
	var eigen mat.EigenSym
	if !eigen.Factorize(n.covariance(), true) {
		return nil, errFlatBands
	}
	values := eigen.Values(nil)
	total, positive := 0.0, 0.0
	for _, v := range values {
		total += v
		positive += max(v, 0)
	}
	if !(values[0]*total > 0) { // ascending: a value of 0 has no inverse
		return nil, errFlatBands
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	inverse := mat.NewSymDense(len(values), nil)
	for k, v := range values {
		inverse.SymRankOne(inverse, positive/(v*total), vectors.ColView(k))
	}
	return inverse, nil
}

// covariance sums the products of columns row by row, so that the result does not depend on the number of goroutines.
func (n *neighbours) covariance() *mat.SymDense {
	size := len(n.planes)
	h, w := n.planes[0].h-2, n.planes[0].w-2
	const band = 16 // rows summed together
	parts := make([][]float64, ceilDiv(h, band))
	parallelFor(len(parts), func(i int) {
		part := make([]float64, size*size)
		for y := i * band; y < min(h, (i+1)*band); y++ {
			for a := range size {
				for b := range a + 1 {
					part[a*size+b] += floats.Dot(n.row(a, y), n.row(b, y))
				}
			}
		}
		parts[i] = part
	})
	c := mat.NewSymDense(size, nil)
	for a := range size {
		for b := range a + 1 {
			s := 0.0
			for _, part := range parts {
				s += part[a*size+b]
			}
			c.SetSym(a, b, s/float64(w*h))
		}
	}
	return c
}

// form sets dst to x C⁻¹ xᵀ for the pixels of inner row y.
func (n *neighbours) form(dst, scratch []float64, inverse *mat.SymDense, y int) {
	clear(dst)
	for a := range n.planes {
		clear(scratch)
		floats.AddScaled(scratch, inverse.At(a, a), n.row(a, y))
		for b := range a {
			floats.AddScaled(scratch, 2*inverse.At(a, b), n.row(b, y))
		}
		floats.Mul(scratch, n.row(a, y))
		floats.Add(dst, scratch)
	}
}
