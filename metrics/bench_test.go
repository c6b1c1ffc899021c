package metrics

import (
	"fmt"
	"image"
	"math/rand/v2"
	"testing"
)

// noisyNRGBA is a smooth picture with a little noise, the same for the same seed.
func noisyNRGBA(w, h int, seed uint64) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	rnd := rand.New(rand.NewPCG(seed, 1))
	for i := range m.Pix {
		x, y, c := i/4%w, i/4/w, i%4
		m.Pix[i] = uint8(100 + (x*(c+1)/7+y/3)%120 + rnd.IntN(24))
		if c == 3 {
			m.Pix[i] = 0xff
		}
	}
	return m
}

// A 12-megapixel pair; the goal is less than 1 s and 500 MB on two cores.
func BenchmarkSSIM12MP(b *testing.B) {
	img, ref := noisyNRGBA(4000, 3000, 1), noisyNRGBA(4000, 3000, 2)
	for _, c := range []Convention{{Color: YBT601}, {Color: RGB}} {
		b.Run(c.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := SSIM(img, ref, c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPSNR12MP(b *testing.B) {
	img, ref := noisyNRGBA(4000, 3000, 1), noisyNRGBA(4000, 3000, 2)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := PSNR(img, ref, Convention{Color: YBT601}); err != nil {
			b.Fatal(err)
		}
	}
}

// The goal is at most 1 s on two cores; 797×1079 has large prime factors, the worst case for the transforms.
func BenchmarkNRQMFeatures(b *testing.B) {
	for _, size := range [][2]int{{1080, 800}, {1079, 797}} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			img := noisyNRGBA(size[0], size[1], 1)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := NewNRQMFeatures(img, YBT601, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
