//go:build cgo

package main

import (
	"bytes"
	"context"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gopdd/gopdd/internal/imgio"
)

func TestTrainChanges(t *testing.T) {
	c := trainCmd{Set: []string{"loss.inter.weight=0.5", "optimizer.milestones=[]", "specialist.new=null", "data.batch=2"},
		Target: []string{"a", "b"}, Steps: 7}
	got, err := c.changes()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"loss":       map[string]any{"inter": map[string]any{"weight": 0.5}},
		"optimizer":  map[string]any{"milestones": []any{}},
		"specialist": map[string]any{"new": nil},
		"data":       map[string]any{"batch": uint64(2), "unlabelled": []string{"a", "b"}},
		"steps":      7,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// trainArgs are those of a run of a tiny network that needs no weights.
func trainArgs(hr, out string, more ...string) []string {
	return append([]string{"train", "--preset", "supervised", "--hr", hr, "--out", out, "--steps", "100000",
		"--set", `specialist.new={"kind":"srvgg","scale":4,"feat":4,"depth":1}`, "--set", "data.patch=8", "--set", "data.batch=1",
		"--set", "output.save_every=0", "--set", "output.log_every=1"}, more...)
}

func TestTrainUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"train"}, "give one of"},
		{[]string{"train", "--preset", "emma"}, "emma"},
		{[]string{"train", "--preset", "ema", "--import", "main.go"}, "give one of"},
		{[]string{"train", "--preset", "ema", "--set", "steps"}, "FIELD=VALUE"},
		{[]string{"train", "--preset", "ema", "--set", "loss.inter.wait=1"}, "wait"},
		{[]string{"train", "--preset", "ema", "--set", "steps=1", "--set", "steps.x=1"}, "set already"},
	} {
		var stdout, stderr bytes.Buffer
		code := run(context.Background(), c.args, &stdout, &stderr)
		if code != exitUsage || !strings.Contains(stderr.String(), c.want) || strings.Count(stderr.String(), "\n") != 1 {
			t.Errorf("%q: code %d, stderr %q", c.args, code, stderr.String())
		}
	}
}

// A run that SIGTERM stops says so, by its exit code too, and the same command goes on with it.
func TestTrainStopsAndGoesOn(t *testing.T) {
	hr, out := t.TempDir(), filepath.Join(t.TempDir(), "run")
	picture := image.NewGray(image.Rect(0, 0, 64, 64))
	for i := range picture.Pix {
		picture.Pix[i] = uint8(i * i / 7)
	}
	if err := imgio.WriteFile(filepath.Join(hr, "a.png"), picture); err != nil {
		t.Fatal(err)
	}
	first := runUntilSteps(t, trainArgs(hr, out), filepath.Join(out, "train.csv"), 5)
	if !strings.Contains(first, "the same command goes on from there") {
		t.Fatalf("stdout %q", first)
	}
	found, err := filepath.Glob(filepath.Join(out, "checkpoints", "step-*.safetensors"))
	if err != nil || len(found) != 1 {
		t.Fatalf("checkpoints %v, error %v", found, err)
	}
	second := runUntilSteps(t, trainArgs(hr, out), filepath.Join(out, "train.csv"), 20)
	if !strings.Contains(second, "stopped after step") || second == first {
		t.Errorf("stdout %q after %q", second, first)
	}
	var stdout, stderr bytes.Buffer
	if code := run(context.Background(), []string{"inspect", filepath.Join(out, "model.pth")}, &stdout, &stderr); code != exitDone {
		t.Errorf("inspect: code %d, stderr %q", code, stderr.String())
	}
	if !strings.Contains(stdout.String(), "SRVGGNetCompact") || !strings.Contains(stdout.String(), "params_ema") {
		t.Errorf("inspect: %s", stdout.String())
	}
}

// TestTrainQuiet: --quiet leaves warnings alone; without it each logged step is said once.
func TestTrainQuiet(t *testing.T) {
	hr := t.TempDir()
	if err := imgio.WriteFile(filepath.Join(hr, "a.png"), image.NewGray(image.Rect(0, 0, 40, 40))); err != nil {
		t.Fatal(err)
	}
	for _, quiet := range []bool{true, false} {
		args := trainArgs(hr, filepath.Join(t.TempDir(), "out"), "--steps", "2")
		if quiet {
			args = append(args, "--quiet")
		}
		var stdout, stderr bytes.Buffer
		if code := run(context.Background(), args, &stdout, &stderr); code != exitDone {
			t.Fatalf("code %d, stderr %s", code, stderr.String())
		}
		said := strings.Count(stderr.String(), "step=2 lr=") + strings.Count(stderr.String(), "step 2/2")
		if quiet && strings.Contains(stderr.String(), "level=INFO") || said != map[bool]int{true: 0, false: 1}[quiet] {
			t.Errorf("quiet %v: step 2 is said %d times: %s", quiet, said, stderr.String())
		}
	}
}

// runUntilSteps runs pdd until its log has so many rows more than at its start, then sends SIGTERM, and returns its
// output.
func runUntilSteps(t *testing.T, args []string, log string, rows int) string {
	t.Helper()
	before := countLines(log)
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PDD_TEST_ARGS="+strings.Join(args, " "))
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	for deadline := time.Now().Add(2 * time.Minute); countLines(log) < before+rows; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("no %d steps in two minutes; stderr %s", rows, stderr.String())
		}
	}
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitStopped {
		t.Fatalf("code %d, stderr %s", code, stderr.String())
	}
	return stdout.String()
}

func countLines(path string) int {
	text, _ := os.ReadFile(path) // not there yet: none
	return bytes.Count(text, []byte("\n"))
}
