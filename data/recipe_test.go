package data

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
)

// smooth is a picture with edges and gradients, more like a photo than noise.
func smooth(h, w int) *Image {
	m := newImage(3, h, w)
	for c := range 3 {
		for y := range h {
			for x := range w {
				v := 0.5 + 0.3*math.Sin(float64(x*(c+1))/9)*math.Cos(float64(y)/7)
				if (x/16+y/16)%2 == 0 {
					v *= 0.6
				}
				m.Row(c, y)[x] = float32(v)
			}
		}
	}
	return m
}

// Recorded, stored, read and replayed: the same picture, bit for bit, for every preset.
func TestRecipeReplays(t *testing.T) {
	hr := smooth(66, 83)
	for _, name := range Presets {
		d := must(Preset(name, 4))
		for i := range 12 {
			recipe := d.Draw(Rand(1, 0, i))
			lr, target, err := recipe.Apply(hr)
			if err != nil {
				t.Fatalf("%s: %v: %v", name, recipe, err)
			}
			if lr.H != 16 || lr.W != 20 || target.H != 64 || target.W != 80 {
				t.Errorf("%s: %d×%d and %d×%d, want 20×16 and 80×64: %v", name, lr.W, lr.H, target.W, target.H, recipe)
			}
			var again Recipe
			if err := json.Unmarshal([]byte(recipe.String()), &again); err != nil {
				t.Fatal(err)
			}
			lr2, target2, err := again.Apply(hr)
			if err != nil || !slices.Equal(lr.Pix, lr2.Pix) || !slices.Equal(target.Pix, target2.Pix) {
				t.Errorf("%s: the replayed recipe gives another image (%v): %v", name, err, recipe)
			}
			if !slices.Equal(lr.Pix, lr.Clone().Quantize().Pix) {
				t.Errorf("%s: the LR image is not of 8-bit levels", name)
			}
		}
	}
	if d := maxDiff(t, hr, smooth(66, 83)); d != 0 {
		t.Error("Apply changed the HR image")
	}
}

func TestDegradesGray(t *testing.T) {
	gray := Gray(smooth(64, 64))
	for _, name := range Presets {
		for i := range 8 {
			recipe := must(Preset(name, 4)).Draw(Rand(2, 0, i))
			if slices.ContainsFunc(recipe.Steps, func(s Step) bool { return s.Noise != nil && s.Noise.Kind == Covariance }) {
				continue
			}
			lr, _, err := recipe.Apply(gray)
			if err != nil || lr.C != 1 || lr.H != 16 {
				t.Errorf("%s: %v %v", name, recipe, err)
			}
		}
	}
}

func TestStepErrors(t *testing.T) {
	m := smooth(32, 32)
	for reason, s := range map[string]Step{
		"no operation":            {},
		"two operations":          {Clamp: true, Quantize: true},
		"even kernel":             {Blur: &Kernel{Kind: Iso, Size: 8, SigmaX: 1}},
		"no sigma":                {Blur: &Kernel{Kind: Iso, Size: 7}},
		"unknown kind":            {Blur: &Kernel{Kind: "gauss", Size: 7, SigmaX: 1}},
		"unknown mode":            {Resize: &Resizing{Mode: "nearest", Scale: 0.5}},
		"nothing left":            {Resize: &Resizing{Mode: ModeArea, Scale: 0.01}},
		"quality":                 {JPEG: &Compression{Quality: 0}},
		"unknown noise":           {Noise: &Noise{Kind: "pink"}},
		"covariance without it":   {Noise: &Noise{Kind: Covariance}},
		"multiple above the size": {Multiple: 64},
		"radius":                  {Sharpen: &USM{Weight: 1, Radius: -1}},
	} {
		if _, err := s.Apply(m, m); err == nil || !strings.HasPrefix(err.Error(), "data: ") {
			t.Errorf("%s: error %v, want one that begins with data:", reason, err)
		}
	}
	if _, _, err := (Recipe{Steps: []Step{{Clamp: true}, {}}}).Apply(m); err == nil || !strings.Contains(err.Error(), "step 2") {
		t.Errorf("error %v does not name the step", err)
	}
}

