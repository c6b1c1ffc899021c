package compare

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/gopdd/gopdd/internal/imgio"
	"github.com/gopdd/gopdd/metrics/report"
)

// texture is a picture of w×h pixels with waves of several frequencies; other seeds give other pictures.
func texture(w, h, seed int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			v := 0.0
			for k := 1; k <= 5; k++ {
				v += math.Sin(float64(seed)+float64(k*k*x)/9+float64(k*y)/4) + math.Cos(float64(seed*k)+float64(k*k*y)/7)
			}
			g := uint8(128 + 12*v)
			m.SetNRGBA(x, y, color.NRGBA{g, g / 2, 255 - g, 255})
		}
	}
	return m
}

// shrunk takes every factor-th pixel.
func shrunk(m image.Image, factor int) *image.NRGBA {
	out := image.NewNRGBA(image.Rect(0, 0, m.Bounds().Dx()/factor, m.Bounds().Dy()/factor))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			out.Set(x, y, m.At(factor*x, factor*y))
		}
	}
	return out
}

func write(t *testing.T, m image.Image, path ...string) string {
	t.Helper()
	file := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := imgio.WriteFile(file, m); err != nil {
		t.Fatal(err)
	}
	return file
}

func spoil(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("no picture"), 0o666); err != nil {
		t.Fatal(err)
	}
}

// fake enlarges by repetition and adds a value to every sample. It counts its calls and may fail.
type fake struct {
	add    int
	calls  atomic.Int32
	before func(call int) error
	err    error // of opening
}

func (f *fake) Upscale(ctx context.Context, lr image.Image) (image.Image, error) {
	n := int(f.calls.Add(1))
	if f.before != nil {
		if err := f.before(n); err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	size := lr.Bounds().Size().Mul(4)
	out := repeat(lr, lr.Bounds(), size).(*image.NRGBA)
	for i := range out.Pix {
		if i%4 != 3 {
			out.Pix[i] = uint8(min(max(int(out.Pix[i])+f.add, 0), 255))
		}
	}
	return out, nil
}

func (f *fake) Describe() any { return map[string]int{"add": f.add} }
func (f *fake) Close() error  { return nil }

func (f *fake) system(name string) System {
	return System{Name: name, Key: fmt.Sprint("add ", f.add), Open: func() (Upscaler, error) {
		if f.err != nil {
			return nil, f.err
		}
		return f, nil
	}}
}

// workplace makes gt/ and lr/ with n pictures of 64×48 and options that compare on them.
func workplace(t *testing.T, n int) (dir string, o Options) {
	t.Helper()
	dir = t.TempDir()
	for i := range n {
		gt := texture(64, 48, i)
		name := fmt.Sprintf("p%02d", i)
		write(t, gt, dir, "gt", name+".png")
		write(t, shrunk(gt, 4), dir, "lr", name+"_x4.png")
	}
	list, err := report.Parse("psnr_rgb_basicsr,ssim_y_bt601,sharpness", 0, report.Models{})
	if err != nil {
		t.Fatal(err)
	}
	return dir, Options{LR: filepath.Join(dir, "lr"), GT: filepath.Join(dir, "gt"), Out: filepath.Join(dir, "out"), Metrics: list}
}

func mustRun(t *testing.T, o Options) *Comparison {
	t.Helper()
	if o.Baseline == "" {
		o.Baseline = o.Systems[0].Name
	}
	c, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *Comparison) named(t *testing.T, name string) Outcome {
	t.Helper()
	for _, s := range c.Systems {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no system %q", name)
	return Outcome{}
}

var errTest = errors.New("made to fail")
