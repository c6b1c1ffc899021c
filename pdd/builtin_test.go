package pdd_test

import (
	"image"
	"image/color"
	"math"
	"testing"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/metrics"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/pdd"
)

// TestBuiltIn: the built-in model needs no file and no option, is an ordinary weight file to everything that loads one,
// and enlarges: its result shrunk again is the picture.
func TestBuiltIn(t *testing.T) {
	small := image.NewNRGBA(image.Rect(0, 0, 48, 36))
	for y := range 36 {
		for x := range 48 {
			wave := 100 * math.Sin(float64(x)/3) * math.Cos(float64(y)/4)
			small.SetNRGBA(x, y, color.NRGBA{uint8(128 + wave), uint8(120 + wave/2), uint8(60 + 3*y), 255})
		}
	}
	big, err := pdd.Upscale(t.Context(), small)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := big.Bounds().Size(), image.Pt(192, 144); got != want {
		t.Fatalf("size %v, want %v", got, want)
	}
	again, err := data.ResizeImageTo(big, 36, 48, data.Bicubic)
	if err != nil {
		t.Fatal(err)
	}
	if psnr, err := metrics.PSNR(again, small, metrics.Convention{}); err != nil || psnr < 35 {
		t.Errorf("shrunk again: %v dB from the picture, %v: want 35", psnr, err)
	}

	named, err := pdd.NewUpscaler(pdd.WithWeights(models.BuiltIn))
	if err != nil {
		t.Fatal(err)
	}
	defer named.Close()
	same, err := named.Upscale(t.Context(), small)
	if err != nil {
		t.Fatal(err)
	}
	if d := maxLevels(same, big); d != 0 {
		t.Errorf("by its path: %v levels from the result without options", d)
	}
	g, err := models.Load(models.BuiltIn)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if _, ok := g.(models.Trainable); !ok || g.Scale() != 4 {
		t.Errorf("%T of scale %d: want a network that can be adapted, of scale 4", g, g.Scale())
	}
}
