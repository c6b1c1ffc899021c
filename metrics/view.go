package metrics

import (
	"errors"
	"fmt"
	"image"
	"math"
)

// view is what a metric sees of a picture: the planes of a colour inside the cropped border, samples in 0..255.
type view struct {
	src   raster
	w, h  int // after cropping
	crop  int
	color Color
	gray  bool // one plane, taken as it is
	round bool // to whole numbers, ties to even
}

func newView(img image.Image, c Color, crop int) (view, error) {
	src, err := newRaster(img)
	if err != nil {
		return view{}, err
	}
	size := img.Bounds().Size()
	v := view{src: src, w: size.X - 2*crop, h: size.Y - 2*crop, crop: crop, color: c}
	if crop >= min(size.X, size.Y) || v.w < 1 || v.h < 1 { // the first keeps 2*crop from overflowing
		return view{}, fmt.Errorf("picture of %d×%d pixels: nothing is left without a border of %d", size.X, size.Y, crop)
	}
	if p, ok := img.(*Planar); ok {
		v.gray = p.C == 1
	}
	return v, nil
}

// newLuma is the view of a metric that works on luma alone.
func newLuma(img image.Image, c Color, crop int) (view, error) {
	if err := checkColor(c, crop); err != nil {
		return view{}, err
	}
	if c == RGB {
		return view{}, errors.New("needs luma: use YBT601 or YYIQ, not RGB")
	}
	v, err := newView(img, c, crop)
	v.round = true
	return v, err
}

// newPair makes the views of two pictures of the same size.
func newPair(img, ref image.Image, c Convention) (a, b view, err error) {
	if err := c.check(); err != nil {
		return a, b, err
	}
	if a, err = newView(img, c.Color, c.Crop); err != nil {
		return a, b, fmt.Errorf("img: %w", err)
	}
	if b, err = newView(ref, c.Color, c.Crop); err != nil {
		return a, b, fmt.Errorf("ref: %w", err)
	}
	if sa, sb := img.Bounds().Size(), ref.Bounds().Size(); sa != sb {
		return a, b, fmt.Errorf("img has %d×%d pixels and ref %d×%d: sizes must be equal", sa.X, sa.Y, sb.X, sb.Y)
	}
	if a.gray != b.gray {
		a.gray, b.gray = false, false // compare gray with colour as colour
	}
	return a, b, nil
}

// planes is 3 for RGB, else 1.
func (v view) planes() int {
	if v.color == RGB && !v.gray {
		return 3
	}
	return 1
}

// reader returns a function that fills dst, one slice per plane and at most width samples each, with the samples
// from (x, y) on. A reader serves one goroutine.
func (v view) reader(width int) func(dst [][]float64, x, y int) {
	scratch := make([]float64, 3*width)
	return func(dst [][]float64, x, y int) {
		n := len(dst[0])
		rgb := [3][]float64{scratch[:n], scratch[width : width+n], scratch[2*width : 2*width+n]}
		copy(rgb[:], dst) // what is wanted unchanged needs no scratch
		v.src.rgb(rgb, x+v.crop, y+v.crop)
		if !v.gray {
			v.toLuma(rgb)
		}
		if v.round {
			for _, row := range dst {
				roundAll(row)
			}
		}
	}
}

// toLuma replaces the first plane by the luma asked for.
func (v view) toLuma(rgb [3][]float64) {
	r, g, b := rgb[0], rgb[1][:len(rgb[0])], rgb[2][:len(rgb[0])]
	switch v.color {
	case YBT601:
		for i := range r {
			r[i] = (65.481*r[i]+128.553*g[i]+24.966*b[i])/255 + 16
		}
	case YYIQ:
		for i := range r {
			r[i] = 0.299*r[i] + 0.587*g[i] + 0.114*b[i]
		}
	}
}

func roundAll(row []float64) {
	for i, x := range row {
		row[i] = math.RoundToEven(x)
	}
}
