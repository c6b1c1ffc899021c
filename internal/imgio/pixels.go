package imgio

import (
	"image"
	"image/color"
	"image/draw"
)

// orient turns and mirrors img so that an image stored with the EXIF orientation o stands upright (Exif 2.32, tag
// 0x0112). Packed types keep their type, the others become *image.RGBA or *image.NRGBA.
func orient(img image.Image, o int) image.Image {
	if o <= 1 || o > 8 {
		return img
	}
	src := pack(img)
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	n, s := src.pixel, src.stride
	right, bottom := (w-1)*n, (h-1)*s
	// Pixel (x,y) of the upright image lies at first + x*dx + y*dy of the stored one.
	var first, dx, dy int
	switch o {
	case 2: // mirrored left to right
		first, dx, dy = right, -n, s
	case 3: // upside down
		first, dx, dy = right+bottom, -n, -s
	case 4: // mirrored top to bottom
		first, dx, dy = bottom, n, -s
	case 5: // rows are columns
		first, dx, dy = 0, s, n
	case 6: // to be turned by 90° clockwise
		first, dx, dy = bottom, -s, n
	case 7: // rows are columns, both reversed
		first, dx, dy = right+bottom, -s, -n
	case 8: // to be turned by 90° anticlockwise
		first, dx, dy = right, s, -n
	}
	if o >= 5 {
		w, h = h, w
	}
	dst := src.like(image.Rect(0, 0, w, h))
	for y := range h {
		out, from := dst.pix[y*dst.stride:], first+y*dy
		for range w {
			copy(out[:n], src.pix[from:from+n])
			out, from = out[n:], from+dx
		}
	}
	return dst.image
}

// packed is an image with all channels of a pixel side by side.
type packed struct {
	image  image.Image
	pix    []byte
	stride int                            // bytes from a row to the next
	pixel  int                            // bytes of a pixel
	like   func(r image.Rectangle) packed // a new image of the same type
}

// pack views img, whose bounds start at (0,0), as packed pixels, after a conversion where it has planes.
func pack(img image.Image) packed {
	switch m := img.(type) {
	case *image.Gray:
		return packed{m, m.Pix, m.Stride, 1, func(r image.Rectangle) packed { return pack(image.NewGray(r)) }}
	case *image.Gray16:
		return packed{m, m.Pix, m.Stride, 2, func(r image.Rectangle) packed { return pack(image.NewGray16(r)) }}
	case *image.Paletted:
		return packed{m, m.Pix, m.Stride, 1, func(r image.Rectangle) packed { return pack(image.NewPaletted(r, m.Palette)) }}
	case *image.RGBA:
		return packed{m, m.Pix, m.Stride, 4, func(r image.Rectangle) packed { return pack(image.NewRGBA(r)) }}
	case *image.NRGBA:
		return packed{m, m.Pix, m.Stride, 4, func(r image.Rectangle) packed { return pack(image.NewNRGBA(r)) }}
	case *image.RGBA64:
		return packed{m, m.Pix, m.Stride, 8, func(r image.Rectangle) packed { return pack(image.NewRGBA64(r)) }}
	case *image.NRGBA64:
		return packed{m, m.Pix, m.Stride, 8, func(r image.Rectangle) packed { return pack(image.NewNRGBA64(r)) }}
	case *image.NYCbCrA:
		return pack(nrgbaOf(m))
	}
	rgba := image.NewRGBA(img.Bounds())
	draw.Draw(rgba, rgba.Bounds(), img, img.Bounds().Min, draw.Src)
	return pack(rgba)
}

// onCanvas copies img to its place on a transparent canvas.
func onCanvas(img image.Image, canvas image.Rectangle) *image.NRGBA {
	out := image.NewNRGBA(canvas)
	draw.Draw(out, img.Bounds(), img, img.Bounds().Min, draw.Src)
	return out
}

// nrgbaOf converts m without the loss that premultiplied colours would bring.
func nrgbaOf(m *image.NYCbCrA) *image.NRGBA {
	out := image.NewNRGBA(m.Rect)
	for y := m.Rect.Min.Y; y < m.Rect.Max.Y; y++ {
		for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
			c := m.NYCbCrAAt(x, y)
			r, g, b := color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
			out.SetNRGBA(x, y, color.NRGBA{R: r, G: g, B: b, A: c.A})
		}
	}
	return out
}

// withoutCMYK turns ink into light. It knows no ink profile: each channel is (1-ink)(1-black), as in color.CMYKToRGB.
func withoutCMYK(img image.Image) image.Image {
	m, ok := img.(*image.CMYK)
	if !ok {
		return img
	}
	out := image.NewRGBA(m.Rect)
	for y := range m.Rect.Dy() {
		src, dst := m.Pix[y*m.Stride:], out.Pix[y*out.Stride:]
		for i := 0; i < 4*m.Rect.Dx(); i += 4 {
			dst[i], dst[i+1], dst[i+2] = color.CMYKToRGB(src[i], src[i+1], src[i+2], src[i+3])
			dst[i+3] = 0xff
		}
	}
	return out
}

// withoutOpaqueAlpha drops an alpha channel that says nothing, without copying: where alpha is 1, straight and
// premultiplied pixels are the same bytes.
func withoutOpaqueAlpha(img image.Image) image.Image {
	if !isOpaque(img) {
		return img
	}
	switch m := img.(type) {
	case *image.NRGBA:
		return &image.RGBA{Pix: m.Pix, Stride: m.Stride, Rect: m.Rect}
	case *image.NRGBA64:
		return &image.RGBA64{Pix: m.Pix, Stride: m.Stride, Rect: m.Rect}
	case *image.NYCbCrA:
		return &m.YCbCr
	}
	return img
}

// isOpaque reports whether no pixel of img is transparent.
func isOpaque(img image.Image) bool {
	if m, ok := img.(interface{ Opaque() bool }); ok {
		return m.Opaque()
	}
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if _, _, _, a := img.At(x, y).RGBA(); a != 0xffff {
				return false
			}
		}
	}
	return true
}
