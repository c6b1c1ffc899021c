package pdd

import (
	"context"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"path/filepath"
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
	pairs   []data.Pair
	metrics []report.Metric
	best    int // index of Output.Best in metrics, -1 for none
}

// newValidator is nil where nothing is to be validated.
func (t *Trainer) newValidator() (*validator, error) {
	c := t.cfg.Validation
	if c.Every == 0 || c.LR == "" {
		return nil, nil
	}
	v := &validator{cfg: c, device: t.cfg.Compute.Device, best: -1}
	lr, err := data.List(c.LR)
	if err != nil {
		return nil, fmt.Errorf("validation: %w", err)
	}
	hr, err := data.List(c.HR)
	if err != nil {
		return nil, fmt.Errorf("validation: %w", err)
	}
	if v.pairs, err = data.MatchPairs(lr, hr); err != nil {
		return nil, fmt.Errorf("validation: %w", err)
	}
	if c.Max > 0 {
		v.pairs = v.pairs[:min(c.Max, len(v.pairs))]
	}
	if v.metrics, err = report.Parse(strings.Join(c.Metrics, ","), c.Crop, report.Models{}); err != nil {
		return nil, fmt.Errorf("validation: %w", err)
	}
	if t.cfg.Output.Best != "" {
		wanted, err := report.Parse(t.cfg.Output.Best, c.Crop, report.Models{})
		if err != nil {
			return nil, fmt.Errorf("output.best: %w", err)
		}
		for i, m := range v.metrics {
			if m.Name == wanted[0].Name {
				v.best = i
			}
		}
	}
	return v, nil
}

// variant is one way of looking at a result: which weights, colours corrected or not.
type variant struct {
	suffix string
	means  []float64 // of the validator's metrics
}

// validateAndCompare validates and tells whether the result is the best so far.
func (r *run) validateAndCompare(ctx context.Context, step int) (improved bool, err error) {
	if r.val == nil {
		return false, nil
	}
	before := r.t.best
	if err := r.validate(ctx, step); err != nil {
		return false, err
	}
	return r.t.best != before, nil
}

// validate measures the result, and the raw specialist where that is another, and logs the means.
func (r *run) validate(ctx context.Context, step int) error {
	nets := []struct {
		suffix string
		net    models.Trainable
	}{{"", r.t.Result()}}
	if r.val.cfg.Raw && r.t.average != nil {
		nets = append(nets, struct {
			suffix string
			net    models.Trainable
		}{"_raw", r.t.specialist})
	}
	var list []trainlog.Scalar
	for i, n := range nets {
		keep := func(string, image.Image) error { return nil }
		if i == 0 {
			keep = func(name string, img image.Image) error { return r.keepSample(step, name, img) }
		}
		variants, err := r.val.measure(ctx, n.net, keep)
		if err != nil {
			return fmt.Errorf("validation: %w", err)
		}
		for _, v := range variants {
			for k, m := range r.val.metrics {
				list = append(list, trainlog.Scalar{Name: "val/" + m.Name + n.suffix + v.suffix, Value: v.means[k]})
			}
		}
		if i == 0 && r.val.best >= 0 {
			r.t.noteBest(step, r.val.metrics[r.val.best], variants[0].means[r.val.best])
		}
	}
	attrs := []any{"step", step}
	for _, v := range list {
		attrs = append(attrs, strings.TrimPrefix(v.Name, "val/"), fmt.Sprintf("%.4f", v.Value))
	}
	r.t.hooks.log.Info("validation", attrs...)
	return r.log.Scalars(step, list)
}

// noteBest keeps the better of two validations.
func (t *Trainer) noteBest(step int, m report.Metric, value float64) {
	quality := func(v float64) float64 {
		switch {
		case m.Target:
			return -math.Abs(math.Log(v))
		case m.Higher:
			return v
		}
		return -v
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.best == nil || t.best.Metric != m.Name || quality(value) > quality(t.best.Value) {
		t.best = &best{step, m.Name, value}
	}
}

// measure upscales all pictures with net and returns the means of the metrics, as they are and after colour correction.
// keep gets the first few results.
func (v *validator) measure(ctx context.Context, net models.Trainable, keep func(name string, img image.Image) error) ([]variant, error) {
	up, err := NewUpscaler(WithModel(net), WithTile(v.cfg.Tile, -1), WithDevice(v.device))
	if err != nil {
		return nil, err
	}
	defer up.Close()
	variants := []variant{{"", make([]float64, len(v.metrics))}}
	if v.cfg.ColorCorrection {
		variants = append(variants, variant{"_cc", make([]float64, len(v.metrics))})
	}
	for i, p := range v.pairs {
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
	if hr, err = p.HR.Decode(0); err != nil {
		return nil, nil, err
	}
	if !v.cfg.ColorCorrection {
		img, err := up.Upscale(ctx, lr)
		return []image.Image{img}, cutTo(hr, img), err
	}
	var plain image.Image
	img, err := up.Upscale(ctx, lr, ColorCorrection(true), func(c *call) { c.plain = &plain })
	return []image.Image{plain, img}, cutTo(hr, img), err
}

// cutTo cuts off what a picture has right and below beyond the size of another, as where HR sides are no multiples.
func cutTo(hr, img image.Image) image.Image {
	if img == nil {
		return hr
	}
	r := img.Bounds().Sub(img.Bounds().Min).Add(hr.Bounds().Min)
	sub, ok := hr.(interface {
		SubImage(image.Rectangle) image.Image
	})
	if !ok || r == hr.Bounds() || !r.In(hr.Bounds()) {
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
