package metrics

import (
	"math"
	"math/bits"
	"math/cmplx"
)

// fft computes X[k] = sum over j of x[j] exp(2πi jk/n), the unnormalised inverse discrete Fourier transform, for any
// n. It is Stockham's self-sorting algorithm with mixed radices; lengths with a prime factor above 13 go through a
// convolution of a power-of-two length (Bluestein 1970). An fft is safe for concurrent use.
type fft struct {
	n       int
	radices []int
	roots   []complex128 // exp(2πi k/n)
	chirp   *chirp       // of lengths with a large prime factor
}

// chirp turns a transform of length n into a cyclic convolution of length m.
type chirp struct {
	m        *fft
	phase    []complex128 // exp(iπ k²/n)
	response []complex128 // transform of the conjugate phases, divided by m
}

func newFFT(n int) *fft {
	f := &fft{n: n, roots: make([]complex128, n)}
	for k := range f.roots {
		f.roots[k] = cmplx.Rect(1, 2*math.Pi*float64(k)/float64(n))
	}
	rest := n
	for _, r := range [...]int{4, 2, 3, 5, 7, 11, 13} {
		for rest%r == 0 {
			f.radices = append(f.radices, r)
			rest /= r
		}
	}
	if rest > 1 {
		f.chirp = newChirp(f)
	}
	return f
}

func newChirp(f *fft) *chirp {
	n := f.n
	m := 1 << bits.Len(uint(2*n-2))
	c := &chirp{m: newFFT(m), phase: make([]complex128, n)}
	for k := range c.phase {
		c.phase[k] = cmplx.Rect(1, math.Pi*float64(k*k%(2*n))/float64(n))
	}
	response := make([]complex128, m)
	for k, p := range c.phase {
		response[k] = cmplx.Conj(p) / complex(float64(m), 0)
		response[(m-k)%m] = response[k]
	}
	c.response = c.m.run(response, make([]complex128, m), 1)
	return c
}

// scratch is how many elements each slice given to run must have for s lines.
func (f *fft) scratch(s int) int {
	if f.chirp != nil {
		return f.chirp.m.n * s
	}
	return f.n * s
}

// run transforms s interleaved lines, element k of line q at x[k*s+q]. x and y are both overwritten; the result lies in
// one of them.
func (f *fft) run(x, y []complex128, s int) []complex128 {
	if f.chirp != nil {
		return f.chirp.run(x, y, s, f.n)
	}
	n := f.n
	for _, r := range f.radices {
		f.stage(y, x, r, n, s)
		n, s = n/r, s*r
		x, y = y, x
	}
	return x
}

// stage is one step of Stockham's algorithm: length n = r·m at stride s becomes length m at stride r·s.
func (f *fft) stage(dst, src []complex128, r, n, s int) {
	m := n / r
	step := f.n / n
	for p := range m {
		in := src[s*p:]
		out := dst[s*r*p : s*r*(p+1)]
		switch r {
		case 2:
			radix2(out, in, s, s*m, f.roots[p*step])
		case 3:
			radix3(out, in, s, s*m, f.roots[p*step], f.roots[2*p*step])
		case 4:
			radix4(out, in, s, s*m, f.roots[p*step], f.roots[2*p*step], f.roots[3*p*step])
		case 5:
			radix5(out, in, s, s*m, [4]complex128{f.roots[p*step], f.roots[2*p*step], f.roots[3*p*step], f.roots[4*p*step]})
		default:
			f.radixAny(out, in, r, s, s*m, p*step)
		}
	}
}

func radix2(out, in []complex128, s, gap int, w complex128) {
	a, b := in[:s], in[gap:gap+s]
	o0, o1 := out[:s], out[s:2*s]
	for q := range a {
		u, v := a[q], b[q]
		o0[q], o1[q] = u+v, (u-v)*w
	}
}

func radix3(out, in []complex128, s, gap int, w1, w2 complex128) {
	a, b, c := in[:s], in[gap:gap+s], in[2*gap:2*gap+s]
	o0, o1, o2 := out[:s], out[s:2*s], out[2*s:3*s]
	sin := math.Sqrt(3) / 2
	for q := range a {
		t, d := b[q]+c[q], b[q]-c[q]
		mid := a[q] - complex(real(t)/2, imag(t)/2)
		turn := complex(-imag(d)*sin, real(d)*sin)
		o0[q], o1[q], o2[q] = a[q]+t, (mid+turn)*w1, (mid-turn)*w2
	}
}

func radix4(out, in []complex128, s, gap int, w1, w2, w3 complex128) {
	a, b, c, d := in[:s], in[gap:gap+s], in[2*gap:2*gap+s], in[3*gap:3*gap+s]
	o0, o1, o2, o3 := out[:s], out[s:2*s], out[2*s:3*s], out[3*s:4*s]
	for q := range a {
		even, odd := a[q]+c[q], b[q]+d[q]
		diff, t := a[q]-c[q], b[q]-d[q]
		turn := complex(-imag(t), real(t))
		o0[q], o1[q], o2[q], o3[q] = even+odd, (diff+turn)*w1, (even-odd)*w2, (diff-turn)*w3
	}
}

