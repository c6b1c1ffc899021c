package data

import "math"

// taps are the weights of one axis: output i is the sum over k < n of weight[i*n+k] · input[first[i]+k], where inputs
// outside the axis are the mirror image of those inside.
type taps struct {
	in     int
	n      int
	first  []int
	weight []float32
}

// fitTaps are the taps from in to out samples with scale out/in.
func fitTaps(in, out int, f Filter) taps {
	return newTaps(in, out, float64(out)/float64(in), f)
}

// newTaps computes, in float64, MATLAB's weights for out samples at the given scale, drops the columns that are zero
// for all outputs and normalises each output's weights to sum 1.
func newTaps(in, out int, scale float64, f Filter) taps {
	stretch := 1.0
	if f.Antialias && scale < 1 {
		stretch = scale
	}
	width := 2 * f.Support / stretch
	t := taps{in: in, n: int(math.Ceil(width)) + 2, first: make([]int, out)}
	t.weight = make([]float32, out*t.n)
	row := make([]float64, t.n)
	lo, hi := t.n, 0
	for i := range out {
		u := (float64(i)+0.5)/scale - 0.5
		t.first[i] = int(math.Floor(u - width/2))
		var sum float64
		for k := range row {
			row[k] = f.At((u - float64(t.first[i]+k)) * stretch)
			sum += row[k]
		}
		for k, w := range row {
			t.weight[i*t.n+k] = float32(w / sum)
			if w != 0 {
				lo, hi = min(lo, k), max(hi, k+1)
			}
		}
	}
	return t.trim(lo, hi)
}

// trim keeps the weights [lo, hi) of each output.
func (t taps) trim(lo, hi int) taps {
	n := hi - lo
	for i := range t.first {
		t.first[i] += lo
		copy(t.weight[i*n:(i+1)*n], t.weight[i*t.n+lo:i*t.n+hi])
	}
	t.n, t.weight = n, t.weight[:len(t.first)*n]
	return t
}

func (t taps) out() int { return len(t.first) }

// mirror is the sample of 0..n-1 that stands at position i of the sequence … 1 0 | 0 1 … n-1 | n-1 n-2 …
func mirror(i, n int) int {
	i %= 2 * n
	if i < 0 {
		i += 2 * n
	}
	if i >= n {
		i = 2*n - 1 - i
	}
	return i
}

// resampler combines rows by v, then columns by h, one output row after the other, so that no intermediate picture is
// held. Each goroutine calls newLoad once; the function it gets must set rows[c] to row y of plane c or, with convert,
// fill the rows it finds there. store takes a finished row.
type resampler struct {
	planes  int
	v, h    taps
	convert bool
	newLoad func() rowFunc
	store   rowFunc
}

// rowFunc reads or writes row y of all planes.
type rowFunc func(y int, rows [][]float32)

func (r *resampler) run() {
	perRow := r.planes * (r.v.n*r.h.in + r.h.n*r.h.out())
	parallel(r.v.out(), grain(perRow), r.band)
}

// band computes output rows [y0, y1).
func (r *resampler) band(y0, y1 int) {
	win := newWindow(r)
	line := newPaddedLine(r.h)
	out := makeRows(r.planes, r.h.out())
	rows := make([][]float32, r.v.n)
	for y := y0; y < y1; y++ {
		weight := r.v.weight[y*r.v.n : (y+1)*r.v.n]
		for c := range out {
			for k := range rows {
				rows[k] = win.row(c, mirror(r.v.first[y]+k, r.v.in))
			}
			weightedSum(line.inside, rows, weight)
			line.mirrorEnds()
			line.filter(out[c], r.h)
		}
		r.store(y, out)
	}
}

func makeRows(n, w int) [][]float32 {
	rows := make([][]float32, n)
	for i := range rows {
		rows[i] = make([]float32, w)
	}
	return rows
}

// window keeps the input rows that an output row needs, so that each is loaded once per band.
type window struct {
	load rowFunc
	have []int // have[i] is 1 + the input row in slot i
	rows [][][]float32
}

func newWindow(r *resampler) *window {
	n := min(r.v.n, r.v.in)
	w := &window{load: r.newLoad(), have: make([]int, n), rows: make([][][]float32, n)}
	for i := range w.rows {
		if r.convert {
			w.rows[i] = makeRows(r.planes, r.h.in)
		} else {
			w.rows[i] = make([][]float32, r.planes)
		}
	}
	return w
}

// row is row y of plane c. The rows of one output lie within len(have) neighbours, so they never share a slot.
func (w *window) row(c, y int) []float32 {
	slot := y % len(w.have)
	if w.have[slot] != y+1 {
		w.load(y, w.rows[slot])
		w.have[slot] = y + 1
	}
	return w.rows[slot][c]
}

// paddedLine is a row with room for the mirrored samples that windows reach at both ends.
type paddedLine struct {
	left   int
	all    []float32
	inside []float32
}

func newPaddedLine(h taps) *paddedLine {
	left, right := 0, 0
	for _, f := range h.first {
		left, right = max(left, -f), max(right, f+h.n-h.in)
	}
	all := make([]float32, left+h.in+right)
	return &paddedLine{left: left, all: all, inside: all[left : left+h.in]}
}

func (l *paddedLine) mirrorEnds() {
	n := len(l.inside)
	for i := range l.left {
		l.all[i] = l.inside[mirror(i-l.left, n)]
	}
	for i := l.left + n; i < len(l.all); i++ {
		l.all[i] = l.inside[mirror(i-l.left, n)]
	}
}

// filter combines the columns of the line into dst.
func (l *paddedLine) filter(dst []float32, h taps) {
	for x := range dst {
		at := l.left + h.first[x]
		src, weight := l.all[at:at+h.n], h.weight[x*h.n:(x+1)*h.n]
		var even, odd float32
		k := 0
		for ; k+1 < len(src) && k+1 < len(weight); k += 2 {
			even += weight[k] * src[k]
			odd += weight[k+1] * src[k+1]
		}
		if k < len(src) {
			even += weight[k] * src[k]
		}
		dst[x] = even + odd
	}
}
