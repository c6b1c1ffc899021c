package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gopdd/gopdd/internal/imgio"
)

// TestUpscaleFile: one image in, one out, every pixel 4×4 times.
func TestUpscaleFile(t *testing.T) {
	workFolder(t)
	o := pddRun(t, nil, "upscale", "one.png", "--out", "large.tif", "--weights", "w.pth")
	if o.code != exitDone || o.stderr != "" || !strings.HasPrefix(o.stdout, "1 done, 0 skipped, 0 failed in ") {
		t.Fatalf("%+v", o)
	}
	in, _, err := imgio.ReadFile("one.png", imgio.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	out, info, err := imgio.ReadFile("large.tif", imgio.Limits{})
	if err != nil || info.Format != "tiff" || out.Bounds() != image.Rect(0, 0, 12, 8) {
		t.Fatalf("%+v, error %v", info, err)
	}
	for y := range 8 {
		for x := range 12 {
			if got, want := color.NRGBAModel.Convert(out.At(x, y)), color.NRGBAModel.Convert(in.At(x/4, y/4)); got != want {
				t.Fatalf("pixel (%d,%d) is %v, want %v", x, y, got, want)
			}
		}
	}
}

// TestUpscaleProfile: the input's colour profile goes on to the result, in every format.
func TestUpscaleProfile(t *testing.T) {
	workFolder(t)
	profile := make([]byte, 140)
	binary.BigEndian.PutUint32(profile, 140)
	copy(profile[16:], "RGB ")
	copy(profile[36:], "acsp")
	img, _, err := imgio.ReadFile("one.png", imgio.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if err := imgio.WriteFile("tagged.png", img, imgio.Profile(profile)); err != nil {
		t.Fatal(err)
	}
	for _, format := range []string{"png", "jpg", "tif"} {
		if o := pddRun(t, nil, "upscale", "tagged.png", "--out", "o", "--weights", "w.pth", "--format", format); o.code != exitDone {
			t.Fatalf("%+v", o)
		}
		_, info, err := imgio.ReadFile("o/tagged."+format, imgio.Limits{})
		if err != nil || !bytes.Equal(info.Profile, profile) {
			t.Errorf("%s: %d bytes of profile, error %v", format, len(info.Profile), err)
		}
	}
}

// TestUpscaleFolder follows a user: a folder with a broken file, then the same command again, then --overwrite.
func TestUpscaleFolder(t *testing.T) {
	workFolder(t)
	args := []string{"upscale", "photos", "--out", "large", "--weights", "w.pth", "--recursive"}
	tree := []string{"a.png", "sub/b.jpg", "sub/deep/c.png"}
	for _, tt := range []struct {
		step, flag, want string
		calls            int
	}{
		{"first", "", "3 done, 0 skipped, 1 failed", 3},
		{"again", "", "0 done, 3 skipped, 1 failed", 0},
		{"overwrite", "--overwrite", "3 done, 0 skipped, 1 failed", 3},
	} {
		o := pddRun(t, nil, append(args, strings.Fields(tt.flag)...)...)
		if o.code != exitFailed || !strings.HasPrefix(o.stdout, tt.want) || len(o.engine.calls) != tt.calls {
			t.Errorf("%s: code %d, %d calls, stdout %q, want %q", tt.step, o.code, len(o.engine.calls), o.stdout, tt.want)
		}
		if lines := strings.Split(o.stderr, "\n"); len(lines) != 3 || !strings.HasPrefix(lines[0], "pdd: photos/broken.jpg: ") || lines[1] != "pdd: 1 of 4 images failed" {
			t.Errorf("%s: stderr %q does not list the failure", tt.step, o.stderr)
		}
		checkFiles(t, "large", tree...)
	}
}

// TestUpscaleAllThere: nothing to do needs no network, not even weights.
func TestUpscaleAllThere(t *testing.T) {
	workFolder(t)
	writeImage(t, "large/one.png")
	o := pddRun(t, nil, "upscale", "one.png", "--out", "large")
	if o.code != exitDone || o.engine != nil || !strings.HasPrefix(o.stdout, "0 done, 1 skipped") {
		t.Errorf("%+v", o)
	}
}

func TestUpscaleNames(t *testing.T) {
	tests := []struct {
		name, reason string
		args         string
		want         []string
	}{
		{"flat", "without --recursive only the folder itself", "photos --out o", []string{"a.png"}},
		{"glob", "images among the matches", "photos/* --out o", []string{"a.png", "b.jpg"}},
		{"glob of folders", "matched folders are read", "photos/s* --out o --recursive", []string{"b.jpg", "deep/c.png"}},
		{"twice", "the same file named twice is one image", "one.png ./one.png *.png --out o", []string{"one.png"}},
		{"suffix", "as Real-ESRGAN's", "one.png --out o --suffix _x4", []string{"one_x4.png"}},
		{"format", "for all", "one.tif photos/sub/b.jpg --out o --format png", []string{"b.png", "one.png"}},
		{"beside", "a suffix allows the input's folder", "one.png --out o/../o --suffix _x4", []string{"one_x4.png"}},
		{"no extension", "a new name without extension is a folder", "one.png --out o", []string{"one.png"}},
		{"dotted folder", "an existing folder is one, whatever its name", "one.png --out o.d", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			workFolder(t)
			os.Remove("photos/broken.jpg")
			os.Mkdir("o.d", 0o777)
			o := pddRun(t, nil, append([]string{"upscale", "--weights", "w.pth"}, strings.Fields(tt.args)...)...)
			if o.code != exitDone {
				t.Errorf("code %d, stderr %q", o.code, o.stderr)
			}
			if tt.want == nil {
				checkFiles(t, "o.d", "one.png")
				return
			}
			checkFiles(t, "o", tt.want...)
		})
	}
}

// TestUpscaleOutputInside: results in a folder of the input are no input the next time.
func TestUpscaleOutputInside(t *testing.T) {
	workFolder(t)
	os.Remove("photos/broken.jpg")
	for range 2 {
		if o := pddRun(t, nil, "upscale", "photos", "--out", "photos/large", "--recursive", "--weights", "w.pth"); o.code != exitDone {
			t.Fatalf("%+v", o)
		}
		checkFiles(t, "photos/large", "a.png", "sub/b.jpg", "sub/deep/c.png")
	}
}

// TestUpscaleBeside: with a suffix, results beside their inputs are no inputs the next time, and no harm to --overwrite.
func TestUpscaleBeside(t *testing.T) {
	workFolder(t)
	os.Remove("photos/broken.jpg")
	for _, tt := range []struct{ args, want string }{
		{"photos --out photos", "1 done, 0 skipped, 0 failed"},
		{"photos --out photos", "0 done, 1 skipped, 0 failed"},
		{"photos/*.png --out photos", "0 done, 1 skipped, 0 failed"},
	} {
		o := pddRun(t, nil, append([]string{"upscale", "--suffix", "_x4", "--weights", "w.pth"}, strings.Fields(tt.args)...)...)
		if o.code != exitDone || !strings.HasPrefix(o.stdout, tt.want) {
			t.Errorf("%s: %+v, want %q", tt.args, o, tt.want)
		}
	}
	o := pddRun(t, nil, strings.Fields("upscale photos --out photos --suffix _x4 --overwrite")...)
	if o.code != exitUsage || !strings.Contains(o.stderr, "would overwrite the input photos/a_x4.png") {
		t.Errorf("--overwrite: %+v", o)
	}
}

// TestUpscalePassedOver: folders of folders are passed over with a note; the output folder and hidden ones need none.
func TestUpscalePassedOver(t *testing.T) {
	const note = "pdd: the folders in photos are passed over without --recursive\n"
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{"photos --out o", exitDone, note},
		{"photos --out photos/sub", exitDone, ""},
		{"photos/a.png --out o", exitDone, ""},
		{"photos --out o --recursive", exitDone, ""},
		{"one.d --out o", exitUsage, "pdd: no images in one.d; the folders in one.d are passed over without --recursive\n"},
	} {
		workFolder(t)
		os.Remove("photos/broken.jpg")
		writeImage(t, "one.d/sub/a.png")
		os.Mkdir("photos/.hidden", 0o777)
		o := pddRun(t, nil, append([]string{"upscale", "--weights", "w.pth"}, strings.Fields(tt.args)...)...)
		if o.code != tt.code || o.stderr != tt.want {
			t.Errorf("%s: %+v, want %q", tt.args, o, tt.want)
		}
	}
}

