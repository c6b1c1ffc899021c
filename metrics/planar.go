package metrics

import (
	"fmt"
	"image"
	"image/color"
	"math"
)

// Planar is a picture of float32 samples that is measured as it is, without a detour over 8 or 16 bits: C planes of H
// rows of W samples, sample (c, y, x) at Pix[(c*H+y)*W+x], nominally in 0..1. Three planes are R, G and B; one plane
// is luma and is taken as it is, times 255, whatever [Color] a metric is asked for.
//
// It is an [image.Image], so every function of this package takes it. It is safe for concurrent reading.
type Planar struct {
	C, H, W int
	Pix     []float32
}

// NewPlanar copies the part of img inside r, whose origin is the picture's top left pixel, to three planes: read as all
// metrics of this package read pictures. It fails on empty pictures, on an r that is empty or leaves the picture, and
// on samples that are no finite number.
func NewPlanar(img image.Image, r image.Rectangle) (*Planar, error) {
	src, err := newRaster(img)
	if err != nil {
		return nil, fmt.Errorf("metrics: new planar: %w", err)
	}
	if size := img.Bounds().Size(); r.Empty() || !r.In(image.Rectangle{Max: size}) {
		return nil, fmt.Errorf("metrics: new planar: part %v of a picture of %d×%d pixels: must be inside and not empty", r, size.X, size.Y)
	}
	p := &Planar{C: 3, H: r.Dy(), W: r.Dx(), Pix: make([]float32, 3*r.Dy()*r.Dx())}
	parallel(p.H, func() func(int) {
		rows := [3][]float64(makeRows(3, p.W))
		return func(y int) {
			src.rgb(rows, r.Min.X, r.Min.Y+y)
			for c, row := range rows {
				dst := p.Pix[(c*p.H+y)*p.W:][:p.W]
				for x, v := range row {
					dst[x] = float32(v / 255)
				}
			}
		}
	})
	return p, nil
}

// ColorModel is that of 16-bit colours: what At can give, not what Pix holds.
func (p *Planar) ColorModel() color.Model { return color.NRGBA64Model }

// Bounds starts at the origin.
func (p *Planar) Bounds() image.Rectangle { return image.Rect(0, 0, p.W, p.H) }

// At is the pixel rounded to 16 bits and limited to 0..1; the metrics read Pix instead.
func (p *Planar) At(x, y int) color.Color {
	if !(image.Point{X: x, Y: y}).In(p.Bounds()) {
		return color.NRGBA64{}
	}
	var v [3]uint16
	for c := range v {
		s := p.Pix[(min(c, p.C-1)*p.H+y)*p.W+x]
		v[c] = uint16(math.Round(65535 * min(max(float64(s), 0), 1)))
	}
	return color.NRGBA64{R: v[0], G: v[1], B: v[2], A: 0xffff}
}

// check reports sizes that contradict each other and samples that are no finite number.
func (p *Planar) check() error {
	if (p.C != 1 && p.C != 3) || p.H < 1 || p.W < 1 || len(p.Pix) != p.C*p.H*p.W {
		return fmt.Errorf("planar picture of %d×%d×%d with %d samples: want 1 or 3 planes, positive sides and one sample each", p.C, p.H, p.W, len(p.Pix))
	}
	for i, v := range p.Pix {
		if v-v != 0 {
			return fmt.Errorf("sample %v in plane %d at (%d,%d): samples must be finite numbers", v, i/(p.H*p.W), i%p.W, i/p.W%p.H)
		}
	}
	return nil
}

func (p *Planar) rgb(dst [3][]float64, x, y int) {
	for c := range dst {
		at := (min(c, p.C-1)*p.H+y)*p.W + x
		for i, v := range p.Pix[at : at+len(dst[c])] {
			dst[c][i] = 255 * float64(v)
		}
	}
}
