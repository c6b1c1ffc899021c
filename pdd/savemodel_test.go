package pdd_test

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

// TestModelFile: what a run leaves loads as a generator: the average, and says so; the raw specialist when it is asked
// for; the specialist where there is no average.
func TestModelFile(t *testing.T) {
	c := withPictures(t, supervised())
	c.Optimizer.LR = 0.01
	tr := newTrainer(t, c)
	run(t, tr)
	raw := withPictures(t, supervised())
	raw.EMADecay = 0
	alone := newTrainer(t, raw)
	run(t, alone)
	safe := filepath.Join(t.TempDir(), "model.safetensors")
	if err := tr.SaveModel(safe); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, path, ask, entry string
		want                   models.Trainable
	}{
		{"average", tr.ModelPath(), "", "params_ema", tr.Average()},
		{"raw", tr.ModelPath(), "params", "params", tr.Specialist()},
		{"safetensors", safe, "", "", tr.Average()},
		{"no average", alone.ModelPath(), "", "params_ema", alone.Specialist()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var report models.Report
			g, err := models.Load(tt.path, models.WithEntry(tt.ask), models.WithReport(&report))
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
			if report.Entry != tt.entry {
				t.Errorf("entry %q, want %q", report.Entry, tt.entry)
			}
			if !slices.Equal(weightsOf(t, g.(models.Trainable)), weightsOf(t, tt.want)) {
				t.Error("other weights than the trainer's")
			}
		})
	}
	if slices.Equal(weightsOf(t, tr.Average()), weightsOf(t, tr.Specialist())) {
		t.Error("average and specialist are equal, so that nothing is shown")
	}
	if alone.Average() != nil || alone.Result() != alone.Specialist() {
		t.Error("without ema_decay there is an average")
	}
	if err := tr.SaveModel(filepath.Join(t.TempDir(), "model.onnx")); err == nil {
		t.Error("a name of an unknown kind: no error")
	}
}

func weightsOf(t *testing.T, g models.Trainable) (all []float64) {
	t.Helper()
	err := tensor.Do(t.Context(), func(s *tensor.Scope) error {
		for _, p := range g.Parameters() {
			all = append(all, s.Float64s(p.Tensor)...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
