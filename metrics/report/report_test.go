package report_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/metrics/report"
)

// writeGray writes a picture of one gray, or with gray < 0 a file that is none.
func writeGray(t *testing.T, path string, side, gray int) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	m := image.NewGray(image.Rect(0, 0, side, side))
	for i := range m.Pix {
		m.Pix[i] = uint8(gray)
	}
	m.SetGray(1, 1, color.Gray{Y: 200})
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	if gray < 0 {
		b.Truncate(20)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestMatch(t *testing.T) {
	dir := t.TempDir()
	truth, images := filepath.Join(dir, "gt"), filepath.Join(dir, "sr")
	for _, name := range []string{"a.png", "b.png", "b_1.png", "010.png", "01.png"} {
		writeGray(t, filepath.Join(truth, name), 16, 9)
	}
	want := map[string]string{
		"a.png":         "a.png",
		"b_x4.png":      "b.png",
		"b_1_out.png":   "b_1.png", // the longest name wins
		"01x4.png":      "01.png",  // not 010
		"010.png":       "010.png",
		"ab.png":        "", // a is no mark-separated beginning
		"stranger.webp": "",
	}
	for name := range want {
		writeGray(t, filepath.Join(images, name), 16, 9)
	}
	pairs, err := report.Match(images, truth)
	if err != nil {
		t.Fatal(err)
	}
	if len(pairs) != len(want) {
		t.Fatalf("%d pairs, want %d", len(pairs), len(want))
	}
	for _, p := range pairs {
		got := p.Truth
		if got != "" {
			got = filepath.Base(got)
		}
		if got != want[p.Name] {
			t.Errorf("%s is paired with %q, want %q", p.Name, got, want[p.Name])
		}
	}
}

func TestMatchRefusals(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{"sr/a.png", "other/z.png", "twice/a.png", "twice/a.bmp"} {
		writeGray(t, filepath.Join(dir, path), 16, 9)
	}
	if err := os.Mkdir(filepath.Join(dir, "none"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ images, truth, want string }{
		{"sr", "other", "no picture has a ground truth"},
		{"sr", "twice", "which of them"},
		{"sr", "none", "no picture files"},
		{"none", "", "no picture files"},
		{"absent", "", "no such file"},
	} {
		truth := tt.truth
		if truth != "" {
			truth = filepath.Join(dir, truth)
		}
		if _, err := report.Match(filepath.Join(dir, tt.images), truth); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Match(%s, %s): error %v, want one with %q", tt.images, tt.truth, err, tt.want)
		}
	}
}

func TestParse(t *testing.T) {
	list, err := report.Parse("psnr_y_bt601, ssim_rgb_basicsr,sharpness", 4, report.Models{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"psnr_y_bt601_pyiqa_crop4", "ssim_rgb_basicsr_crop4", "sharpness_crop4"} {
		if list[i].Name != want {
			t.Errorf("metric %d is called %q, want %q", i, list[i].Name, want)
		}
	}
	for bad, want := range map[string]string{
		"psnr": "want rgb", "psnr_y": "want rgb", "vmaf": "unknown", "": "unknown", "sharpness_rgb": "unknown",
		"niqe_y_bt601": "NIQE", "nrqm_y_yiq": "NRQM", "niqe_rgb": "want niqe_y_bt601", "niqe_y_bt601_pyiqa": "want niqe_y_bt601",
		"psnr_rgb,psnr_rgb_pyiqa": "named twice", "lpips": "want lpips_alex", "lpips_vgg19": "want lpips_alex", "lpips_vgg": "needs a network",
	} {
		if _, err := report.Parse(bad, 0, report.Models{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q): error %v, want one with %q", bad, err, want)
		}
	}
}

// LPIPS is the caller's function, asked for once per network, with the crop and the context of the run.
func TestParseLPIPS(t *testing.T) {
	var asked []string
	broken := errors.New("no weights")
	list, err := report.Parse("lpips_vgg,lpips_alex", 4, report.Models{LPIPS: func(net string) (report.Distance, error) {
		asked = append(asked, net)
		return func(_ context.Context, img, ref image.Image, crop int) (float64, error) {
			return float64(len(net) + 10*crop), nil
		}, nil
	}})
	if err != nil || strings.Join(asked, " ") != "vgg alex" || list[0].Name != "lpips_vgg_crop4" || list[0].Higher || !list[0].NeedsTruth {
		t.Fatalf("%v, asked for %v, %+v", err, asked, list)
	}
	if v, err := list[1].Measure(&report.Sample{}); err != nil || v != 44 {
		t.Errorf("measured %v, %v, want 44", v, err)
	}
	if _, err := report.Parse("lpips_vgg", 0, report.Models{LPIPS: func(string) (report.Distance, error) { return nil, broken }}); !errors.Is(err, broken) {
		t.Errorf("error %v, want the loader's", err)
	}
}

// measured is a run over a good pair, an equal pair, a broken file, a pair of different sizes and one without truth.
func measured(t *testing.T) *report.Report {
	t.Helper()
	dir := t.TempDir()
	for name, gray := range map[string]int{"bad": -1, "equal": 50, "good": 60, "size": 50, "alone": 50} {
		writeGray(t, filepath.Join(dir, "sr", name+".png"), 16, gray)
		if name != "alone" {
			writeGray(t, filepath.Join(dir, "gt", name+".png"), map[bool]int{true: 17, false: 16}[name == "size"], 50)
		}
	}
	pairs, err := report.Match(filepath.Join(dir, "sr"), filepath.Join(dir, "gt"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := report.Parse("psnr_rgb_basicsr,ssim_y_yiq", 0, report.Models{})
	if err != nil {
		t.Fatal(err)
	}
	steps := 0
	r, err := report.Run(context.Background(), pairs, list, report.Options{Progress: func(done, total int) {
		if steps++; done != steps || total != 5 {
			t.Errorf("progress %d of %d at step %d", done, total, steps)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRunGoesOn(t *testing.T) {
	r := measured(t)
	if got := len(r.Failed()); got != 3 {
		t.Errorf("%d failed rows, want 3: bad, size and alone", got)
	}
	for i, want := range []string{"alone.png", "bad.png", "equal.png", "good.png", "size.png"} {
		if r.Rows[i].Name != want {
			t.Errorf("row %d is %s, want %s", i, r.Rows[i].Name, want)
		}
	}
	if mean, n := r.Mean(1); n != 2 || !(mean > 0.9 && mean < 1) {
		t.Errorf("mean SSIM %v of %d, want one just below 1 of 2", mean, n)
	}
}

// A run over pictures that are made of the files, here black ones, measures what was made.
func TestRunMakesPictures(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "b"} {
		writeGray(t, filepath.Join(dir, "lr", name+".png"), 4, 9)
		writeGray(t, filepath.Join(dir, "gt", name+".png"), 16, 9)
	}
	pairs, err := report.Match(filepath.Join(dir, "lr"), filepath.Join(dir, "gt"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := report.Parse("psnr_rgb_basicsr", 0, report.Models{})
	if err != nil {
		t.Fatal(err)
	}
	failure := errors.New("no such network")
	r, err := report.Run(context.Background(), pairs, list, report.Options{
		About: "black of lr",
		Picture: func(_ context.Context, p report.Pair) (image.Image, error) {
			if p.Name == "b.png" {
				return nil, failure
			}
			return image.NewGray(image.Rect(0, 0, 8, 8)), nil // of another size than the truth
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := r.Rows[0].Errors[0], r.Rows[1].Errors[0]; a == nil || !strings.Contains(a.Error(), "sizes must be equal") || !errors.Is(b, failure) {
		t.Errorf("errors %v and %v", a, b)
	}
	var table bytes.Buffer
	if err := r.WriteTable(&table); err != nil || !strings.Contains(table.String(), "\npictures: black of lr\n") {
		t.Errorf("%v\n%s", err, table.String())
	}
}

// A metric sees the end of a run, and a row that was cut off by it is no row.
func TestRunStopsInside(t *testing.T) {
	dir := t.TempDir()
	writeGray(t, filepath.Join(dir, "a.png"), 16, 9)
	pairs, err := report.Match(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	slow := report.Metric{Name: "slow", Measure: func(s *report.Sample) (float64, error) {
		cancel()
		<-s.Context().Done()
		return 0, s.Context().Err()
	}}
	if _, err := report.Run(ctx, pairs, []report.Metric{slow}, report.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
}

func TestRunStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	list, _ := report.Parse("psnr_rgb", 0, report.Models{})
	if _, err := report.Run(ctx, make([]report.Pair, 3), list, report.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	if _, err := report.Run(context.Background(), nil, list, report.Options{}); err == nil {
		t.Error("no pictures: no error")
	}
}

func TestFormats(t *testing.T) {
	r := measured(t)
	var table, markdown, text, raw bytes.Buffer
	for _, err := range []error{r.WriteTable(&table), r.WriteMarkdown(&markdown), r.WriteCSV(&text), r.WriteJSON(&raw)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	// 255 of the 256 pixels differ by 10: 20 log10(255/10) + 10 log10(256/255) = 28.1478.
	for _, want := range []string{"good.png   28.1478", "+Inf", "mean of 2 of 5", "failed: size.png", "rounding and clamping of basicsr"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, table.String())
		}
	}
	if !strings.Contains(markdown.String(), "| file | psnr_rgb_basicsr | ssim_y_yiq_pyiqa |\n|---|---:|---:|\n") {
		t.Errorf("Markdown:\n%s", markdown.String())
	}
	lines, err := csv.NewReader(&text).ReadAll()
	if err != nil || len(lines) != 7 || lines[3][1] != "+Inf" || lines[2][1] != "" || lines[2][3] == "" {
		t.Errorf("CSV: %v %q", err, lines)
	}
	var parsed struct {
		Mean  map[string]any
		Files []struct {
			File   string
			Values map[string]any
			Errors map[string]string
		}
	}
	if err := json.Unmarshal(raw.Bytes(), &parsed); err != nil {
		t.Fatal(err)
	}
	if parsed.Mean["psnr_rgb_basicsr"] != "+Inf" || parsed.Files[2].Values["psnr_rgb_basicsr"] != "+Inf" || len(parsed.Files[1].Errors) != 2 {
		t.Errorf("JSON: %s", raw.String())
	}
}
