package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/gopdd/gopdd/internal/reproduce"
	"github.com/gopdd/gopdd/metrics/compare"
)

// measure fills in the numbers of what the network makes, or of the folder of results.
func (m *measuring) measure(p *rowPlan, staged reproduce.Staged, network string, r *reproduce.Result) error {
	if staged.Pictures == 0 {
		return fmt.Errorf("no picture of %s could be read", p.row.Dataset.Name)
	}
	o := compare.Options{LR: staged.LR, GT: staged.GT, Baseline: "plain", Metrics: m.metrics, MetricKey: m.key,
		Out: filepath.Join(m.c.Out, "rows", p.row.ID(), "measured")}
	if p.in.Results != "" {
		r.Network = "results in " + p.in.Results
		o.Systems = []compare.System{{Name: "plain", Dir: p.in.Results, About: r.Network}}
	} else {
		var err error
		if o.Systems, err = m.systems(network); err != nil {
			return err
		}
	}
	bar := &stages{e: m.e}
	defer bar.close()
	o.Progress = bar.at
	result, err := compare.Run(m.e.ctx, o)
	if err != nil {
		return err
	}
	r.Pictures = len(result.Pictures)
	r.Notes = append(append(r.Notes, staged.Notes...), append(result.Notes, result.Failed()...)...)
	r.Plain = m.means(result.Systems[0])
	if len(result.Systems) > 1 {
		r.Corrected = m.means(result.Systems[1])
	}
	if len(r.Plain) == 0 {
		return fmt.Errorf("nothing could be measured: %s", strings.Join(r.Notes, "; "))
	}
	return m.divergence(result, r)
}

// systems are the network without and with colour correction.
func (m *measuring) systems(network string) ([]compare.System, error) {
	flags := upscaleFlags{reproduce.Scale, measuredFlags{
		engineFlags: engineFlags{Device: m.c.Device, AllowTorchScript: m.c.AllowTorchScript}, Precision: "float32"}}
	plain := compareRunCmd{upscaleFlags: flags}
	flags.ColorCorrection = true
	corrected := compareRunCmd{upscaleFlags: flags}
	a, err := plain.network(m.e, "plain", network)
	if err != nil {
		return nil, err
	}
	b, err := corrected.network(m.e, "corrected", network)
	return []compare.System{a, b}, err
}

// means are those of the metrics that have any value.
func (m *measuring) means(s compare.Outcome) map[string]float64 {
	values := map[string]float64{}
	for i, c := range s.Cells {
		if c.Count > 0 && !math.IsNaN(c.Mean) && !math.IsInf(c.Mean, 0) {
			values[m.names[i]] = c.Mean
		}
	}
	return values
}

// divergence adds that of low-level features; too few patches for it are a note.
func (m *measuring) divergence(c *compare.Comparison, r *reproduce.Result) error {
	features := compare.DCT()
	if file := m.featureFile(); file != "" {
		deep, closeNet, err := newDeepFeatures(file)
		if err != nil {
			return err
		}
		defer closeNet()
		features = deep
	}
	study, err := c.Study(m.e.ctx, features)
	switch {
	case errors.Is(err, compare.ErrNothing):
		r.Notes = append(r.Notes, err.Error())
		return nil
	case errors.Is(err, context.Canceled):
		return err
	case err != nil:
		r.Notes = append(r.Notes, "no divergence of features: "+err.Error())
		return nil
	}
	r.KLFeatures = study.Features
	for _, set := range study.Sets {
		switch {
		case set.KL == nil:
		case set.Name == "plain":
			r.Plain[reproduce.KL] = set.KL.KL
		case set.Name == "corrected":
			r.Corrected[reproduce.KL] = set.KL.KL
		}
	}
	return nil
}
