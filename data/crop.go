package data

import (
	"fmt"
	"image"
	"math/rand/v2"
)

// Orientation is a flip or quarter turn of a patch: the picture is mirrored left-right (FlipX), then top-bottom
// (FlipY), then transposed. The eight values are all symmetries of the square.
type Orientation struct {
	FlipX     bool `json:"flip_x,omitempty"`
	FlipY     bool `json:"flip_y,omitempty"`
	Transpose bool `json:"transpose,omitempty"`
}

// drawOrientation draws each of the eight with equal chance.
func drawOrientation(rng *rand.Rand) Orientation {
	bits := rng.Uint64()
	return Orientation{FlipX: bits&1 != 0, FlipY: bits&2 != 0, Transpose: bits&4 != 0}
}

// Orient returns m in another orientation; m itself where nothing changes.
func (m *Image) Orient(o Orientation) *Image {
	if o == (Orientation{}) {
		return m
	}
	out := newImage(m.C, m.H, m.W)
	if o.Transpose {
		out.H, out.W = m.W, m.H
	}
	for c := range m.C {
		dst := out.Plane(c)
		for y := range m.H {
			toY := y
			if o.FlipY {
				toY = m.H - 1 - y
			}
			at, step := toY*m.W, 1 // where sample x = 0 goes, and the way to the next
			if o.Transpose {
				at, step = toY, m.H
			}
			if o.FlipX {
				at, step = at+(m.W-1)*step, -step
			}
			for _, v := range m.Row(c, y) {
				dst[at] = v
				at += step
			}
		}
	}
	return out
}

// subImage is the part r, counted from the top left corner, of a decoded picture, without copying.
func subImage(img image.Image, r image.Rectangle) image.Image {
	r = r.Add(img.Bounds().Min)
	if s, ok := img.(interface {
		SubImage(r image.Rectangle) image.Image
	}); ok {
		return s.SubImage(r)
	}
	out := image.NewNRGBA64(image.Rect(0, 0, r.Dx(), r.Dy()))
	for y := range r.Dy() {
		for x := range r.Dx() {
			out.Set(x, y, img.At(r.Min.X+x, r.Min.Y+y))
		}
	}
	return out
}

// square is a random size×size part of a w×h picture.
func square(rng *rand.Rand, w, h, size int) (image.Rectangle, error) {
	if w < size || h < size {
		return image.Rectangle{}, fmt.Errorf("picture of %d×%d is smaller than the patch of %d×%d: remove it or take smaller patches", w, h, size, size)
	}
	x, y := rng.IntN(w-size+1), rng.IntN(h-size+1)
	return image.Rect(x, y, x+size, y+size), nil
}

// scaled multiplies a rectangle's coordinates.
func scaled(r image.Rectangle, s int) image.Rectangle {
	return image.Rectangle{Min: r.Min.Mul(s), Max: r.Max.Mul(s)}
}
