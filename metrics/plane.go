package metrics

import "math"

// plane is one channel in memory: h rows of w samples.
type plane struct {
	w, h int
	pix  []float64
}

func newPlane(w, h int) plane { return plane{w: w, h: h, pix: make([]float64, w*h)} }

// row is row y, sharing memory.
func (p plane) row(y int) []float64 { return p.pix[y*p.w : (y+1)*p.w : (y+1)*p.w] }

// load reads the single plane of a luma view into memory.
func (v view) load() plane {
	p := newPlane(v.w, v.h)
	parallel(v.h, func() func(int) {
		read := v.reader(v.w)
		return func(y int) { read([][]float64{p.row(y)}, 0, y) }
	})
	return p
}

// cubicTaps are the weights of MATLAB's imresize, bicubic (Keys 1981 with a = -1/2) with antialiasing, from in to out
// samples of one axis: output i is the sum of weight[i][k] times input index[i][k].
type cubicTaps struct {
	index  [][]int
	weight [][]float64
}

func newCubicTaps(in, out int) cubicTaps {
	scale := float64(out) / float64(in)
	stretch := min(scale, 1)
	t := cubicTaps{index: make([][]int, out), weight: make([][]float64, out)}
	for i := range out {
		u := (float64(i)+0.5)/scale - 0.5
		total := 0.0
		for j := int(math.Ceil(u - 2/stretch)); float64(j) <= u+2/stretch; j++ {
			if w := keys((u - float64(j)) * stretch); w != 0 {
				t.index[i] = append(t.index[i], mirror(j, in))
				t.weight[i] = append(t.weight[i], w)
				total += w
			}
		}
		for k := range t.weight[i] {
			t.weight[i][k] /= total
		}
	}
	return t
}

// keys is the cubic convolution kernel with a = -1/2.
func keys(x float64) float64 {
	x = math.Abs(x)
	switch {
	case x <= 1:
		return (1.5*x-2.5)*x*x + 1
	case x < 2:
		return ((-0.5*x+2.5)*x-4)*x + 2
	}
	return 0
}

// mirror is the sample of 0..n-1 that stands at position j of … 1 0 | 0 1 … n-1 | n-1 n-2 …
func mirror(j, n int) int {
	j = ((j % (2 * n)) + 2*n) % (2 * n)
	return min(j, 2*n-1-j)
}

// resize is MATLAB's imresize to w×h pixels in float64; what data.Resize does for pictures, here for the metrics'
// planes of any range. Equal sizes return p itself.
func (p plane) resize(w, h int) plane {
	if w == p.w && h == p.h {
		return p
	}
	across, down := newCubicTaps(p.w, w), newCubicTaps(p.h, h)
	out := newPlane(w, h)
	parallel(h, func() func(int) {
		line := make([]float64, p.w)
		return func(y int) {
			clear(line)
			for k, j := range down.index[y] {
				addScaled(line, down.weight[y][k], p.row(j))
			}
			dst := out.row(y)
			for x := range dst {
				index, s := across.index[x], 0.0
				for k, w := range across.weight[x] {
					s += w * line[index[k]]
				}
				dst[x] = s
			}
		}
	})
	return out
}

// addScaled adds k times src to dst.
func addScaled(dst []float64, k float64, src []float64) {
	src = src[:len(dst)]
	for i, v := range src {
		dst[i] += k * v
	}
}
