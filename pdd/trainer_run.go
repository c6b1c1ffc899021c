package pdd

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/trainlog"
)

var backgroundContext = context.Background()

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
	ckpt  checkpoints
	log   *trainlog.Log
	val   *validator
	saved int // step of the last checkpoint
}

// Run trains to Config.Steps. It goes on from the newest checkpoint in Output.Dir, if there is one that is ahead of the
// trainer; N steps give the same bits as k steps, a stop, and N−k steps. Below Output.Dir it leaves the resolved
// configuration, checkpoints, the model, samples, the log (CSV and TensorBoard) and a picture of the curves.
//
// When ctx ends, Run finishes the step in work, saves a checkpoint, and returns an error in whose chain ctx's is. Other
// errors save a checkpoint too where that is possible: what was trained is not lost.
func (t *Trainer) Run(ctx context.Context) (err error) {
	if t.loader == nil {
		return errors.New("pdd: train: no data: fill Config.Data in, or give WithDatasets")
	}
	if t.cfg.Output.Dir == "" {
		return errors.New("pdd: train: no folder for the results: set output.dir")
	}
	r := &run{t: t, dir: t.cfg.Output.Dir, ckpt: checkpoints{filepath.Join(t.cfg.Output.Dir, checkpointFolder)}}
	if err := r.open(); err != nil {
		return fmt.Errorf("pdd: train: %w", err)
	}
	defer func() { err = errors.Join(err, r.log.Close()) }()
	err = r.loop(ctx)
	if err != nil && r.saved < t.Done() {
		err = errors.Join(err, r.save())
	}
	if err = errors.Join(err, r.curves()); err != nil {
		return fmt.Errorf("pdd: train: after step %d: %w", t.Done(), err)
	}
	return nil
}

// open resumes and opens the log.
func (r *run) open() (err error) {
	if r.val, err = r.t.newValidator(); err != nil {
		return err
	}
	if err := os.MkdirAll(r.ckpt.dir, 0o777); err != nil {
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

func (r *run) resume() error {
	steps, err := r.ckpt.steps()
	if err != nil || len(steps) == 0 {
		return err
	}
	newest := steps[len(steps)-1]
	if newest <= r.t.Done() {
		return nil
	}
	if err := r.t.LoadCheckpoint(r.ckpt.path(newest)); err != nil {
		return fmt.Errorf("%w; move the file away to go on from an older one, or choose another output.dir to begin anew", err)
	}
	r.saved = newest
	r.t.hooks.log.Info("resumed", "checkpoint", r.ckpt.path(newest), "step", newest)
	return nil
}

// loop makes the steps that are left.
func (r *run) loop(ctx context.Context) error {
	if r.t.Done() == 0 && r.val != nil {
		if err := r.validate(ctx, 0); err != nil {
			return err
		}
	}
	if r.t.Done() >= r.t.cfg.Steps {
		return r.save()
	}
	for b, err := range r.t.loader.Batches(ctx, r.t.Done()) {
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
	if err := r.log.Scalars(report.Step, scalars(report)); err != nil {
		return err
	}
	if report.Skipped != "" {
		r.t.hooks.log.Warn("step skipped", "step", report.Step, "reason", report.Skipped)
	}
	r.t.hooks.step(report)
	out, last := r.t.cfg.Output, report.Step == r.t.cfg.Steps
	improved := false
	if due(report.Step, r.t.cfg.Validation.Every) || last {
		if improved, err = r.validateAndCompare(ctx, report.Step); err != nil {
			return err
		}
	}
	if due(report.Step, out.SaveEvery) || last || improved {
		if err := r.save(); err != nil {
			return err
		}
	}
	if improved {
		return r.t.SaveModel(filepath.Join(r.dir, BestFile))
	}
	return nil
}

func due(step, every int) bool { return every > 0 && step%every == 0 }

// save writes a checkpoint and the model, and removes what is no longer to be kept.
func (r *run) save() error {
	step := r.t.Done()
	if err := r.log.Sync(); err != nil {
		return err
	}
	if err := r.t.SaveCheckpoint(r.ckpt.path(step)); err != nil {
		return err
	}
	r.saved = step
	if err := r.t.SaveModel(filepath.Join(r.dir, ModelFile)); err != nil {
		return err
	}
	keep := -1
	if b := r.t.best; b != nil {
		keep = b.Step
	}
	r.t.hooks.log.Info("saved", "checkpoint", r.ckpt.path(step))
	return errors.Join(r.ckpt.prune(max(r.t.cfg.Output.KeepLast, 1), keep), r.curves())
}

// curves draws the log.
func (r *run) curves() error {
	series, err := trainlog.Read(filepath.Join(r.dir, trainlog.File))
	if err != nil || len(series) == 0 {
		return err
	}
	return writeCurves(filepath.Join(r.dir, CurvesFile), series)
}

// scalars are what is logged of a step.
func scalars(r StepReport) []trainlog.Scalar {
	list := []trainlog.Scalar{{Name: "lr", Value: r.LR}}
	for _, t := range r.Losses {
		group := "loss/"
		if t.Name == "logit_real" || t.Name == "logit_fake" {
			group = "logit/"
		}
		list = append(list, trainlog.Scalar{Name: group + t.Name, Value: t.Value})
	}
	if r.Generator {
		list = append(list, trainlog.Scalar{Name: "gradient/specialist", Value: r.GradNormG})
	}
	return append(list, trainlog.Scalar{Name: "gradient/discriminator", Value: r.GradNormD},
		trainlog.Scalar{Name: "time/step_seconds", Value: r.Duration.Seconds()})
}

// fingerprint tells data sets apart: their sizes and a hash of their files' names.
func (t *Trainer) fingerprint() string {
	text := ""
	for _, d := range []data.Dataset{t.pairs, t.targets} {
		if d == nil {
			continue
		}
		h := fnv.New64a()
		for i := range d.Len() {
			fmt.Fprintln(h, filepath.Base(d.Name(i)))
		}
		text += fmt.Sprintf("%d:%016x ", d.Len(), h.Sum64())
	}
	return text
}

// featuresName says what Φ is.
func (t *Trainer) featuresName() string {
	switch {
	case t.phi == nil:
		return "none"
	case t.cfg.Features.Random:
		return "RANDOM VGG19 (for trials)"
	case t.cfg.Features.Weights != "":
		return t.cfg.Features.Weights
	}
	return "in memory"
}
