package pdd_test

import (
	"errors"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/pdd"
	"github.com/gopdd/gopdd/tensor"
)

// TestResumeWithOtherRanks: a run of two processes, gone on with by four and then by one, with the same batch in all,
// is the run of one process: checkpoints, validations, losses.
func TestResumeWithOtherRanks(t *testing.T) {
	c := withPictures(t, small(pdd.EMA()))
	c.Data.Batch, c.Steps = 4, 6
	c.Validation.LR = writePictures(t, filepath.Join(t.TempDir(), "lr"), 5, 12, 10)
	c.Validation.HR = writePictures(t, filepath.Join(t.TempDir(), "hr"), 5, 24, 20)
	c.Validation.Every, c.Validation.Samples, c.Validation.Metrics = 2, 2, []string{"psnr_rgb"}
	c.Output.Best = "psnr_rgb"
	start := snap(t, newTrainer(t, c))
	run(t, newTrainer(t, c))

	parts := c
	parts.Output.Dir = filepath.Join(t.TempDir(), "parts")
	for _, leg := range []struct{ ranks, steps int }{{2, 3}, {4, 5}, {1, 6}} {
		parts.Steps = leg.steps
		errs := together(t, leg.ranks, parts, func(_ int, tr *pdd.Trainer) error { return tr.Run(t.Context()) })
		if err := errors.Join(errs...); err != nil {
			t.Fatalf("%d ranks: %v", leg.ranks, err)
		}
	}
	got, want := readSnapshot(t, checkpointPath(parts, 6)), readSnapshot(t, checkpointPath(c, 6))
	compareTensors(t, "two, four and one", got, want, start)
	rows, wantRows := logRows(t, parts), logRows(t, c)
	if len(rows) < len(wantRows) {
		t.Fatalf("%d rows in the log, want %d", len(rows), len(wantRows))
	}
	for i, row := range wantRows {
		for name, text := range row {
			w, err := strconv.ParseFloat(text, 64)
			if err != nil || strings.HasPrefix(name, "gradient") {
				continue
			}
			if g, err := strconv.ParseFloat(rows[i][name], 64); err != nil || math.Abs(g-w) > 1e-3*math.Abs(w)+1e-4 {
				t.Errorf("row %d: %s is %q, want %v", i, name, rows[i][name], w)
			}
		}
	}
}

// TestOneRankFails: a batch that one rank refuses, or whose value is not a number, is everybody's error or skipped step.
func TestOneRankFails(t *testing.T) {
	c := supervised()
	c.Data.Batch = 4
	errs := together(t, 2, c, func(rank int, tr *pdd.Trainer) error {
		b := batch(uint64(rank))
		if rank == 1 {
			b.LabelledHR.Pix = b.LabelledHR.Pix[1:]
		}
		_, err := tr.Step(t.Context(), b)
		return err
	})
	for rank, err := range errs {
		if err == nil || !strings.Contains(err.Error(), "labelled HR") || rank == 0 && !strings.Contains(err.Error(), "rank 1: ") {
			t.Errorf("rank %d: %v", rank, err)
		}
	}
	c.Optimizer.SkipNonFinite = 1
	errs = together(t, 2, c, func(rank int, tr *pdd.Trainer) error {
		b := batch(uint64(rank))
		if rank == 1 {
			b.LabelledHR.Pix[7] = float32(math.NaN())
		}
		before := snap(t, tr)
		r, err := tr.Step(t.Context(), b)
		switch {
		case err != nil:
			return err
		case r.Skipped == "" || len(before.differences(snap(t, tr))) > 0:
			return errors.New("the step was not skipped")
		}
		_, err = tr.Step(t.Context(), batch(uint64(rank)))
		return err
	})
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}

// TestRanksDrift: weights that are no longer the same on a rank are found, with the rank and the tensor.
func TestRanksDrift(t *testing.T) {
	c := supervised()
	c.Data.Batch = 4
	errs := together(t, 2, c, func(rank int, tr *pdd.Trainer) error {
		for i := range 4 { // they are compared every 3 steps
			if i == 1 && rank == 1 {
				nudge(t, tr.Specialist().Parameters()[0])
			}
			if _, err := tr.Step(t.Context(), batch(uint64(rank+2*i))); err != nil {
				return err
			}
		}
		return nil
	})
	for rank, err := range errs {
		if err == nil || !strings.Contains(err.Error(), "rank 1: after step 3 its specialist/") {
			t.Errorf("rank %d: %v", rank, err)
		}
	}
}

func nudge(t *testing.T, n models.Named) {
	t.Helper()
	err := tensor.Do(t.Context(), func(s *tensor.Scope) error {
		s.NoGrad().ScaleInPlace(n.Tensor, 1.001)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
