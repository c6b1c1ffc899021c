package metrics

import (
	"image"
	"image/color"
	"math"
	"strings"
	"testing"
)

func fill(w, h int, c color.Color) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		m.Set(i%w, i/w, c)
	}
	return m
}

func planar(c, h, w int, v float32) *Planar {
	p := &Planar{C: c, H: h, W: w, Pix: make([]float32, c*h*w)}
	for i := range p.Pix {
		p.Pix[i] = v
	}
	return p
}

var everyConvention = []Convention{
	{PyIQA, RGB, 0}, {PyIQA, YBT601, 0}, {PyIQA, YYIQ, 2},
	{BasicSR, RGB, 2}, {BasicSR, YBT601, 0}, {BasicSR, YYIQ, 0},
}

func TestEqualPictures(t *testing.T) {
	m := noisyNRGBA(40, 30, 1)
	for _, c := range everyConvention {
		psnr, err := PSNR(m, m, c)
		if want := map[Impl]float64{PyIQA: 80, BasicSR: math.Inf(1)}[c.Impl]; err != nil || math.Abs(psnr-want) > 1e-9 {
			t.Errorf("PSNR %v = %v, %v, want %v", c, psnr, err, want)
		}
		if ssim, err := SSIM(m, m, c); err != nil || math.Abs(ssim-1) > 1e-12 {
			t.Errorf("SSIM %v = %v, %v, want 1", c, ssim, err)
		}
	}
}

func TestConstantPictures(t *testing.T) {
	a, b := fill(20, 20, color.NRGBA{100, 100, 100, 255}), fill(20, 20, color.NRGBA{110, 110, 110, 255})
	// By hand: the error is 10² everywhere; of SSIM only the luminance factor (2ab+C1)/(a²+b²+C1) remains.
	psnr, err := PSNR(a, b, Convention{Impl: BasicSR})
	if want := 20 * math.Log10(255/10.); err != nil || math.Abs(psnr-want) > 1e-9 {
		t.Errorf("PSNR = %v, %v, want %v", psnr, err, want)
	}
	ssim, err := SSIM(a, b, Convention{Impl: BasicSR})
	if want := (2*100*110 + 6.5025) / (100*100 + 110*110 + 6.5025); err != nil || math.Abs(ssim-want) > 1e-9 {
		t.Errorf("SSIM = %v, %v, want %v", ssim, err, want)
	}
}

func TestRefusals(t *testing.T) {
	nan := planar(3, 20, 20, 0.5)
	nan.Pix[7] = float32(math.NaN())
	gray := fill(20, 20, color.Gray{Y: 9})
	tests := []struct {
		reason   string
		img, ref image.Image
		conv     Convention
		want     string
	}{
		{"sizes differ by the axes only", fill(20, 21, color.White), fill(21, 20, color.White), Convention{}, "sizes must be equal"},
		{"one side is below 11 after the crop", fill(20, 14, color.White), fill(20, 14, color.White), Convention{Crop: 2}, "at least 11×11"},
		{"the crop takes everything", gray, gray, Convention{Crop: 10}, "nothing is left"},
		{"a negative crop would read outside", gray, gray, Convention{Crop: -1}, "must not be negative"},
		{"NaN would silently be the score", nan, gray, Convention{}, "finite"},
		{"nil is a picture that failed to load", nil, gray, Convention{}, "empty"},
		{"no pixels", image.NewGray(image.Rectangle{}), gray, Convention{}, "empty"},
		{"a Planar whose fields contradict", &Planar{C: 3, H: 20, W: 20}, gray, Convention{}, "planar"},
		{"twice the crop overflows to something small", gray, gray, Convention{Crop: 3 << 61}, "nothing is left"},
		{"a Uniform has 4e18 pixels", image.White, image.White, Convention{}, "at most"},
		{"bytes that end before the bounds do", &image.NRGBA{Stride: 80, Rect: gray.Rect}, gray, Convention{}, "its bounds need 1600"},
		{"the same in one plane of three", &image.YCbCr{Y: make([]uint8, 400), Cb: make([]uint8, 400), YStride: 20, CStride: 20, Rect: gray.Rect}, gray, Convention{}, "its bounds need 400"},
		{"an unknown implementation", gray, gray, Convention{Impl: 9}, "unknown implementation"},
		{"an unknown colour", gray, gray, Convention{Color: 9}, "unknown color"},
	}
	for _, tt := range tests {
		if _, err := SSIM(tt.img, tt.ref, tt.conv); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: SSIM error = %v, want one with %q", tt.reason, err, tt.want)
		}
	}
	if _, err := PSNR(fill(1, 1, color.White), fill(1, 1, color.Black), Convention{}); err != nil {
		t.Errorf("PSNR of single pixels: %v, want a value: it has no window", err)
	}
}

