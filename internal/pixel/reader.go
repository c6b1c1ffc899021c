// Package pixel reads any image.Image row by row as planes of float32 samples in [0,1], and writes planes as pictures.
// It is where the rules of this module about depth, gray and alpha stand: 16 bits are told from the picture's type,
// never from its values; gray stays gray; a picture with alpha is processed premultiplied and written straight.
package pixel

import (
	"image"
	"image/color"
)

// IsGray tells whether m is a gray picture without alpha.
func IsGray(m image.Image) bool {
	switch m.(type) {
	case *image.Gray, *image.Gray16:
		return true
	}
	return false
}

// IsDeep tells whether m has 16 bits per channel.
func IsDeep(m image.Image) bool {
	switch m.(type) {
	case *image.Gray16, *image.NRGBA64, *image.RGBA64, *image.Alpha16:
		return true
	}
	return false
}

// IsOpaque tells whether m says that no pixel is transparent.
func IsOpaque(m image.Image) bool {
	o, ok := m.(interface{ Opaque() bool })
	return ok && o.Opaque()
}

// unit8 and unit16 bring levels to [0, 1].
var unit8 = func() (t [256]float32) {
	for i := range t {
		t[i] = float32(i) / 255
	}
	return t
}()

func unit16(v uint16) float32 { return float32(v) / 65535 }

// Reader reads rows of a picture as planes. It has a buffer: one per goroutine.
type Reader struct {
	img  image.Image
	line []uint8  // R, G, B, A of a row, alpha not multiplied in
	deep []uint16 // the same for 16-bit pictures
}

// NewReader returns a reader of m.
func NewReader(m image.Image) *Reader {
	r := &Reader{img: m}
	switch n := 4 * m.Bounds().Dx(); {
	case IsGray(m):
	case IsDeep(m):
		r.deep = make([]uint16, n)
	default:
		r.line = make([]uint8, n)
	}
	return r
}

// Planes fills one row (gray), three (R, G, B; alpha dropped) or four (alpha last, multiplied into the others) with
// row y of the picture, counted from its top.
func (r *Reader) Planes(y int, rows [][]float32) {
	b := r.img.Bounds()
	switch m := r.img.(type) {
	case *image.Gray:
		at := m.PixOffset(b.Min.X, b.Min.Y+y)
		for x, v := range m.Pix[at : at+b.Dx()] {
			rows[0][x] = unit8[v]
		}
	case *image.Gray16:
		for x := range rows[0] {
			rows[0][x] = unit16(m.Gray16At(b.Min.X+x, b.Min.Y+y).Y)
		}
	default:
		r.colours(b.Min.Y+y, rows)
		if len(rows) == 4 {
			premultiply(rows)
		}
	}
}

// colours fills three or four rows with colour (and alpha) that is not premultiplied.
func (r *Reader) colours(y int, rows [][]float32) {
	if r.deep != nil {
		deepLine(r.img, y, r.deep)
		for c := range rows {
			row := rows[c]
			for x := range row {
				row[x] = unit16(r.deep[4*x+c])
			}
		}
		return
	}
	line := byteLine(r.img, y, r.line)
	if len(rows) == 3 {
		unpack(rows[0], rows[1], rows[2], line)
		return
	}
	for c := range rows {
		row := rows[c]
		for x := range row {
			row[x] = unit8[line[4*x+c]]
		}
	}
}

// unpack fills three rows in one sweep over the line.
func unpack(r, g, b []float32, line []uint8) {
	g, b = g[:len(r)], b[:len(r)]
	for x := range r {
		p := line[4*x : 4*x+4 : 4*x+4]
		r[x], g[x], b[x] = unit8[p[0]], unit8[p[1]], unit8[p[2]]
	}
}

func premultiply(rows [][]float32) {
	for x, a := range rows[3] {
		rows[0][x] *= a
		rows[1][x] *= a
		rows[2][x] *= a
	}
}

// byteLine returns row y as R, G, B, A bytes, in the picture's own memory where it has that form, else in buf.
func byteLine(img image.Image, y int, buf []uint8) []uint8 {
	b := img.Bounds()
	switch m := img.(type) {
	case *image.NRGBA:
		at := m.PixOffset(b.Min.X, y)
		return m.Pix[at : at+len(buf)]
	case *image.RGBA:
		at := m.PixOffset(b.Min.X, y)
		if line := m.Pix[at : at+len(buf)]; opaqueLine(line) {
			return line
		}
	case *image.YCbCr:
		ycbcrLine(m, y, buf)
		return buf
	}
	for x := range b.Dx() {
		c := color.NRGBAModel.Convert(img.At(b.Min.X+x, y)).(color.NRGBA)
		p := buf[4*x : 4*x+4]
		p[0], p[1], p[2], p[3] = c.R, c.G, c.B, c.A
	}
	return buf
}

func opaqueLine(line []uint8) bool {
	for i := 3; i < len(line); i += 4 {
		if line[i] != 255 {
			return false
		}
	}
	return true
}

func ycbcrLine(m *image.YCbCr, y int, buf []uint8) {
	left := m.Rect.Min.X
	luma := m.Y[m.YOffset(left, y):][:m.Rect.Dx()]
	cb, cr := m.Cb[m.COffset(left, y):], m.Cr[m.COffset(left, y):]
	shift := chromaShift(m.SubsampleRatio)
	for x, v := range luma {
		j := (left+x)>>shift - left>>shift
		p := buf[4*x : 4*x+4]
		p[0], p[1], p[2] = color.YCbCrToRGB(v, cb[j], cr[j])
		p[3] = 255
	}
}

// chromaShift is the logarithm of the columns that share a chroma sample.
func chromaShift(r image.YCbCrSubsampleRatio) int {
	switch r {
	case image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420:
		return 1
	case image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410:
		return 2
	}
	return 0
}

// deepLine fills buf with row y as R, G, B, A of 16 bits.
func deepLine(img image.Image, y int, buf []uint16) {
	b := img.Bounds()
	for x := range b.Dx() {
		var c color.NRGBA64
		switch m := img.(type) {
		case *image.NRGBA64:
			c = m.NRGBA64At(b.Min.X+x, y)
		case *image.RGBA64:
			c = straight64(m.RGBA64At(b.Min.X+x, y))
		default:
			c = color.NRGBA64Model.Convert(img.At(b.Min.X+x, y)).(color.NRGBA64)
		}
		p := buf[4*x : 4*x+4]
		p[0], p[1], p[2], p[3] = c.R, c.G, c.B, c.A
	}
}

func straight64(c color.RGBA64) color.NRGBA64 {
	if c.A == 0xffff {
		return color.NRGBA64(c)
	}
	return color.NRGBA64Model.Convert(c).(color.NRGBA64)
}
