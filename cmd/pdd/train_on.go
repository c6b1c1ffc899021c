//go:build cgo

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

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
	if c.Procs > 1 && os.Getenv(launchedBy) == "" {
		return launch(e, c.Procs)
	}
	d, err := pdd.DistributedFromEnv()
	if err != nil {
		return err
	}
	if d != (pdd.Distributed{}) {
		d.Timeout = c.Timeout
	}
	if d.Rank > 0 {
		return trainAlong(e, cfg, d)
	}
	progress := newTrainProgress(e, cfg, max(d.WorldSize, 1))
	defer progress.Close()
	level := slog.LevelInfo
	if c.Quiet {
		level = slog.LevelWarn
	}
	opts := []pdd.TrainerOption{logTo(progress, level), pdd.WithDistributed(d)}
	if e.terminal && !c.Quiet { // elsewhere the log's lines say the same
		opts = append(opts, pdd.OnStep(func(r pdd.StepReport) { progress.Step(r.Step, shown(r)) }))
	}
	t, err := pdd.NewTrainer(cfg, opts...)
	if err != nil {
		return err
	}
	defer t.Close()
	defer endWithGroup(e, t)()
	err = t.Run(e.ctx)
	progress.Close()
	if stopped(err) {
		fmt.Fprintf(e.stdout, "stopped after step %d of %d; the same command goes on from there\n", t.Done(), cfg.Steps)
		return errStopped
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "%d steps done; the model is %s\n", t.Done(), t.ModelPath())
	return nil
}

// trainAlong is the work of a rank other than 0, which says only what goes wrong.
func trainAlong(e *env, cfg pdd.Config, d pdd.Distributed) error {
	t, err := pdd.NewTrainer(cfg, logTo(e.stderr, slog.LevelWarn), pdd.WithDistributed(d))
	if err != nil {
		return err
	}
	defer t.Close()
	defer endWithGroup(e, t)()
	if err = t.Run(e.ctx); stopped(err) {
		return errStopped
	}
	return err
}

// logTo writes a run's log from a level on, as text.
func logTo(w io.Writer, level slog.Level) pdd.TrainerOption {
	return pdd.WithLogger(slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level})))
}

// stopped tells that a run was told to stop and has.
func stopped(err error) bool {
	return errors.Is(err, context.Canceled) && errors.Is(err, pdd.ErrStopped)
}

// groupGrace is how long a process may take to end by itself when its group has failed: it may wait for a file that
// never comes.
const groupGrace = 10 * time.Second

// endWithGroup ends the process, however it hangs, when the group of processes has failed. The function it returns
// calls that off.
func endWithGroup(e *env, t *pdd.Trainer) (off func()) {
	done := make(chan struct{})
	go func() {
		select {
		case <-done:
			return
		case <-t.GroupFailed():
		}
		select {
		case <-done:
		case <-time.After(groupGrace):
			os.Exit(e.fail(fmt.Errorf("train: after step %d: %w", t.Done(), t.GroupFailure())))
		}
	}()
	return func() { close(done) }
}

// newTrainProgress shows a run's steps.
func newTrainProgress(e *env, cfg pdd.Config, processes int) *trainlog.Progress {
	patches := cfg.Data.Batch * processes
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
	cfg, err := c.begin(e)
	if err != nil {
		return cfg, err
	}
	return c.changed(cfg)
}

// changed is cfg with what flags set.
func (c *trainCmd) changed(cfg pdd.Config) (pdd.Config, error) {
	changes, err := c.changes()
	if err != nil || len(changes) == 0 {
		return cfg, err
	}
	text, err := yaml.Marshal(changes)
	if err != nil {
		return cfg, err
	}
	if cfg, err = cfg.With(text); err != nil {
		return cfg, usageError{err}
	}
	return cfg, nil
}

// begin is the preset, or reads the file, that the command line begins with.
func (c *trainCmd) begin(e *env) (cfg pdd.Config, err error) {
	switch {
	case c.Preset != "":
		if cfg, err = pdd.PresetByName(c.Preset); err != nil {
			return cfg, usageError{err}
		}
		return cfg, nil
	case c.Config != "":
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