// The same picture as every type the package reads specially, and through At, must measure the same.
func TestImageTypes(t *testing.T) {
	src := noisyNRGBA(33, 27, 3)
	ref := noisyNRGBA(33, 27, 4)
	tests := []struct {
		reason string
		img    image.Image
		tol    float64
	}{
		{"unknown types go through At", struct{ image.Image }{src}, 1e-12},
		{"opaque RGBA is what the PNG decoder gives", redraw(image.NewRGBA(src.Rect), src), 1e-12},
		{"16 bits: 257 v", redraw(image.NewNRGBA64(src.Rect), src), 1e-12},
		{"premultiplied 16 bits go through At", redraw(image.NewRGBA64(src.Rect), src), 1e-12},
		{"floats are k/255 rounded to float32", toPlanar(src), 1e-6},
		{"a sub-image starts elsewhere", shifted(src).SubImage(image.Rect(5, 6, 38, 33)), 1e-12},
	}
	for _, c := range everyConvention {
		want, err := PSNR(src, ref, c)
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range tests {
			if got, err := PSNR(tt.img, ref, c); err != nil || math.Abs(got-want) > tt.tol {
				t.Errorf("%s: PSNR %v = %v, %v, want %v", tt.reason, c, got, err, want)
			}
		}
	}
}

// A part copied to a Planar is the part; it has three planes whatever it was made of.
func TestNewPlanar(t *testing.T) {
	src, part := noisyNRGBA(33, 27, 3), image.Rect(4, 6, 30, 27)
	for _, img := range []image.Image{src, shifted(src).SubImage(image.Rect(5, 6, 38, 33)), redraw(image.NewGray16(src.Rect), src), toPlanar(src), planar(1, 27, 33, 0.4)} {
		p, err := NewPlanar(img, part)
		if err != nil || p.C != 3 || p.Bounds() != image.Rect(0, 0, 26, 21) {
			t.Fatalf("%T: %+v, %v", img, p, err)
		}
		whole, err := NewPlanar(img, image.Rect(0, 0, 33, 27))
		if err != nil {
			t.Fatal(err)
		}
		if psnr, err := PSNR(img, whole, Convention{Impl: BasicSR}); err != nil || psnr < 150 { // rounded to float32
			t.Errorf("%T: PSNR with its own copy %v, %v", img, psnr, err)
		}
		for c := range 3 {
			for y := range p.H {
				for x := range p.W {
					if got, want := p.Pix[(c*p.H+y)*p.W+x], whole.Pix[(c*27+y+6)*33+x+4]; got != want {
						t.Fatalf("%T: plane %d at (%d,%d): %v, want %v", img, c, x, y, got, want)
					}
				}
			}
		}
	}
	for _, r := range []image.Rectangle{{}, image.Rect(-1, 0, 3, 3), image.Rect(0, 0, 34, 27)} {
		if _, err := NewPlanar(src, r); err == nil {
			t.Errorf("part %v: no error", r)
		}
	}
	if _, err := NewPlanar(nil, part); err == nil {
		t.Error("nil: no error")
	}
}

func TestGrayIsColour(t *testing.T) {
	gray := redraw(image.NewGray(image.Rect(0, 0, 20, 20)), noisyNRGBA(20, 20, 5))
	gray16 := redraw(image.NewGray16(gray.Bounds()), gray)
	rgb := redraw(image.NewNRGBA(gray.Bounds()), gray)
	for _, m := range []image.Image{gray, gray16} {
		if psnr, err := PSNR(m, rgb, Convention{BasicSR, YBT601, 0}); err != nil || !math.IsInf(psnr, 1) {
			t.Errorf("PSNR of %T against itself as RGB = %v, %v, want +Inf", m, psnr, err)
		}
	}
	// A single plane is luma itself: 10/255 apart in both conventions, without the studio range's factor 219/255.
	for _, c := range []Color{YBT601, YYIQ} {
		psnr, err := PSNR(planar(1, 9, 9, 0), planar(1, 9, 9, 10./255), Convention{BasicSR, c, 0})
		if want := 20 * math.Log10(255/10.); err != nil || math.Abs(psnr-want) > 1e-6 {
			t.Errorf("PSNR %v of single planes = %v, %v, want %v", c, psnr, err, want)
		}
	}
}