// TestUpscaleUnreadableFolder: below the input it is a failure of its own, on all machines that share the work, and the
// others go on.
func TestUpscaleUnreadableFolder(t *testing.T) {
	workFolder(t)
	os.Remove("photos/broken.jpg")
	root, err := os.OpenRoot("photos")
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	long := strings.Repeat(strings.Repeat("n", 255)+"/", 17) // beyond what open takes, also from root
	if err := root.MkdirAll(long, 0o777); err != nil {
		t.Fatal(err)
	}
	done := 0
	for _, part := range []string{"0/2", "1/2"} {
		o := pddRun(t, nil, "upscale", "photos", "--out", "o", "--weights", "w.pth", "--recursive", "--json", "--shard", part)
		var r report
		if err := json.Unmarshal([]byte(o.stdout), &r); err != nil {
			t.Fatalf("%v: %+v", err, o)
		}
		if done += r.Done; o.code != exitFailed || r.Failed != 1 || !strings.Contains(o.stderr, "file name too long") {
			t.Errorf("part %s: %+v", part, o)
		}
	}
	if done != 3 {
		t.Errorf("%d images done, want 3", done)
	}
}

// TestUpscaleStreams: - reads from stdin and writes to stdout, where nothing but the picture goes; pipes are read as files are.
func TestUpscaleStreams(t *testing.T) {
	workFolder(t)
	picture, err := os.ReadFile("one.png")
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.Write(picture); err != nil {
		t.Fatal(err)
	}
	w.Close()
	for _, tt := range []struct{ args, format string }{
		{"- --out -", "png"},
		{"- --out - --format jpg --json", "jpeg"},
		{"one.png --out -", "png"},
		{"- --out o.tif", "tiff"},
		{fmt.Sprintf("/dev/fd/%d --out p.png", r.Fd()), "png"},
	} {
		args := append([]string{"upscale", "--weights", "w.pth"}, strings.Fields(tt.args)...)
		o := pddRun(t, func(e *env, _ *fakeEngine) {
			e.stdin, e.terminal = bytes.NewReader(picture), strings.HasPrefix(tt.args, "/dev")
		}, args...)
		content, account := []byte(o.stdout), o.stderr
		if !strings.Contains(tt.args, "--out -") {
			account = o.stdout
			if content, err = os.ReadFile(args[5]); err != nil {
				t.Fatalf("%s: %v in %+v", tt.args, err, o)
			}
		}
		img, info, err := imgio.Decode(bytes.NewReader(content), imgio.Limits{})
		if err != nil || info.Format != tt.format || img.Bounds() != image.Rect(0, 0, 12, 8) {
			t.Errorf("%s: %+v, error %v", tt.args, info, err)
		}
		if o.code != exitDone || !strings.HasPrefix(account, "1 done, ") && !strings.Contains(account, `"done": 1`) {
			t.Errorf("%s: code %d, %q", tt.args, o.code, account)
		}
	}
}

