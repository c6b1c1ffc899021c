package pdd

import (
	"slices"

	"github.com/gopdd/gopdd/internal/trainlog"
)

// note logs a step.
func (r *run) note(report StepReport) error {
	r.pending = &report
	if err := r.logPending(); err != nil {
		return err
	}
	switch {
	case report.Skipped != "":
		r.t.hooks.log.Warn("step skipped", "step", report.Step, "reason", report.Skipped)
	case due(report.Step, r.t.cfg.Output.LogEvery):
		attrs := []any{"step", report.Step}
		for _, v := range scalars(report) {
			attrs = append(attrs, v.Name, v.Value)
		}
		r.t.hooks.log.Info("step", attrs...)
	}
	r.t.hooks.step(report)
	return nil
}

// logPending writes the last step's row. Until that succeeds there is no checkpoint of the step either, so that a run
// that goes on has a row for each step.
func (r *run) logPending() error {
	if r.pending == nil || r.log == nil { // ranks other than 0 have no log
		return nil
	}
	err := r.log.Scalars(r.pending.Step, scalars(*r.pending))
	if err == nil {
		r.pending = nil
	}
	return err
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
	if slices.ContainsFunc(r.Losses, func(t Term) bool { return t.Name == "d_real" }) {
		list = append(list, trainlog.Scalar{Name: "gradient/discriminator", Value: r.GradNormD})
	}
	if r.Waited > 0 {
		list = append(list, trainlog.Scalar{Name: "time/wait_seconds", Value: r.Waited.Seconds()})
	}
	return append(list, trainlog.Scalar{Name: "time/step_seconds", Value: r.Duration.Seconds()})
}