func TestSixteenBitsAreKept(t *testing.T) {
	a, b := image.NewGray16(image.Rect(0, 0, 16, 16)), image.NewGray16(image.Rect(0, 0, 16, 16))
	b.SetGray16(3, 3, color.Gray16{Y: 1}) // would vanish in 8 bits
	psnr, err := PSNR(a, b, Convention{Impl: BasicSR})
	if want := 10 * math.Log10(65535.*65535*256); err != nil || math.Abs(psnr-want) > 1e-9 {
		t.Errorf("PSNR = %v, %v, want %v", psnr, err, want)
	}
}

func TestAlphaIsIgnored(t *testing.T) {
	opaque, clear := fill(12, 12, color.NRGBA{200, 100, 50, 255}), fill(12, 12, color.NRGBA{200, 100, 50, 51})
	premultiplied := redraw(image.NewRGBA(clear.Rect), clear)
	for _, m := range []image.Image{clear, premultiplied} {
		if psnr, err := PSNR(opaque, m, Convention{Impl: BasicSR}); err != nil || psnr < 100 {
			t.Errorf("%T: PSNR = %v, %v, want more than 100: the same colours", m, psnr, err)
		}
	}
}

// Tiles and crops must fit: cutting by Crop equals cutting the picture, across tile borders.
func TestCropIsSubImage(t *testing.T) {
	img, ref := noisyNRGBA(600, 310, 6), noisyNRGBA(600, 310, 7)
	inner := image.Rect(8, 8, 592, 302)
	for _, metric := range []func(a, b image.Image, c Convention) (float64, error){PSNR, SSIM} {
		cropped, err1 := metric(img, ref, Convention{Color: YBT601, Crop: 8})
		cut, err2 := metric(img.SubImage(inner), ref.SubImage(inner), Convention{Color: YBT601})
		if err1 != nil || err2 != nil || math.Abs(cropped-cut) > 1e-12 {
			t.Errorf("cropped %v (%v), cut %v (%v)", cropped, err1, cut, err2)
		}
	}
}

func TestConventionNames(t *testing.T) {
	for _, c := range everyConvention {
		c.Crop = 0
		if got, err := ParseConvention(c.String()); err != nil || got != c {
			t.Errorf("ParseConvention(%q) = %v, %v", c.String(), got, err)
		}
	}
	if got := (Convention{BasicSR, YBT601, 4}).String(); got != "y_bt601_basicsr_crop4" {
		t.Errorf("name %q", got)
	}
	for _, bad := range []string{"", "y", "rgb_", "rgb_pyiqa_basicsr", "y_bt709"} {
		if _, err := ParseConvention(bad); err == nil {
			t.Errorf("ParseConvention(%q) succeeded", bad)
		}
	}
}

// drawable is the part of draw.Image that redraw needs.
type drawable interface {
	image.Image
	Set(x, y int, c color.Color)
}

func redraw(dst drawable, src image.Image) image.Image {
	b := src.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			dst.Set(x, y, src.At(x, y))
		}
	}
	return dst
}

// shifted is src with its top left pixel at (5, 6) of a larger picture.
func shifted(src *image.NRGBA) *image.NRGBA {
	big := image.NewNRGBA(image.Rect(0, 0, 50, 50))
	for i := range src.Rect.Dx() * src.Rect.Dy() {
		x, y := i%src.Rect.Dx(), i/src.Rect.Dx()
		big.Set(x+5, y+6, src.At(x, y))
	}
	return big
}

func toPlanar(src *image.NRGBA) *Planar {
	w, h := src.Rect.Dx(), src.Rect.Dy()
	p := planar(3, h, w, 0)
	for i := range w * h {
		for c := range 3 {
			p.Pix[c*w*h+i] = float32(src.Pix[4*i+c]) / 255
		}
	}
	return p
}
