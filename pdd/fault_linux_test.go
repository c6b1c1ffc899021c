package pdd_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gopdd/gopdd/internal/trainlog"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/pdd"
)

// childVariable tells a test that it runs in a process of its own, and with what.
const childVariable = "GOPDD_TEST_CHILD"

// child is a command that runs the calling test in a process of its own.
func child(t *testing.T, value string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), childVariable+"="+value)
	return cmd
}

// TestKill: whenever a process is killed, above all in the middle of a save, the newest checkpoint and the model are
// whole, and the run goes on from there to the same bits as one that nobody killed. What was half written goes with
// the next save.
func TestKill(t *testing.T) {
	if config := os.Getenv(childVariable); config != "" {
		c, err := pdd.ReadConfig(config)
		if err != nil {
			t.Fatal(err)
		}
		run(t, newTrainer(t, c))
		return
	}
	c := withPictures(t, supervised())
	c.Specialist.New.Feat, c.Specialist.New.Depth = 48, 8 // a save takes a while
	c.Output.SaveEvery = 1
	c.Steps = 1000000
	text, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(config, text, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{".step-", ".model.pth"} {
		const most = 10
		kills := 1
		for ; !killed(t, child(t, config), c, file); kills++ {
			if kills == most {
				t.Fatalf("none of %d kills left %s… half written", most, file)
			}
		}
		checkNewest(t, c)
	}
	c.Steps = newest(t, c) + 2
	run(t, newTrainer(t, c))
	if left := halfWritten(c); len(left) > 0 {
		t.Errorf("half written files are left: %q", left)
	}
	whole := c
	whole.Output.Dir, whole.Output.SaveEvery = filepath.Join(t.TempDir(), "whole"), 0
	run(t, newTrainer(t, whole))
	checkSameRun(t, c, whole, "killed")
}

// killed starts a run and kills it after two checkpoints, as soon as it writes a file whose temporary name begins with
// prefix. It tells whether the file was left half written.
func killed(t *testing.T, cmd *exec.Cmd, c pdd.Config, prefix string) bool {
	t.Helper()
	writes := func() bool {
		return slices.ContainsFunc(halfWritten(c), func(name string) bool { return strings.HasPrefix(name, prefix) })
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	from := 0
	if paths := checkpointFiles(c); len(paths) > 0 {
		from = newest(t, c)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	deadline := time.After(2 * time.Minute)
	for ready := false; !ready; {
		select {
		case err := <-ended:
			t.Fatalf("the run ended by itself: %v\n%s", err, out.String())
		case <-deadline:
			cmd.Process.Kill()
			t.Fatalf("no checkpoint\n%s", out.String())
		case <-time.After(100 * time.Microsecond):
			paths := checkpointFiles(c)
			ready = len(paths) > 0 && paths[len(paths)-1] >= checkpointPath(c, from+2) && writes()
		}
	}
	cmd.Process.Kill()
	<-ended
	return writes()
}

// checkpointFiles lists the checkpoints, ascending.
func checkpointFiles(c pdd.Config) (paths []string) {
	entries, _ := os.ReadDir(filepath.Join(c.Output.Dir, "checkpoints"))
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "step-") {
			paths = append(paths, filepath.Join(c.Output.Dir, "checkpoints", e.Name()))
		}
	}
	return paths
}

// halfWritten lists the temporary files of a run.
func halfWritten(c pdd.Config) (names []string) {
	for _, dir := range []string{c.Output.Dir, filepath.Join(c.Output.Dir, "checkpoints")} {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") {
				names = append(names, e.Name())
			}
		}
	}
	return names
}

// newest is the step of the newest checkpoint, which must load.
func newest(t *testing.T, c pdd.Config) int {
	t.Helper()
	paths := checkpointFiles(c)
	if len(paths) == 0 {
		t.Fatal("no checkpoint")
	}
	_, step, err := pdd.ReadCheckpointConfig(paths[len(paths)-1])
	if err != nil {
		t.Fatal(err)
	}
	return step
}

func checkNewest(t *testing.T, c pdd.Config) {
	t.Helper()
	step := newest(t, c)
	tr := newTrainer(t, c)
	if err := tr.LoadCheckpoint(checkpointPath(c, step)); err != nil {
		t.Error(err)
	}
	if tr.Done() != step {
		t.Errorf("%d steps done, want %d", tr.Done(), step)
	}
	net, err := models.Load(tr.ModelPath())
	if err != nil {
		t.Fatal(err)
	}
	net.Close()
}

// limitFiles makes writes beyond n bytes of a file fail, as on a full disk, until the returned function is called.
func limitFiles(t *testing.T, n int64) (lift func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: uint64(n), Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	lift = func() { syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old) }
	t.Cleanup(lift)
	return lift
}

// TestDiskFull: what does not fit is an error that names the file; the checkpoint before it stays good, and when there
// is room again the run goes on from it as if nothing had happened.
func TestDiskFull(t *testing.T) {
	if os.Getenv(childVariable) == "" { // the limit holds for a whole process, and go test writes files too
		if out, err := child(t, "1").CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	for _, tt := range []struct {
		name  string
		limit func(c pdd.Config) int64
		file  string
	}{
		{"checkpoint", func(c pdd.Config) int64 { return size(t, checkpointPath(c, 2)) - 1 }, "step-00000004.safetensors"},
		{"log", func(c pdd.Config) int64 { return size(t, filepath.Join(c.Output.Dir, trainlog.File)) + 1 }, trainlog.File},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := withPictures(t, supervised())
			lift := func() {}
			tr := newTrainer(t, c, pdd.OnStep(func(r pdd.StepReport) {
				if r.Step == 3 {
					lift = limitFiles(t, tt.limit(c))
				}
			}))
			err := tr.Run(t.Context())
			lift()
			if !errors.Is(err, syscall.EFBIG) || !strings.Contains(err.Error(), tt.file) || errors.Is(err, pdd.ErrStopped) {
				t.Errorf("error %v, want one that names %s", err, tt.file)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines, for one fault: %v", err)
			}
			if got := newest(t, c); got != 2 || len(halfWritten(c)) > 0 {
				t.Errorf("newest checkpoint is of step %d, half written %q: want 2 and nothing", got, halfWritten(c))
			}
			run(t, newTrainer(t, c))
			whole := c
			whole.Output.Dir = filepath.Join(t.TempDir(), "whole")
			run(t, newTrainer(t, whole))
			checkSameRun(t, c, whole, "after a full disk")
		})
	}
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
