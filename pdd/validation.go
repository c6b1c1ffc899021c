package pdd

import (
	"context"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/atomicfile"
	"github.com/gopdd/gopdd/internal/imgio"
	"github.com/gopdd/gopdd/internal/trainlog"
	"github.com/gopdd/gopdd/metrics/report"
	"github.com/gopdd/gopdd/models"
)

// validator measures networks on pictures that are not trained on.
type validator struct {
	cfg     ValidationConfig
	device  string
	threads int
	pairs   []data.Pair
	metrics []report.Metric
	best    int    // index of Output.Best in metrics, -1 for none
	mine    []bool // the pictures that this rank measures
}

// newValidator is nil where nothing is to be validated.
func (t *Trainer) newValidator() (*validator, error) {
	c := t.cfg.Validation
	if c.Every == 0 || c.LR == "" {
		return nil, nil
	}
	v := &validator{cfg: c, device: t.cfg.Compute.Device, threads: t.threads(), best: -1}
	var err error
	if v.pairs, err = validationPairs(c.LR, c.HR); err != nil {
		return nil, fmt.Errorf("validation: %w", err)
	}
	if c.Max > 0 {
		v.pairs = v.pairs[:min(c.Max, len(v.pairs))]
	}
	v.mine = shareOf(t.dist.Rank, t.ranks(), len(v.pairs), c.Samples)
	if len(c.Metrics) > 0 {
		models, err := t.metricModels()
		if err != nil {
			return nil, fmt.Errorf("validation: %w", err)
		}
		if v.metrics, err = report.Parse(strings.Join(c.Metrics, ","), c.Crop, models); err != nil {
			return nil, fmt.Errorf("validation: %w", err)
		}
	}
	if t.cfg.Output.Best != "" {
		wanted, err := c.parse(t.cfg.Output.Best)
		if err != nil {
			return nil, fmt.Errorf("output.best: %w", err)
		}
		v.best = slices.IndexFunc(v.metrics, func(m report.Metric) bool { return m.Name == wanted.Name })
	}
	return v, nil
}

// shareOf marks the pictures that a rank measures: rank 0 the samples, which it keeps, the others as evenly as goes.
func shareOf(rank, ranks, pictures, samples int) []bool {
	mine, load := make([]bool, pictures), make([]int, ranks)
	for i := range mine {
		owner := 0
		if i >= samples {
			owner = slices.Index(load, slices.Min(load))
		}
		load[owner]++
		mine[i] = owner == rank
	}
	return mine
}

// validationPairs lists the pictures; without a folder of the ground truth the pairs have none.
func validationPairs(lrPath, hrPath string) ([]data.Pair, error) {
	lr, err := data.List(lrPath)
	if err != nil {
		return nil, err
	}
	if hrPath == "" {
		pairs := make([]data.Pair, len(lr))
		for i, item := range lr {
			pairs[i].LR = item
		}
		return pairs, nil
	}
	hr, err := data.List(hrPath)
	if err != nil {
		return nil, err
	}
	return data.MatchPairs(lr, hr)
}

// variant is one way of looking at a result: which weights, colours corrected or not.
type variant struct {
	suffix string
	means  []float64 // of the validator's metrics
}

// validate measures the result, and the raw specialist where that is another, logs the means, and tells whether the
// result is the best so far. No step can be made meanwhile.
func (r *run) validate(ctx context.Context, step int) (improved bool, err error) {
	list, value, err := r.measureAll(ctx, step)
	if err != nil {
		return false, fmt.Errorf("validation: %w", err)
	}
	if r.log != nil {
		if err := r.log.Scalars(step, list); err != nil {
			return false, err
		}
	}
	attrs := []any{"step", step}
	for _, v := range list {
		attrs = append(attrs, strings.TrimPrefix(v.Name, "val/"), fmt.Sprintf("%.4f", v.Value))
	}
	r.t.hooks.log.Info("validation", attrs...)
	r.t.mu.Lock()
	defer r.t.mu.Unlock()
	r.t.validated = step
	return r.val.best >= 0 && r.t.noteBest(step, r.val.metrics[r.val.best], value), nil
}

// measureAll gives the means of all variants under their names in the log, and the one that Output.Best names.
func (r *run) measureAll(ctx context.Context, step int) (list []trainlog.Scalar, value float64, err error) {
	t := r.t
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed:
		return nil, 0, ErrTrainerClosed
	case ctx.Err() != nil: // also for a rank that has no picture to measure
		return nil, 0, context.Cause(ctx)
	}
	keep := func(name string, img image.Image) error { return r.keepSample(step, name, img) }
	variants, err := r.val.measure(ctx, t.Result(), keep)
	if err != nil {
		return nil, 0, err
	}
	if r.val.cfg.Raw && t.average != nil {
		raw, err := r.val.measure(ctx, t.specialist, func(string, image.Image) error { return nil })
		if err != nil {
			return nil, 0, err
		}
		for _, v := range raw {
			variants = append(variants, variant{"_raw" + v.suffix, v.means})
		}
	}
	if err := t.addUp(step, variants); err != nil {
		return nil, 0, err
	}
	if r.val.best >= 0 {
		value = variants[0].means[r.val.best]
	}
	for _, v := range variants {
		for i, m := range r.val.metrics {
			list = append(list, trainlog.Scalar{Name: "val/" + m.Name + v.suffix, Value: v.means[i]})
		}
	}
	return list, value, nil
}

