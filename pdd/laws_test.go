package pdd_test

import (
	"bytes"
	"log/slog"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/pdd"
	"github.com/gopdd/gopdd/tensor"
)

// TestEqualNetworks: while specialist and generalist are equal, R_inter and its share of the gradient are exactly 0.
func TestEqualNetworks(t *testing.T) {
	for name, c := range map[string]pdd.Config{"ema": pdd.EMA(), "single-fixed": pdd.SingleFixed()} {
		c = small(c)
		c.Warmup = pdd.WarmupConfig{}
		without := c
		without.Loss.Inter.Weight = 0
		tr, other := newTrainer(t, c), newTrainer(t, without)
		r, s := step(t, tr, batch(1)), step(t, other, batch(1))
		if got := r.Loss("inter"); got != 0 {
			t.Errorf("%s: inter %v in the first step, want 0", name, got)
		}
		if r.GradNormG != s.GradNormG {
			t.Errorf("%s: gradient %v, without the term %v", name, r.GradNormG, s.GradNormG)
		}
		if got := step(t, tr, batch(2)).Loss("inter"); got == 0 {
			t.Errorf("%s: inter is 0 in the second step too: it does nothing", name)
		}
	}
}

// TestAccumulate: losses that are means give the same step over the whole batch as over its parts.
func TestAccumulate(t *testing.T) {
	whole := supervised()
	parts := whole
	parts.Optimizer.Accumulate = 2
	a, b := newTrainer(t, whole), newTrainer(t, parts)
	for i := range 3 {
		r, s := step(t, a, batch(uint64(i))), step(t, b, batch(uint64(i)))
		// float32 sums in another order: a few units in the 24th bit each
		closeTo(t, "l1 in parts", s.Loss("l1"), r.Loss("l1"), 1e-5)
		closeTo(t, "gradient in parts", s.GradNormG, r.GradNormG, 1e-4)
	}
}

// TestBFloat16Step: a step in bfloat16, whose numbers have 8 bits, is the step in float32 to some of these bits.
func TestBFloat16Step(t *testing.T) {
	exact := small(pdd.EMA())
	exact.Warmup = pdd.WarmupConfig{}
	short := exact
	short.Compute.Precision = pdd.BFloat16
	bits := 8.0 // of 256
	switch {
	case tensortest.Device() != tensor.CPU:
		bits = 12
	case !tensor.Info().BFloat16: // libtorch's kernels for CPUs without it round more: 12.9 seen
		bits = 16
	}
	a, b := newTrainer(t, exact), newTrainer(t, short)
	for i := range 3 {
		r, s := step(t, a, batch(uint64(i))), step(t, b, batch(uint64(i)))
		for _, term := range r.Losses {
			switch term.Name {
			case "inter", "logit_real", "logit_fake": // differences of nearly equal numbers, and means around 0
			default:
				closeTo(t, term.Name, s.Loss(term.Name), term.Value, 4.0/256)
			}
		}
		closeTo(t, "gradient", s.GradNormG, r.GradNormG, bits/256)
	}
}

// TestSlowPrecision: training in a type that the CPU lacks is said to be slow, and no other training is.
func TestSlowPrecision(t *testing.T) {
	for _, p := range []pdd.Precision{pdd.Float32, pdd.BFloat16} {
		c := supervised()
		c.Compute.Precision = p
		var text bytes.Buffer
		newTrainer(t, c, pdd.WithLogger(slog.New(slog.NewTextHandler(&text, nil))))
		want := p == pdd.BFloat16 && tensortest.Device() == tensor.CPU && !tensor.Info().BFloat16
		if said := strings.Contains(text.String(), "no bfloat16"); said != want {
			t.Errorf("%v: log %q; want it to warn: %v", p, text.String(), want)
		}
	}
}

func closeTo(t *testing.T, what string, got, want, relative float64) {
	t.Helper()
	if !(math.Abs(got-want) <= relative*math.Abs(want)) {
		t.Errorf("%s: %v, want %v to %v of it", what, got, want, relative)
	}
}

// TestChangedConfiguration: going on with other settings is said, with what changed; more steps are nothing to say.
func TestChangedConfiguration(t *testing.T) {
	c := withPictures(t, supervised())
	run(t, newTrainer(t, c))
	for _, tt := range []struct {
		name   string
		change func(*pdd.Config)
		want   string
	}{
		{"more steps", func(c *pdd.Config) { c.Steps++; c.Data.Workers++ }, ""},
		{"another rate", func(c *pdd.Config) { c.Steps++; c.Optimizer.LR = 0.5 }, "optimizer.lr: 0.5, was 0.0001"},
		{"other pictures", func(c *pdd.Config) {
			c.Steps++
			c.Data.HR = []string{writePictures(t, filepath.Join(t.TempDir(), "other"), 2, 40, 40)}
		}, "data.hr: "},
	} {
		again := c
		tt.change(&again)
		var text bytes.Buffer
		run(t, newTrainer(t, again, pdd.WithLogger(slog.New(slog.NewTextHandler(&text, nil)))))
		said := strings.Contains(text.String(), "the configuration is not that of the checkpoint")
		if said != (tt.want != "") || !strings.Contains(text.String(), tt.want) {
			t.Errorf("%s: log\n%s\nwant %q", tt.name, text.String(), tt.want)
		}
		c.Steps++ // the folder is that much further
	}
}