func radix5(out, in []complex128, s, gap int, w [4]complex128) {
	a, b, c, d, e := in[:s], in[gap:gap+s], in[2*gap:2*gap+s], in[3*gap:3*gap+s], in[4*gap:4*gap+s]
	o0, o1, o2, o3, o4 := out[:s], out[s:2*s], out[2*s:3*s], out[3*s:4*s], out[4*s:5*s]
	const ( // of 72° and 144°
		sin1, cos1 = 0.95105651629515357212, 0.30901699437494742410
		sin2, cos2 = 0.58778525229247312917, -0.80901699437494742410
	)
	for q := range a {
		be, ce := b[q]+e[q], c[q]+d[q]
		u, v := b[q]-e[q], c[q]-d[q]
		near := a[q] + complex(cos1*real(be)+cos2*real(ce), cos1*imag(be)+cos2*imag(ce))
		far := a[q] + complex(cos2*real(be)+cos1*real(ce), cos2*imag(be)+cos1*imag(ce))
		turn := complex(-sin1*imag(u)-sin2*imag(v), sin1*real(u)+sin2*real(v))
		back := complex(-sin2*imag(u)+sin1*imag(v), sin2*real(u)-sin1*real(v))
		o0[q], o1[q], o2[q], o3[q], o4[q] = a[q]+be+ce, (near+turn)*w[0], (far+back)*w[1], (far-back)*w[2], (near-turn)*w[3]
	}
}

// radixAny is the definition, for the odd factors from 7 on; twiddle is the index of the first root.
func (f *fft) radixAny(out, in []complex128, r, s, gap, twiddle int) {
	for j := range r {
		o := out[j*s : (j+1)*s]
		copy(o, in[:s])
		for k := 1; k < r; k++ {
			w := f.roots[f.n/r*(j*k%r)]
			for q, v := range in[k*gap : k*gap+s] {
				o[q] += v * w
			}
		}
		w := f.roots[j*twiddle%f.n]
		for q := range o {
			o[q] *= w
		}
	}
}

// run uses jk = (j² + k² - (k-j)²)/2.
func (c *chirp) run(x, y []complex128, s, n int) []complex128 {
	for k, p := range c.phase {
		scaleLine(x[k*s:(k+1)*s], p)
	}
	clear(x[n*s : c.m.n*s])
	z := c.m.run(x, y, s)
	for k, r := range c.response {
		line := z[k*s : (k+1)*s]
		for q, v := range line { // conjugated, so that the same transform goes back
			line[q] = cmplx.Conj(v * r)
		}
	}
	other := y
	if &z[0] == &y[0] {
		other = x
	}
	z = c.m.run(z, other, s)
	for k, p := range c.phase {
		line := z[k*s : (k+1)*s]
		for q, v := range line {
			line[q] = cmplx.Conj(v) * p
		}
	}
	return z
}

func scaleLine(line []complex128, k complex128) {
	for q := range line {
		line[q] *= k
	}
}

// fftLines is how many lines are transformed together.
const fftLines = 8

// lines transforms n = f.n samples of each of count lines. load and store move sample k of lines first..first+s-1
// between the caller's memory and an interleaved row of s.
func (f *fft) lines(count int, load func(dst []complex128, k, first int), store func(src []complex128, k, first int)) {
	parallel(ceilDiv(count, fftLines), func() func(int) {
		x, y := make([]complex128, f.scratch(fftLines)), make([]complex128, f.scratch(fftLines))
		return func(i int) {
			first := i * fftLines
			s := min(fftLines, count-first)
			for k := range f.n {
				load(x[k*s:(k+1)*s], k, first)
			}
			z := f.run(x[:f.scratch(s)], y[:f.scratch(s)], s)
			for k := range f.n {
				store(z[k*s:(k+1)*s], k, first)
			}
		}
	})
}

// spectrum is a two-dimensional transform in the usual order: frequency 0 first, negative ones at the end.
type spectrum struct {
	w, h int
	v    []complex128
}

func newSpectrum(w, h int) spectrum { return spectrum{w: w, h: h, v: make([]complex128, w*h)} }

// columns transforms every column in place.
func (s spectrum) columns() {
	newFFT(s.h).lines(s.w,
		func(dst []complex128, k, first int) { copy(dst, s.v[k*s.w+first:]) },
		func(src []complex128, k, first int) { copy(s.v[k*s.w+first:], src) })
}

// transform is the forward transform of a real plane: the conjugate of the inverse one.
func (p plane) transform() spectrum {
	s := newSpectrum(p.w, p.h)
	newFFT(p.w).lines(p.h,
		func(dst []complex128, k, first int) {
			for q := range dst {
				dst[q] = complex(p.pix[(first+q)*p.w+k], 0)
			}
		},
		func(src []complex128, k, first int) {
			for q, v := range src {
				s.v[(first+q)*s.w+k] = v
			}
		})
	s.columns()
	parallelFor(s.h, func(y int) {
		row := s.v[y*s.w : (y+1)*s.w]
		for x, v := range row {
			row[x] = cmplx.Conj(v)
		}
	})
	return s
}

// inverse returns the real and the imaginary part of the inverse transform. s is overwritten.
func (s spectrum) inverse() (re, im plane) {
	re, im = newPlane(s.w, s.h), newPlane(s.w, s.h)
	s.columns()
	scale := 1 / float64(s.w*s.h)
	newFFT(s.w).lines(s.h,
		func(dst []complex128, k, first int) {
			for q := range dst {
				dst[q] = s.v[(first+q)*s.w+k]
			}
		},
		func(src []complex128, k, first int) {
			for q, v := range src {
				at := (first+q)*s.w + k
				re.pix[at], im.pix[at] = real(v)*scale, imag(v)*scale
			}
		})
	return re, im
}
