package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/internal/imgio"
	"github.com/gopdd/gopdd/internal/reproduce"
)

// reproduceSets lays three pairs out as RealSR's Canon half, for training and measuring, with results of a system that
// are the truth but for its last picture, which is damaged. It returns the folder; weights are in its folder weights.
func reproduceSets(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for i, name := range []string{"Canon_001", "Canon_002", "Canon_003"} {
		for _, part := range []string{"Train", "Test"} {
			base := filepath.Join(dir, "RealSR", "Canon", part, "4", name)
			writeReproducePicture(t, base+"_HR.png", 128, i)
			writeReproducePicture(t, base+"_LR4.png", 32, i)
		}
		writeReproducePicture(t, filepath.Join(dir, "DF2K", "DF2K_HR", name+".png"), 128, i)
		writeReproducePicture(t, filepath.Join(dir, "weights", "results", "dan", "realsr-canon", name+"_LR4_dan.png"), 128, i)
	}
	damaged := filepath.Join(dir, "weights", "results", "dan", "realsr-canon", "Canon_003_LR4_dan.png")
	if err := os.WriteFile(damaged, []byte("no picture"), 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

func writeReproducePicture(t *testing.T, path string, side, kind int) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	m := image.NewGray(image.Rect(0, 0, side, side))
	for i := range m.Pix {
		m.Pix[i] = uint8(i*i/(7+kind) + i%side*128/side)
	}
	if err := imgio.WriteFile(path, m); err != nil {
		t.Fatal(err)
	}
}

// reproduceRun runs the command on the sets of dir with results in out.
func reproduceRun(ctx context.Context, dir, out string, more ...string) (code int, stdout, stderr string) {
	var o, e bytes.Buffer
	args := append([]string{"reproduce", "--datasets", dir, "--weights", filepath.Join(dir, "weights"), "--out", out}, more...)
	code = run(ctx, args, &o, &e)
	return code, o.String(), e.String()
}

func readReproduced(t *testing.T, out, row string) reproduce.Result {
	t.Helper()
	r, err := reproduce.ReadResult(filepath.Join(out, "rows", row, "result.json"))
	if err != nil || r == nil {
		t.Fatalf("result of %s: %v, %v", row, r, err)
	}
	return *r
}

// Folders of results are measured without a network: equal pictures have the PSNR of equal pictures, a damaged one is
// named and left out, what lacks something is skipped, and a second run measures again only what has changed.
func TestReproduceResults(t *testing.T) {
	dir, out := reproduceSets(t), t.TempDir()
	printed := filepath.Join(dir, "printed.csv")
	if err := os.WriteFile(printed, []byte("dan@realsr-canon,psnr_y_bt601,79\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	args := []string{"--rows", "dan@realsr-canon,edan@realsr-canon", "--printed", printed}
	code, stdout, stderr := reproduceRun(t.Context(), dir, out, args...)
	if code != exitDone || !strings.Contains(stderr, "edan@realsr-canon: skipped: missing network or results of edan") {
		t.Fatalf("code %d\n%s%s", code, stdout, stderr)
	}
	r := readReproduced(t, out, "dan@realsr-canon")
	if r.Plain["psnr_y_bt601"] != 80 || r.Plain["ssim_y_yiq"] != 1 || r.Pictures != 3 || r.Corrected != nil {
		t.Errorf("%+v", r)
	}
	if !strings.Contains(strings.Join(r.Notes, "\n"), "Canon_003") {
		t.Errorf("the damaged picture is not named: %q", r.Notes)
	}
	text, err := os.ReadFile(filepath.Join(out, reproduce.MarkdownFile))
	if err != nil || !strings.Contains(string(text), "| 80.00 | 79.00 | +1.00 |") {
		t.Errorf("%v\n%s", err, text)
	}
	if _, stdout, _ = reproduceRun(t.Context(), dir, out, args...); !strings.Contains(stdout, "kept") {
		t.Errorf("a second run measures again:\n%s", stdout)
	}
	writeReproducePicture(t, filepath.Join(dir, "weights", "results", "dan", "realsr-canon", "Canon_003_LR4_dan.png"), 128, 2)
	_, stdout, stderr = reproduceRun(t.Context(), dir, out, args...)
	if r = readReproduced(t, out, "dan@realsr-canon"); !strings.Contains(stderr, "have changed") || len(r.Notes) != 0 || !strings.Contains(stdout, "done") {
		t.Errorf("after a repair: %+v\n%s%s", r, stdout, stderr)
	}
}

// A dry run fails where something is missing and writes nothing, and is content where all is there.
func TestReproduceDryRun(t *testing.T) {
	dir, out := reproduceSets(t), filepath.Join(t.TempDir(), "out")
	code, stdout, stderr := reproduceRun(t.Context(), dir, out, "--dry-run", "--rows", "tab2")
	for _, want := range []string{"realesrgan@realsr-nikon (tab1, tab2", "RealSR/Nikon/Test/4/", "BSRGAN.pth", "67.0 MB", "missing for "} {
		if !strings.Contains(stdout, want) {
			t.Errorf("the list lacks %q:\n%s", want, stdout)
		}
	}
	if code != exitFailed || !strings.Contains(stderr, "lack something") {
		t.Errorf("code %d, stderr %q", code, stderr)
	}
	code, stdout, _ = reproduceRun(t.Context(), dir, out, "--dry-run", "--rows", "dan@realsr-canon", "--json")
	var list []struct {
		Row     string
		Missing []any
	}
	if err := json.Unmarshal([]byte(stdout), &list); err != nil || code != exitDone || len(list) != 1 || len(list[0].Missing) != 0 {
		t.Errorf("code %d, %v\n%s", code, err, stdout)
	}
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("a dry run wrote %s", out)
	}
}

func TestReproduceUsage(t *testing.T) {
	dir := reproduceSets(t)
	bad := filepath.Join(dir, "bad.csv")
	if err := os.WriteFile(bad, []byte("dan@realsr-canon,psnr,1\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		`did you mean "realsr-canon"?`: {"--rows", "dan@realsr-cannon"},
		"more than 0":                  {"--fraction", "0"},
		"line 1: no metric":            {"--printed", bad},
		"no row needs weights":         {"--stand-in", "x4plus=" + bad},
		"no such file":                 {"--stand-in", "bsrgan=" + bad + "x"},
		"--device gpu":                 {"--device", "gpu"},
	} {
		code, _, stderr := reproduceRun(t.Context(), dir, t.TempDir(), args...)
		if code != exitUsage || !strings.Contains(stderr, want) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%q: code %d, stderr %q", args, code, stderr)
		}
	}
	code, _, stderr := reproduceRun(t.Context(), dir, t.TempDir(), "--rows", "edan@realsr-canon")
	if code != exitFailed || !strings.Contains(stderr, "no row could be run") {
		t.Errorf("code %d, stderr %q", code, stderr)
	}
}
