//go:build cgo

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/goccy/go-yaml"

	"github.com/gopdd/gopdd/internal/trainlog"
	"github.com/gopdd/gopdd/pdd"
)

func train(e *env, c *trainCmd) error {
	cfg, err := c.config(e)
	if err != nil {
		return err
	}
	if c.Print {
		text, err := cfg.YAML()
		if err == nil {
			_, err = e.stdout.Write(text)
		}
		return err
	}
	progress := newTrainProgress(e, cfg)
	defer progress.Close()
	opts := []pdd.TrainerOption{pdd.WithLogger(slog.New(slog.NewTextHandler(progress, nil)))}
	if !c.Quiet {
		opts = append(opts, pdd.OnStep(func(r pdd.StepReport) { progress.Step(r.Step, shown(r)) }))
	}
	t, err := pdd.NewTrainer(cfg, opts...)
	if err != nil {
		return err
	}
	defer t.Close()
	err = t.Run(e.ctx)
	progress.Close()
	if errors.Is(err, context.Canceled) && e.ctx.Err() != nil && errors.Is(err, pdd.ErrStopped) {
		fmt.Fprintf(e.stdout, "stopped after step %d of %d; the same command goes on from there\n", t.Done(), cfg.Steps)
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%d steps done; the model is %s\n", t.Done(), t.ModelPath())
	return nil
}

// newTrainProgress shows a run's steps.
func newTrainProgress(e *env, cfg pdd.Config) *trainlog.Progress {
	patches := cfg.Data.Batch
	if cfg.Method != pdd.SupervisedOnly {
		patches *= 2
	}
	return trainlog.NewProgress(e.stderr, trainlog.ProgressOptions{Total: cfg.Steps, Patches: patches, Every: cfg.Output.LogEvery})
}

// shown are the losses that fit a line of progress.
func shown(r pdd.StepReport) []trainlog.Scalar {
	list := make([]trainlog.Scalar, len(r.Losses))
	for i, t := range r.Losses {
		list[i] = trainlog.Scalar(t)
	}
	return list
}

// config is what the file, preset or import and the flags make together.
func (c *trainCmd) config(e *env) (pdd.Config, error) {
	changes, err := c.changes()
	if err != nil {
		return pdd.Config{}, err
	}
	tree := map[string]any{"preset": c.Preset}
	if c.Preset == "" {
		cfg, err := c.begin(e)
		if err != nil || len(changes) == 0 {
			return cfg, err
		}
		if tree, err = asTree(cfg); err != nil {
			return cfg, err
		}
	}
	return changed(tree, changes)
}

// changed is the configuration that a tree and changes make together.
func changed(tree, changes map[string]any) (pdd.Config, error) {
	merge(tree, changes)
	text, err := yaml.Marshal(tree)
	if err != nil {
		return pdd.Config{}, err
	}
	cfg, err := pdd.ParseConfig(text)
	if err != nil {
		return cfg, usageError{err}
	}
	return cfg, nil
}

// begin reads the file that the command line begins with.
func (c *trainCmd) begin(e *env) (pdd.Config, error) {
	if c.Config != "" {
		return pdd.ReadConfig(c.Config)
	}
	text, err := os.ReadFile(c.Import)
	if err != nil {
		return pdd.Config{}, err
	}
	cfg, report, err := pdd.ImportBasicSR(text)
	if err == nil {
		fmt.Fprint(e.stderr, report)
	}
	return cfg, err
}

// asTree is a configuration in the form of its YAML.
func asTree(cfg pdd.Config) (tree map[string]any, err error) {
	text, err := cfg.YAML()
	if err == nil {
		err = yaml.Unmarshal(text, &tree)
	}
	return tree, err
}
