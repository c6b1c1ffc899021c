package main

import (
	"image"
	"image/draw"
)

// enlarge repeats pixels, to show what the input holds.
func enlarge(m image.Image, factor int) image.Image {
	b := m.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, b.Dx()*factor, b.Dy()*factor))
	for y := range out.Bounds().Dy() {
		for x := range out.Bounds().Dx() {
			out.Set(x, y, m.At(b.Min.X+x/factor, b.Min.Y+y/factor))
		}
	}
	return out
}

// beside puts pictures of one size next to each other.
func beside(pictures ...image.Image) image.Image {
	size := pictures[0].Bounds().Size()
	out := image.NewNRGBA(image.Rect(0, 0, size.X*len(pictures), size.Y))
	for i, p := range pictures {
		draw.Draw(out, image.Rect(i*size.X, 0, (i+1)*size.X, size.Y), p, p.Bounds().Min, draw.Src)
	}
	return out
}