func TestParseDegradation(t *testing.T) {
	d, err := ParseDegradation([]byte("preset: realesrgan\nscale: 2\nsettings:\n  final_sinc: 0.5\n  first: {noise: {sigma: [1, 15]}}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := secondOrder(2)
	want.FinalSinc = 0.5
	want.First.Noise.Sigma = Range{1, 15}
	if got, want := d.Draw(Rand(1, 2, 3)).String(), want.Draw(Rand(1, 2, 3)).String(); got != want {
		t.Errorf("draws\n%s\nwant\n%s", got, want)
	}
	for reason, text := range map[string]string{
		"unknown preset":    "preset: lanczos",
		"unknown setting":   "preset: bsrgan\nsettings: {sharpness: 3}",
		"unknown top level": "preset: bsrgan\nqualty: [3, 4]",
		"chance above 1":    "preset: realesrgan\nsettings: {final_sinc: 1.5}",
		"range reversed":    "preset: realesrgan\nsettings: {first: {jpeg: {quality: [95, 30]}}}",
		"even size":         "preset: realesrgan\nsettings: {second: {blur: {sizes: [8, 21]}}}",
		"bad scale":         "preset: bicubic\nscale: 0",
		"not YAML":          "preset: [",
	} {
		if _, err := ParseDegradation([]byte(text)); err == nil {
			t.Errorf("%s: no error", reason)
		}
	}
}

// A real encoder at quality 95 changes a smooth picture by little; at 30 by more: the direction must be right.
func TestJPEGQualityOrder(t *testing.T) {
	m := smooth(64, 64)
	for name, f := range map[string]func(float64) (*Image, error){
		"diff": func(q float64) (*Image, error) { return JPEG(m, q) },
		"real": func(q float64) (*Image, error) { return EncodeJPEG(m, int(q)) },
	} {
		last := 0.0
		for _, q := range []float64{100, 95, 60, 30, 10} {
			out, err := f(q)
			if err != nil {
				t.Fatal(err)
			}
			var sum float64
			for i, v := range out.Pix {
				sum += math.Abs(float64(v - m.Pix[i]))
			}
			if sum < last {
				t.Errorf("%s: quality %v is nearer to the original than a higher one", name, q)
			}
			last = sum
		}
	}
}

// A gray picture as RGB must come out gray: chroma is zero and stays so.
func TestJPEGGray(t *testing.T) {
	gray := Gray(smooth(40, 24))
	one, err := JPEG(gray, 50)
	if err != nil {
		t.Fatal(err)
	}
	three, _ := JPEG(gray.RGB(), 50)
	if d := maxDiff(t, one.RGB(), three); d > 1e-4 {
		t.Errorf("gray and gray as RGB differ by %g", d)
	}
}

// Filtering with a separable kernel takes the two-pass way; the full way must agree.
func TestFilterSeparable(t *testing.T) {
	m := noisy(3, 31, 40)
	for _, k := range []Kernel{
		{Kind: Iso, Size: 15, SigmaX: 2, PadTo: 21},
		{Kind: Aniso, Size: 9, SigmaX: 2, SigmaY: 0.7},
	} {
		weights, side, err := k.Weights()
		if err != nil {
			t.Fatal(err)
		}
		if _, _, ok := factor(weights, side); !ok {
			t.Errorf("%+v was not found to be separable", k)
		}
		fast, _ := Filter2D(m, weights, side)
		if d := maxDiff(t, fast, filterFull(m, weights, side)); d > 1e-6 {
			t.Errorf("%+v: two passes differ from one by %g", k, d)
		}
	}
	turned, side, _ := Kernel{Kind: Aniso, Size: 9, SigmaX: 2, SigmaY: 0.7, Theta: 0.5}.Weights()
	if _, _, ok := factor(turned, side); ok {
		t.Error("a turned Gaussian is not separable")
	}
}

// Expected values: cv2.resize(np.array([[0,1,4,9,16,25,36]], np.float32), (n, 1), interpolation=cv2.INTER_AREA) and
// cv2.resize(np.array([[0,1,4],[9,16,25]], np.float32), (2, 3), interpolation=cv2.INTER_AREA), OpenCV 4.
func TestInterpolateCVArea(t *testing.T) {
	line := &Image{C: 1, H: 1, W: 7, Pix: []float32{0, 1, 4, 9, 16, 25, 36}}
	square := &Image{C: 1, H: 2, W: 3, Pix: []float32{0, 1, 4, 9, 16, 25}}
	for _, c := range []struct {
		in     *Image
		h, w   int
		want   []float32
		reason string
	}{
		{line, 1, 3, []float32{1, 9.571428, 28.428572}, "fractional overlaps"},
		{line, 1, 4, []float32{.4285714, 5, 15.285715, 31.285717}, "fractional overlaps"},
		{line, 1, 10, []float32{0, .5714286, 1.4285715, 4, 7.571429, 11, 16, 23.714287, 29.714285, 36}, "enlarging interpolates"},
		{square, 3, 2, []float32{1. / 3, 3, 5.833333, 12.5, 11.333333, 22}, "one axis grows, the other shrinks"},
	} {
		got, err := Interpolate(c.in, c.h, c.w, ModeCVArea)
		if err != nil {
			t.Fatal(err)
		}
		if d := maxDiff(t, got, &Image{C: 1, H: c.h, W: c.w, Pix: c.want}); d > 5e-6 {
			t.Errorf("%s: got %v, want %v", c.reason, got.Pix, c.want)
		}
	}
}

// TestWanted: sharpening what is wanted leaves LR as it is without, and the HR image too.
func TestWanted(t *testing.T) {
	hr := smooth(64, 80)
	plain := plainBicubic(4)
	sharp := plain
	sharp.Sharpen = USM{Weight: 0.3, Radius: 13, Sigma: 2}
	for _, crop := range []*Image{hr, must(hr.Crop(0, 0, 79, 63))} { // the second is cut to a multiple of 4 first
		lr, target, err := plain.Draw(Rand(1, 0, 0)).Apply(crop)
		if err != nil {
			t.Fatal(err)
		}
		lr2, wanted, err := sharp.Draw(Rand(1, 0, 0)).Apply(crop)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(lr.Pix, lr2.Pix) {
			t.Error("LR was made of the sharpened target")
		}
		want := must(Sharpen(target, sharp.Sharpen))
		if !slices.Equal(wanted.Pix, want.Pix) || slices.Equal(wanted.Pix, target.Pix) {
			t.Error("the target is not what Sharpen makes of it")
		}
	}
	if d := maxDiff(t, hr, smooth(64, 80)); d != 0 {
		t.Error("Apply changed the HR image")
	}
}
