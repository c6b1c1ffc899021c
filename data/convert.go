package data

import (
	"fmt"
	"image"
	"image/color"
	"math"
)

// FromImage converts a picture to samples in [0, 1]: gray pictures (image.Gray, image.Gray16) to one plane, all others
// to R, G, B. Levels are divided by 255 or, for 16-bit pictures, by 65535. Alpha is dropped: the colour of a
// transparent pixel is taken as it is, not blended with a background.
func FromImage(m image.Image) *Image {
	b := m.Bounds()
	c := 3
	if isGray(m) {
		c = 1
	}
	out := newImage(c, b.Dy(), b.Dx())
	parallel(out.H, grain(16*out.W), func(lo, hi int) {
		read := newRowReader(m)
		rows := make([][]float32, c)
		for y := lo; y < hi; y++ {
			for i := range rows {
				rows[i] = out.Row(i, y)
			}
			read.planes(y, rows)
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
	w := newRowWriter(m.C == 1, bits == 16, m.H, m.W)
	parallel(m.H, grain(16*m.W), func(lo, hi int) {
		rows := make([][]float32, m.C)
		for y := lo; y < hi; y++ {
			for c := range rows {
				rows[c] = m.Row(c, y)
			}
			w.planes(y, rows)
		}
	})
	return w.img, nil
}

func isGray(m image.Image) bool {
	switch m.(type) {
	case *image.Gray, *image.Gray16:
		return true
	}
	return false
}

func isDeep(m image.Image) bool {
	switch m.(type) {
	case *image.Gray16, *image.NRGBA64, *image.RGBA64, *image.Alpha16:
		return true
	}
	return false
}

func isOpaque(m image.Image) bool {
	o, ok := m.(interface{ Opaque() bool })
	return ok && o.Opaque()
}

// resizePicture runs the resampler from picture to picture.
func resizePicture(m image.Image, v, h taps) image.Image {
	planes := 4
	if isGray(m) {
		planes = 1
	} else if isOpaque(m) {
		planes = 3
	}
	out := newRowWriter(planes == 1, isDeep(m), v.out(), h.out())
	r := resampler{planes: planes, v: v, h: h, convert: true, store: out.planes}
	r.newLoad = func() rowFunc { return newRowReader(m).planes }
	r.run()
	return out.img
}

// unit8 and unit16 bring levels to [0, 1].
var unit8 = func() (t [256]float32) {
	for i := range t {
		t[i] = float32(i) / 255
	}
	return t
}()

func unit16(v uint16) float32 { return float32(v) / 65535 }

// level rounds v, clamped to [0, 1], to one of 0..top.
func level(v float32, top float32) float64 { return math.RoundToEven(float64(clamp01(v) * top)) }

// rowReader reads rows of a picture as planes. It has a buffer: one per goroutine.
type rowReader struct {
	img  image.Image
	line []uint8  // R, G, B, A of a row, alpha not multiplied in
	deep []uint16 // the same for 16-bit pictures
}

func newRowReader(m image.Image) *rowReader {
	r := &rowReader{img: m}
	switch n := 4 * m.Bounds().Dx(); {
	case isGray(m):
	case isDeep(m):
		r.deep = make([]uint16, n)
	default:
		r.line = make([]uint8, n)
	}
	return r
}

// planes fills one row (gray), three (R, G, B; alpha dropped) or four (alpha last, multiplied into the others) with
// row y of the picture, counted from its top.
func (r *rowReader) planes(y int, rows [][]float32) {
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
func (r *rowReader) colours(y int, rows [][]float32) {
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
	for c := range rows {
		row := rows[c]
		for x := range row {
			row[x] = unit8[line[4*x+c]]
		}
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
	b := m.Bounds()
	for x := range b.Dx() {
		i, j := m.YOffset(b.Min.X+x, y), m.COffset(b.Min.X+x, y)
		p := buf[4*x : 4*x+4]
		p[0], p[1], p[2] = color.YCbCrToRGB(m.Y[i], m.Cb[j], m.Cr[j])
		p[3] = 255
	}
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

// rowWriter writes rows of planes into a new picture; different rows may be written by different goroutines.
type rowWriter struct {
	img  image.Image
	pix  []uint8
	line int // bytes per row
	gray bool
	deep bool
}

func newRowWriter(gray, deep bool, h, w int) *rowWriter {
	r := image.Rect(0, 0, w, h)
	switch {
	case gray && deep:
		m := image.NewGray16(r)
		return &rowWriter{m, m.Pix, m.Stride, gray, deep}
	case gray:
		m := image.NewGray(r)
		return &rowWriter{m, m.Pix, m.Stride, gray, deep}
	case deep:
		m := image.NewNRGBA64(r)
		return &rowWriter{m, m.Pix, m.Stride, gray, deep}
	default:
		m := image.NewNRGBA(r)
		return &rowWriter{m, m.Pix, m.Stride, gray, deep}
	}
}

// planes writes one row (gray), three (opaque) or four (premultiplied, alpha last) as row y.
func (w *rowWriter) planes(y int, rows [][]float32) {
	dst := w.pix[y*w.line : (y+1)*w.line]
	channels := 4
	if w.gray {
		channels = 1
	}
	if len(rows) == 4 {
		unmultiply(rows)
	}
	for c := range channels {
		if c == len(rows) { // opaque
			w.fill(dst, c)
			return
		}
		w.channel(dst, rows[c], c, channels)
	}
}

func (w *rowWriter) channel(dst []uint8, row []float32, c, channels int) {
	if !w.deep {
		for x, v := range row {
			dst[x*channels+c] = uint8(level(v, 255))
		}
		return
	}
	for x, v := range row {
		l := uint16(level(v, 65535))
		at := 2 * (x*channels + c)
		dst[at], dst[at+1] = uint8(l>>8), uint8(l)
	}
}

// fill sets channel c of four to its largest level.
func (w *rowWriter) fill(dst []uint8, c int) {
	size := 1
	if w.deep {
		size = 2
	}
	for at := c * size; at < len(dst); at += 4 * size {
		dst[at], dst[at+size-1] = 255, 255
	}
}

func unmultiply(rows [][]float32) {
	for x, a := range rows[3] {
		var inv float32
		if a > 0 {
			inv = 1 / a
		}
		rows[0][x] *= inv
		rows[1][x] *= inv
		rows[2][x] *= inv
	}
}
