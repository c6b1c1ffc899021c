package metrics

import (
	"math"
	"math/cmplx"
)

// The steerable pyramid of Portilla and Simoncelli's buildSCFpyr (matlabPyrTools) with 2 levels of 6 orientations, as
// NRQM uses it: real parts of the oriented bands and the high-pass residual.
const (
	pyramidLevels = 2
	orientations  = 6
)

// pyramid holds the bands of a luma plane.
type pyramid struct {
	residual plane
	bands    [pyramidLevels][orientations]plane
	enlarged [orientations]plane // bands[1] at the size of bands[0]
}

// table is a function sampled at from, from+step, …, read by linear interpolation and constant outside.
type table struct {
	from, step float64
	value      []float64
}

func (t *table) at(x float64) float64 {
	u := (x - t.from) / t.step
	i := int(u)
	if u <= 0 {
		return t.value[0]
	}
	if i >= len(t.value)-1 {
		return t.value[len(t.value)-1]
	}
	return t.value[i] + (u-float64(i))*(t.value[i+1]-t.value[i])
}

// radialTables are the raised cosine in log2 frequency, from -1 to 0, and its complement: hi² + lo² = 1. Their samples
// and the linear interpolation are matlabPyrTools' rcosFn and pointOp.
func radialTables() (hi, lo *table) {
	const n = 256
	const step = math.Pi / (2 * n)
	hi = &table{from: -0.5 + 2/math.Pi*(-(n+1)*step+math.Pi/4), step: 2 / math.Pi * step, value: make([]float64, n+3)}
	lo = &table{from: hi.from, step: hi.step, value: make([]float64, n+3)}
	for i := range hi.value {
		c := math.Cos(step * float64(min(max(i, 1), n+1)-n-1)) // the outermost samples repeat their neighbours
		hi.value[i], lo.value[i] = math.Abs(c), math.Sqrt(1-c*c)
	}
	return hi, lo
}

// angularTable is the half of the angular part 2 sqrt(c) cos⁵ that one orientation passes.
func angularTable() *table {
	const n = 1024
	const order = orientations - 1
	const c = 1024. * (120 * 120) / (orientations * 3628800) // 2^(2·5) (5!)² / (6 · 10!)
	t := &table{from: -math.Pi * (2*n + 1) / n, step: math.Pi / n, value: make([]float64, 3*n+3)}
	for i := range t.value {
		angle := t.from + t.step*float64(i)
		if turned := math.Mod(angle+3*math.Pi, 2*math.Pi) - math.Pi; math.Abs(turned) < math.Pi/2 {
			t.value[i] = 2 * math.Sqrt(c) * math.Pow(math.Cos(angle), order)
		}
	}
	return t
}

// newPyramid needs sides of at least 16.
func newPyramid(luma plane) *pyramid {
	hi, lo := radialTables()
	p := &pyramid{}
	s := luma.transform()
	grid := frequencyGrid{luma.w, luma.h}

	high := newSpectrum(s.w, s.h)
	grid.each(s, func(i int, radius, _ float64) {
		high.v[i] = s.v[i] * complex(hi.at(radius), 0)
		s.v[i] *= complex(lo.at(radius), 0)
	})
	p.residual, _ = high.inverse()

	for level := range p.bands {
		octave := float64(level + 1)
		p.bands[level] = grid.orient(s, hi, octave)
		if level == 0 {
			s = s.centre()
			grid.each(s, func(i int, radius, _ float64) { s.v[i] *= complex(lo.at(radius+octave), 0) })
		}
	}
	for b, band := range p.bands[1] {
		p.enlarged[b] = band.resize(luma.w, luma.h)
	}
	return p
}

// frequencyGrid gives frequencies in units of half the sampling rate of the full picture.
type frequencyGrid struct{ w, h int }

// signed is the frequency at index i of n.
func signed(i, n int) int {
	if i > (n-1)/2 {
		return i - n
	}
	return i
}

// each calls fn for every index of s, in parallel, with log2 of the frequency's radius and its angle. The radius at
// frequency 0 is that of its left neighbour.
func (g frequencyGrid) each(s spectrum, fn func(i int, radius, angle float64)) {
	parallelFor(s.h, func(row int) {
		y := 2 * float64(signed(row, s.h)) / float64(g.h)
		for col := range s.w {
			x := 2 * float64(signed(col, s.w)) / float64(g.w)
			r2 := x*x + y*y
			if r2 == 0 {
				r2 = 4 / float64(g.w*g.w)
			}
			fn(row*s.w+col, math.Log2(r2)/2, math.Atan2(y, x))
		}
	})
}

// orient splits s into oriented bands. The real parts of two bands are the real and the imaginary part of one inverse
// transform: that of H1 + iH2 with H(f) = (B(f) + conj B(-f))/2, the part of B that transforms to real numbers.
func (g frequencyGrid) orient(s spectrum, hi *table, octave float64) (bands [orientations]plane) {
	ring, angles := newSpectrum(s.w, s.h), make([]float64, len(s.v))
	g.each(s, func(i int, radius, angle float64) {
		ring.v[i] = s.v[i] * complex(0, -hi.at(radius+octave)) // (-i)⁵ = -i
		angles[i] = angle
	})
	angular := angularTable()
	for b := 0; b < orientations; b += 2 {
		both := newSpectrum(s.w, s.h)
		offset1, offset2 := math.Pi/orientations*float64(b), math.Pi/orientations*float64(b+1)
		parallelFor(s.h/2+1, func(row int) {
			opposite := (s.h - row) % s.h * s.w
			for col := range s.w {
				i, j := row*s.w+col, opposite+(s.w-col)%s.w
				vi, vj, ai, aj := ring.v[i], cmplx.Conj(ring.v[j]), angles[i], angles[j]
				h1 := vi*complex(angular.at(ai-offset1)/2, 0) + vj*complex(angular.at(aj-offset1)/2, 0)
				h2 := vi*complex(angular.at(ai-offset2)/2, 0) + vj*complex(angular.at(aj-offset2)/2, 0)
				both.v[i] = h1 + complex(-imag(h2), real(h2))
				both.v[j] = cmplx.Conj(h1) + complex(imag(h2), real(h2))
			}
		})
		bands[b], bands[b+1] = both.inverse()
	}
	return bands
}

// centre keeps the lower half of the frequencies, the spectrum of every second sample.
func (s spectrum) centre() spectrum {
	out := newSpectrum((s.w+1)/2, (s.h+1)/2)
	for y := range out.h {
		from := (signed(y, out.h) + s.h) % s.h
		for x := range out.w {
			out.v[y*out.w+x] = s.v[from*s.w+(signed(x, out.w)+s.w)%s.w]
		}
	}
	return out
}
