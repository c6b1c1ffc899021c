package pdd_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/gopdd/gopdd/pdd"
)

// TestResume: a run that is stopped after k steps and goes on in another Trainer, with other numbers of workers, ends
// in the same bits as one that is not: networks, moments, u and v, log, model.
func TestResume(t *testing.T) {
	ablation, err := pdd.EMA().Ablate(pdd.IntraL1)
	if err != nil {
		t.Fatal(err)
	}
	gan := pdd.Supervised()
	gan.Loss.L1, gan.Loss.Perceptual.Weight, gan.Loss.GAN.Weight = 0.5, 1, 0.1
	for _, tt := range []struct {
		name   string
		config pdd.Config
		stop   int
		reason string
	}{
		{"ema", pdd.EMA(), 1, "while the discriminator warms up"},
		{"static", pdd.Static(), 2, "before the first step with unlabelled terms"},
		{"single-fixed", pdd.SingleFixed(), 4, "at a milestone; the generalist is the start, not what the specialist is by then"},
		{"naive", pdd.Naive(), 3, "between checkpoints"},
		{"supervised", pdd.Supervised(), 3, "no discriminator, no features"},
		{"supervised with gan", gan, 5, "no unlabelled data"},
		{"ema as released", pdd.EMAAsReleased(), 3, "gradients are accumulated; the degradation draws"},
		{"intra-l1", ablation, 5, "the last step is left"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			whole := withPictures(t, small(tt.config))
			run(t, newTrainer(t, whole))

			parts := whole
			parts.Output.Dir = filepath.Join(t.TempDir(), "parts")
			parts.Data.Workers = 3
			if err := runUntil(t, parts, tt.stop); !errors.Is(err, context.Canceled) || !errors.Is(err, pdd.ErrStopped) {
				t.Fatalf("error %v, want one that wraps context.Canceled and ErrStopped", err)
			}
			parts.Data.Workers = 2
			run(t, newTrainer(t, parts))
			checkSameRun(t, parts, whole, tt.reason)
		})
	}
}

// checkSameRun compares what two runs left behind.
func checkSameRun(t *testing.T, got, want pdd.Config, reason string) {
	t.Helper()
	last := want.Steps
	checkSame(t, reason, readSnapshot(t, checkpointPath(got, last)), readSnapshot(t, checkpointPath(want, last)))
	rows, wantRows := logRows(t, got), logRows(t, want)
	if !reflect.DeepEqual(rows, wantRows) {
		t.Errorf("%s: log\n%v, want\n%v", reason, rows, wantRows)
	}
	if !bytes.Equal(content(t, got, pdd.ModelFile), content(t, want, pdd.ModelFile)) {
		t.Errorf("%s: the model files differ", reason)
	}
}

func content(t testing.TB, c pdd.Config, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(c.Output.Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
