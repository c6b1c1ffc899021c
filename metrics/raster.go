package metrics

import (
	"errors"
	"fmt"
	"image"
	"image/color"
)

// raster reads pictures row by row, so that no picture is ever held twice. Alpha is ignored: the colours count, not
// what they would look like on some background.
type raster interface {
	// rgb fills dst with the R, G and B samples, in 0..255, of the len(dst[0]) pixels from (x, y) on. The picture's
	// top left pixel is (0, 0) whatever its Bounds say. Safe for concurrent use.
	rgb(dst [3][]float64, x, y int)
}

// maxPixels bounds pictures: image.Uniform has 4e18 pixels.
const maxPixels = 1 << 30

// newRaster picks the fastest way to read img; types it does not know are read by their At method.
func newRaster(img image.Image) (raster, error) {
	if img == nil || img.Bounds().Empty() {
		return nil, errors.New("the picture is empty")
	}
	size := img.Bounds().Size()
	if size.X > maxPixels || size.Y > maxPixels/size.X {
		return nil, fmt.Errorf("picture of %d×%d pixels: at most %d are measured", size.X, size.Y, maxPixels)
	}
	last := img.Bounds().Max.Sub(image.Pt(1, 1))
	switch m := img.(type) {
	case *Planar:
		return m, m.check()
	case *image.NRGBA:
		return bytes4{pix: m.Pix, stride: m.Stride}, holds(m.Pix, m.PixOffset(last.X, last.Y)+4)
	case *image.RGBA:
		return bytes4{pix: m.Pix, stride: m.Stride, premultiplied: true}, holds(m.Pix, m.PixOffset(last.X, last.Y)+4)
	case *image.Gray:
		return gray8{m}, holds(m.Pix, m.PixOffset(last.X, last.Y)+1)
	case *image.Gray16:
		return gray16{m}, holds(m.Pix, m.PixOffset(last.X, last.Y)+2)
	case *image.NRGBA64:
		return nrgba64{m}, holds(m.Pix, m.PixOffset(last.X, last.Y)+8)
	case *image.YCbCr:
		c := m.COffset(last.X, last.Y) + 1
		return ycbcr{m}, errors.Join(holds(m.Y, m.YOffset(last.X, last.Y)+1), holds(m.Cb, c), holds(m.Cr, c))
	}
	return anyImage{img}, nil
}

// holds is an error where the samples of a picture made by hand end before its bounds do.
func holds(samples []uint8, needed int) error {
	if len(samples) < needed {
		return fmt.Errorf("picture with %d bytes of samples, its bounds need %d", len(samples), needed)
	}
	return nil
}

// bytes4 reads image.NRGBA and image.RGBA.
type bytes4 struct {
	pix           []uint8
	stride        int
	premultiplied bool
}

func (m bytes4) rgb(dst [3][]float64, x, y int) {
	r, g, b := dst[0], dst[1][:len(dst[0])], dst[2][:len(dst[0])]
	row := m.pix[y*m.stride+4*x:]
	row = row[:4*len(r)]
	for i := range r {
		p := row[4*i : 4*i+4 : 4*i+4]
		r[i], g[i], b[i] = float64(p[0]), float64(p[1]), float64(p[2])
		if m.premultiplied && p[3] != 0xff && p[3] != 0 {
			k := 255 / float64(p[3])
			r[i], g[i], b[i] = k*r[i], k*g[i], k*b[i]
		}
	}
}

type gray8 struct{ *image.Gray }

func (m gray8) rgb(dst [3][]float64, x, y int) {
	at := y*m.Stride + x
	for i, v := range m.Pix[at : at+len(dst[0])] {
		dst[0][i] = float64(v)
	}
	copy(dst[1], dst[0])
	copy(dst[2], dst[0])
}

type gray16 struct{ *image.Gray16 }

func (m gray16) rgb(dst [3][]float64, x, y int) {
	row := m.Pix[y*m.Stride+2*x:]
	for i := range dst[0] {
		dst[0][i] = sample16(row[2*i], row[2*i+1])
	}
	copy(dst[1], dst[0])
	copy(dst[2], dst[0])
}

type nrgba64 struct{ *image.NRGBA64 }

func (m nrgba64) rgb(dst [3][]float64, x, y int) {
	row := m.Pix[y*m.Stride+8*x:]
	for i := range dst[0] {
		p := row[8*i : 8*i+8 : 8*i+8]
		dst[0][i], dst[1][i], dst[2][i] = sample16(p[0], p[1]), sample16(p[2], p[3]), sample16(p[4], p[5])
	}
}

// sample16 is a big-endian 16-bit sample in units of 1/255, so that 65535 is 255.
func sample16(hi, lo uint8) float64 { return float64(uint16(hi)<<8|uint16(lo)) / 257 }

type ycbcr struct{ *image.YCbCr }

func (m ycbcr) rgb(dst [3][]float64, x, y int) {
	x, y = x+m.Rect.Min.X, y+m.Rect.Min.Y
	for i := range dst[0] {
		c := m.COffset(x+i, y)
		r, g, b := color.YCbCrToRGB(m.Y[m.YOffset(x+i, y)], m.Cb[c], m.Cr[c])
		dst[0][i], dst[1][i], dst[2][i] = float64(r), float64(g), float64(b)
	}
}

type anyImage struct{ image.Image }

func (m anyImage) rgb(dst [3][]float64, x, y int) {
	at := m.Bounds().Min.Add(image.Pt(x, y))
	for i := range dst[0] {
		c := color.NRGBA64Model.Convert(m.At(at.X+i, at.Y)).(color.NRGBA64)
		dst[0][i], dst[1][i], dst[2][i] = float64(c.R)/257, float64(c.G)/257, float64(c.B)/257
	}
}
