package main

import (
	"bytes"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/internal/imgio"
)

func TestEval(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{"sr/a_x4.png", "sr/b.png", "gt/a.png"} {
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := imgio.WriteFile(path, image.NewGray(image.Rect(0, 0, 16, 16))); err != nil {
			t.Fatal(err)
		}
	}
	sr, gt, out := filepath.Join(dir, "sr"), filepath.Join(dir, "gt"), filepath.Join(dir, "out")
	tests := []struct {
		reason string
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{"b has no truth: its row says so, the others are measured", []string{"--pred", sr, "--gt", gt, "--csv", out + ".csv", "--json", out + ".json", "--md", out + ".md"},
			exitFailed, "a_x4.png  80.0000", "1 of 2 pictures"},
		{"an unknown metric is wrong usage", []string{"--pred", sr, "--gt", gt, "--metrics", "vmaf"}, exitUsage, "", "unknown"},
		{"metrics with parameters say which flag is missing", []string{"--pred", sr, "--metrics", "niqe_y_bt601"}, exitUsage, "", "NIQE"},
		{"a folder that is not there", []string{"--pred", sr, "--gt", gt + "x"}, exitFailed, "", "gtx"},
	}
	for _, tt := range tests {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), append([]string{"eval"}, tt.args...), &stdout, &stderr)
		if code != tt.code || !strings.Contains(stdout.String(), tt.stdout) || !strings.Contains(stderr.String(), tt.stderr) {
			t.Errorf("%s: code %d, want %d\nstdout %s\nstderr %s", tt.reason, code, tt.code, stdout.String(), stderr.String())
		}
	}
	for _, ext := range []string{".csv", ".json", ".md"} {
		if text, err := os.ReadFile(out + ext); err != nil || !strings.Contains(string(text), "psnr_y_bt601_pyiqa") {
			t.Errorf("%s: %v\n%s", ext, err, text)
		}
	}
}
