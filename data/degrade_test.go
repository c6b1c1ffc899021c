package data

import (
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDegradeSet(t *testing.T) {
	dir := writePhotos(t, 90, 70, "a.png", "sub/b.jpg", "c.png")
	os.WriteFile(filepath.Join(dir, "bad.png"), []byte("text"), 0o666)
	deg := must(Preset("realesrgan", 4))
	first, second, third := t.TempDir(), t.TempDir(), t.TempDir()
	var sheet ContactSheet
	o := DegradeOptions{Seed: 5, Targets: true, Sample: func(r SampleResult) {
		if err := sheet.Add(r); err != nil {
			t.Error(err)
		}
	}}
	got, err := DegradeSet(t.Context(), mustList(t, dir), first, deg, o)
	if err != nil || got.Written != 3 || len(got.Bad) != 1 || !strings.Contains(got.Bad[0].Error(), "bad.png") {
		t.Fatalf("%+v, %v", got, err)
	}
	found, err := Find(first, 4)
	if err != nil || len(found.Pairs) != 3 {
		t.Fatalf("the result is not a paired data set: %+v, %v", found, err)
	}
	if r, err := Check(t.Context(), found, CheckOptions{Scale: 4, Patch: 16}); err != nil || r.Stopping() > 0 {
		t.Errorf("the result does not pass the check: %+v, %v", r.Findings, err)
	}

	recipes, err := ReadRecipes(filepath.Join(first, RecipesFile))
	if err != nil || len(recipes) != 3 || recipes[2].Source != "sub/b.jpg" {
		t.Fatalf("recipes %+v, %v", recipes, err)
	}
	os.Remove(filepath.Join(dir, "bad.png"))
	writePicture(t, filepath.Join(dir, "aa.png"), photo(50, 50, 9)) // one more picture must change no other's draws
	again := DegradeOptions{Seed: 5}
	if _, err := DegradeSet(t.Context(), mustList(t, dir), second, deg, again); err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(dir, "aa.png"))
	if _, err := DegradeSet(t.Context(), mustList(t, dir), third, nil, DegradeOptions{Replay: recipes}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"LR/a.png", "LR/sub/b.png", "LR/c.png"} {
		want := readFile(t, filepath.Join(first, name))
		if !slices.Equal(want, readFile(t, filepath.Join(second, name))) {
			t.Errorf("%s: the same seed gives another picture", name)
		}
		if !slices.Equal(want, readFile(t, filepath.Join(third, name))) {
			t.Errorf("%s: the recipes give another picture", name)
		}
	}
	if _, err := os.Stat(filepath.Join(second, "HR")); err == nil {
		t.Error("targets were written though nobody asked")
	}
	if img := sheet.Image(); sheet.Len() != 3 || img.Bounds() != image.Rect(0, 0, 2*(2*256+24), 2*(256+16+56)) {
		t.Errorf("sheet of %d pictures, %v", sheet.Len(), img.Bounds())
	}
}

// A gray picture is degraded as in training, as three equal planes: no preset fails on it, whatever it draws.
func TestDegradeSetGray(t *testing.T) {
	gray, err := Gray(smooth(64, 64)).ToImage(8)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	writePicture(t, filepath.Join(dir, "gray.png"), gray)
	for _, name := range Presets {
		for seed := range uint64(24) {
			got, err := DegradeSet(t.Context(), mustList(t, dir), t.TempDir(), must(Preset(name, 4)), DegradeOptions{Seed: seed,
				Sample: func(r SampleResult) {
					if r.LR.C != 3 || r.Target.C != 3 {
						t.Errorf("%s, seed %d: %d and %d planes, want 3", name, seed, r.LR.C, r.Target.C)
					}
				}})
			if err != nil || got.Written != 1 {
				t.Errorf("%s, seed %d: %v, %v", name, seed, got.Bad, err)
			}
		}
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDegradeSetErrors(t *testing.T) {
	items := mustList(t, writePhotos(t, 32, 32, "a.png"))
	used := t.TempDir()
	os.WriteFile(filepath.Join(used, RecipesFile), nil, 0o666)
	deg := must(Preset("bicubic", 4))
	for reason, f := range map[string]func() error{
		"folder in use": func() error { _, err := DegradeSet(t.Context(), items, used, deg, DegradeOptions{}); return err },
		"nothing to do": func() error { _, err := DegradeSet(t.Context(), items, t.TempDir(), nil, DegradeOptions{}); return err },
		"no recipe": func() error {
			_, err := DegradeSet(t.Context(), items, t.TempDir(), nil, DegradeOptions{Replay: []Recorded{{Source: "b.png"}}})
			return err
		},
		"damaged recipes": func() error {
			path := filepath.Join(used, "x")
			os.WriteFile(path, []byte("{}\n{"), 0o666)
			_, err := ReadRecipes(path)
			return err
		},
	} {
		if f() == nil {
			t.Errorf("%s: no error", reason)
		}
	}
}

func TestRecipeSummary(t *testing.T) {
	r := Recipe{Target: []Step{{Multiple: 4}, {Sharpen: &DefaultUSM}}, Steps: []Step{
		{Blur: &Kernel{Kind: Sinc}}, {Resize: &Resizing{Mode: ModeArea, Scale: 0.51239}},
		{Noise: &Noise{Kind: Poisson, Level: 1.5}}, {JPEG: &Compression{Quality: 38.2}}, {Quantize: true}}}
	want := []string{"sharpen blur:sinc", "resize:area*0.512", "noise:poisson:1.5", "jpeg:38.2"}
	if diff := cmp.Diff(want, wrap(r.summary(), 20)); diff != "" {
		t.Error(diff)
	}
}