func TestUpscaleFlags(t *testing.T) {
	workFolder(t)
	o := pddRun(t, nil, strings.Fields("upscale one.png --out o --weights w.pth --device cuda:1 --tile 0 --overlap 16 --precision bfloat16"+
		" --threads 1 --memory-limit 2GiB --allow-torchscript --color-correction --out-scale 2.5")...)
	if o.code != exitDone {
		t.Fatalf("%+v", o)
	}
	tile, overlap := 0, 16
	want := engineConfig{Weights: "w.pth", Device: "cuda:1", Precision: "bfloat16", Tile: &tile, Overlap: &overlap, Threads: 1,
		MemoryLimit: 2 << 30, AllowTorchScript: true}
	if diff := cmp.Diff(want, o.engine.config); diff != "" {
		t.Errorf("engine (-want +got): %s", diff)
	}
	if c := o.engine.calls[0]; !c.ColorCorrection || c.OutScale != 2.5 {
		t.Errorf("call %+v", c)
	}
	o = pddRun(t, nil, "upscale", "one.png", "--out", "p", "--weights", "w.pth")
	if diff := cmp.Diff(engineConfig{Weights: "w.pth", Device: "cpu", Precision: "auto"}, o.engine.config); diff != "" {
		t.Errorf("defaults (-want +got): %s", diff)
	}
}

