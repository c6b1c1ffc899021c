package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"image"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gopdd/gopdd/internal/imgio"
)

var update = flag.Bool("update", false, "rewrite testdata/*.golden")

// TestMain lets the tests start this program as pdd: with the command line in PDD_TEST_ARGS.
func TestMain(m *testing.M) {
	if args, ok := os.LookupEnv("PDD_TEST_ARGS"); ok {
		os.Args = append(os.Args[:1], strings.Fields(args)...)
		main()
	}
	os.Exit(m.Run())
}

// TestInterrupt sends ctrl-C's signal to a pdd that waits for a download.
func TestInterrupt(t *testing.T) {
	proxy, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	dir := t.TempDir()
	var stderr bytes.Buffer
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PDD_TEST_ARGS=weights get niqe --dir "+dir, "HTTPS_PROXY=http://"+proxy.Addr().String(), "NO_PROXY=")
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	conn, err := proxy.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitFailed || stderr.String() != "pdd: interrupted\n" {
		t.Errorf("code %d, stderr %q", code, stderr.String())
	}
	checkFiles(t, dir)
}

// fakeEngine repeats each pixel 4×4 times.
type fakeEngine struct {
	config engineConfig
	closed bool

	mu      sync.Mutex
	calls   []callConfig
	upscale func(ctx context.Context) error // may be nil; called first
}

func (f *fakeEngine) Upscale(ctx context.Context, img image.Image, c callConfig) (image.Image, error) {
	f.mu.Lock()
	f.calls = append(f.calls, c)
	f.mu.Unlock()
	if f.upscale != nil {
		if err := f.upscale(ctx); err != nil {
			return nil, err
		}
	}
	c.Progress(1, 2)
	b := img.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, 4*b.Dx(), 4*b.Dy()))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			out.Set(x, y, img.At(b.Min.X+x/4, b.Min.Y+y/4))
		}
	}
	return out, nil
}

func (f *fakeEngine) Describe() any { return map[string]int{"scale": 4} }
func (f *fakeEngine) Close() error  { f.closed = true; return nil }

// outcome is what a user sees of a run.
type outcome struct {
	code           int
	stdout, stderr string
	engine         *fakeEngine // nil if none was made
}

// pdd runs the command line with a fake engine. set changes its surroundings and may be nil.
func pddRun(t *testing.T, set func(*env, *fakeEngine), args ...string) outcome {
	t.Helper()
	var o outcome
	var stdout, stderr bytes.Buffer
	fake := &fakeEngine{}
	e := &env{ctx: t.Context(), stdout: &stdout, stderr: &stderr, newEngine: func(c engineConfig) (engine, error) {
		fake.config, o.engine = c, fake
		return fake, nil
	}}
	if set != nil {
		set(e, fake)
	}
	o.code = e.run(args)
	o.stdout, o.stderr = stdout.String(), stderr.String()
	if o.engine != nil && !o.engine.closed {
		t.Error("the engine was not closed")
	}
	return o
}

// workFolder makes a folder with some images and a weight file, and goes there.
//
//	photos/a.png  photos/broken.jpg  photos/note.txt  photos/.hidden.png  photos/sub/b.jpg  photos/sub/deep/c.gif
//	one.png  one.tif  w.pth
func workFolder(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	for _, name := range []string{"photos/a.png", "photos/.hidden.png", "photos/sub/b.jpg", "one.png", "one.tif"} {
		writeImage(t, name)
	}
	gif := "GIF89a\x02\x00\x01\x00\x80\x00\x00\xff\x00\x00\x00\x00\xff,\x00\x00\x00\x00\x02\x00\x01\x00\x00\x02\x02D\n\x00;" // 2×1, red and blue
	for name, text := range map[string]string{"photos/broken.jpg": "\xff\xd8\xffnothing", "photos/note.txt": "x", "w.pth": "weights", "photos/sub/deep/c.gif": gif} {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

func writeImage(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	img := image.NewNRGBA(image.Rect(0, 0, 3, 2))
	for i := range img.Pix {
		img.Pix[i] = uint8(9*i) | uint8(i%4/3*255) // alpha 255
	}
	if err := imgio.WriteFile(path, img); err != nil {
		t.Fatal(err)
	}
}

// files lists the regular files below dir, hidden ones included, with / between folders.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			found = append(found, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func checkFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, files(t, dir)); diff != "" {
		t.Errorf("files below %s (-want +got): %s", dir, diff)
	}
}

