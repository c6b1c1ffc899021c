package pdd_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/pdd"
	"github.com/gopdd/gopdd/tensor"
)

// srvgg is a network as small has them, with weights of its own; the test closes it.
func srvgg(t testing.TB, seed int64) models.Trainable {
	t.Helper()
	net, err := models.NewSRVGGNetCompact(models.SRVGGNetCompactConfig{NumInCh: 3, NumOutCh: 3, NumFeat: 8, NumConv: 2, Upscale: 2}, seed, tensortest.Device())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { net.Close() })
	return net
}

// TestClose: a closed trainer has freed all tensors of its own, may be closed again, and says that it is closed.
// Networks of the caller's live on.
func TestClose(t *testing.T) {
	phi, err := vgg()
	if err != nil {
		t.Fatal(err)
	}
	tensortest.Check(t)
	mine := srvgg(t, 3)
	c := withPictures(t, small(pdd.EMA()))
	tr, err := pdd.NewTrainer(c, pdd.WithNetworks(pdd.Networks{Specialist: mine}), pdd.WithNetworks(pdd.Networks{Features: phi}))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		step(t, tr, batch(uint64(i)))
	}
	before := tensor.MemoryStats(tensor.CPU).LiveTensors
	if err := errors.Join(tr.Close(), tr.Close()); err != nil {
		t.Fatal(err)
	}
	if live := tensor.MemoryStats(tensor.CPU).LiveTensors; live >= before {
		t.Errorf("%d tensors before Close, %d after", before, live)
	}
	path := filepath.Join(t.TempDir(), "x.safetensors")
	_, stepErr := tr.Step(t.Context(), batch(4))
	for name, err := range map[string]error{
		"Step": stepErr, "Run": tr.Run(t.Context()), "SaveCheckpoint": tr.SaveCheckpoint(path),
		"LoadCheckpoint": tr.LoadCheckpoint(path), "SaveModel": tr.SaveModel(path),
	} {
		if !errors.Is(err, pdd.ErrTrainerClosed) {
			t.Errorf("%s: error %v, want ErrTrainerClosed", name, err)
		}
	}
	if err := models.Save(path, mine, nil); err != nil {
		t.Errorf("the caller's network: %v", err)
	}
}

// TestFailedNewTrainerLeaksNothing: what was made before the fault is freed.
func TestFailedNewTrainerLeaksNothing(t *testing.T) {
	tensortest.Check(t)
	c := small(pdd.EMA())
	c.Features = pdd.FeaturesConfig{Weights: filepath.Join(t.TempDir(), "none.pth")}
	if tr, err := pdd.NewTrainer(c); err == nil || tr != nil || !strings.Contains(err.Error(), "none.pth") {
		t.Errorf("trainer %v, error %v, want one that names the file", tr, err)
	}
}

// TestWrongBatch: a batch that does not fit is an error that says what is wanted, and changes nothing.
func TestWrongBatch(t *testing.T) {
	c := small(pdd.EMA())
	c.Optimizer.Accumulate = 2
	tr := newTrainer(t, c)
	for i := range 2 {
		step(t, tr, batch(uint64(i)))
	}
	before := snap(t, tr)
	stack := func(n, c, h, w int) data.Stack {
		return data.Stack{N: n, C: c, H: h, W: w, Pix: make([]float32, max(n*c*h*w, 0))}
	}
	for _, tt := range []struct {
		name  string
		spoil func(b *data.Batch)
		want  string
	}{
		{"empty", func(b *data.Batch) { *b = data.Batch{} }, "0 labelled LR and 0 HR images"},
		{"no hr", func(b *data.Batch) { b.LabelledHR = data.Stack{} }, "2 labelled LR and 0 HR images"},
		{"gray", func(b *data.Batch) { b.LabelledLR = stack(2, 1, 8, 8) }, "1 and 3 planes"},
		{"sizes", func(b *data.Batch) { b.LabelledHR = stack(2, 3, 32, 32) }, "want HR 2 times as large"},
		{"no unlabelled", func(b *data.Batch) { b.UnlabelledLR = data.Stack{} }, "0 unlabelled"},
		{"fewer unlabelled", func(b *data.Batch) { b.UnlabelledLR = stack(1, 3, 8, 8) }, "1 unlabelled 3×8×8"},
		{"larger unlabelled", func(b *data.Batch) { b.UnlabelledLR = stack(2, 3, 8, 12) }, "unlabelled 3×8×12"},
		{"parts", func(b *data.Batch) {
			*b = data.Batch{LabelledLR: stack(3, 3, 8, 8), LabelledHR: stack(3, 3, 16, 16), UnlabelledLR: stack(3, 3, 8, 8)}
		}, "3 patches in 2 parts"},
		{"too few values", func(b *data.Batch) { b.LabelledLR.Pix = b.LabelledLR.Pix[1:] }, "labelled LR images is 2×3×8×8 and has 383 values"},
		{"too many values", func(b *data.Batch) { b.UnlabelledLR.Pix = make([]float32, 999) }, "unlabelled LR images"},
		{"negative", func(b *data.Batch) { b.LabelledLR.N, b.LabelledHR.N = -2, -2 }, "-2×3×8×8"},
		{"no height", func(b *data.Batch) { b.LabelledHR = stack(2, 3, 0, 16) }, "2×3×0×16"},
		{"discriminator", func(b *data.Batch) {
			*b = data.Batch{LabelledLR: stack(2, 3, 6, 6), LabelledHR: stack(2, 3, 12, 12), UnlabelledLR: stack(2, 3, 6, 6)}
		}, "multiples of 8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := batch(9)
			tt.spoil(&b)
			_, err := tr.Step(t.Context(), b)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "pdd: step 3: ") {
				t.Errorf("error %v, want one with the step and %q", err, tt.want)
			}
			checkSame(t, "after the error", snap(t, tr), before)
		})
	}
	step(t, tr, batch(2))
}

