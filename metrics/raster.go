package metrics

import (
	"errors"
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

// newRaster picks the fastest way to read img; types it does not know are read by their At method.
func newRaster(img image.Image) (raster, error) {
	if img == nil || img.Bounds().Empty() {
		return nil, errors.New("the picture is empty")
	}
	switch m := img.(type) {
	case *Planar:
		return m, m.check()
	case *image.NRGBA:
		return bytes4{pix: m.Pix, stride: m.Stride}, nil
	case *image.RGBA:
		return bytes4{pix: m.Pix, stride: m.Stride, premultiplied: true}, nil
	case *image.Gray:
		return gray8{m}, nil
	case *image.Gray16:
		return gray16{m}, nil
	case *image.NRGBA64:
		return nrgba64{m}, nil
	case *image.YCbCr:
		return ycbcr{m}, nil
	}
	return anyImage{img}, nil
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
