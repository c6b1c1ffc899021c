package data

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"math"
)

// JPEG returns what the differentiable JPEG of Real-ESRGAN's training (BasicSR's DiffJPEG with hard rounding) makes of
// m at a quality from 1 to 100, which may be fractional: zero-padded to a multiple of 16, YCbCr with 2×2 mean chroma,
// orthonormal 8×8 DCT, division by the scaled tables, rounding, and back; values are clamped to [0, 1] and not rounded
// to bytes.
//
// It follows that reference in using the standard's tables transposed, unrounded and unclamped, and in its border of
// black: [EncodeJPEG] is the real thing, and differs by 1 to 3 gray levels on average.
func JPEG(m *Image, quality float64) (*Image, error) {
	if err := m.check("compress"); err != nil {
		return nil, err
	}
	if m.C != 1 && m.C != 3 {
		return nil, fmt.Errorf("data: compress: %d planes: want 1 (gray) or 3 (RGB)", m.C)
	}
	if !(quality >= 1 && quality <= 100) {
		return nil, fmt.Errorf("data: compress: quality %v: want 1 to 100", quality)
	}
	h, w := (m.H+15)&^15, (m.W+15)&^15
	factor := (200 - 2*quality) / 100
	if quality < 50 {
		factor = 50 / quality
	}
	if quality == 100 {
		factor = 1e-9 // the reference divides by zero here; this keeps every coefficient
	}
	if m.C == 1 {
		return compressGray(m, h, w, factor), nil
	}
	return compressColour(m, h, w, factor), nil
}

func compressGray(m *Image, h, w int, factor float64) *Image {
	y := newPlane(h*w, -lumaOffset) // beyond the picture lies black
	for i := range m.H {
		for x, v := range m.Row(0, i) {
			y[i*w+x] = 255*v - lumaOffset
		}
	}
	compressPlane(y, w, &lumaTable, factor)
	out := rawImage(1, m.H, m.W)
	for i := range m.H {
		row := out.Row(0, i)
		for x, v := range y[i*w : i*w+m.W] {
			row[x] = clamp01((v + lumaOffset) / 255)
		}
	}
	freeBuffer(y)
	return out
}

// lumaOffset moves gray to 0, as chroma has it without the offset of the standard.
const lumaOffset = 128

// newPlane returns n samples of the given value.
func newPlane(n int, v float32) []float32 {
	p := newBuffer(n)
	for i := range p {
		p[i] = v
	}
	return p
}

func compressColour(m *Image, h, w int, factor float64) *Image {
	y, cb, cr := newPlane(h*w, -lumaOffset), newPlane(h*w, 0), newPlane(h*w, 0)
	for i := range m.H {
		red, green, blue := m.Row(0, i), m.Row(1, i), m.Row(2, i)
		yRow, cbRow, crRow := y[i*w:], cb[i*w:], cr[i*w:]
		for x, r := range red {
			g, b := green[x], blue[x]
			yRow[x] = 255*(0.299*r+0.587*g+0.114*b) - lumaOffset
			cbRow[x] = 255 * (-0.168736*r - 0.331264*g + 0.5*b)
			crRow[x] = 255 * (0.5*r - 0.418688*g - 0.081312*b)
		}
	}
	compressPlane(y, w, &lumaTable, factor)
	halve(cb, h, w)
	halve(cr, h, w)
	cb, cr = cb[:h*w/4], cr[:h*w/4]
	compressPlane(cb, w/2, &chromaTable, factor)
	compressPlane(cr, w/2, &chromaTable, factor)
	out := rawImage(3, m.H, m.W)
	for i := range m.H {
		red, green, blue := out.Row(0, i), out.Row(1, i), out.Row(2, i)
		yRow, cbRow, crRow := y[i*w:], cb[i/2*(w/2):], cr[i/2*(w/2):]
		for x := range red {
			l, u, v := (yRow[x]+lumaOffset)/255, cbRow[x/2]/255, crRow[x/2]/255
			red[x] = clamp01(l + 1.402*v)
			green[x] = clamp01(l - 0.344136*u - 0.714136*v)
			blue[x] = clamp01(l + 1.772*u)
		}
	}
	freeBuffer(y)
	freeBuffer(cb)
	freeBuffer(cr)
	return out
}

// halve puts the mean of each 2×2 of a plane to its beginning.
func halve(p []float32, h, w int) {
	for y := range h / 2 {
		a, b := p[2*y*w:(2*y+1)*w], p[(2*y+1)*w:(2*y+2)*w]
		for x := range w / 2 {
			p[y*(w/2)+x] = (a[2*x] + a[2*x+1] + b[2*x] + b[2*x+1]) / 4
		}
	}
}

