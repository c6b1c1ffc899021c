package pdd_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"image"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/imgio"
	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/internal/trainlog"
	"github.com/gopdd/gopdd/internal/weightfile"
	"github.com/gopdd/gopdd/losses"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/pdd"
)

// small makes a preset's networks and patches so small that a step takes milliseconds. All phases of training come:
// step 1 is the discriminator's alone, step 2 without unlabelled terms.
func small(c pdd.Config) pdd.Config {
	c.Steps, c.Seed = 6, 5
	c.Specialist = pdd.NetworkConfig{New: &pdd.Sizes{Kind: "srvgg", Scale: 2, Feat: 8, Depth: 2}}
	if c.Generalist.Weights != "" {
		c.Generalist.NetworkConfig = pdd.NetworkConfig{New: &pdd.Sizes{Kind: "rrdbnet", Scale: 2, Feat: 8, Depth: 1, Grow: 4}}
	}
	c.Discriminator.Feat = 4
	c.Data.Patch, c.Data.Batch, c.Data.Workers = 8, 2, 1
	c.Loss.Perceptual.Layers = losses.Layers{"conv1_1": 0.1, "conv2_1": 1}
	c.Loss.Intra.Layers = losses.Layers{"conv2_1": 1}
	c.Loss.Inter.Layers = losses.Layers{"conv1_1": 0.5, "conv2_1": 0.5}
	c.Optimizer.Milestones = []int{4}
	c.Warmup = pdd.WarmupConfig{}
	if c.Method != pdd.SupervisedOnly {
		c.Warmup = pdd.WarmupConfig{Discriminator: 1, Distillation: 1}
	}
	c.Compute.Threads, c.Compute.Device, c.Compute.Deterministic = 1, tensortest.DeviceName(), true
	c.Validation.Every = 0
	c.Output.SaveEvery, c.Output.LogEvery, c.Output.TensorBoard = 2, 1, false
	return c
}

// supervised is small with the loss l1 alone, which needs no features and no discriminator.
func supervised() pdd.Config { return small(pdd.Supervised()) }

// withPictures gives a configuration files to train on and a folder for the results.
func withPictures(t testing.TB, c pdd.Config) pdd.Config {
	t.Helper()
	dir := t.TempDir()
	c.Data.HR = []string{writePictures(t, filepath.Join(dir, "hr"), 3, 38, 33)}
	if c.Method != pdd.SupervisedOnly {
		c.Data.Unlabelled = []string{writePictures(t, filepath.Join(dir, "target"), 2, 17, 20)}
	}
	c.Output.Dir = filepath.Join(dir, "run [1") // no pattern for file names
	return c
}

func writePictures(t testing.TB, dir string, n, w, h int) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		writePicture(t, filepath.Join(dir, fmt.Sprintf("%d.png", i)), noise(w, h, uint64(i)))
	}
	return dir
}

func writePicture(t testing.TB, path string, img image.Image) {
	t.Helper()
	if err := imgio.WriteFile(path, img); err != nil {
		t.Fatal(err)
	}
}

// vgg is made once, for it takes long. Layers beyond those of small are never run.
var vgg = sync.OnceValues(func() (*models.Features, error) {
	return models.NewVGG19(64, models.InputNorm{ImageNet: true}, 1, tensortest.Device())
})

func newTrainer(t testing.TB, c pdd.Config, opts ...pdd.TrainerOption) *pdd.Trainer {
	t.Helper()
	phi, err := vgg()
	if err != nil {
		t.Fatal(err)
	}
	tr, err := pdd.NewTrainer(c, append([]pdd.TrainerOption{pdd.WithNetworks(pdd.Networks{Features: phi})}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	})
	return tr
}

func run(t testing.TB, tr *pdd.Trainer) {
	t.Helper()
	if err := tr.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// runUntil trains and is stopped in step n.
func runUntil(t testing.TB, c pdd.Config, n int) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	tr := newTrainer(t, c, pdd.OnStep(func(r pdd.StepReport) {
		if r.Step == n {
			cancel()
		}
	}))
	err := tr.Run(ctx)
	if tr.Done() != n {
		t.Fatalf("stopped after step %d, want %d: %v", tr.Done(), n, err)
	}
	return err
}

// batches are made of noise: n of them, all different, as small wants them.
func batch(seed uint64) data.Batch {
	r := rand.New(rand.NewPCG(seed, 2))
	stack := func(side int) data.Stack {
		s := data.Stack{N: 2, C: 3, H: side, W: side, Pix: make([]float32, 2*3*side*side)}
		for i := range s.Pix {
			s.Pix[i] = r.Float32()
		}
		return s
	}
	return data.Batch{LabelledLR: stack(8), LabelledHR: stack(16), UnlabelledLR: stack(8)}
}

func step(t testing.TB, tr *pdd.Trainer, b data.Batch) pdd.StepReport {
	t.Helper()
	r, err := tr.Step(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// snapshot is all that a checkpoint of the trainer holds: tensors by name, and the rest.
type snapshot struct {
	tensors map[string][]float64
	state   string
}

func snap(t testing.TB, tr *pdd.Trainer) snapshot {
	t.Helper()
	path := filepath.Join(t.TempDir(), "now.safetensors")
	if err := tr.SaveCheckpoint(path); err != nil {
		t.Fatal(err)
	}
	return readSnapshot(t, path)
}

func readSnapshot(t testing.TB, path string) snapshot {
	t.Helper()
	f, err := weightfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	s := snapshot{map[string][]float64{}, f.Metadata["gopdd.state"]}
	for _, a := range f.Dicts[0].Arrays {
		s.tensors[a.Name] = a.Float64s()
	}
	return s
}

// checkSame fails unless both are equal in every bit.
func checkSame(t testing.TB, what string, got, want snapshot) {
	t.Helper()
	if got.state != want.state {
		t.Errorf("%s: state\n%s, want\n%s", what, got.state, want.state)
	}
	if differ := want.differences(got); len(differ) > 0 {
		t.Errorf("%s: %d of %d tensors differ: %v", what, len(differ), len(want.tensors), differ[:min(len(differ), 5)])
	}
}

// differences names the tensors that are not equal.
func (s snapshot) differences(to snapshot) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(s.tensors)) {
		if !slices.Equal(s.tensors[name], to.tensors[name]) {
			names = append(names, name)
		}
	}
	for name := range to.tensors {
		if s.tensors[name] == nil {
			names = append(names, name)
		}
	}
	return names
}

func checkpointPath(c pdd.Config, step int) string {
	return filepath.Join(c.Output.Dir, "checkpoints", fmt.Sprintf("step-%08d.safetensors", step))
}

// logRows are the rows of a run's CSV file without its times.
func logRows(t testing.TB, c pdd.Config) []map[string]string {
	t.Helper()
	f, err := os.Open(filepath.Join(c.Output.Dir, trainlog.File))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var list []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, name := range rows[0] {
			if name != "time" && name != "time/step_seconds" && name != "time/wait_seconds" {
				m[name] = row[i]
			}
		}
		list = append(list, m)
	}
	return list
}
