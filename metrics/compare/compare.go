package compare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/gopdd/gopdd/metrics/report"
)

// Comparison is the outcome of [Run].
type Comparison struct {
	Metrics  []report.Metric
	Pictures []Picture
	Systems  []Outcome // in the order of the options
	Baseline int       // index of the system that the others are compared with
	Notes    []string  // files that were left out
}

// Outcome is what became of one system.
type Outcome struct {
	Name, About string
	Maker       json.RawMessage // what the Upscaler says of itself; nil for folders
	Results     []Result        // of the pictures
	Cells       []Cell          // of the metrics
}

// Result is what a system made of one picture, and its measures.
type Result struct {
	Path   string    // "" where there is none
	Values []float64 // of the metrics; NaN where Errors has one
	Errors []error   // why a value is missing, else nil
}

// Err is the first error of a result.
func (r Result) Err() error {
	for _, err := range r.Errors {
		if err != nil {
			return err
		}
	}
	return nil
}

// run is the state of [Run].
type run struct {
	ctx      context.Context
	o        Options
	pictures []Picture
	journal  *journal
	digests  digests
}

// Run pairs the pictures, makes what is to be made, and measures. Failures of single pictures are in the results; Run
// itself fails when there is nothing to compare, two files claim one place, Out cannot be written, or ctx ends. It may
// be called again with the same Out; two runs at a time must not share one.
func Run(ctx context.Context, o Options) (*Comparison, error) {
	c, err := start(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	return c, nil
}

func start(ctx context.Context, o Options) (c *Comparison, err error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	r := &run{ctx: ctx, o: o}
	c = &Comparison{Metrics: o.Metrics, Systems: make([]Outcome, len(o.Systems))}
	if r.pictures, c.Notes, err = o.pictures(); err != nil {
		return nil, err
	}
	c.Pictures = r.pictures
	files, err := r.folders(c) // what is wrong with them should be known before the work begins
	if err != nil {
		return nil, err
	}
	if r.journal, err = openJournal(filepath.Join(o.Out, "cache.jsonl")); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.journal.close()) }()
	for i, s := range o.Systems {
		c.Systems[i].Name, c.Systems[i].About = s.Name, s.About
		if s.Name == o.Baseline {
			c.Baseline = i
		}
		if s.Dir == "" {
			if files[i], c.Systems[i].Maker, err = r.upscale(s); err != nil {
				return nil, err
			}
		}
	}
	if err := r.measure(c, files); err != nil {
		return nil, err
	}
	c.summarise()
	return c, nil
}

// folders finds the files of the systems that are folders: files[system][picture].
func (r *run) folders(c *Comparison) ([][]found, error) {
	files := make([][]found, len(r.o.Systems))
	for i, s := range r.o.Systems {
		if s.Dir == "" {
			continue
		}
		var notes []string
		var err error
		if files[i], notes, err = r.o.results(s.Dir, r.pictures); err != nil {
			return nil, fmt.Errorf("system %q: %w", s.Name, err)
		}
		c.Notes = append(c.Notes, notes...)
	}
	return files, nil
}

// Failed lists what could not be measured, one line each: system, picture and cause.
func (c *Comparison) Failed() []string {
	var failed []string
	for _, s := range c.Systems {
		for i, r := range s.Results {
			if err := r.Err(); err != nil {
				failed = append(failed, fmt.Sprintf("%s: %s: %s", s.Name, c.Pictures[i].Name, oneLine(err)))
			}
		}
	}
	return failed
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }
