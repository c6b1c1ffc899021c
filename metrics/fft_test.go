package metrics

import (
	"fmt"
	"math"
	"math/cmplx"
	"math/rand/v2"
	"testing"
)

// Every length against the definition: radices 2, 3, 4, any, and a convolution for large primes.
func TestFFT(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 3, 4, 5, 7, 8, 12, 13, 17, 30, 34, 60, 64, 97, 121, 169, 210, 289} {
		const s = 3
		f := newFFT(n)
		x, y := make([]complex128, f.scratch(s)), make([]complex128, f.scratch(s))
		want := make([]complex128, n*s)
		for j := range n * s {
			x[j] = complex(rnd.NormFloat64(), rnd.NormFloat64())
			for k := range n {
				want[k*s+j%s] += x[j] * cmplx.Rect(1, 2*math.Pi*float64(j/s*k%n)/float64(n))
			}
		}
		got := f.run(x, y, s)
		for i, w := range want {
			if cmplx.Abs(got[i]-w) > 1e-12*float64(n) {
				t.Errorf("length %d: element %d = %v, want %v", n, i, got[i], w)
				break
			}
		}
	}
}

func TestTransformInverts(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {16, 9}, {37, 20}, {45, 58}} {
		p := newPlane(size[0], size[1])
		rnd := rand.New(rand.NewPCG(3, 4))
		for i := range p.pix {
			p.pix[i] = rnd.NormFloat64()
		}
		re, im := p.transform().inverse()
		for i := range p.pix {
			if math.Abs(re.pix[i]-p.pix[i]) > 1e-12 || math.Abs(im.pix[i]) > 1e-12 {
				t.Fatalf("%v: sample %d = %v + %vi, want %v", size, i, re.pix[i], im.pix[i], p.pix[i])
			}
		}
	}
}

func BenchmarkInverse(b *testing.B) {
	for _, size := range [][2]int{{1080, 800}, {1079, 797}, {1024, 1024}} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s := newSpectrum(size[0], size[1])
			for b.Loop() {
				s.inverse()
			}
		})
	}
}
