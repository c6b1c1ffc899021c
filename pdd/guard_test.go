package pdd_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/pdd"
	"github.com/gopdd/gopdd/tensor"
)

var nan = float32(math.NaN())

// guarded is the whole method, each batch in two parts.
func guarded() pdd.Config {
	c := small(pdd.EMA())
	c.Optimizer.Accumulate = 2
	return c
}

// TestNotFiniteBatch: a step on a value that is not finite is an error that names the step, the first loss that shows
// it, and the picture. Nothing has changed: the steps after it are those that would have been without it.
func TestNotFiniteBatch(t *testing.T) {
	for _, tt := range []struct {
		name  string
		after int // good steps before
		spoil func(b *data.Batch)
		want  []string
	}{
		{"hr", 3, func(b *data.Batch) { b.LabelledHR.Pix[800] = nan }, []string{"step 4", "loss wavelet is NaN", "labelled HR image 1 of the batch has the value NaN"}},
		{"lr", 3, func(b *data.Batch) { b.LabelledLR.Pix[0] = nan }, []string{"step 4", "loss inter is NaN", "labelled LR image 0"}},
		{"unlabelled", 3, func(b *data.Batch) { b.UnlabelledLR.Pix[3] = float32(math.Inf(-1)) }, []string{"loss inter is NaN", "unlabelled LR image 0", "-Inf"}},
		{"warm-up", 0, func(b *data.Batch) {
			b.LabelledHR.Pix[3] = nan
			b.Labelled = []data.Origin{{Name: "a.png"}, {Name: "b.png"}}
		}, []string{"step 1", "loss d_real is NaN", "labelled HR image 0 of the batch (a.png)"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr, never := newTrainer(t, guarded()), newTrainer(t, guarded())
			for i := range tt.after {
				step(t, tr, batch(uint64(i)))
				step(t, never, batch(uint64(i)))
			}
			bad := batch(50)
			tt.spoil(&bad)
			r, err := tr.Step(t.Context(), bad)
			for _, want := range append(tt.want, "optimizer.skip_nonfinite") {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q in it", err, want)
				}
			}
			if r.Skipped == "" {
				t.Error("the report does not say why no weight changed")
			}
			checkSame(t, "after the error", snap(t, tr), snap(t, never))
			step(t, tr, batch(51))
			step(t, never, batch(51))
			checkSame(t, "a step later", snap(t, tr), snap(t, never))
		})
	}
}

// TestNotFiniteWeights: an infinite weight is named; what else there is stays as it was, u and v of the spectral norm
// too, which the discriminator's own weights would spoil.
func TestNotFiniteWeights(t *testing.T) {
	disc, err := models.NewUNetDiscriminator(models.UNetDiscriminatorConfig{NumInCh: 3, NumFeat: 4, SkipConnection: true}, 1, tensortest.Device())
	if err != nil {
		t.Fatal(err)
	}
	defer disc.Close()
	for _, tt := range []struct {
		name  string
		list  func(tr *pdd.Trainer) []models.Named
		index int
		want  []string
	}{
		{"specialist", func(tr *pdd.Trainer) []models.Named { return tr.Specialist().Parameters() }, 0,
			[]string{"step 4", "loss inter is NaN", "specialist/body.0.weight was not finite before"}},
		{"average", func(tr *pdd.Trainer) []models.Named { return tr.Average().Parameters() }, 0,
			[]string{"step 4", "loss inter is NaN", "average/body.0.weight was not finite before"}},
		{"discriminator", func(*pdd.Trainer) []models.Named { return disc.Parameters() }, 2,
			[]string{"step 4", "loss gan is NaN", "discriminator/conv_1.weight_orig was not finite before"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tr := newTrainer(t, guarded(), pdd.WithNetworks(pdd.Networks{Discriminator: disc}))
			for i := range 3 {
				step(t, tr, batch(uint64(i)))
			}
			before := snap(t, tr)
			weight := tt.list(tr)[tt.index].Tensor
			was := setFirst(t, weight, math.Inf(1))
			_, err := tr.Step(t.Context(), batch(3))
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q in it", err, want)
				}
			}
			setFirst(t, weight, was)
			checkSame(t, "with the weight put back", snap(t, tr), before)
			step(t, tr, batch(3))
		})
	}
}

