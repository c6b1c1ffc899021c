package pdd

import (
	"strings"

	"github.com/gopdd/gopdd/internal/weights"
	"github.com/gopdd/gopdd/metrics"
	"github.com/gopdd/gopdd/metrics/lpips"
	"github.com/gopdd/gopdd/metrics/report"
)

// metricModels loads what the validation's metrics need from what `pdd weights get` has fetched. The trainer closes it.
func (t *Trainer) metricModels() (m report.Models, err error) {
	uses := func(kinds ...string) bool {
		for _, name := range t.cfg.Validation.Metrics {
			for _, kind := range kinds {
				if strings.HasPrefix(name, kind+"_") {
					return true
				}
			}
		}
		return false
	}
	if uses("niqe", "pi") {
		path, err := weights.Resolve("niqe")
		if err != nil {
			return m, err
		}
		if m.NIQE, err = metrics.LoadNIQEPrior(path); err != nil {
			return m, err
		}
	}
	if uses("nrqm", "pi") {
		path, err := weights.Resolve("nrqm")
		if err != nil {
			return m, err
		}
		if m.NRQM, err = metrics.LoadNRQMModel(path); err != nil {
			return m, err
		}
	}
	m.LPIPS = t.lpips
	return m, nil
}

// lpips loads the LPIPS of a network.
func (t *Trainer) lpips(name string) (report.Distance, error) {
	net, err := lpips.ParseNet(name)
	if err != nil {
		return nil, err
	}
	backbone, err := weights.Resolve(weights.LPIPS[name].Backbone)
	if err != nil {
		return nil, err
	}
	heads, err := weights.Resolve(weights.LPIPS[name].Heads)
	if err != nil {
		return nil, err
	}
	model, err := lpips.Load(net, backbone, heads, lpips.WithDevice(t.cfg.Compute.Device))
	if err != nil {
		return nil, err
	}
	t.own(model)
	return model.Distance, nil
}
