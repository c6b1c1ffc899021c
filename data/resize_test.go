package data

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gopdd/gopdd/internal/pixel"
)

// noisy is an image of reproducible uniform samples.
func noisy(c, h, w int) *Image {
	m := newImage(c, h, w)
	r := rand.New(rand.NewPCG(1, uint64(c*h*w)))
	for i := range m.Pix {
		m.Pix[i] = r.Float32()
	}
	return m
}

func maxDiff(t *testing.T, a, b *Image) float64 {
	t.Helper()
	if a.C != b.C || a.H != b.H || a.W != b.W {
		t.Fatalf("sizes differ: %d×%d×%d and %d×%d×%d", a.C, a.H, a.W, b.C, b.H, b.W)
	}
	var d float64
	for i := range a.Pix {
		d = max(d, math.Abs(float64(a.Pix[i])-float64(b.Pix[i])))
	}
	return d
}

var filters = map[string]Filter{"bicubic": Bicubic, "bilinear": Bilinear, "area": Area, "lanczos": Lanczos}

func TestResizeKeepsConstants(t *testing.T) {
	for name, f := range filters {
		for _, scale := range []float64{0.1, 0.25, 1.0 / 3, 0.77, 1, 1.5, 4} {
			m := newImage(1, 23, 17)
			for i := range m.Pix {
				m.Pix[i] = 0.625
			}
			out, err := Resize(m, scale, f)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range out.Pix {
				if math.Abs(float64(v)-0.625) > 1e-6 {
					t.Fatalf("%s ×%v: a constant image became %v, want 0.625: weights must sum to 1", name, scale, v)
				}
			}
		}
	}
}

func TestResizeLaws(t *testing.T) {
	m := noisy(3, 24, 36)
	for name, f := range filters {
		same, _ := Resize(m, 1, f)
		if d := maxDiff(t, m, same); d > 1e-6 {
			t.Errorf("%s ×1 changes the image by %g; an interpolating filter must not", name, d)
		}
		small, _ := Resize(m, 0.25, f)
		flipped, _ := Resize(flip(m), 0.25, f)
		if d := maxDiff(t, flip(small), flipped); d > 2e-6 {
			t.Errorf("%s: resize and flip do not commute: %g", name, d)
		}
		fit, _ := ResizeTo(m, 6, 9, f)
		if d := maxDiff(t, small, fit); d != 0 {
			t.Errorf("%s: ResizeTo 1/4 of the size differs from Resize 0.25 by %g", name, d)
		}
	}
}

func flip(m *Image) *Image {
	out := newImage(m.C, m.H, m.W)
	for c := range m.C {
		for y := range m.H {
			for x, v := range m.Row(c, y) {
				out.Row(c, y)[m.W-1-x] = v
			}
		}
	}
	return out
}

// By hand: at scale 1/2 the area filter is the mean of 2×2; Keys' cubic at scale 2 has weights
// cubic(±.25), cubic(±.75), cubic(±1.25), cubic(±1.75) = .8671875, .2265625, -.0703125, -.0234375.
func TestResizeByHand(t *testing.T) {
	m := &Image{C: 1, H: 2, W: 4, Pix: []float32{0, 1, 2, 3, 4, 5, 6, 7}}
	out, _ := Resize(m, 0.5, Area)
	if out.H != 1 || out.W != 2 || out.Pix[0] != 2.5 || out.Pix[1] != 4.5 {
		t.Errorf("area 1/2 = %v, want [2.5 4.5]", out.Pix)
	}
	step := &Image{C: 1, H: 1, W: 4, Pix: []float32{0, 0, 1, 1}}
	out, _ = Resize(step, 2, Bicubic)
	// Output 4 looks at 1.75: inputs 0, 1, 2, 3 at distances 1.75, .75, .25, 1.25.
	if got, want := float64(out.Pix[4]), 0.8671875-0.0703125; math.Abs(got-want) > 1e-6 {
		t.Errorf("bicubic ×2 beside a step = %v, want %v", got, want)
	}
}

func TestResizeSizes(t *testing.T) {
	for _, c := range []struct {
		h, w   int
		scale  float64
		oh, ow int
		reason string
	}{
		{7, 9, 0.5, 4, 5, "ceil, not floor"},
		{1, 1, 0.25, 1, 1, "never below one sample"},
		{1, 3, 4, 4, 12, "filter wider than the image: mirrored more than once"},
		{2040, 3, 1e-4, 1, 1, "extreme shrinking"},
	} {
		out, err := Resize(noisy(1, c.h, c.w), c.scale, Bicubic)
		if err != nil || out.H != c.oh || out.W != c.ow {
			t.Errorf("%s: %d×%d ×%v = %+v, %v; want %d×%d", c.reason, c.h, c.w, c.scale, out, err, c.oh, c.ow)
		}
	}
}

func TestResizeErrors(t *testing.T) {
	for _, scale := range []float64{0, -1, math.NaN(), math.Inf(1), 1e5} {
		if _, err := Resize(noisy(1, 8, 8), scale, Bicubic); err == nil {
			t.Errorf("scale %v: no error", scale)
		}
		if _, err := ResizeImage(image.NewGray(image.Rect(0, 0, 8, 8)), scale, Bicubic); err == nil {
			t.Errorf("ResizeImage scale %v: no error", scale)
		}
	}
	for _, m := range []*Image{nil, {}, {C: 1, H: 2, W: 2, Pix: make([]float32, 3)}} {
		if _, err := Resize(m, 1, Bicubic); err == nil {
			t.Errorf("Resize(%+v): no error", m)
		}
	}
	if _, err := ResizeImageTo(image.NewGray(image.Rectangle{}), 3, 3, Bicubic); err == nil {
		t.Error("empty picture: no error")
	}
	if _, err := ResizeTo(noisy(1, 2, 2), 0, 3, Bicubic); err == nil {
		t.Error("no rows: no error")
	}
}

