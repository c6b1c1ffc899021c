package main

import (
	"encoding/json"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/imgio"
)

// photoFolder makes a folder of HR images, 80×64 each, and goes there.
func photoFolder(t *testing.T, names ...string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for i, name := range names {
		writeSized(t, name, 80, 64, i)
	}
}

func writeSized(t *testing.T, path string, w, h, seed int) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetNRGBA(x, y, color.NRGBA{uint8(x*3 + seed*17), uint8(y*3 + seed*5), uint8(x*y) / 3, 255})
		}
	}
	if err := imgio.WriteFile(path, img); err != nil {
		t.Fatal(err)
	}
}

func TestDegradeCommand(t *testing.T) {
	photoFolder(t, "hr/a.png", "hr/b.jpg")
	o := pddRun(t, nil, "degrade", "hr", "--out", "set", "--preset", "realesrgan", "--seed", "3", "--targets")
	if o.code != 0 || !strings.Contains(o.stdout, "2 images written from 2") || o.stderr != "" {
		t.Fatalf("%+v", o)
	}
	want := []string{"HR/a.png", "HR/b.png", "LR/a.png", "LR/b.png", "contact.png", "recipes.jsonl"}
	if diff := cmp.Diff(want, files(t, "set")); diff != "" {
		t.Error(diff)
	}
	if o = pddRun(t, nil, "degrade", "hr", "--out", "again", "--replay", "set/recipes.jsonl", "--sheet", "0"); o.code != 0 {
		t.Fatalf("replay: %+v", o)
	}
	a, _ := os.ReadFile("set/LR/a.png")
	b, _ := os.ReadFile("again/LR/a.png")
	if len(a) == 0 || string(a) != string(b) {
		t.Error("the replayed image differs")
	}
	os.WriteFile("d.yaml", []byte("preset: bicubic_noise\nscale: 2\nsettings: {noise: {sigma: [5, 5]}}\n"), 0o666)
	if o = pddRun(t, nil, "degrade", "hr", "--out", "yaml", "--config", "d.yaml", "--seed", "1", "--json"); o.code != 0 {
		t.Fatalf("config: %+v", o)
	}
	var r prepared
	if err := json.Unmarshal([]byte(o.stdout), &r); err != nil || r.Written != 2 || r.Out != "yaml" {
		t.Errorf("%v: %s", err, o.stdout)
	}
	recipes, err := data.ReadRecipes("yaml/recipes.jsonl")
	if err != nil || len(recipes) != 2 || recipes[0].Recipe.Steps[1].Noise.Level != 5 {
		t.Errorf("recipes of the YAML: %+v, %v", recipes, err)
	}
}

func TestDegradeCommandFailures(t *testing.T) {
	photoFolder(t, "hr/a.png")
	os.WriteFile("hr/bad.png", []byte("text"), 0o666)
	os.MkdirAll("empty", 0o777)
	os.WriteFile("d.yaml", []byte("preset: fog"), 0o666)
	for _, c := range []struct {
		args   []string
		code   int
		stderr string
	}{
		{[]string{"hr", "--out", "x"}, exitFailed, "bad.png"},
		{[]string{"hr", "--out", "x"}, exitFailed, "recipes.jsonl"}, // a second time
		{[]string{"hr"}, exitUsage, "--out"},
		{[]string{"empty", "--out", "y"}, exitFailed, "no picture files"},
		{[]string{"hr", "--out", "y", "--preset", "fog"}, exitUsage, "unknown preset"},
		{[]string{"hr", "--out", "y", "--config", "d.yaml"}, exitFailed, "unknown preset"},
		{[]string{"hr", "--out", "y", "--config", "d.yaml", "--replay", "d.yaml"}, exitUsage, "--config and --replay exclude"},
		{[]string{"hr", "--out", "y", "--config", "d.yaml", "--scale", "4"}, exitUsage, "--config and --scale exclude"},
		{[]string{"hr", "--out", "y", "--config", "d.yaml", "--preset", "bicubic"}, exitUsage, "--config and --preset exclude"},
		{[]string{"hr", "--out", "y", "--replay", "d.yaml", "--preset", "bsrgan"}, exitUsage, "--replay and --preset exclude"},
		{[]string{"hr", "--out", "y", "--replay", "d.yaml", "--scale", "4"}, exitUsage, "--replay and --scale exclude"},
		{[]string{"hr", "--out", "y", "--replay", "d.yaml", "--seed", "0"}, exitUsage, "--replay and --seed exclude"},
		{[]string{"hr", "--out", "y", "--scale", "0"}, exitUsage, "scale 0"},
	} {
		o := pddRun(t, nil, append([]string{"degrade"}, c.args...)...)
		if o.code != c.code || !strings.Contains(o.stderr, c.stderr) {
			t.Errorf("%v: code %d, %q; want %d and %q", c.args, o.code, o.stderr, c.code, c.stderr)
		}
	}
}

