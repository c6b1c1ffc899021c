package pixel

import (
	"image"
	"image/color"
	"testing"
)

// Each kind of picture, and parts of it that begin anywhere, must read as its own At says, alpha not multiplied in.
func TestPlanesEqualAt(t *testing.T) {
	for _, img := range pictures(image.Rect(0, 0, 21, 10)) {
		for _, r := range []image.Rectangle{image.Rect(0, 0, 21, 10), image.Rect(1, 1, 8, 4), image.Rect(6, 3, 21, 10), image.Rect(3, 2, 4, 3)} {
			part := img.(interface {
				SubImage(image.Rectangle) image.Image
			}).SubImage(r)
			if diff := furthest(part); diff > 0 {
				t.Errorf("%T, part %v: off by %g of 255", img, r, 255*diff)
			}
		}
	}
}

// pictures has one of each type, filled with noise.
func pictures(r image.Rectangle) []image.Image {
	list := []image.Image{image.NewGray(r), image.NewNRGBA(r), image.NewRGBA(r), image.NewGray16(r), image.NewNRGBA64(r)}
	for _, m := range list {
		for i := range r.Dx() * r.Dy() {
			c := color.NRGBA64{R: uint16(i * 40503), G: uint16(i * 2654), B: uint16(i * 12345), A: 0xffff}
			m.(interface{ Set(x, y int, c color.Color) }).Set(i%r.Dx(), i/r.Dx(), c)
		}
	}
	for ratio := image.YCbCrSubsampleRatio444; ratio <= image.YCbCrSubsampleRatio410; ratio++ {
		m := image.NewYCbCr(r, ratio)
		for k, plane := range [][]uint8{m.Y, m.Cb, m.Cr} {
			for i := range plane {
				plane[i] = uint8(i*i*7 + k*91)
			}
		}
		list = append(list, m)
	}
	return list
}

// eightBit converts luma and chroma as 8-bit decoders do; color.YCbCr's own RGBA keeps more bits.
func eightBit(c color.Color) color.Color {
	if c, ok := c.(color.YCbCr); ok {
		r, g, b := color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
		return color.NRGBA{R: r, G: g, B: b, A: 255}
	}
	return c
}

// furthest is the largest difference between the planes of m and its pixels.
func furthest(m image.Image) (worst float32) {
	b := m.Bounds()
	rows := make([][]float32, 3)
	if IsGray(m) {
		rows = rows[:1]
	}
	for c := range rows {
		rows[c] = make([]float32, b.Dx())
	}
	top := uint32(255)
	if IsDeep(m) {
		top = 65535
	}
	read := NewReader(m)
	for y := range b.Dy() {
		read.Planes(y, rows)
		for x := range b.Dx() {
			red, green, blue, _ := eightBit(m.At(b.Min.X+x, b.Min.Y+y)).RGBA()
			for c, v := range []uint32{red, green, blue}[:len(rows)] {
				want := float32(v*top/65535) / float32(top)
				worst = max(worst, rows[c][x]-want, want-rows[c][x])
			}
		}
	}
	return worst
}
