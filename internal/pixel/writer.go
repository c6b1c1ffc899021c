package pixel

import (
	"image"
	"math"
)

// Level rounds v, clamped to [0, 1], to one of 0..top, halves to the even one. top is at most 65535.
func Level(v float32, top float32) uint16 { return Round(float32(unit(v) * top)) }

// Round rounds v, which is from 0 to 65535, to a whole number, halves to the even one.
func Round(v float32) uint16 {
	const shift = 3 << 22 // to where float32 has no fractions: the number stands in the last bits
	return uint16(math.Float32bits(v + shift))
}

// unit is v within [0, 1]; not-a-number is 0.
func unit(v float32) float32 {
	if v >= 1 {
		return 1
	}
	if v > 0 {
		return v
	}
	return 0
}

// Writer writes rows of planes into a new picture; different rows may be written by different goroutines.
type Writer struct {
	Image image.Image
	pix   []uint8
	line  int // bytes per row
	gray  bool
	deep  bool
}

// NewWriter makes an empty picture of w×h: *image.Gray, *image.Gray16, *image.NRGBA or *image.NRGBA64.
func NewWriter(gray, deep bool, h, w int) *Writer {
	r := image.Rect(0, 0, w, h)
	switch {
	case gray && deep:
		m := image.NewGray16(r)
		return &Writer{m, m.Pix, m.Stride, gray, deep}
	case gray:
		m := image.NewGray(r)
		return &Writer{m, m.Pix, m.Stride, gray, deep}
	case deep:
		m := image.NewNRGBA64(r)
		return &Writer{m, m.Pix, m.Stride, gray, deep}
	default:
		m := image.NewNRGBA(r)
		return &Writer{m, m.Pix, m.Stride, gray, deep}
	}
}

// Planes writes one row (gray), three (opaque) or four (premultiplied, alpha last) as row y.
func (w *Writer) Planes(y int, rows [][]float32) {
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

func (w *Writer) channel(dst []uint8, row []float32, c, channels int) {
	if !w.deep {
		for x, v := range row {
			dst[x*channels+c] = uint8(Level(v, 255))
		}
		return
	}
	for x, v := range row {
		l := Level(v, 65535)
		at := 2 * (x*channels + c)
		dst[at], dst[at+1] = uint8(l>>8), uint8(l)
	}
}

// fill sets channel c of four to its largest level.
func (w *Writer) fill(dst []uint8, c int) {
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
