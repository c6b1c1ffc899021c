//go:build cgo

package main

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gopdd/gopdd/internal/atomicfile"
	"github.com/gopdd/gopdd/internal/reproduce"
	"github.com/gopdd/gopdd/pdd"
)

// rowTraining is the training of a row.
type rowTraining struct {
	steps int
	key   string // changes with configuration and inputs
	cfg   pdd.Config
}

// planTraining makes the configuration of a row; what is missing of its files stays empty in it.
func (c *reproduceCmd) planTraining(p *rowPlan) (*rowTraining, error) {
	cfg, err := c.rowConfig(p)
	if err != nil {
		return nil, err
	}
	text, err := cfg.YAML()
	if err != nil {
		return nil, err
	}
	hashes, err := c.startHashes(p.in)
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	fmt.Fprintln(sum, string(text), hashes, reproduce.FilesKey(p.in.HR), reproduce.FilesKey(p.in.Train))
	t := &rowTraining{steps: cfg.Steps, key: hex.EncodeToString(sum.Sum(nil)), cfg: cfg}
	dir := filepath.Join(c.Out, "rows", p.row.ID(), "train-"+t.key[:8])
	t.cfg.Output.Dir = dir
	t.cfg.Data.HR, t.cfg.Data.Unlabelled = []string{filepath.Join(dir, "labelled.txt")}, []string{filepath.Join(dir, "unlabelled.txt")}
	return t, nil
}

// rowConfig is the preset with all changes, apart from the folders of data and of the run.
func (c *reproduceCmd) rowConfig(p *rowPlan) (pdd.Config, error) {
	t := p.row.System.Training
	cfg, err := pdd.PresetByName(t.Preset)
	if err == nil && t.Ablation != "" {
		cfg, err = cfg.Ablate(pdd.Ablation(t.Ablation))
	}
	if err != nil {
		return cfg, err
	}
	cfg.Specialist.Weights = cmp.Or(p.in.Starts[t.Specialist], t.Specialist) // a name: the row lacks it
	if t.Generalist != "" {
		cfg.Generalist.Weights = cmp.Or(p.in.Starts[t.Generalist], t.Generalist)
	}
	if c.Features == "random" {
		cfg.Features.Weights, cfg.Features.Random = "", true
	} else if p.in.Phi != "" {
		cfg.Features.Weights = p.in.Phi
	}
	cfg.Compute.Device = c.Device
	if t.Degradation != "" {
		cfg.Data.Degradation.Preset = t.Degradation
	}
	if t.Intra > 0 {
		cfg.Loss.Intra.Weight *= t.Intra
	}
	if t.Inter > 0 {
		cfg.Loss.Inter.Weight *= t.Inter
	}
	scaleConfig(&cfg, c.Fraction)
	return (&trainCmd{Set: c.Set}).changed(cfg)
}

// scaleConfig shortens a run.
func scaleConfig(cfg *pdd.Config, fraction float64) {
	count := reproduce.Count
	cfg.Steps = count(cfg.Steps, fraction, 2)
	cfg.Warmup.Discriminator = count(cfg.Warmup.Discriminator, fraction, 0)
	cfg.Warmup.Distillation = count(cfg.Warmup.Distillation, fraction, 0)
	for i, m := range cfg.Optimizer.Milestones {
		cfg.Optimizer.Milestones[i] = count(m, fraction, 1)
	}
	cfg.Output.SaveEvery = count(cfg.Output.SaveEvery, fraction, 1)
	cfg.Output.LogEvery = count(cfg.Output.LogEvery, fraction, 1)
}

// run trains, or goes on, and gives the model's path and the seconds it took.
func (t *rowTraining) run(e *env, in reproduce.Inputs) (model string, seconds float64, err error) {
	start := time.Now()
	if err := os.MkdirAll(t.cfg.Output.Dir, 0o777); err != nil {
		return "", 0, err
	}
	for path, list := range map[string][]string{t.cfg.Data.HR[0]: in.HR, t.cfg.Data.Unlabelled[0]: in.Train} {
		if err := writeList(path, list); err != nil {
			return "", 0, err
		}
	}
	progress := newTrainProgress(e, t.cfg, 1)
	defer progress.Close()
	trainer, err := pdd.NewTrainer(t.cfg, logTo(progress, slog.LevelWarn),
		pdd.OnStep(func(r pdd.StepReport) { progress.Step(r.Step, shown(r)) }))
	if err != nil {
		return "", 0, err
	}
	defer trainer.Close()
	err = trainer.Run(e.ctx)
	return trainer.ModelPath(), time.Since(start).Seconds(), err
}

// writeList writes a list of pictures, one absolute path a line.
func writeList(path string, list []string) error {
	lines := make([]string, len(list))
	for i, p := range list {
		abs, err := filepath.Abs(p)
		if err != nil {
			return err
		}
		lines[i] = abs + "\n"
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Join(lines, ""))
		return err
	})
}

// noNetworks says why this program cannot run networks: it can.
var noNetworks error
