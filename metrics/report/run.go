package report

import (
	"context"
	"errors"
	"fmt"
	"image"
	"math"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/gopdd/gopdd/internal/imgio"
)

// Options of [Run]; the zero value is fine.
type Options struct {
	Workers  int                   // pairs in memory at a time; 0: as many as processors, at most 4
	Progress func(done, total int) // called after each pair, one call at a time
	// Picture gives the picture to measure of a pair; nil reads the file p.Image. It may make it of that file, as a
	// super-resolution network does. It is called from as many goroutines as there are Workers.
	Picture func(ctx context.Context, p Pair) (image.Image, error)
	About   string // the report's
}

// Report is the outcome of [Run].
type Report struct {
	About   string // where the pictures come from, in one line; may be empty
	Metrics []Metric
	Rows    []Row // in the order of the pairs
}

// Row is what was measured of one picture.
type Row struct {
	Name   string
	Values []float64 // of the report's metrics; NaN where Errors has one
	Errors []error   // why a value is missing, else nil
}

// Mean is the mean of one metric over the rows that have a value, and their number; NaN if none has.
func (r *Report) Mean(metric int) (mean float64, count int) {
	for _, row := range r.Rows {
		if row.Errors[metric] == nil {
			mean += row.Values[metric]
			count++
		}
	}
	return mean / float64(count), count
}

// Failed returns the rows that lack a value.
func (r *Report) Failed() []Row {
	var failed []Row
	for _, row := range r.Rows {
		if row.err() != nil {
			failed = append(failed, row)
		}
	}
	return failed
}

// err is the first error of a row.
func (r Row) err() error {
	for _, err := range r.Errors {
		if err != nil {
			return err
		}
	}
	return nil
}

// Run measures all pairs, several at a time. Failures are in the rows; Run itself fails only when there is nothing to
// do or ctx ends.
func Run(ctx context.Context, pairs []Pair, list []Metric, o Options) (*Report, error) {
	if len(pairs) == 0 || len(list) == 0 {
		return nil, fmt.Errorf("report: %d pictures and %d metrics: nothing to measure", len(pairs), len(list))
	}
	if o.Picture == nil {
		o.Picture = func(_ context.Context, p Pair) (image.Image, error) { return read(p.Image) }
	}
	r := &Report{About: o.About, Metrics: list, Rows: make([]Row, len(pairs))}
	var group errgroup.Group
	group.SetLimit(o.workers())
	var mu sync.Mutex
	done := 0
	for i, pair := range pairs {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.Rows[i] = o.measure(ctx, pair, list)
			if ctx.Err() != nil { // the row may say only that
				return ctx.Err()
			}
			mu.Lock()
			defer mu.Unlock()
			done++
			if o.Progress != nil {
				o.Progress(done, len(pairs))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("report: stopped after %d of %d pictures: %w", done, len(pairs), err)
	}
	return r, nil
}

func (o Options) workers() int {
	if o.Workers > 0 {
		return o.Workers
	}
	return min(runtime.GOMAXPROCS(0), 4)
}

var errNoTruth = errors.New("no ground truth given")

// measure fills one row.
func (o Options) measure(ctx context.Context, p Pair, list []Metric) Row {
	row := Row{Name: p.Name, Values: make([]float64, len(list)), Errors: make([]error, len(list))}
	s := Sample{ctx: ctx}
	var err, truthErr error
	if s.Image, err = o.Picture(ctx, p); err == nil && anyNeedsTruth(list) {
		s.Truth, truthErr = p.readTruth()
	}
	for i, m := range list {
		row.Values[i] = math.NaN()
		switch {
		case err != nil:
			row.Errors[i] = err
		case m.NeedsTruth && truthErr != nil:
			row.Errors[i] = truthErr
		default:
			v, err := m.Measure(&s)
			if err != nil {
				row.Errors[i] = err
				continue
			}
			row.Values[i] = v
		}
	}
	return row
}

func anyNeedsTruth(list []Metric) bool {
	for _, m := range list {
		if m.NeedsTruth {
			return true
		}
	}
	return false
}

func (p Pair) readTruth() (image.Image, error) {
	if p.err != nil {
		return nil, p.err
	}
	if p.Truth == "" {
		return nil, errNoTruth
	}
	return read(p.Truth)
}

func read(path string) (image.Image, error) {
	m, _, err := imgio.ReadFile(path, imgio.Limits{})
	return m, err
}
