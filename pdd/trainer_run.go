package pdd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/atomicfile"
	"github.com/gopdd/gopdd/internal/trainlog"
)

var backgroundContext = context.Background()

// ErrStopped is in the chain of Run's error when its context ended and a checkpoint was saved: the same run goes on from
// there.
var ErrStopped = errors.New("stopped, checkpoint saved")

// Files of a run below Config.Output.Dir.
const (
	checkpointFolder = "checkpoints"
	sampleFolder     = "samples"
	ModelFile        = "model.pth"  // the result so far, see [Trainer.SaveModel]
	BestFile         = "best.pth"   // the result of the best validation
	CurvesFile       = "curves.png" // losses and validations
	ConfigFile       = "config.yaml"
)

// run is one call of Run.
type run struct {
	t     *Trainer
	dir   string
	lock  io.Closer
	ckpt  checkpoints
	log   *trainlog.Log
	val   *validator
	stop  func() // ends the loop's context where the ranks have agreed to
	tried int    // step of the last checkpoint that was to be written
	saved int    // step of the last checkpoint

	pending *StepReport // a step that is not in the log yet
}

// Run trains to Config.Steps. It goes on from the newest checkpoint in Output.Dir, if there is one that is ahead of the
// trainer; N steps give the same bits as k steps, a stop, and N−k steps. Below Output.Dir it leaves the resolved
// configuration, checkpoints, the model, samples, the log (CSV and TensorBoard) and a picture of the curves.
//
// When ctx ends, Run finishes the step in work, saves a checkpoint, and returns an error in whose chain ctx's is. Other
// errors save a checkpoint too where that is possible: what was trained is not lost.
//
// A second Run of the trainer waits for the first; another trainer's in the same folder, of any process, is an error.
// Nobody may call Step meanwhile.
//
// Of several processes rank 0 alone leaves anything behind, and goes on from a checkpoint that it finds. They all stop
// after the same step when the context of one of them ends.
func (t *Trainer) Run(ctx context.Context) (err error) {
	t.running.Lock()
	defer t.running.Unlock()
	r, err := t.openRun()
	if err != nil {
		return fmt.Errorf("pdd: train: %w", t.fail(err))
	}
	defer func() { err = errors.Join(err, r.close()) }()
	own := ctx
	ctx, stop := t.runContext(own)
	defer stop(nil)
	r.stop = func() {
		if cause := t.stopCause(own); cause != nil {
			stop(cause)
		}
	}
	if err = r.loop(ctx); err == nil {
		err = t.compare()
	}
	if err == nil {
		return nil
	}
	if r.tried < t.Done() {
		if saveErr := r.save(); saveErr != nil && saveErr.Error() != err.Error() { // another fault
			err = errors.Join(err, saveErr)
		}
	}
	failed := t.group != nil && (t.group.Failure() != nil || !t.stopAgreed)
	if failed {
		err = t.fail(err)
	} else if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		if !errors.Is(err, ctx.Err()) {
			err = fmt.Errorf("%w: %w", ctx.Err(), err)
		}
		if r.saved == t.Done() {
			err = fmt.Errorf("%w: %w", ErrStopped, err)
		}
	}
	return fmt.Errorf("pdd: train: after step %d: %w", t.Done(), err)
}

// ModelPath is where Run leaves the model.
func (t *Trainer) ModelPath() string { return filepath.Join(t.cfg.Output.Dir, ModelFile) }

// openRun resumes and opens the log.
func (t *Trainer) openRun() (*run, error) {
	t.mu.Lock()
	closed := t.closed
	t.mu.Unlock()
	dir := t.cfg.Output.Dir
	switch {
	case closed:
		return nil, ErrTrainerClosed
	case t.loader == nil:
		return nil, errNoData
	case dir == "":
		return nil, errors.New("no folder for the results: set output.dir")
	}
	r := &run{t: t, dir: dir, ckpt: checkpoints{filepath.Join(dir, checkpointFolder)}}
	if err := r.open(); err != nil {
		return nil, errors.Join(err, r.close())
	}
	t.hooks.log.Info("training", "method", t.cfg.Method.String(), "from", t.Done(), "to", t.cfg.Steps, "folder", dir, "features", t.phiName, "rank", t.dist.Rank, "processes", t.ranks())
	return r, nil
}

func (r *run) open() (err error) {
	if r.val, err = r.t.newValidator(); err != nil {
		return err
	}
	if !r.t.root() {
		return r.resume()
	}
	if err := os.MkdirAll(r.ckpt.dir, 0o777); err != nil {
		return err
	}
	if r.lock, err = lockFolder(r.dir); err != nil {
		return err
	}
	if err := r.resume(); err != nil {
		return err
	}
	config, err := r.t.cfg.YAML()
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(r.dir, ConfigFile), config); err != nil {
		return err
	}
	r.log, err = trainlog.Open(r.dir, trainlog.Options{Resume: r.t.Done(), TensorBoard: r.t.cfg.Output.TensorBoard})
	if err != nil {
		return err
	}
	return r.log.Text(r.t.Done(), "config", string(config))
}