// TestUpscaleMemoryLimit: what takes more to decode than the limit allows does not reach the network.
func TestUpscaleMemoryLimit(t *testing.T) {
	workFolder(t)
	o := pddRun(t, nil, strings.Fields("upscale one.png --out o --weights w.pth --memory-limit 16")...)
	if o.code != exitFailed || !strings.Contains(o.stderr, "image is too large") || len(o.engine.calls) != 0 {
		t.Errorf("code %d, %d calls, %s", o.code, len(o.engine.calls), o.stderr)
	}
}

func TestUpscaleJSON(t *testing.T) {
	workFolder(t)
	writeImage(t, "o/one.png")
	o := pddRun(t, nil, "upscale", "photos", "one.png", "--out", "o", "--weights", "w.pth", "--json")
	var r report
	if err := json.Unmarshal([]byte(o.stdout), &r); err != nil {
		t.Fatalf("%v in %s", err, o.stdout)
	}
	want := []result{
		{Input: "photos/a.png", Output: "o/a.png", Status: statusDone, Width: 3, Height: 2, OutWidth: 12, OutHeight: 8},
		{Input: "photos/broken.jpg", Output: "o/broken.jpg", Status: statusFailed},
		{Input: "one.png", Output: "o/one.png", Status: statusSkipped},
	}
	for i := range r.Images {
		if (r.Images[i].Error == "") == (r.Images[i].Status == statusFailed) || (r.Images[i].Seconds > 0) != (r.Images[i].Status == statusDone) {
			t.Errorf("%+v", r.Images[i])
		}
		r.Images[i].Error, r.Images[i].Seconds = "", 0
	}
	if diff := cmp.Diff(want, r.Images); diff != "" {
		t.Errorf("images (-want +got): %s", diff)
	}
	if r.Done != 1 || r.Failed != 1 || r.Skipped != 1 || r.Upscaler == nil || r.Seconds <= 0 || o.code != exitFailed {
		t.Errorf("code %d, %+v", o.code, r)
	}
}

// TestUpscaleCancel: ctrl-C in the network stops the batch, leaves no file and says how much is left.
func TestUpscaleCancel(t *testing.T) {
	workFolder(t)
	os.Remove("photos/broken.jpg")
	o := pddRun(t, func(e *env, f *fakeEngine) {
		ctx, cancel := context.WithCancel(e.ctx)
		e.ctx = ctx
		f.upscale = func(ctx context.Context) error {
			cancel()
			<-ctx.Done()
			return ctx.Err()
		}
	}, "upscale", "photos", "one.png", "one.tif", "--out", "o", "--weights", "w.pth", "--recursive", "--json")
	if o.code != exitFailed || !strings.HasSuffix(o.stderr, "pdd: interrupted: 5 of 5 images left\n") {
		t.Errorf("code %d, stderr %q", o.code, o.stderr)
	}
	var r report
	if err := json.Unmarshal([]byte(o.stdout), &r); err != nil || r.Done != 0 || r.Cancelled != 5 {
		t.Errorf("%+v, error %v", r, err)
	}
	checkFiles(t, "o")
}

// TestUpscaleEngineFails: an error of the network is that image's, and the others go on.
func TestUpscaleEngineFails(t *testing.T) {
	workFolder(t)
	n := 0
	o := pddRun(t, func(e *env, f *fakeEngine) {
		f.upscale = func(context.Context) error {
			if n++; n == 1 {
				return errors.New("pdd: upscale:\nout of memory")
			}
			return nil
		}
	}, "upscale", "one.png", "photos/a.png", "--out", "o", "--weights", "w.pth")
	if o.code != exitFailed || !strings.HasPrefix(o.stdout, "1 done, 0 skipped, 1 failed") || !strings.Contains(o.stderr, "upscale: out of memory\n") {
		t.Errorf("%+v", o)
	}
	if got := files(t, "o"); len(got) != 1 {
		t.Errorf("files %q, want the one that was done", got)
	}
}

