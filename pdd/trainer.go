package pdd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/optim"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

// Trainer adapts a specialist network to a target domain. [Trainer.Run] does all of it; programs that bring their own
// batches call [Trainer.Step]. Its methods may be called from any goroutine, one after another; a second caller waits.
// Close it when done.
type Trainer struct {
	cfg    Config
	worker *tensor.Worker
	device tensor.Device

	specialist models.Trainable
	average    models.Trainable // the specialist's averaged copy; nil without
	generalist models.Generator // average, or a frozen network; nil in supervised training
	disc       *models.UNetDiscriminator
	phi        *models.Features
	optG, optD *optim.Adam
	scaler     scaler
	forward    func(*tensor.Scope, torch.Tensor) torch.Tensor // the specialist's, with gradients
	scale      int

	pairs, targets data.Dataset
	loader         *data.Loader
	hooks          hooks

	mu      sync.Mutex
	done    int // steps made
	skipped int // in a row, for values that were not finite
	best    *best
	owned   []io.Closer
	closed  bool
}

// ErrTrainerClosed is returned by methods of a closed Trainer.
var ErrTrainerClosed = errors.New("pdd: the trainer is closed")

// StepReport says what one step did.
type StepReport struct {
	Step      int     // from 1
	LR        float64 // learning rate of the specialist
	Generator bool    // the specialist stepped too, not the discriminator alone
	// Losses are the terms that were computed, weights included, in the order of the step: inter, intra, l1, wavelet,
	// perceptual, style, imitate_*, gan, gan_unlabelled; d_real, d_fake; and logit_real, logit_fake, the mean outputs
	// of the discriminator.
	Losses               []Term
	GradNormG, GradNormD float64       // Euclidean, over all gradients, before clipping
	Skipped              string        // why no weight changed; empty: they did
	Duration             time.Duration // of the step without waiting for its batch
	PeakBytes            int64         // by how much the CPU's tensors rose at most
}

// Term is a named loss.
type Term struct {
	Name  string
	Value float64
}

// Loss is the term of that name, 0 where it was not computed.
func (r StepReport) Loss(name string) float64 {
	for _, t := range r.Losses {
		if t.Name == name {
			return t.Value
		}
	}
	return 0
}

// Step makes one training step on b, whose stacks are as large as the configuration says or of any other equal size:
// LabelledLR (n,3,h,w) with LabelledHR (n,3,rh,rw) and, unless training is supervised, UnlabelledLR (n,3,h,w). It
// waits for its turn until ctx ends; a step that has begun is finished. After an error no weight has changed.
func (t *Trainer) Step(ctx context.Context, b data.Batch) (StepReport, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return StepReport{}, ErrTrainerClosed
	}
	r := StepReport{Step: t.done + 1}
	ph := t.cfg.phase(r.Step)
	r.LR, r.Generator = ph.rate*t.cfg.Optimizer.LR, ph.generator
	if err := t.checkBatch(b); err != nil {
		return r, fmt.Errorf("pdd: step %d: %w", r.Step, err)
	}
	err := t.worker.Do(ctx, func(s *tensor.Scope) (err error) {
		start := time.Now()
		r.PeakBytes = s.Peak(func() { err = t.step(s, b, &r) })
		r.Duration = time.Since(start)
		return err
	})
	if err != nil {
		return r, fmt.Errorf("pdd: step %d: %w", r.Step, err)
	}
	t.done = r.Step
	return r, nil
}

// checkBatch compares a batch's sizes with what the step needs.
func (t *Trainer) checkBatch(b data.Batch) error {
	lr, hr, un := b.LabelledLR, b.LabelledHR, b.UnlabelledLR
	switch {
	case lr.N == 0 || lr.N != hr.N || lr.C != 3 || hr.C != 3:
		return fmt.Errorf("batch of %d labelled LR and %d HR images of %d and %d planes: want as many of each, of 3 planes", lr.N, hr.N, lr.C, hr.C)
	case hr.H != lr.H*t.scale || hr.W != lr.W*t.scale:
		return fmt.Errorf("batch of %d×%d LR and %d×%d HR patches: want %d times the size", lr.H, lr.W, hr.H, hr.W, t.scale)
	case t.cfg.Method != SupervisedOnly && (un.N != lr.N || un.C != 3 || un.H != lr.H || un.W != lr.W):
		return fmt.Errorf("batch of %d unlabelled %d×%d and %d labelled %d×%d patches: want as many of one size", un.N, un.H, un.W, lr.N, lr.H, lr.W)
	case lr.N%t.cfg.Optimizer.Accumulate != 0:
		return fmt.Errorf("batch of %d patches in %d parts: want a multiple", lr.N, t.cfg.Optimizer.Accumulate)
	}
	return nil
}