// close ends what open began.
func (r *run) close() (err error) {
	if r.log != nil {
		err = r.log.Close()
	}
	if r.lock != nil {
		err = errors.Join(err, r.lock.Close())
	}
	return err
}

func (r *run) resume() error {
	newest, err := r.newest()
	if err != nil || newest <= r.t.Done() {
		return err
	}
	if err := r.t.LoadCheckpoint(r.ckpt.path(newest)); err != nil {
		return fmt.Errorf("%w; move the file away to go on from an older one, or choose another output.dir to begin anew", err)
	}
	r.saved = newest
	r.t.hooks.log.Info("resumed", "checkpoint", r.ckpt.path(newest), "step", newest)
	return nil
}

// newest is the step of the last checkpoint that rank 0 finds, 0 for none.
func (r *run) newest() (step int, err error) {
	if r.t.root() {
		steps, err := r.ckpt.steps()
		if err != nil {
			return 0, err
		}
		if len(steps) > 0 {
			step = steps[len(steps)-1]
		}
	}
	text, err := r.t.share("newest checkpoint", strconv.Itoa(step))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

// loop makes the steps that are left.
func (r *run) loop(ctx context.Context) error {
	if err := r.validateIfDue(ctx); err != nil { // at the start, or what a stop prevented
		return err
	}
	if r.t.Done() >= r.t.cfg.Steps {
		return r.save()
	}
	for b, err := range r.t.Batches(ctx) {
		if ctx.Err() != nil { // the loader may be ahead
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		if err := r.step(ctx, b); err != nil || r.t.Done() >= r.t.cfg.Steps {
			return err
		}
	}
	return nil
}

// step makes one step and what is due after it. A step that has begun is finished when ctx ends.
func (r *run) step(ctx context.Context, b data.Batch) error {
	report, err := r.t.Step(context.WithoutCancel(ctx), b)
	if err != nil {
		return err
	}
	if err := r.note(report); err != nil {
		return err
	}
	r.stop()
	if err := r.validateIfDue(ctx); err != nil {
		return err
	}
	if r.tried < report.Step && (due(report.Step, r.t.cfg.Output.SaveEvery) || report.Step == r.t.cfg.Steps) {
		return r.save()
	}
	return nil
}

// validateIfDue validates where that is due after the last step and has not been done. A result better than all before
// is kept.
func (r *run) validateIfDue(ctx context.Context) error {
	step, c := r.t.Done(), r.t.cfg
	if r.val == nil || r.t.validated == step || step > 0 && step < c.Steps && !due(step, c.Validation.Every) {
		return nil
	}
	improved, err := r.validate(ctx, step)
	if err != nil || !improved {
		return err
	}
	if !r.t.root() {
		return r.save()
	}
	if err := r.t.SaveModel(filepath.Join(r.dir, BestFile)); err != nil {
		return err
	}
	return r.save()
}

func due(step, every int) bool { return every > 0 && step%every == 0 }

// save writes a checkpoint and the model, and removes what is no longer to be kept: rank 0's work.
func (r *run) save() error {
	step := r.t.Done()
	r.tried = step
	if !r.t.root() {
		r.saved = step
		return nil
	}
	if err := r.logPending(); err != nil {
		return err
	}
	if err := r.log.Sync(); err != nil {
		return err
	}
	if err := r.t.SaveCheckpoint(r.ckpt.path(step)); err != nil {
		return err
	}
	r.saved = step
	if err := r.t.SaveModel(r.t.ModelPath()); err != nil {
		return err
	}
	hash, err := r.t.WeightsSHA256()
	if err != nil {
		return err
	}
	keep := -1
	if b := r.t.best; b != nil {
		keep = b.Step
	}
	r.t.hooks.log.Info("saved", "checkpoint", r.ckpt.path(step), "weights_sha256", hash)
	return errors.Join(r.ckpt.prune(r.t.cfg.Output.KeepLast, keep), r.removeStale(), r.curves())
}

// removeStale removes what killed processes left half written, but for checkpoints.
func (r *run) removeStale() error {
	own := []string{ModelFile, BestFile, CurvesFile, ConfigFile, trainlog.File}
	return atomicfile.RemoveStale(r.dir, func(base string) bool { return slices.Contains(own, base) })
}

// curves draws the log.
func (r *run) curves() error {
	series, err := trainlog.Read(filepath.Join(r.dir, trainlog.File))
	if err != nil || len(series) == 0 {
		return err
	}
	return writeCurves(filepath.Join(r.dir, CurvesFile), series)
}