// setFirst sets the first element of a tensor and returns what it was.
func setFirst(t *testing.T, x torch.Tensor, value float64) (was float64) {
	t.Helper()
	err := tensor.Do(t.Context(), func(s *tensor.Scope) error {
		values := s.Float64s(x)
		was, values[0] = values[0], value
		s.NoGrad().Copy(x, s.FromFloat64s(values, s.Shape(x)...))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return was
}

// setAll sets all elements of a tensor.
func setAll(t *testing.T, x torch.Tensor, value float64) {
	t.Helper()
	err := tensor.Do(t.Context(), func(s *tensor.Scope) error {
		s.NoGrad().Fill(x, value)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestSkip: as many bad steps in a row as allowed are skipped, which changes nothing but their count; the next one is
// an error, and a good one starts the count anew. The count goes through checkpoints.
func TestSkip(t *testing.T) {
	c := guarded()
	c.Optimizer.SkipNonFinite = 2
	tr := newTrainer(t, c)
	for i := range 3 {
		step(t, tr, batch(uint64(i)))
	}
	bad := batch(50)
	bad.LabelledHR.Pix[7] = nan
	before := snap(t, tr)
	for range 2 {
		if r := step(t, tr, bad); !strings.Contains(r.Skipped, "loss wavelet is NaN") {
			t.Errorf("skipped because %q, want the loss that is NaN", r.Skipped)
		}
	}
	after := snap(t, tr)
	if differ := before.differences(after); len(differ) > 0 || tr.Done() != 5 {
		t.Errorf("after 5 steps (%d), two of them skipped, these differ: %v", tr.Done(), differ)
	}
	path := filepath.Join(t.TempDir(), "two.safetensors")
	if err := tr.SaveCheckpoint(path); err != nil {
		t.Fatal(err)
	}
	again := newTrainer(t, c)
	if err := again.LoadCheckpoint(path); err != nil {
		t.Fatal(err)
	}
	for name, tr := range map[string]*pdd.Trainer{"the same trainer": tr, "another": again} {
		if _, err := tr.Step(t.Context(), bad); err == nil || !strings.Contains(err.Error(), "after 2 skipped steps") {
			t.Errorf("%s, third bad step: error %v", name, err)
		}
		checkSame(t, name, snap(t, tr), after)
		if r := step(t, tr, batch(6)); r.Skipped != "" {
			t.Errorf("%s: a good step is skipped: %s", name, r.Skipped)
		}
		for range 2 {
			step(t, tr, bad)
		}
	}
	checkSame(t, "both", snap(t, again), snap(t, tr))
}

// gallery is a data set in memory.
type gallery []data.Sample

func (g gallery) Len() int                                        { return len(g) }
func (g gallery) Name(i int) string                               { return g[i].Name }
func (g gallery) Sample(_ *rand.Rand, i int) (data.Sample, error) { return g[i], nil }

// TestSkipInRun: a run passes over the one bad picture it has, and the log shows where.
func TestSkipInRun(t *testing.T) {
	c := supervised()
	c.Optimizer.SkipNonFinite, c.Data.Batch, c.Output.Dir = 1, 2, t.TempDir()
	var pictures gallery
	for i := range 6 {
		b := batch(uint64(i))
		pictures = append(pictures, data.Sample{LR: b.LabelledLR.Image(0), HR: b.LabelledHR.Image(0), Name: fmt.Sprint(i)})
	}
	pictures[4].HR.Pix[100] = nan
	run(t, newTrainer(t, c, pdd.WithDatasets(pictures, nil)))
	bad := 0
	for _, row := range logRows(t, c) {
		if row["loss/l1"] == "NaN" {
			bad++
		}
	}
	if bad != 2 { // 12 samples are two rounds of 6
		t.Errorf("%d of 6 steps are NaN in the log, want 2", bad)
	}
}
