package metrics

import (
	"fmt"
	"image"
)

// SSIM is the structural similarity of img and ref (Wang et al. 2004) in the given convention: Gaussian windows of 11
// pixels and sigma 1.5 that lie wholly inside the picture, K1 = 0.01, K2 = 0.03, values in 0..255, mean over windows
// and channels. Equal pictures give 1. [PyIQA] rounds values first and does not let the contrast-structure factor fall
// below 0; with [BasicSR] the result may be negative. It fails on pictures of different sizes, on those smaller than a
// window after cropping, and on samples that are no numbers. It is safe for concurrent use.
func SSIM(img, ref image.Image, c Convention) (float64, error) {
	a, b, err := newPair(img, ref, c)
	if err != nil {
		return 0, fmt.Errorf("metrics: ssim %v: %w", c, err)
	}
	if a.w < windowSize || a.h < windowSize {
		return 0, fmt.Errorf("metrics: ssim %v: %d×%d pixels are left to compare: at least %d×%d are needed", c, a.w, a.h, windowSize, windowSize)
	}
	a.round, b.round = c.Impl == PyIQA, c.Impl == PyIQA
	p := ssimPair{a: a, b: b, w: a.w, h: a.h, planes: a.planes(), clamp: c.Impl == PyIQA}
	return p.mean(), nil
}

// SSIM's constants (0.01·255)² and (0.03·255)².
const ssimC1, ssimC2 = 6.5025, 58.5225

// ssimPair is two equally large views to compare.
type ssimPair struct {
	a, b         view
	w, h, planes int
	clamp        bool // contrast-structure below 0 counts as 0
}

// ssimTile is the side, in windows, of the squares that the work is cut into: all that a square needs stays in a
// processor's cache, and sums do not depend on the number of goroutines.
const ssimTile = 256

// mean is the mean of SSIM over all windows and planes.
func (p ssimPair) mean() float64 {
	w, h := p.w-windowSize+1, p.h-windowSize+1
	across, down := ceilDiv(w, ssimTile), ceilDiv(h, ssimTile)
	tiles := make([]float64, across*down)
	parallel(len(tiles), func() func(int) {
		t := newTileWorker(p)
		return func(i int) {
			x, y := i%across*ssimTile, i/across*ssimTile
			tiles[i] = t.run(x, y, min(w-x, ssimTile), min(h-y, ssimTile))
		}
	})
	return sum(tiles) / float64(p.planes*w*h)
}

// tileWorker has the scratch memory of one goroutine.
type tileWorker struct {
	clamp        bool
	readA, readB func(dst [][]float64, x, y int)
	a, b         [][]float64  // a row of each plane
	power, cross []float64    // a²+b² and ab
	rings        [][4]ring    // per plane: smoothed rows of a, b, a²+b², ab
	smooth       [4][]float64 // one row of the windows' statistics
}

func newTileWorker(p ssimPair) *tileWorker {
	const in = ssimTile + windowSize - 1
	t := &tileWorker{clamp: p.clamp, readA: p.a.reader(in), readB: p.b.reader(in)}
	t.a, t.b = makeRows(p.planes, in), makeRows(p.planes, in)
	t.power, t.cross = make([]float64, in), make([]float64, in)
	t.rings = make([][4]ring, p.planes)
	for c := range t.rings {
		for m := range t.rings[c] {
			copy(t.rings[c][m][:], makeRows(windowSize, ssimTile))
		}
	}
	copy(t.smooth[:], makeRows(4, ssimTile))
	return t
}

// run sums over the w×h windows whose top left corners start at (x, y).
func (t *tileWorker) run(x, y, w, h int) float64 {
	s := 0.0
	in := w + windowSize - 1
	for c := range t.a {
		t.a[c], t.b[c] = t.a[c][:in], t.b[c][:in]
	}
	for dy := range h + windowSize - 1 {
		t.readA(t.a, x, y+dy)
		t.readB(t.b, x, y+dy)
		for c := range t.a {
			t.push(c, dy%windowSize, w)
			if dy >= windowSize-1 {
				s += t.windows(c, (dy+1)%windowSize, w)
			}
		}
	}
	return s
}

// push smooths the rows just read along x into a slot of the rings.
func (t *tileWorker) push(c, slot, w int) {
	a, b := t.a[c], t.b[c]
	power, cross := t.power[:len(a)], t.cross[:len(a)]
	for i, va := range a {
		vb := b[i]
		power[i] = va*va + vb*vb
		cross[i] = va * vb
	}
	for m, src := range [...][]float64{a, b, power, cross} {
		smoothRow(t.rings[c][m][slot][:w], src)
	}
}

// windows sums over one row of windows.
func (t *tileWorker) windows(c, first, w int) float64 {
	s := 0.0
	for m := range t.smooth {
		t.smooth[m] = t.smooth[m][:w]
		t.rings[c][m].smoothColumns(t.smooth[m], first)
	}
	muA, muB, power, cross := t.smooth[0], t.smooth[1][:w], t.smooth[2][:w], t.smooth[3][:w]
	for i, ma := range muA {
		mb := muB[i]
		squares, product := ma*ma+mb*mb, ma*mb
		cs := (2*(cross[i]-product) + ssimC2) / (power[i] - squares + ssimC2)
		if t.clamp && cs < 0 {
			cs = 0
		}
		s += cs * (2*product + ssimC1) / (squares + ssimC1)
	}
	return s
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
