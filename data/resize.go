package data

import (
	"fmt"
	"image"
	"math"
)

// Filter is a resampling filter: a symmetric function that is zero outside [-Support, Support], in pixels of the
// coarser of the two grids when Antialias is set, of the input otherwise.
type Filter struct {
	Support float64
	At      func(x float64) float64
	// Antialias widens the filter by 1/scale when shrinking, so that every input pixel counts. Without it a shrunk
	// picture is point-sampled and shows moiré.
	Antialias bool
}

// The filters of MATLAB's imresize: its default 'bicubic' (Keys' cubic with a = -0.5), 'bilinear' (a triangle),
// 'box' (the mean over the pixel's area) and 'lanczos3'.
var (
	Bicubic  = Filter{Support: 2, At: keys, Antialias: true}
	Bilinear = Filter{Support: 1, At: linear, Antialias: true}
	Area     = Filter{Support: 0.5, At: box, Antialias: true}
	Lanczos  = Filter{Support: 3, At: lanczos3, Antialias: true}
)

// keys is the cubic convolution kernel with a = -1/2 (Keys 1981, eq. 15).
func keys(x float64) float64 {
	x = math.Abs(x)
	switch {
	case x <= 1:
		return (1.5*x-2.5)*x*x + 1
	case x < 2:
		return ((-0.5*x+2.5)*x-4)*x + 2
	}
	return 0
}

func box(x float64) float64 {
	if x >= -0.5 && x < 0.5 {
		return 1
	}
	return 0
}

func lanczos3(x float64) float64 {
	if x == 0 {
		return 1
	}
	if math.Abs(x) >= 3 {
		return 0
	}
	p := math.Pi * x
	return 3 * math.Sin(p) * math.Sin(p/3) / (p * p)
}

// Resize resamples m by scale (output side / input side) as MATLAB's imresize does: the output has ceil(side·scale)
// rows and columns, output sample i looks at input position (i+0.5)/scale - 0.5, borders repeat in mirror image with
// the edge sample twice, rows are combined first and columns second. The result is neither clamped nor rounded; with
// [Bicubic] it equals MATLAB's to 2e-7. It fails when scale is not within 1e-6 … 1e6 or the result is too large.
//
// Resize uses all processors for large pictures; it is safe for concurrent use.
func Resize(m *Image, scale float64, f Filter) (*Image, error) {
	if err := m.check("resize"); err != nil {
		return nil, err
	}
	h, w, err := scaledSize(m.H, m.W, scale)
	if err != nil {
		return nil, err
	}
	return resize(m, newTaps(m.H, h, scale, f), newTaps(m.W, w, scale, f))
}

// ResizeTo is Resize to h rows and w columns, with the scale of each axis being output / input side (MATLAB's
// imresize with an output size).
func ResizeTo(m *Image, h, w int, f Filter) (*Image, error) {
	if err := m.check("resize"); err != nil {
		return nil, err
	}
	if err := checkSize(h, w); err != nil {
		return nil, err
	}
	return resize(m, fitTaps(m.H, h, f), fitTaps(m.W, w, f))
}

// resize runs the two passes from image to image.
func resize(m *Image, v, h taps) (*Image, error) {
	out, err := NewImage(m.C, v.out(), h.out())
	if err != nil {
		return nil, err
	}
	load := func(y int, rows [][]float32) {
		for c := range rows {
			rows[c] = m.Row(c, y)
		}
	}
	store := func(y int, rows [][]float32) {
		for c := range rows {
			copy(out.Row(c, y), rows[c])
		}
	}
	r := resampler{planes: m.C, v: v, h: h, newLoad: func() rowFunc { return load }, store: store}
	r.run()
	return out, nil
}

// ResizeImage is [Resize] from picture to picture: 8-bit pictures become *image.NRGBA, 16-bit ones *image.NRGBA64,
// gray ones stay *image.Gray or *image.Gray16. Values are clamped and rounded to the nearest level. Transparent
// pictures are filtered with premultiplied alpha, so that the colour of invisible pixels does not bleed. Memory beyond
// the result is a few rows.
func ResizeImage(m image.Image, scale float64, f Filter) (image.Image, error) {
	b := m.Bounds()
	if b.Empty() {
		return nil, fmt.Errorf("data: resize: the image is empty")
	}
	h, w, err := scaledSize(b.Dy(), b.Dx(), scale)
	if err != nil {
		return nil, err
	}
	return resizePicture(m, newTaps(b.Dy(), h, scale, f), newTaps(b.Dx(), w, scale, f)), nil
}

// ResizeImageTo is [ResizeImage] to h rows and w columns.
func ResizeImageTo(m image.Image, h, w int, f Filter) (image.Image, error) {
	b := m.Bounds()
	if b.Empty() {
		return nil, fmt.Errorf("data: resize: the image is empty")
	}
	if err := checkSize(h, w); err != nil {
		return nil, err
	}
	return resizePicture(m, fitTaps(b.Dy(), h, f), fitTaps(b.Dx(), w, f)), nil
}

// scaledSize is ceil(side·scale) for both sides.
func scaledSize(h, w int, scale float64) (int, int, error) {
	if !(scale >= 1e-6 && scale <= 1e6) {
		return 0, 0, fmt.Errorf("data: resize: scale %v: want a number from 1e-6 to 1e6", scale)
	}
	fh, fw := math.Ceil(float64(h)*scale), math.Ceil(float64(w)*scale)
	if fh*fw > maxSamples {
		return 0, 0, fmt.Errorf("data: resize by %v: %.0f×%.0f is more than %d samples", scale, fw, fh, maxSamples)
	}
	return int(fh), int(fw), nil
}

func checkSize(h, w int) error {
	if h <= 0 || w <= 0 || h > maxSamples/w {
		return fmt.Errorf("data: resize to %d×%d: want sides of at least 1 and at most %d samples", w, h, maxSamples)
	}
	return nil
}
