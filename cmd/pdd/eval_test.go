package main

import (
	"bytes"
	"encoding/json"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gopdd/gopdd/internal/imgio"
)

// writeGray writes a square gray picture with a brighter corner.
func writeGray(t *testing.T, side int, paths ...string) {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, side, side))
	for i := range m.Pix[:side] {
		m.Pix[i] = uint8(200 + i)
	}
	for _, path := range paths {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := imgio.WriteFile(path, m); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEval(t *testing.T) {
	t.Chdir(t.TempDir())
	writeGray(t, 16, "sr/a_x4.png", "sr/b.png", "gt/a.png")
	t.Setenv("XDG_CACHE_HOME", t.TempDir()) // without weights
	tests := []struct {
		reason string
		args   string
		code   int
		stdout string
		stderr string
	}{
		{"b has no truth: its row says so, the others are measured", "--pred sr --gt gt --csv out.csv --json out.json --md out.md",
			exitFailed, "a_x4.png  80.0000", "1 of 2 pictures"},
		{"an unknown metric is wrong usage", "--pred sr --gt gt --metrics vmaf", exitUsage, "", "unknown"},
		{"parameters of NIQE that are not here", "--pred sr --metrics niqe_y_bt601", exitFailed, "", "run: pdd weights get niqe, or give --niqe-prior"},
		{"a model of NRQM that is not here", "--pred sr --metrics nrqm_y_yiq", exitFailed, "", "run: pdd weights get nrqm, or give --nrqm-model"},
		{"PI needs both", "--pred sr --metrics pi_y_yiq --niqe-prior sr/b.png", exitFailed, "", "run: pdd weights get nrqm, or give --nrqm-model"},
		{"a name of NIQE without its luma", "--pred sr --metrics niqe", exitUsage, "", "want niqe_y_bt601 or niqe_y_yiq"},
		{"a folder that is not there", "--pred sr --gt gtx", exitFailed, "", "gtx"},
		{"a metric that needs the truth, without one", "--pred sr", exitUsage, "", "psnr_y_bt601_pyiqa needs --gt"},
		{"nothing to measure", "--gt gt", exitUsage, "", "--pred"},
		{"two things to measure", "--pred sr --model x.pth --gt gt", exitUsage, "", "--pred"},
		{"weights of LPIPS that are not here", "--pred sr --gt gt --metrics lpips_alex", exitFailed, "", "pdd weights get alexnet lpips-alex"},
		{"half of them is given", "--pred sr --gt gt --metrics lpips_vgg --lpips-backbone vgg=x.pth", exitFailed, "", "pdd weights get lpips-vgg, or"},
		{"weights for a network that LPIPS has not", "--pred sr --gt gt --lpips-heads vgg19=x.pth", exitUsage, "", "vgg19"},
		{"a device that is none", "--pred sr --gt gt --device tpu", exitUsage, "", "--device tpu"},
	}
	for _, tt := range tests {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), append([]string{"eval"}, strings.Fields(tt.args)...), &stdout, &stderr)
		if code != tt.code || !strings.Contains(stdout.String(), tt.stdout) || !strings.Contains(stderr.String(), tt.stderr) {
			t.Errorf("%s: code %d, want %d\nstdout %s\nstderr %s", tt.reason, code, tt.code, stdout.String(), stderr.String())
		}
	}
	for _, name := range []string{"out.csv", "out.json", "out.md"} {
		if text, err := os.ReadFile(name); err != nil || !strings.Contains(string(text), "psnr_y_bt601_pyiqa") {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
}

// LPIPS whose files are named needs no cache folder; else the error names the ways out that the command has.
func TestHomeless(t *testing.T) {
	workFolder(t)
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	f := lpipsFlags{LPIPSBackbone: map[string]string{"alex": "a.pth"}, LPIPSHeads: map[string]string{"alex": "b.pth"}}
	if backbone, heads, err := f.files("alex"); err != nil || backbone != "a.pth" || heads != "b.pth" {
		t.Errorf("%q, %q, error %v", backbone, heads, err)
	}
	for args, want := range map[string]string{
		"eval --pred photos --gt photos --metrics lpips_alex": "set XDG_CACHE_HOME or HOME, or name files: --lpips-backbone alex=FILE",
		"eval --pred photos --metrics niqe_y_yiq":             "set XDG_CACHE_HOME or HOME, or give --niqe-prior",
		"weights list": "set XDG_CACHE_HOME or HOME, or give a folder with --dir",
	} {
		if o := pddRun(t, nil, strings.Fields(args)...); o.code != exitFailed || !strings.Contains(o.stderr, want) {
			t.Errorf("pdd %s: %+v, want %q", args, o, want)
		}
	}
}

// copyFile copies a file into a folder, which it makes.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o777)
	}
	if err == nil {
		err = os.WriteFile(to, content, 0o666)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// NIQE and NRQM find their parameters by flags and in the cache, with the same values.
func TestEvalParameters(t *testing.T) {
	testdata, err := filepath.Abs("../../metrics/testdata")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	writeWaves(t, "sr/a.png", 192, 192, 1)
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	prior, model := filepath.Join(testdata, "prior.mat"), filepath.Join(testdata, "nrqm_good.mat")
	for _, metric := range []string{"niqe_y_bt601", "nrqm_y_yiq", "pi_y_bt601"} {
		args := []string{"eval", "--pred", "sr", "--metrics", metric, "--json"}
		byFlags := pddRun(t, nil, append(args, "flags.json", "--niqe-prior", prior, "--nrqm-model", model)...)
		copyFile(t, prior, filepath.Join(cache, "gopdd/weights/niqe_modelparameters.mat"))
		copyFile(t, model, filepath.Join(cache, "gopdd/weights/NRQM_model.mat"))
		byCache := pddRun(t, nil, append(args, "cache.json")...)
		if byFlags.code != exitDone || byCache.code != exitDone {
			t.Fatalf("%s: %+v, %+v", metric, byFlags, byCache)
		}
		want, got := readEvaluated(t, "flags.json").Files[0].Values, readEvaluated(t, "cache.json").Files[0].Values
		if diff := cmp.Diff(want, got); diff != "" || len(got) != 1 {
			t.Errorf("%s: %s", metric, diff)
		}
	}
}

// Files that cannot be written are found before anything is measured.
func TestEvalUnwritable(t *testing.T) {
	t.Chdir(t.TempDir())
	writeGray(t, 16, "lr/a.png", "gt/a.png", "is.json/a.png")
	if err := os.WriteFile("w.pth", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"--json none/out.json": "--json none/out.json cannot be written", "--csv w.pth/out.csv": "--csv w.pth/out.csv cannot be written",
		"--md is.json": "--md is.json cannot be written", "--save w.pth/o": "could not be measured",
	} {
		o := pddRun(t, nil, strings.Fields("eval --model w.pth --lr lr --gt gt "+args)...)
		if o.code != exitFailed || !strings.Contains(o.stderr, want) || o.engine != nil && len(o.engine.calls) > 0 {
			t.Errorf("%s: %+v, want %q", args, o, want)
		}
	}
	checkFiles(t, ".", "gt/a.png", "is.json/a.png", "lr/a.png", "w.pth")
}

// evaluated is what an evaluation's JSON says.
type evaluated struct {
	About string
	Files []struct {
		File   string
		Values map[string]float64
		Errors map[string]string
	}
}

func readEvaluated(t *testing.T, path string) (e evaluated) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &e)
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// What a network makes has the same values measured at once and measured from the files that were kept.
func TestEvalModel(t *testing.T) {
	t.Chdir(t.TempDir())
	writeGray(t, 4, "lr/ax4.png", "lr/b.jpg", "lr/stranger.png")
	writeGray(t, 16, "gt/a.png", "gt/b.png")
	if err := os.WriteFile("w.pth", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	o := pddRun(t, nil, strings.Fields("eval --model w.pth --lr lr --gt gt --save sr --color-correction --device cuda:1 --json made.json")...)
	if o.code != exitFailed || !strings.Contains(o.stdout, "failed: stranger.png: no ground truth") || !strings.Contains(o.stderr, "1 of 3") {
		t.Fatalf("%+v", o)
	}
	if c := o.engine.config; c.Weights != "w.pth" || c.Precision != "float32" || c.Device != "cuda:1" || !o.engine.calls[0].ColorCorrection {
		t.Errorf("engine %+v, call %+v", c, o.engine.calls[0])
	}
	checkFiles(t, "sr", "ax4.png", "b.png", "stranger.png")
	if o := pddRun(t, nil, strings.Fields("eval --pred sr --gt gt --json kept.json")...); o.code != exitFailed || o.engine != nil {
		t.Fatalf("%+v", o)
	}
	made, kept := readEvaluated(t, "made.json"), readEvaluated(t, "kept.json")
	if made.About != "lr upscaled by w.pth, colours corrected" || kept.About != "" || made.Files[1].File != "b.jpg" {
		t.Errorf("%+v\n%+v", made, kept)
	}
	for i := range made.Files {
		if diff := cmp.Diff(made.Files[i].Values, kept.Files[i].Values); diff != "" || i < 2 && len(made.Files[i].Values) != 4 {
			t.Errorf("%s (-made +kept): %s", made.Files[i].File, diff)
		}
	}
}

// The settings of networks reach them from pdd eval and pdd compare alike.
func TestMeasuredFlags(t *testing.T) {
	tile, overlap := 64, 8
	want := engineConfig{Weights: "w.pth", Device: "cpu", Precision: "bfloat16", Tile: &tile, Overlap: &overlap, Threads: 1,
		MemoryLimit: 2 << 30, AllowTorchScript: true}
	for _, args := range []string{"eval --model w.pth --lr lr --gt gt", "compare --system w.pth --lr lr --gt gt --out out --crops 0 --no-figures"} {
		comparePlace(t)
		o := pddRun(t, nil, strings.Fields(args+
			" --tile 64 --overlap 8 --precision bfloat16 --threads 1 --memory-limit 2GiB --allow-torchscript --color-correction")...)
		if o.code != exitDone {
			t.Fatalf("%s: %+v", args, o)
		}
		if diff := cmp.Diff(want, o.engine.config); diff != "" || !o.engine.calls[0].ColorCorrection {
			t.Errorf("%s: engine (-want +got): %s\ncall %+v", args, diff, o.engine.calls[0])
		}
	}
}

func TestEvalModelUsage(t *testing.T) {
	t.Chdir(t.TempDir())
	writeGray(t, 4, "lr/a.png", "twice/a.png", "twice/a.tif")
	writeGray(t, 16, "gt/a.png")
	if err := os.WriteFile("w.pth", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		reason, args string
		code         int
		want         string
	}{
		{"nothing to upscale", "--model w.pth --gt gt", exitUsage, "--model needs --lr"},
		{"a flag of networks without one", "--pred lr --gt gt --save x", exitUsage, "need --model"},
		{"a setting of networks without one", "--pred lr --gt gt --tile 64", exitUsage, "need --model"},
		{"more threads than cores", "--model w.pth --lr lr --gt gt --threads 100000", exitUsage, "the cores of this machine"},
		{"an overlap of no tiles", "--model w.pth --lr lr --gt gt --overlap 8", exitUsage, "--overlap needs --tile"},
		{"results would replace the truth", "--model w.pth --lr lr --gt gt --save ./gt/", exitUsage, "folder of --gt"},
		{"results would replace the input", "--model w.pth --lr lr --gt gt --save lr", exitUsage, "folder of --lr"},
		{"two results of one name", "--model w.pth --lr twice --gt gt --save x", exitUsage, "both be saved as a.png"},
		{"no such network", "--model w.pt --lr lr --gt gt", exitUsage, "--model w.pt: no such file"},
	} {
		o := pddRun(t, nil, append([]string{"eval"}, strings.Fields(tt.args)...)...)
		if o.code != tt.code || !strings.Contains(o.stderr, tt.want) || o.engine != nil {
			t.Errorf("%s: %+v", tt.reason, o)
		}
	}
	checkFiles(t, "gt", "a.png")
}

func TestEvalHelpScreen(t *testing.T) {
	o := pddRun(t, nil, "eval", "--help")
	if o.code != exitDone {
		t.Fatalf("%+v", o)
	}
	golden(t, "help-eval", "$ pdd eval --help\n"+o.stdout)
}