// TestUpscaleBadImages: each is an error that names it, none leaves a file, and the network never sees them.
func TestUpscaleBadImages(t *testing.T) {
	workFolder(t)
	good, err := os.ReadFile("one.png")
	if err != nil {
		t.Fatal(err)
	}
	huge := append([]byte(nil), good...)
	copy(huge[16:], "\x00\x01\x86\xa0\x00\x01\x86\xa0") // 100,000×100,000
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	bad := map[string][]byte{"bad/empty.png": nil, "bad/text.jpg": []byte("hello"), "bad/cut.png": good[:len(good)-20], "bad/huge.png": huge,
		"bad/head.gif": []byte("GIF89a"), "bad/zero.bmp": make([]byte, 64)}
	os.Mkdir("bad", 0o777)
	for name, data := range bad {
		if err := os.WriteFile(name, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	o := pddRun(t, nil, "upscale", "bad", "--out", "o", "--weights", "w.pth")
	if o.code != exitFailed || len(o.engine.calls) != 0 || !strings.HasPrefix(o.stdout, "0 done, 0 skipped, 6 failed") {
		t.Errorf("code %d, %d calls, stdout %q", o.code, len(o.engine.calls), o.stdout)
	}
	for name := range bad {
		if !strings.Contains(o.stderr, "pdd: "+name+": imgio: read ") {
			t.Errorf("stderr does not name %s: %s", name, o.stderr)
		}
	}
	if !strings.Contains(o.stderr, "image is too large: 100000×100000") {
		t.Errorf("stderr does not say that huge.png is too large: %s", o.stderr)
	}
	checkFiles(t, "o")
}

// TestUpscaleTransparentJPEG: --format jpg for a transparent image is a failure, not a loss, and costs no run of the network.
func TestUpscaleTransparentJPEG(t *testing.T) {
	workFolder(t)
	if err := imgio.WriteFile("glass.png", image.NewNRGBA(image.Rect(0, 0, 2, 2))); err != nil {
		t.Fatal(err)
	}
	o := pddRun(t, nil, "upscale", "glass.png", "--out", "o", "--format", "jpg", "--weights", "w.pth")
	if o.code != exitFailed || !strings.Contains(o.stderr, "JPEG cannot hold transparency: write a .png or .tif file") || len(o.engine.calls) != 0 {
		t.Errorf("%+v", o)
	}
	checkFiles(t, "o")
}

// TestUpscaleUnwritable: a folder that cannot be made or takes no files fails each image, before the network runs.
func TestUpscaleUnwritable(t *testing.T) {
	for out, want := range map[string]string{filepath.Join("w.pth", "o"): "make the output's folder", "/proc/self": "open /proc/self/"} {
		workFolder(t)
		o := pddRun(t, nil, "upscale", "one.png", "--out", out, "--weights", "w.pth")
		if o.code != exitFailed || !strings.Contains(o.stderr, want) || len(o.engine.calls) != 0 {
			t.Errorf("--out %s: %+v, want %q", out, o, want)
		}
	}
}

func TestProgress(t *testing.T) {
	workFolder(t)
	var screen bytes.Buffer
	o := pddRun(t, func(e *env, f *fakeEngine) {
		e.terminal, e.stderr = true, &screen
		f.upscale = func(context.Context) error { time.Sleep(150 * time.Millisecond); return nil } // the bar redraws each 100 ms
	}, "upscale", "one.png", "photos/a.png", "--out", "o", "--weights", "w.pth")
	if o.code != exitDone || !strings.Contains(screen.String(), "1/2 one.png") || !strings.Contains(screen.String(), "2/2 ") {
		t.Errorf("code %d, screen %q", o.code, screen.String())
	}
	if o := pddRun(t, nil, "upscale", "one.png", "--out", "p", "--weights", "w.pth"); o.stderr != "" {
		t.Errorf("%q on a stderr that is no terminal", o.stderr)
	}
}
