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
	return m.cut(image.Rect(0, 0, m.W, m.H), o)
}

// cropOriented is [Image.Crop] of r and [Image.Orient] of that in one copy.
func (m *Image) cropOriented(r image.Rectangle, o Orientation) (*Image, error) {
	if r.Empty() || !r.In(image.Rect(0, 0, m.W, m.H)) {
		return nil, fmt.Errorf("data: crop %d×%d at (%d, %d): outside the image of %d×%d", r.Dx(), r.Dy(), r.Min.X, r.Min.Y, m.W, m.H)
	}
	return m.cut(r, o), nil
}

// cut returns a copy of the part r, which lies in m, in another orientation.
func (m *Image) cut(r image.Rectangle, o Orientation) *Image {
	w, h := r.Dx(), r.Dy()
	out := rawImage(m.C, h, w)
	if o.Transpose {
		out.H, out.W = w, h
	}
	for c := range m.C {
		dst := out.Plane(c)
		for y := range h {
			toY := y
			if o.FlipY {
				toY = h - 1 - y
			}
			at, step := toY*w, 1 // where sample x = 0 goes, and the way to the next
			if o.Transpose {
				at, step = toY, h
			}
			if o.FlipX {
				at, step = at+(w-1)*step, -step
			}
			src := m.Row(c, r.Min.Y+y)[r.Min.X:r.Max.X]
			if step == 1 {
				copy(dst[at:], src)
				continue
			}
			for _, v := range src {
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
