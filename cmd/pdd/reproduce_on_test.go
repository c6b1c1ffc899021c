//go:build cgo

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gopdd/gopdd/internal/reproduce"
	"github.com/gopdd/gopdd/pdd"
)

// The table's presets, ablations and steps are those of package pdd, and each row's change changes the configuration.
func TestReproducePresets(t *testing.T) {
	c := &reproduceCmd{Fraction: 1, Features: "random"}
	seen := map[string]string{}
	for _, s := range reproduce.Systems() {
		if s.Training == nil {
			continue
		}
		cfg, err := c.rowConfig(&rowPlan{row: reproduce.Row{System: s}})
		if err != nil {
			t.Fatalf("%s: %v", s.ID, err)
		}
		if cfg.Steps != s.Training.Steps {
			t.Errorf("%s: %d steps in the table, %d in the preset", s.ID, s.Training.Steps, cfg.Steps)
		}
		text, err := cfg.YAML()
		if err != nil {
			t.Fatal(err)
		}
		if other, twice := seen[string(text)]; twice {
			t.Errorf("%s and %s are the same training", s.ID, other)
		}
		seen[string(text)] = s.ID
	}
}

// A fraction shortens steps, warm-ups and milestones, and leaves patch and batch.
func TestReproduceScale(t *testing.T) {
	cfg, full := pdd.EMA(), pdd.EMA()
	scaleConfig(&cfg, 0.01)
	got := []int{cfg.Steps, cfg.Warmup.Discriminator, cfg.Optimizer.Milestones[0], cfg.Data.Patch, cfg.Data.Batch}
	if want := []int{1000, 3, 250, full.Data.Patch, full.Data.Batch}; !cmp.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// tinyStart makes weights of a tiny network.
func tinyStart(t *testing.T, dir string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "start")
	var stdout, stderr bytes.Buffer
	args := trainArgs(filepath.Join(dir, "DF2K"), out)
	for i, a := range args {
		if a == "100000" {
			args[i] = "1"
		}
	}
	if code := run(context.Background(), args, &stdout, &stderr); code != exitDone {
		t.Fatalf("code %d, stderr %s", code, stderr.String())
	}
	return filepath.Join(out, "model.pth")
}

// A run that is interrupted in the middle of a training goes on to the same model and numbers as one that is not, and
// a finished one is kept.
func TestReproduceGoesOn(t *testing.T) {
	dir := reproduceSets(t)
	args := []string{"--rows", "realesrgan@realsr-canon,realesrgan+ours@realsr-canon", "--fraction", "0.00004", "--features", "random",
		"--stand-in", "realesrgan-x4plus=" + tinyStart(t, dir), "--set", "data.patch=8", "--set", "data.batch=1", "--set", "discriminator.feat=4", "--set", "output.save_every=0", "--set", "compute.threads=1",
		"--set", "loss.perceptual.layers={conv1_1: 1}", "--set", "loss.intra.layers={conv1_1: 1}", "--set", "loss.inter.layers={conv1_1: 1}"}
	whole, parts := t.TempDir(), t.TempDir()
	code, stdout, stderr := reproduceRun(t.Context(), dir, whole, args...)
	if code != exitDone || !strings.Contains(stdout, "RANDOM") || !strings.Contains(stdout, "STAND-IN") {
		t.Fatalf("code %d\n%s%s", code, stdout, stderr)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for len(reproduceLog(parts)) == 0 || countLines(reproduceLog(parts)[0]) < 2 {
			time.Sleep(5 * time.Millisecond)
			if t.Context().Err() != nil {
				return
			}
		}
		cancel()
	}()
	if code, stdout, stderr = reproduceRun(ctx, dir, parts, args...); code != exitFailed || !strings.Contains(stderr, "run the same command to go on") {
		t.Fatalf("interrupted: code %d\n%s%s", code, stdout, stderr)
	}
	if _, err := os.Stat(filepath.Join(parts, reproduce.MarkdownFile)); err != nil {
		t.Error(err)
	}
	if code, stdout, stderr = reproduceRun(t.Context(), dir, parts, args...); code != exitDone || strings.Count(stdout, "kept") != 1 {
		t.Fatalf("went on: code %d\n%s%s", code, stdout, stderr)
	}
	const row = "realesrgan+ours@realsr-canon"
	a, b := readReproduced(t, whole, row), readReproduced(t, parts, row)
	if a.Steps != 4 || len(a.Plain) == 0 || !cmp.Equal(a.Plain, b.Plain) || !cmp.Equal(a.Corrected, b.Corrected) {
		t.Errorf("interrupted %+v, whole %+v", b, a)
	}
	if code, stdout, _ = reproduceRun(t.Context(), dir, parts, args...); code != exitDone || strings.Count(stdout, "kept") != 2 {
		t.Errorf("finished: code %d\n%s", code, stdout)
	}
}

// reproduceLog is the log of the only training of a run, if it has begun.
func reproduceLog(out string) []string {
	found, _ := filepath.Glob(filepath.Join(out, "rows", "*", "train-*", "train.csv")) // the pattern is good
	return found
}