// compressPlane quantises the blocks of a plane of w columns whose sides are multiples of 8, strip after strip of 8
// rows. A strip is transformed along its columns, its blocks are transposed, and it is transformed again.
func compressPlane(p []float32, w int, table *[64]float64, factor float64) {
	var step, inverse [64]float32
	for i, t := range table {
		step[i] = float32(t * factor)
		inverse[i] = float32(1 / (t * factor))
	}
	parallel(len(p)/(8*w), grain(8*w*32), func(lo, hi int) {
		a, b := newBuffer(8*w), newBuffer(8*w)
		for y := lo; y < hi; y++ {
			strip := p[y*8*w : (y+1)*8*w]
			combineRows(a, strip, &dct)
			transposeBlocks(b, a)
			combineRows(a, b, &dct)
			quantizeBlocks(a, &step, &inverse)
			combineRows(b, a, &dctInverse)
			transposeBlocks(a, b)
			combineRows(strip, a, &dctInverse)
		}
		freeBuffer(a)
		freeBuffer(b)
	})
}

// combineRows sets the eight rows of dst to d times those of src.
func combineRows(dst, src []float32, d *[64]float32) {
	clear(dst)
	w := len(dst) / 8
	for u := range 8 {
		addTaps(dst[u*w:(u+1)*w], src, taps2{weight: d[u*8 : u*8+8], cols: 1, rowStep: w})
	}
}

// transposeBlocks sets the 8×8 blocks of dst, a strip of eight rows, to those of src, transposed.
func transposeBlocks(dst, src []float32) {
	w := len(dst) / 8
	for y := range 8 {
		row := src[y*w : (y+1)*w]
		for at := y; at < w; at += 8 {
			block := row[at-y : at-y+8]
			for x, v := range block {
				dst[at+x*w] = v
			}
		}
	}
}

// quantizeBlocks rounds the coefficients of a strip, transposed blocks, to multiples of their steps.
func quantizeBlocks(strip []float32, step, inverse *[64]float32) {
	w := len(strip) / 8
	for v := range 8 {
		row, step, inverse := strip[v*w:(v+1)*w], step[v*8:v*8+8], inverse[v*8:v*8+8]
		for x, c := range row {
			row[x] = float32(math.RoundToEven(float64(c*inverse[x%8]))) * step[x%8]
		}
	}
}

// dct[u][x] is the orthonormal DCT-II of length 8, dctInverse its transpose.
var dct, dctInverse = func() (d, inverse [64]float32) {
	for u := range 8 {
		scale := 0.5
		if u == 0 {
			scale = math.Sqrt(1.0 / 8)
		}
		for x := range 8 {
			d[u*8+x] = float32(scale * math.Cos(float64(2*x+1)*float64(u)*math.Pi/16))
			inverse[x*8+u] = d[u*8+x]
		}
	}
	return d, inverse
}()

// The tables of ITU-T T.81 annex K as printed there. The reference uses them transposed, and so they are here: block
// coefficients are transposed when they meet the tables, see compressPlane.
var (
	lumaTable = [64]float64{
		16, 11, 10, 16, 24, 40, 51, 61,
		12, 12, 14, 19, 26, 58, 60, 55,
		14, 13, 16, 24, 40, 57, 69, 56,
		14, 17, 22, 29, 51, 87, 80, 62,
		18, 22, 37, 56, 68, 109, 103, 77,
		24, 35, 55, 64, 81, 104, 113, 92,
		49, 64, 78, 87, 103, 121, 120, 101,
		72, 92, 95, 98, 112, 100, 103, 99,
	}
	chromaTable = [64]float64{
		17, 18, 24, 47, 99, 99, 99, 99,
		18, 21, 26, 66, 99, 99, 99, 99,
		24, 26, 56, 99, 99, 99, 99, 99,
		47, 66, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
		99, 99, 99, 99, 99, 99, 99, 99,
	}
)

// EncodeJPEG returns what a real encoder (4:2:0, integer tables) makes of m, rounded to 8 bits, at a quality from 1
// to 100: the image is encoded and decoded.
func EncodeJPEG(m *Image, quality int) (*Image, error) {
	if quality < 1 || quality > 100 {
		return nil, fmt.Errorf("data: encode JPEG: quality %d: want 1 to 100", quality)
	}
	img, err := m.ToImage(8)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("data: encode JPEG of %d×%d: %w", m.W, m.H, err)
	}
	back, err := jpeg.Decode(&buf)
	if err != nil {
		return nil, fmt.Errorf("data: decode JPEG just encoded: %w", err)
	}
	return FromImage(back), nil
}
