package compare

import (
	"context"
	"errors"
	"fmt"
	"image"
	"path/filepath"
	"strings"

	"github.com/gopdd/gopdd/metrics/report"
)

// System is one of the things compared: a folder of results (Dir), or something that upscales (Key and Open).
type System struct {
	Name  string // of its row; also of a folder below Options.Out
	About string // half a sentence for reports
	Dir   string // folder of results, or

	// Key changes with everything that its pictures depend on besides the LR picture: weights, settings. Results that
	// were made under the same key are used again.
	Key string
	// Open is called when a picture is missing. The Upscaler is closed before the next system is opened.
	Open func() (Upscaler, error)
}

// Upscaler makes a system's results. Upscale may be called by two goroutines at a time.
type Upscaler interface {
	Upscale(ctx context.Context, lr image.Image) (image.Image, error)
	Describe() any // for reports, with JSON tags; may be nil
	Close() error
}

// Options of [Run].
type Options struct {
	LR, GT    string // folders; either may be "": without LR all systems are folders, without GT no metric needs truth
	Systems   []System
	Baseline  string // the name of the system that the others are compared with
	Metrics   []report.Metric
	MetricKey string // changes with the parameters of the metrics, such as the sha256 of a model file
	Out       string // folder for results and the cache
	Workers   int    // pictures measured at a time; 0: as many as processors, at most 4
	// Progress is called after each picture with what is being done; one call at a time.
	Progress func(deed string, done, total int)
}

func (o *Options) check() error {
	switch {
	case o.LR == "" && o.GT == "":
		return errors.New("neither LR nor ground truth: name at least one folder")
	case len(o.Systems) == 0 || len(o.Metrics) == 0:
		return fmt.Errorf("%d systems and %d metrics: nothing to compare", len(o.Systems), len(o.Metrics))
	case o.Out == "":
		return errors.New("no folder to write to")
	}
	names := map[string]bool{}
	for _, s := range o.Systems {
		if err := s.check(); err != nil {
			return err
		}
		if names[s.Name] {
			return fmt.Errorf("two systems are called %q: give one of them another name", s.Name)
		}
		names[s.Name] = true
		if s.Dir == "" && o.LR == "" {
			return fmt.Errorf("system %q upscales, but there is no folder of LR pictures", s.Name)
		}
	}
	if !names[o.Baseline] {
		return fmt.Errorf("baseline %q is no system", o.Baseline)
	}
	for _, m := range o.Metrics {
		if m.NeedsTruth && o.GT == "" {
			return fmt.Errorf("metric %s needs ground truth, but no folder of it is given", m.Name)
		}
	}
	return nil
}

func (s System) check() error {
	switch {
	case s.Name == "" || s.Name != filepath.Base(s.Name) || strings.ContainsAny(s.Name, "/\\\n\t") || strings.HasPrefix(s.Name, "."):
		return fmt.Errorf("system name %q: must do as the name of a folder", s.Name)
	case (s.Dir == "") == (s.Open == nil):
		return fmt.Errorf("system %q: must be either a folder or an upscaler", s.Name)
	case s.Open != nil && s.Key == "":
		return fmt.Errorf("system %q: an upscaler needs a key", s.Name)
	}
	return nil
}

func (o *Options) progress(deed string, done, total int) {
	if o.Progress != nil {
		o.Progress(deed, done, total)
	}
}