// TestStepFromManyGoroutines: callers wait for each other, each step counts once, and a caller whose context has ended
// makes none.
func TestStepFromManyGoroutines(t *testing.T) {
	tr := newTrainer(t, supervised())
	const callers, each = 4, 5
	var wg sync.WaitGroup
	var mu sync.Mutex
	seen := map[int]bool{}
	for i := range callers {
		wg.Go(func() {
			for k := range each {
				r, err := tr.Step(t.Context(), batch(uint64(each*i+k)))
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				seen[r.Step] = true
				mu.Unlock()
				tr.Done()
			}
		})
	}
	wg.Wait()
	if len(seen) != callers*each || tr.Done() != callers*each {
		t.Errorf("%d different steps, %d done, want %d", len(seen), tr.Done(), callers*each)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := tr.Step(ctx, batch(1)); !errors.Is(err, context.Canceled) || tr.Done() != callers*each {
		t.Errorf("with an ended context: error %v, %d steps done", err, tr.Done())
	}
}

// slow is a data set that answers when it is told to.
type slow struct {
	gallery
	asked, answer chan bool
}

func (d slow) Sample(rng *rand.Rand, i int) (data.Sample, error) {
	select {
	case d.asked <- true:
	default:
	}
	<-d.answer
	return d.gallery.Sample(rng, i)
}

// TestCloseWhileDataIsAwaited: a program that shows progress, or closes the trainer, need not wait for data.
func TestCloseWhileDataIsAwaited(t *testing.T) {
	c, b := supervised(), batch(1)
	c.Output.Dir = t.TempDir()
	d := slow{gallery{{LR: b.LabelledLR.Image(0), HR: b.LabelledHR.Image(0)}}, make(chan bool, 1), make(chan bool)}
	tr := newTrainer(t, c, pdd.WithDatasets(d, nil))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- tr.Run(ctx) }()
	<-d.asked
	if done := tr.Done(); done != 0 {
		t.Errorf("%d steps done, want 0", done)
	}
	cancel()
	if err := tr.Close(); err != nil {
		t.Error(err)
	}
	close(d.answer)
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled in its chain", err)
	}
}

// TestCloseDuringRun: Close waits for the step in work; the run ends with ErrTrainerClosed.
func TestCloseDuringRun(t *testing.T) {
	c := withPictures(t, supervised())
	c.Steps = 100000
	begun := make(chan bool)
	var once sync.Once
	tr := newTrainer(t, c, pdd.OnStep(func(pdd.StepReport) { once.Do(func() { close(begun) }) }))
	ended := make(chan error)
	go func() { ended <- tr.Run(t.Context()) }()
	<-begun
	if err := tr.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, pdd.ErrTrainerClosed) {
		t.Errorf("error %v, want ErrTrainerClosed", err)
	}
}

// TestWrongOptions: what does not fit together is said when the trainer is made.
func TestWrongOptions(t *testing.T) {
	mine, b := srvgg(t, 1), batch(1)
	labelled := gallery{{LR: b.LabelledLR.Image(0), HR: b.LabelledHR.Image(0)}}
	target := gallery{{LR: b.UnlabelledLR.Image(0)}}
	four, err := models.NewSRVGGNetCompact(models.SRVGGNetCompactConfig{NumInCh: 3, NumOutCh: 3, NumFeat: 8, NumConv: 2, Upscale: 4}, 1, tensortest.Device())
	if err != nil {
		t.Fatal(err)
	}
	defer four.Close()
	ema, fixed := small(pdd.EMA()), small(pdd.SingleFixed())
	odd := withPictures(t, small(pdd.EMA()))
	odd.Data.Patch, odd.Specialist.New = 6, nil
	for _, tt := range []struct {
		name   string
		config pdd.Config
		option pdd.TrainerOption
		want   string
	}{
		{"generalist", ema, pdd.WithNetworks(pdd.Networks{Generalist: mine}), "generalist.kind"},
		{"the same twice", fixed, pdd.WithNetworks(pdd.Networks{Specialist: mine, Generalist: mine}), "Clone"},
		{"scales", fixed, pdd.WithNetworks(pdd.Networks{Specialist: mine, Generalist: four}), "enlarges by 4"},
		{"labelled alone", ema, pdd.WithDatasets(labelled, nil), "without an unlabelled one"},
		{"unlabelled alone", ema, pdd.WithDatasets(nil, target), "without a labelled one"},
		{"patch", odd, pdd.WithNetworks(pdd.Networks{Specialist: mine}), "multiples of 8"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			phi, err := vgg()
			if err != nil {
				t.Fatal(err)
			}
			tensortest.Check(t)
			_, err = pdd.NewTrainer(tt.config, pdd.WithNetworks(pdd.Networks{Features: phi}), tt.option)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "pdd: new trainer: ") || strings.Count(err.Error(), "pdd: ") > 1 {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}
