package pdd

import (
	"image"
	"slices"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/tensor"
)

// darker halves all values, so that colours are to be corrected.
type darker struct{}

func (darker) Forward(s *tensor.Scope, x torch.Tensor) torch.Tensor { return s.MulScalar(x, 0.5) }
func (darker) Scale() int                                           { return 1 }
func (darker) Multiple() int                                        { return 1 }
func (darker) Reach() int                                           { return 0 }
func (darker) Close() error                                         { return nil }

// TestPlainBesideCorrected: a call that gives the result before colour correction too gives both as two calls would, of
// transparent pictures as well, whose colours are multiplied by alpha until they are written.
func TestPlainBesideCorrected(t *testing.T) {
	u, err := NewUpscaler(WithModel(darker{}), WithDevice(tensortest.DeviceName()))
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	img := image.NewNRGBA(image.Rect(0, 0, 9, 5))
	for i := range img.Pix {
		img.Pix[i] = uint8(37 * i)
	}
	run := func(opts ...CallOption) []uint8 {
		out, err := u.Upscale(t.Context(), img, opts...)
		if err != nil {
			t.Fatal(err)
		}
		return out.(*image.NRGBA).Pix
	}
	var plain image.Image
	both := run(ColorCorrection(true), func(c *call) { c.plain = &plain })
	if !slices.Equal(both, run(ColorCorrection(true))) {
		t.Error("the corrected picture is another one")
	}
	if !slices.Equal(plain.(*image.NRGBA).Pix, run()) {
		t.Error("the plain picture is another one")
	}
}