// accept completes the step's gradients and decides whether weights may change by them.
func (t *Trainer) accept(s *tensor.Scope, sums *gradients, r *StepReport) (ok bool, err error) {
	parts := t.cfg.Optimizer.Accumulate
	r.Losses = sums.terms.read(s, parts)
	factor := 1 / (t.scaler.scale * float64(parts))
	r.GradNormG = finish(s, sums.g, factor, t.cfg.Optimizer.ClipNorm)
	r.GradNormD = finish(s, sums.d, factor, 0)
	r.Skipped = r.notFinite()
	if overflow := t.scaler.update(r); overflow {
		return false, nil
	}
	if r.Skipped == "" {
		t.skipped = 0
		return true, nil
	}
	if t.skipped++; t.skipped > t.cfg.Optimizer.SkipNonFinite {
		return false, fmt.Errorf("%s: lower the learning rate or the term's weight, or let optimizer.skip_nonfinite steps be skipped", r.Skipped)
	}
	return false, nil
}

// notFinite names the first value of the step that is NaN or infinite.
func (r *StepReport) notFinite() string {
	values := append(append([]Term(nil), r.Losses...), Term{"gradient norm of the specialist", r.GradNormG}, Term{"gradient norm of the discriminator", r.GradNormD})
	for i, v := range values {
		if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
			kind := ""
			if i < len(r.Losses) {
				kind = "loss "
			}
			return fmt.Sprintf("%s%s is %v", kind, v.Name, v.Value)
		}
	}
	return ""
}

// scaler keeps small gradients of float16 from vanishing: losses are multiplied by scale, which halves when gradients
// overflow and doubles after a while without.
type scaler struct {
	scale float64
	good  int // steps since the last change
	on    bool
}

const (
	scalerStart    = 1 << 16
	scalerInterval = 2000
	scalerLeast    = 1
)

func newScaler(p Precision) scaler {
	if p == Float16 {
		return scaler{scale: scalerStart, on: true}
	}
	return scaler{scale: 1}
}

// update tells whether the step is to be repeated on other data with a smaller scale: its gradients overflowed, but
// its losses did not.
func (c *scaler) update(r *StepReport) (overflow bool) {
	switch {
	case !c.on:
		return false
	case r.Skipped == "":
		if c.good++; c.good >= scalerInterval {
			c.scale, c.good = 2*c.scale, 0
		}
		return false
	case c.scale <= scalerLeast:
		return false
	}
	c.scale, c.good = c.scale/2, 0
	r.Skipped = fmt.Sprintf("%s: gradients overflowed, loss scale lowered to %v", r.Skipped, c.scale)
	return true
}

// Done is the number of steps made.
func (t *Trainer) Done() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.done
}

// Config is the configuration in force.
func (t *Trainer) Config() Config { return t.cfg }

// Specialist is the network in training, and Average its averaged copy, nil without one. They stay the trainer's: they
// change with every step and end with Close; Clone them to keep them.
func (t *Trainer) Specialist() models.Trainable { return t.specialist }

// Average see [Trainer.Specialist].
func (t *Trainer) Average() models.Trainable { return t.average }

// Result is what a run trains for: the averaged copy, or the specialist where there is none.
func (t *Trainer) Result() models.Trainable {
	if t.average != nil {
		return t.average
	}
	return t.specialist
}

// Close waits for a step in work and frees everything but networks and data sets that came with options. It may be
// called twice.
func (t *Trainer) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	t.closed = true
	var errs []error
	for i := len(t.owned) - 1; i >= 0; i-- {
		errs = append(errs, t.owned[i].Close())
	}
	return errors.Join(errs...)
}
