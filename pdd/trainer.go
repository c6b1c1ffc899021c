package pdd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/comm"
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
	phiName    string // what Φ is, for log and checkpoint
	optG, optD *optim.Adam
	scaler     scaler
	segments   *models.Segments // the specialist's, where it can be cut
	scale      int

	dist       Distributed
	group      *comm.Group // nil in a single process
	engine     string      // of the group
	stopWanted atomic.Bool // this rank's Run was told to stop
	stopAgreed bool        // by all ranks, in the last step

	pairs, targets data.Dataset
	loader         *data.Loader
	hooks          hooks

	done    atomic.Int64 // steps made; changes under mu
	running sync.Mutex   // held by Run

	mu        sync.Mutex
	skipped   int // in a row, for values that were not finite
	validated int // step of the last validation, -1 for none
	best      *best
	owned     []io.Closer
	closed    bool
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
	Waited               time.Duration // of it, for the other ranks' gradients and losses
	PeakBytes            int64         // by how much the tensors on the device rose at most; 0 on CUDA devices with a libtorch before 2.11
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
// waits for its turn until ctx ends; a step that has begun is finished. After an error nothing has changed. A skipped
// step counts, and changes nothing else. With several processes b is this rank's share, losses in the report are means
// over all, and an error ends the whole group.
func (t *Trainer) Step(ctx context.Context, b data.Batch) (StepReport, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return StepReport{}, ErrTrainerClosed
	}
	r := StepReport{Step: t.Done() + 1}
	ph := t.cfg.phase(r.Step)
	r.LR, r.Generator = ph.rate*t.cfg.Optimizer.LR, ph.generator
	err := t.checkBatch(b)
	if err == nil && due(t.Done(), t.dist.CheckEvery) {
		err = t.compare()
	}
	if err != nil {
		return r, fmt.Errorf("pdd: step %d: %w", r.Step, t.fail(err))
	}
	err = t.worker.Do(ctx, func(s *tensor.Scope) (err error) {
		start := time.Now()
		r.PeakBytes = s.Peak(t.device, func() { err = t.attempt(s, b, &r) })
		r.Duration = time.Since(start)
		return err
	})
	if err != nil {
		return r, fmt.Errorf("pdd: step %d: %w", r.Step, t.fail(err))
	}
	t.done.Store(int64(r.Step))
	return r, nil
}

// Done is the number of steps made. It does not wait.
func (t *Trainer) Done() int { return int(t.done.Load()) }

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

// Close waits for a step or a validation in work, leaves the group of processes, and frees everything but networks and
// data sets that came with options. It may be called twice.
func (t *Trainer) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return nil
	}
	t.closed = true
	var errs []error
	if t.group != nil {
		errs = append(errs, t.group.Close(nil))
	}
	for i := len(t.owned) - 1; i >= 0; i-- {
		errs = append(errs, t.owned[i].Close())
	}
	return errors.Join(errs...)
}