// noteBest keeps the better of two validations and tells whether it is this one. NaN is not better than nothing.
func (t *Trainer) noteBest(step int, m report.Metric, value float64) bool {
	quality := func(v float64) float64 {
		switch {
		case m.Target:
			return -math.Abs(math.Log(v))
		case m.Higher:
			return v
		}
		return -v
	}
	value = max(-math.MaxFloat64, min(value, math.MaxFloat64)) // JSON has no infinities
	before := math.Inf(-1)
	if t.best != nil && t.best.Metric == m.Name {
		before = quality(t.best.Value)
	}
	if !(quality(value) > before) {
		return false
	}
	t.best = &best{step, m.Name, value}
	return true
}

// addUp makes the means over all pictures of the ranks' shares of them.
func (t *Trainer) addUp(step int, variants []variant) error {
	if t.group == nil || len(variants[0].means) == 0 {
		return nil
	}
	var all []float64
	for _, v := range variants {
		all = append(all, v.means...)
	}
	if err := t.group.SumFloat64s(fmt.Sprintf("validation of step %d", step), all); err != nil {
		return err
	}
	for _, v := range variants {
		all = all[copy(v.means, all):]
	}
	return nil
}

// measure upscales this rank's pictures with net and returns their share of the means of the metrics over all, as they
// are and after colour correction. keep gets the first few results.
func (v *validator) measure(ctx context.Context, net models.Trainable, keep func(name string, img image.Image) error) ([]variant, error) {
	fast, err := models.ForInference(net)
	if err != nil {
		return nil, err
	}
	defer fast.Close()
	up, err := NewUpscaler(WithModel(fast), WithTile(v.cfg.Tile, -1), WithDevice(v.device), WithThreads(v.threads))
	if err != nil {
		return nil, err
	}
	defer up.Close()
	variants := []variant{{"", make([]float64, len(v.metrics))}}
	if v.cfg.ColorCorrection {
		variants = append(variants, variant{"_cc", make([]float64, len(v.metrics))})
	}
	for i, p := range v.pairs {
		if !v.mine[i] {
			continue
		}
		results, hr, err := v.upscale(ctx, up, p)
		if err != nil {
			return nil, err
		}
		if i < v.cfg.Samples {
			if err := keep(stem(p.LR.Key), results[0]); err != nil {
				return nil, err
			}
		}
		for k, img := range results {
			sample := &report.Sample{Image: img, Truth: hr}
			for j, m := range v.metrics {
				value, err := m.Measure(sample)
				if err != nil {
					return nil, fmt.Errorf("%q: %w", p.LR.Path, err)
				}
				variants[k].means[j] += value / float64(len(v.pairs))
			}
		}
	}
	return variants, nil
}

// upscale returns the result and, where asked for, the colour-corrected one, and the ground truth cut to their size.
func (v *validator) upscale(ctx context.Context, up *Upscaler, p data.Pair) (results []image.Image, hr image.Image, err error) {
	lr, err := p.LR.Decode(0)
	if err != nil {
		return nil, nil, err
	}
	if v.cfg.HR != "" {
		if hr, err = p.HR.Decode(0); err != nil {
			return nil, nil, err
		}
	}
	if !v.cfg.ColorCorrection {
		img, err := up.Upscale(ctx, lr)
		return []image.Image{img}, cutTo(hr, img, up.net.Scale()), err
	}
	var plain image.Image
	img, err := up.Upscale(ctx, lr, ColorCorrection(true), func(c *call) { c.plain = &plain })
	return []image.Image{plain, img}, cutTo(hr, img, up.net.Scale()), err
}

// cutTo cuts off what a truth has right and below beyond the size of a result, where its sides are no multiples of the
// scale. Larger differences stay, which metrics refuse.
func cutTo(hr, img image.Image, scale int) image.Image {
	if img == nil || hr == nil {
		return hr
	}
	r := img.Bounds().Sub(img.Bounds().Min).Add(hr.Bounds().Min)
	sub, ok := hr.(interface {
		SubImage(image.Rectangle) image.Image
	})
	rest := hr.Bounds().Size().Sub(r.Size())
	if !ok || rest.X < 0 || rest.Y < 0 || rest.X >= scale || rest.Y >= scale {
		return hr
	}
	return sub.SubImage(r)
}

func stem(key string) string {
	base := filepath.Base(key)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// keepSample stores a picture of a validation, and shows it in TensorBoard.
func (r *run) keepSample(step int, name string, img image.Image) error {
	dir := filepath.Join(r.dir, sampleFolder, fmt.Sprintf("step-%08d", step))
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if err := imgio.WriteFile(filepath.Join(dir, name+".png"), img); err != nil {
		return err
	}
	return r.log.Image(step, "val/"+name, img)
}

func writeFile(path string, content []byte) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
}

func writeCurves(path string, series []trainlog.Series) error {
	return atomicfile.Write(path, func(w io.Writer) error { return trainlog.Curves(w, trainlog.Run{Series: series}) })
}