func TestHelpScreens(t *testing.T) {
	var all strings.Builder
	for _, args := range []string{"--help", "upscale --help", "train --help", "inspect --help", "weights --help", "weights list --help", "weights get --help",
		"weights convert --help", "weights mix --help", "bench --help", "doctor --help", "version --help"} {
		o := pddRun(t, nil, strings.Fields(args)...)
		if o.code != exitDone || o.stderr != "" {
			t.Errorf("pdd %s: code %d, stderr %q", args, o.code, o.stderr)
		}
		all.WriteString("$ pdd " + args + "\n" + o.stdout + "\n")
	}
	golden(t, "help", all.String())
	if o := pddRun(t, nil); o.code != exitDone || !strings.HasPrefix(all.String(), "$ pdd --help\n"+o.stdout) {
		t.Error("pdd alone does not print the help screen")
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), rewrite with -update: %s", path, diff)
	}
}

// TestErrors: wrong usage is code 2, failures are code 1; both are one line that says what to do, and nothing is made.
func TestErrors(t *testing.T) {
	tests := []struct {
		name, reason string
		args         string
		code         int
		want         string // in the line
	}{
		{"unknown command", "a typo", "upscael one.png", exitUsage, `did you mean "upscale"?`},
		{"unknown flag", "a typo", "upscale one.png --out o --tiel 3", exitUsage, `did you mean "--tile"?`},
		{"no input", "nothing to do", "upscale --out o", exitUsage, `expected "<in> ..."`},
		{"no out", "never guess where to write", "upscale one.png", exitUsage, "missing flags: --out=PATH"},
		{"not fetched", "in the catalogue, not here", "upscale one.png --out o --weights bsrgan", exitFailed, "run: pdd weights get bsrgan"},
		{"no such weights", "neither file nor name", "upscale one.png --out o --weights nothing", exitUsage, "no such file, and no such name in the catalogue"},
		{"no such input", "a typo", "upscale two.png --out o --weights w.pth", exitUsage, "two.png: no such file or folder"},
		{"empty glob", "it may not be silent", "upscale *.webp --out o --weights w.pth", exitUsage, "*.webp: no such file or folder"},
		{"no images", "a folder without images", "upscale photos/sub/deep/.. --out photos/sub/deep/x --format tif --weights nothing", exitUsage, "no such name"},
		{"precision", "a value that is none", "upscale one.png --out o --precision double", exitUsage, `must be one of "auto","float32","bfloat16","float16"`},
		{"memory", "a size that is none", "upscale one.png --out o --memory-limit lots", exitUsage, `"lots" is no size: write it like 2GiB`},
		{"overlap alone", "without a tile size it has no meaning", "upscale one.png --out o --overlap 8", exitUsage, "--overlap needs --tile"},
		{"negative tile", "", "upscale one.png --out o --tile=-1", exitUsage, "cannot be negative"},
		{"device", "no such kind", "upscale one.png --out o --device gpu", exitUsage, "must be cpu, cuda or cuda:N"},
		{"threads", "more than cores only slow each other down", "upscale one.png --out o --threads 100000", exitUsage, "the cores of this machine"},
		{"scale", "", "upscale one.png --out o --out-scale=-2", exitUsage, "--out-scale -2"},
		{"quality", "", "upscale one.png --out o --quality 101", exitUsage, "1 to 100"},
		{"out onto input", "the input would be lost", "upscale one.png --out . --weights w.pth", exitUsage, "would overwrite the input one.png"},
		{"out onto other input", "an input would be lost", "upscale photos/a.png one.png --out photos/ --suffix= --weights w.pth", exitUsage, "would overwrite the input"},
		{"same output", "one would be lost", "upscale one.png one.tif --out o --format png --weights w.pth", exitUsage, "one.png and one.tif would both become o/one.png"},
		{"file for many", "two images do not fit one file", "upscale photos --out o.png --weights w.pth", exitUsage, "name a folder"},
		{"unwritable format", "no WebP encoder", "upscale one.png --out o.webp --weights w.pth", exitUsage, "cannot write .webp"},
		{"stdin and more", "which is one picture", "upscale - one.png --out o", exitUsage, "must be the only input"},
		{"stdin to a folder", "it has no name", "upscale - --out photos", exitUsage, "name a file, or - for standard output"},
		{"many to stdout", "which takes one picture", "upscale photos --out -", exitUsage, "takes a single picture"},
		{"unknown weights", "a typo", "weights get realesrgan", exitUsage, `no entry "realesrgan" in the catalogue: choose one of default, realesrgan-x4plus`},
		{"two hashes", "one sha256 for two files", "weights get niqe nrqm --sha256 00", exitUsage, "one name at a time"},
		{"bad hash", "no sha256", "weights get niqe --sha256 00", exitUsage, "64 hexadecimal digits"},
		{"built in by hand", "the file would be ignored", "weights get default --file w.pth", exitUsage, "the program carries default"},
		{"inspect missing", "a typo", "inspect nothing", exitUsage, "no such file"},
		{"inspect damaged", "no weights", "inspect w.pth", exitFailed, "weightfile: open"},
		{"convert format", "no such writer", "weights convert w.pth w.onnx", exitUsage, "use .safetensors or .pth"},
		{"convert in place", "the input would be lost", "weights convert w.pth ./w.pth", exitUsage, "would overwrite the input"},
		{"mix share", "no share", "weights mix w.pth w.pth out.pth --share NaN", exitUsage, "must be between 0 and 1"},
		{"mix in place", "the input would be lost", "weights mix w.pth other.pth w.pth --share 0.5", exitUsage, "would overwrite the input"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			workFolder(t)
			before := files(t, ".")
			o := pddRun(t, nil, strings.Fields(tt.args)...)
			if o.code != tt.code || o.stdout != "" || !strings.Contains(o.stderr, tt.want) {
				t.Errorf("pdd %s\ncode %d, want %d: %s\nstdout %q\nstderr %q, want %q", tt.args, o.code, tt.code, tt.reason, o.stdout, o.stderr, tt.want)
			}
			if !strings.HasPrefix(o.stderr, "pdd: ") || strings.Count(o.stderr, "\n") != 1 {
				t.Errorf("stderr %q is not one line of pdd's", o.stderr)
			}
			if diff := cmp.Diff(before, files(t, ".")); diff != "" {
				t.Errorf("files changed: %s", diff)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	plain := pddRun(t, nil, "version")
	if o := pddRun(t, nil, "--version"); o.code != exitDone || o.stdout != plain.stdout {
		t.Errorf("--version: %+v, want what version prints: %q", o, plain.stdout)
	}
	if o := plain; o.code != exitDone || !strings.HasPrefix(o.stdout, "pdd ") {
		t.Errorf("%+v", o)
	}
}

func TestDoctor(t *testing.T) {
	workFolder(t)
	o := pddRun(t, nil, "doctor", "--json")
	var d diagnosis
	if err := json.Unmarshal([]byte(o.stdout), &d); err != nil {
		t.Fatal(err)
	}
	if (o.code == exitDone) != (d.Libtorch != nil) {
		t.Errorf("code %d with libtorch %v", o.code, d.Libtorch)
	}
	if d.Go == "" || d.Cores == 0 || !strings.HasPrefix(d.Cache, os.Getenv("XDG_CACHE_HOME")) {
		t.Errorf("%+v", d)
	}
	text := pddRun(t, nil, "doctor")
	for _, name := range []string{"libtorch ", "memory ", "weights "} {
		if !strings.Contains(text.stdout, "\n"+name) {
			t.Errorf("no line %q in %s", name, text.stdout)
		}
	}
}

// TestDoctorModel: a built-in model that does not load is a problem, and networks cannot run.
func TestDoctorModel(t *testing.T) {
	var d diagnosis
	err := d.model(&env{newEngine: func(engineConfig) (engine, error) { return nil, errors.New("no AVX2") }})
	if err == nil || len(d.Problems) != 1 || d.Problems[0] != "no AVX2" {
		t.Errorf("error %v, problems %q", err, d.Problems)
	}
	workFolder(t)
	o := pddRun(t, func(e *env, _ *fakeEngine) {
		e.newEngine = func(engineConfig) (engine, error) { return nil, errors.New("no AVX2") }
	}, "doctor")
	if o.code != exitFailed || !strings.HasPrefix(o.stderr, "pdd: networks cannot run on this machine yet: ") {
		t.Errorf("%+v", o)
	}
}

func TestByteSize(t *testing.T) {
	tests := []struct {
		text string
		want byteSize // 0 = refused
	}{{"2GiB", 2 << 30}, {"1.5G", 3 << 29}, {"512 MiB", 512 << 20}, {"1000000", 1e6}, {"1kB", 1000}, {"64k", 64 << 10},
		{"", 0}, {"GiB", 0}, {"-1", 0}, {"0", 0}, {"NaN", 0}, {"1XB", 0}, {"99999999TB", 0}}
	for _, tt := range tests {
		var got byteSize
		if err := got.UnmarshalText([]byte(tt.text)); (err == nil) != (tt.want != 0) || got != tt.want {
			t.Errorf("%q: %d, error %v, want %d", tt.text, got, err, tt.want)
		}
	}
	for b, want := range map[byteSize]string{0: "0 B", 1023: "1023 B", 1536: "1.5 KiB", 2 << 30: "2.0 GiB"} {
		if b.String() != want {
			t.Errorf("%d prints as %q, want %q", b, b, want)
		}
	}
}

// roundTrip answers HTTP requests without a network.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
