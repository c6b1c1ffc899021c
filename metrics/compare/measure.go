package compare

import (
	"errors"
	"fmt"
	"image"
	"math"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/gopdd/gopdd/internal/imgio"
	"github.com/gopdd/gopdd/metrics/report"
)

// measureVersion is part of the keys of measured values: raise it when a metric's result changes.
const measureVersion = "1"

var errNoTruth = errors.New("no ground truth of this name")

// measure fills in the results of all systems, several pictures at a time.
func (r *run) measure(c *Comparison, files [][]found) error {
	total := len(files) * len(r.pictures)
	r.o.progress("measure", 0, total)
	var group errgroup.Group
	group.SetLimit(r.o.workers())
	var mu sync.Mutex
	done := 0
	for i := range files {
		c.Systems[i].Results = make([]Result, len(r.pictures))
		for j, p := range r.pictures {
			group.Go(func() error {
				if r.ctx.Err() != nil {
					return r.ctx.Err()
				}
				result, err := r.measureOne(files[i][j], p)
				if err != nil {
					return err
				}
				c.Systems[i].Results[j] = result
				mu.Lock()
				defer mu.Unlock()
				done++
				r.o.progress("measure", done, total)
				return nil
			})
		}
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("measure: stopped after %d of %d pictures: %w", done, total, err)
	}
	return nil
}

func (o *Options) workers() int {
	if o.Workers > 0 {
		return o.Workers
	}
	return min(runtime.GOMAXPROCS(0), 4)
}

// measureOne takes the values that are known from the journal and measures the others. Its own error is that of the
// journal.
func (r *run) measureOne(file found, p Picture) (Result, error) {
	result := Result{Path: file.path, Values: make([]float64, len(r.o.Metrics)), Errors: make([]error, len(r.o.Metrics))}
	fail := func(err error) (Result, error) {
		for m := range result.Errors {
			result.Values[m], result.Errors[m] = math.NaN(), err
		}
		return result, nil
	}
	if file.err != nil {
		result.Path = ""
		return fail(file.err)
	}
	image, err := digest(file.path)
	if err != nil {
		return fail(err)
	}
	s := lazySample{picture: p, file: file.path}
	for m, metric := range r.o.Metrics {
		var v number
		key, err := r.valueKey(metric, image, p)
		if err == nil && !r.journal.get(key, &v) {
			if v, err = s.measure(metric); err == nil {
				if err := r.journal.put(key, v); err != nil {
					return result, err
				}
			}
		}
		if err != nil {
			v = number(math.NaN())
		}
		result.Values[m], result.Errors[m] = float64(v), err
	}
	return result, nil
}

// valueKey names a metric's value for a file.
func (r *run) valueKey(m report.Metric, image string, p Picture) (string, error) {
	truth := ""
	if m.NeedsTruth {
		if p.Truth == "" {
			return "", errNoTruth
		}
		var err error
		if truth, err = r.digests.of(p.Truth); err != nil {
			return "", err
		}
	}
	return keyOf("value", measureVersion, r.o.MetricKey, m.Name, image, truth), nil
}

// lazySample reads the pictures when the first metric wants them.
type lazySample struct {
	picture Picture
	file    string
	sample  report.Sample
}

func (s *lazySample) measure(m report.Metric) (number, error) {
	if err := read(&s.sample.Image, s.file); err != nil {
		return 0, err
	}
	if m.NeedsTruth {
		if err := read(&s.sample.Truth, s.picture.Truth); err != nil {
			return 0, err
		}
	}
	v, err := m.Measure(&s.sample)
	return number(v), err
}

// read fills in a picture that is not there yet.
func read(into *image.Image, path string) error {
	if *into != nil {
		return nil
	}
	m, _, err := imgio.ReadFile(path, imgio.Limits{})
	if err == nil {
		*into = m
	}
	return err
}