func TestDataCheckCommand(t *testing.T) {
	photoFolder(t, "set/hr/a.png", "set/hr/b.png")
	writeSized(t, "set/lr/a.png", 20, 16, 1)
	writeSized(t, "set/lr/b.png", 20, 16, 2)
	for _, args := range [][]string{{"set"}, {"--hr", "set/hr", "--lr", "set/lr"}} {
		o := pddRun(t, nil, append([]string{"data", "check", "--patch", "16"}, args...)...)
		if o.code != 0 || !strings.Contains(o.stdout, "4 readable images: 2 pairs") {
			t.Errorf("%v: %+v", args, o)
		}
	}
	if o := pddRun(t, nil, "data", "check", "set"); o.code != exitFailed || !strings.Contains(o.stdout, "too small") {
		t.Errorf("patches of 48 do not fit: %+v", o)
	}
	os.WriteFile("set/lr/b.png", []byte("text"), 0o666)
	o := pddRun(t, nil, "data", "check", "set", "--patch", "0", "--json")
	var r data.CheckReport
	if err := json.Unmarshal([]byte(o.stdout), &r); err != nil || o.code != exitFailed || len(r.Findings) != 1 || r.Findings[0].Trouble != data.Unreadable {
		t.Errorf("%v: %+v", err, o)
	}
	for _, args := range [][]string{{}, {"set", "--hr", "set/hr"}} {
		if o := pddRun(t, nil, append([]string{"data", "check"}, args...)...); o.code != exitUsage {
			t.Errorf("%v: code %d, want %d", args, o.code, exitUsage)
		}
	}
}

func TestDataPrepareCommand(t *testing.T) {
	photoFolder(t, "hr/a.png")
	o := pddRun(t, nil, "data", "prepare", "hr", "--out", "sub", "--kind", "subimages", "--size", "32", "--step", "16")
	if o.code != 0 || len(files(t, "sub")) != 12 { // 80 and 64 pixels: 4×3 squares
		t.Errorf("%+v: %v", o, files(t, "sub"))
	}
	o = pddRun(t, nil, "data", "prepare", "hr", "--out", "sub", "--kind", "subimages", "--size", "48", "--step", "16")
	if o.code != exitFailed || !strings.Contains(o.stderr, "choose another folder, or remove it") {
		t.Errorf("squares of another size in the same folder: %+v", o)
	}
	o = pddRun(t, nil, "data", "prepare", "hr", "--out", "multi", "--kind", "multiscale")
	if diff := cmp.Diff([]string{"aT0.png", "aT1.png", "aT2.png"}, files(t, "multi")); diff != "" || o.code != 0 {
		t.Errorf("%+v: %s", o, diff)
	}
	if o = pddRun(t, nil, "data", "prepare", "hr", "--out", "big", "--kind", "drealsr"); o.code != 0 || !strings.Contains(o.stdout, "1 inputs too small") {
		t.Errorf("%+v", o)
	}
	for _, args := range [][]string{{"--kind", "puzzle"}, {}, {"--kind", "multiscale", "--size", "3"}} {
		if o := pddRun(t, nil, append([]string{"data", "prepare", "hr", "--out", "x"}, args...)...); o.code != exitUsage {
			t.Errorf("%v: %+v", args, o)
		}
	}
}

func TestDataHelpScreens(t *testing.T) {
	var all strings.Builder
	for _, args := range []string{"degrade --help", "data --help", "data check --help", "data prepare --help"} {
		o := pddRun(t, nil, strings.Fields(args)...)
		if o.code != exitDone {
			t.Errorf("pdd %s: code %d, stderr %q", args, o.code, o.stderr)
		}
		all.WriteString("$ pdd " + args + "\n" + o.stdout + "\n")
	}
	golden(t, "help-data", all.String())
}