// ResizeImage must be FromImage, Resize and ToImage in one, for every picture type.
func TestResizeImageEqualsPlanes(t *testing.T) {
	for _, src := range pictures(40, 28) {
		for _, scale := range []float64{0.25, 1.7} {
			got, err := ResizeImage(src, scale, Bicubic)
			if err != nil {
				t.Fatal(err)
			}
			bits := 8
			if pixel.IsDeep(src) {
				bits = 16
			}
			planes, _ := Resize(FromImage(src), scale, Bicubic)
			want, _ := planes.ToImage(bits)
			if d := pictureDiff(got, want); d > 0 {
				t.Errorf("%T ×%v: differs from the planar way by up to %d/65535", src, scale, d)
			}
		}
	}
}

// pictures are the same random opaque content as every picture type, at an origin that is not zero.
func pictures(w, h int) []image.Image {
	r := image.Rect(3, 5, 3+w, 5+h)
	rng := rand.New(rand.NewPCG(1, 2))
	out := []interface {
		image.Image
		Set(x, y int, c color.Color)
	}{image.NewNRGBA(r), image.NewRGBA(r), image.NewNRGBA64(r), image.NewRGBA64(r), image.NewGray(r), image.NewGray16(r), image.NewCMYK(r)}
	y := image.NewYCbCr(r, image.YCbCrSubsampleRatio420)
	for i := range y.Y {
		y.Y[i] = uint8(rng.Uint32())
	}
	for i := range y.Cb {
		y.Cb[i], y.Cr[i] = uint8(rng.Uint32()), uint8(rng.Uint32())
	}
	list := []image.Image{y}
	for _, m := range out {
		for py := r.Min.Y; py < r.Max.Y; py++ {
			for px := r.Min.X; px < r.Max.X; px++ {
				m.Set(px, py, color.NRGBA64{uint16(rng.Uint32()), uint16(rng.Uint32()), uint16(rng.Uint32()), 65535})
			}
		}
		list = append(list, m)
	}
	return list
}

func pictureDiff(a, b image.Image) int {
	d := 0
	ab, bb := a.Bounds(), b.Bounds()
	for y := range ab.Dy() {
		for x := range ab.Dx() {
			ar, ag, ablue, aa := a.At(ab.Min.X+x, ab.Min.Y+y).RGBA()
			br, bg, bblue, ba := b.At(bb.Min.X+x, bb.Min.Y+y).RGBA()
			for _, p := range [][2]uint32{{ar, br}, {ag, bg}, {ablue, bblue}, {aa, ba}} {
				d = max(d, int(p[0])-int(p[1]), int(p[1])-int(p[0]))
			}
		}
	}
	return d
}

// Invisible red beside opaque blue must not turn the edge purple.
func TestResizeImagePremultiplies(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 16, 8))
	for y := range 8 {
		for x := range 16 {
			m.Set(x, y, color.NRGBA{R: 255})
			if x >= 8 {
				m.Set(x, y, color.NRGBA{B: 255, A: 255})
			}
		}
	}
	out, _ := ResizeImage(m, 0.5, Bilinear)
	edge := 0
	for x := range 8 {
		c := out.(*image.NRGBA).NRGBAAt(x, 2)
		if c.R != 0 || c.A > 0 && c.B < 254 {
			t.Errorf("column %d is %v: colour of transparent pixels bled", x, c)
		}
		if c.A > 0 && c.A < 255 {
			edge++
		}
	}
	if edge == 0 {
		t.Error("no column is partly transparent: alpha was not filtered")
	}
}

func TestConvertRoundTrip(t *testing.T) {
	for _, src := range pictures(19, 7) {
		bits := 8
		if pixel.IsDeep(src) {
			bits = 16
		}
		got, err := FromImage(src).ToImage(bits)
		if err != nil {
			t.Fatal(err)
		}
		tol := 0
		switch src.(type) {
		case *image.YCbCr, *image.CMYK: // At gives 16 bits where the pixels have 8
			tol = 256
		}
		if d := pictureDiff(src, got); d > tol {
			t.Errorf("%T: picture → planes → picture differs by %d/65535", src, d)
		}
	}
}

func TestFromImageDropsAlpha(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 1, 1))
	m.Set(0, 0, color.NRGBA{R: 51, G: 102, B: 204, A: 1})
	if got := FromImage(m).Pix; got[0] != 51./255 || got[1] != 102./255 || got[2] != 204./255 {
		t.Errorf("got %v, want the straight colour 51, 102, 204 over 255", got)
	}
}

func BenchmarkResizeImageQuarter(b *testing.B) {
	for _, src := range pictures(2040, 1404) {
		switch src.(type) {
		case *image.YCbCr, *image.NRGBA, *image.Gray:
			b.Run(fmt.Sprintf("%T", src), func(b *testing.B) {
				for b.Loop() {
					if _, err := ResizeImage(src, 0.25, Bicubic); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkResizeQuarter(b *testing.B) {
	m := noisy(3, 1404, 2040)
	for b.Loop() {
		if _, err := Resize(m, 0.25, Bicubic); err != nil {
			b.Fatal(err)
		}
	}
}
