package data

import (
	"fmt"
	"image"
	"math"
	"slices"
)

// Image is a picture of planar float32 samples: C planes of H rows of W samples, plane after plane, so that sample
// (c, y, x) is Pix[(c*H+y)*W+x]. Planes are gray (C = 1) or R, G, B (C = 3); values are in [0, 1], though operations
// that overshoot (bicubic resampling, sharpening, noise) may leave that range until [Image.Clamp].
//
// The zero Image is empty. An Image is not synchronised: any number of goroutines may read one, none while one writes.
type Image struct {
	C, H, W int
	Pix     []float32
}

// maxSamples bounds the images this package allocates: 2^31 samples are 8 GiB.
const maxSamples = 1 << 31

// NewImage returns a black image of c planes, h rows and w columns. It fails when a size is not positive or the image
// would hold more than 2^31 samples.
func NewImage(c, h, w int) (*Image, error) {
	if c <= 0 || h <= 0 || w <= 0 {
		return nil, fmt.Errorf("data: make image: size %d×%d×%d: every side must be at least 1", c, h, w)
	}
	if h > maxSamples/w || c > maxSamples/(h*w) {
		return nil, fmt.Errorf("data: make image: size %d×%d×%d: more than %d samples", c, h, w, maxSamples)
	}
	return newImage(c, h, w), nil
}

// newImage is NewImage for sizes known to be right.
func newImage(c, h, w int) *Image {
	m := rawImage(c, h, w)
	clear(m.Pix)
	return m
}

// rawImage is newImage with samples of any value.
func rawImage(c, h, w int) *Image {
	return &Image{C: c, H: h, W: w, Pix: newBuffer(c * h * w)}
}

// free gives back the memory of m, which nobody may use afterwards.
func (m *Image) free() {
	freeBuffer(m.Pix)
	m.Pix = nil
}

// freeImages frees images of which several may be the same one.
func freeImages(images ...*Image) {
	for _, m := range images {
		if m.Pix != nil {
			m.free()
		}
	}
}

// check reports an image whose fields contradict each other; deed names the caller's operation.
func (m *Image) check(deed string) error {
	if m == nil || m.C <= 0 || m.H <= 0 || m.W <= 0 {
		return fmt.Errorf("data: %s: the image is empty", deed)
	}
	if len(m.Pix) != m.C*m.H*m.W {
		return fmt.Errorf("data: %s: image of %d×%d×%d has %d samples, want %d", deed, m.C, m.H, m.W, len(m.Pix), m.C*m.H*m.W)
	}
	return nil
}

// Plane returns plane c, H·W samples, sharing memory with m.
func (m *Image) Plane(c int) []float32 {
	n := m.H * m.W
	return m.Pix[c*n : (c+1)*n : (c+1)*n]
}

// Row returns row y of plane c, W samples, sharing memory with m.
func (m *Image) Row(c, y int) []float32 {
	i := (c*m.H + y) * m.W
	return m.Pix[i : i+m.W : i+m.W]
}

// Clone returns a copy that shares nothing with m.
func (m *Image) Clone() *Image {
	out := rawImage(m.C, m.H, m.W)
	copy(out.Pix, m.Pix)
	return out
}

// Clamp sets every sample below 0 (or not a number) to 0 and every sample above 1 to 1, in place, and returns m.
func (m *Image) Clamp() *Image {
	for i, v := range m.Pix {
		m.Pix[i] = clamp01(v)
	}
	return m
}

// clamp01 is v within [0, 1]; not-a-number is 0. It works on the bits, whose order as integers is that of numbers from
// 0 on, because the processor cannot guess branches on noise.
func clamp01(v float32) float32 {
	const one, infinity = 0x3f800000, 0x7f800000
	b := int32(math.Float32bits(v))
	b &^= b >> 31 // negative
	if b > infinity {
		b = 0
	}
	return math.Float32frombits(uint32(min(b, one)))
}

// RGB returns m itself when it has three planes and a copy with the gray plane three times when it has one.
func (m *Image) RGB() *Image {
	if m.C != 1 {
		return m
	}
	return &Image{C: 3, H: m.H, W: m.W, Pix: slices.Concat(m.Pix, m.Pix, m.Pix)}
}

// Crop returns a copy of the w×h samples whose top left corner is column x, row y. It fails when they do not all lie
// in m.
func (m *Image) Crop(x, y, w, h int) (*Image, error) {
	return m.cropOriented(image.Rectangle{Min: image.Pt(x, y), Max: image.Pt(x+w, y+h)}, Orientation{})
}
