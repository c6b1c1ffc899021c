package pdd_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/pdd"
)

// TestVanishedFiles: when more files cannot be read than may be passed over, the run ends with an error that names one,
// and what was trained is in a checkpoint.
func TestVanishedFiles(t *testing.T) {
	c := withPictures(t, supervised())
	c.Steps, c.Data.MaxBad, c.Data.CacheMiB, c.Output.SaveEvery = 40, 1, 0, 0
	hr, away := c.Data.HR[0], c.Data.HR[0]+" away"
	tr := newTrainer(t, c, pdd.OnStep(func(r pdd.StepReport) {
		if r.Step == 2 {
			if err := os.Rename(hr, away); err != nil {
				t.Error(err)
			}
		}
	}))
	err := tr.Run(t.Context())
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), hr+string(filepath.Separator)) {
		t.Fatalf("error %v, want one that names a file in %s", err, hr)
	}
	done := tr.Done()
	if text := fmt.Sprintf("after step %d", done); done < 2 || done >= c.Steps || !strings.Contains(err.Error(), text) {
		t.Errorf("%d steps done, error %v", done, err)
	}
	checkSame(t, "the last checkpoint", readSnapshot(t, checkpointPath(c, done)), snap(t, tr))
	if err := os.Rename(away, hr); err != nil {
		t.Fatal(err)
	}
	run(t, newTrainer(t, c))
	if rows := logRows(t, c); len(rows) != c.Steps {
		t.Errorf("%d rows in the log, want one for each of %d steps", len(rows), c.Steps)
	}
}

// TestOneRunInAFolder: a second run in a folder at work is refused and disturbs nothing; after the first it may begin.
func TestOneRunInAFolder(t *testing.T) {
	c := withPictures(t, supervised())
	var inside error
	tr := newTrainer(t, c, pdd.OnStep(func(r pdd.StepReport) {
		if r.Step == 3 {
			inside = newTrainer(t, c).Run(context.Background())
		}
	}))
	run(t, tr)
	if inside == nil || !strings.Contains(inside.Error(), c.Output.Dir) {
		t.Errorf("the second run: error %v, want one that names the folder", inside)
	}
	if rows := logRows(t, c); len(rows) != c.Steps {
		t.Errorf("%d rows in the log, want %d", len(rows), c.Steps)
	}
	c.Steps += 2
	run(t, newTrainer(t, c))
}

// TestFinishedRun: running a finished run again changes nothing.
func TestFinishedRun(t *testing.T) {
	c := withPictures(t, supervised())
	run(t, newTrainer(t, c))
	before, rows := readSnapshot(t, checkpointPath(c, c.Steps)), logRows(t, c)
	tr := newTrainer(t, c, pdd.OnStep(func(r pdd.StepReport) { t.Errorf("step %d is made again", r.Step) }))
	run(t, tr)
	run(t, tr)
	checkSame(t, "again", readSnapshot(t, checkpointPath(c, c.Steps)), before)
	if got := logRows(t, c); len(got) != len(rows) {
		t.Errorf("%d rows in the log, want %d", len(got), len(rows))
	}
}

// TestStopCause: a context that was ended with a cause of its own shows both the cause and context.Canceled.
func TestStopCause(t *testing.T) {
	c := withPictures(t, supervised())
	cause := errors.New("the lamp is off")
	ctx, cancel := context.WithCancelCause(t.Context())
	err := newTrainer(t, c, pdd.OnStep(func(pdd.StepReport) { cancel(cause) })).Run(ctx)
	for _, want := range []error{cause, context.Canceled, pdd.ErrStopped} {
		if !errors.Is(err, want) {
			t.Errorf("error %v, want %v in its chain", err, want)
		}
	}
}
