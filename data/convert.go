package data

import (
	"fmt"
	"image"

	"github.com/gopdd/gopdd/internal/pixel"
)

// FromImage converts a picture to samples in [0, 1]: gray pictures (image.Gray, image.Gray16) to one plane, all others
// to R, G, B. Levels are divided by 255 or, for 16-bit pictures, by 65535. Alpha is dropped: the colour of a
// transparent pixel is taken as it is, not blended with a background.
func FromImage(m image.Image) *Image {
	b := m.Bounds()
	c := 3
	if pixel.IsGray(m) {
		c = 1
	}
	out := rawImage(c, b.Dy(), b.Dx())
	parallel(out.H, grain(16*out.W), func(lo, hi int) {
		read := pixel.NewReader(m)
		rows := make([][]float32, c)
		for y := lo; y < hi; y++ {
			for i := range rows {
				rows[i] = out.Row(i, y)
			}
			read.Planes(y, rows)
		}
	})
	return out
}

// ToImage converts samples to a picture of 8 or 16 bits per channel: *image.Gray, *image.Gray16 for one plane,
// *image.NRGBA, *image.NRGBA64 (opaque) for three. Values are clamped to [0, 1] and rounded to the nearest level,
// halves to the even one. It fails for any other depth or number of planes.
func (m *Image) ToImage(bits int) (image.Image, error) {
	if err := m.check("convert to picture"); err != nil {
		return nil, err
	}
	if m.C != 1 && m.C != 3 {
		return nil, fmt.Errorf("data: convert to picture: %d planes: want 1 (gray) or 3 (RGB)", m.C)
	}
	if bits != 8 && bits != 16 {
		return nil, fmt.Errorf("data: convert to picture: %d bits: want 8 or 16", bits)
	}
	w := pixel.NewWriter(m.C == 1, bits == 16, m.H, m.W)
	parallel(m.H, grain(16*m.W), func(lo, hi int) {
		rows := make([][]float32, m.C)
		for y := lo; y < hi; y++ {
			for c := range rows {
				rows[c] = m.Row(c, y)
			}
			w.Planes(y, rows)
		}
	})
	return w.Image, nil
}

// resizePicture runs the resampler from picture to picture.
func resizePicture(m image.Image, v, h taps) image.Image {
	planes := 4
	if pixel.IsGray(m) {
		planes = 1
	} else if pixel.IsOpaque(m) {
		planes = 3
	}
	out := pixel.NewWriter(planes == 1, pixel.IsDeep(m), v.out(), h.out())
	r := resampler{planes: planes, v: v, h: h, convert: true, store: out.Planes}
	r.newLoad = func() rowFunc { return pixel.NewReader(m).Planes }
	r.run()
	return out.Image
}
