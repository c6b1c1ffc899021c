package report

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"
	"strings"

	"github.com/gopdd/gopdd/metrics"
)

// Metric is one column of a report.
type Metric struct {
	Name       string // with its convention, e.g. psnr_y_bt601_pyiqa_crop4
	About      string // one line on what is measured and how
	Higher     bool   // higher is better; for Target metrics without meaning
	Target     bool   // 1 is best: a ratio to the truth
	NeedsTruth bool
	// Measure is called from several goroutines, for one Sample from one at a time.
	Measure func(s *Sample) (float64, error)
}

// Sample is what metrics see of a pair.
type Sample struct {
	Image, Truth image.Image // Truth is nil where there is none
	memo         map[string]memo
	ctx          context.Context // nil: never ends
}

type memo struct {
	value float64
	err   error
}

// Context ends when the run is to stop: for metrics that take long.
func (s *Sample) Context() context.Context {
	if s.ctx == nil {
		return context.Background()
	}
	return s.ctx
}

// once computes a value that several metrics need.
func (s *Sample) once(name string, f func() (float64, error)) (float64, error) {
	m, ok := s.memo[name]
	if !ok {
		m.value, m.err = f()
		if s.memo == nil {
			s.memo = map[string]memo{}
		}
		s.memo[name] = m
	}
	return m.value, m.err
}

// Models are the parameters that some metrics need, from files the user has.
type Models struct {
	NIQE *metrics.NIQEPrior
	NRQM *metrics.NRQMModel
	// LPIPS gives LPIPS v0.1 with the network alex, vgg or squeeze; [Parse] calls it once for each that is named.
	// Package metrics/lpips has what it can return: the method Distance of a model.
	LPIPS func(net string) (Distance, error)
}

// Distance measures img against ref without a border of crop pixels. It is called from several goroutines.
type Distance func(ctx context.Context, img, ref image.Image, crop int) (float64, error)

// Names describes what [Parse] understands, for help texts.
const Names = "psnr_C or ssim_C, where C is rgb, y_bt601 or y_yiq, optionally followed by _pyiqa (the default) or _basicsr; " +
	"niqe_Y, nrqm_Y or pi_Y, where Y is y_bt601 or y_yiq; lpips_alex, lpips_vgg or lpips_squeeze; sharpness"

// Parse makes the metrics of a comma-separated list of names (see [Names]), all without a border of crop pixels.
func Parse(list string, crop int, m Models) ([]Metric, error) {
	var parsed []Metric
	seen := map[string]bool{}
	for name := range strings.SplitSeq(list, ",") {
		metric, err := parse(strings.TrimSpace(name), crop, m)
		if err != nil {
			return nil, fmt.Errorf("report: metric %q: %w", strings.TrimSpace(name), err)
		}
		if seen[metric.Name] {
			return nil, fmt.Errorf("report: metric %q: named twice", metric.Name)
		}
		seen[metric.Name] = true
		parsed = append(parsed, metric)
	}
	return parsed, nil
}

func parse(name string, crop int, m Models) (Metric, error) {
	if crop < 0 {
		return Metric{}, fmt.Errorf("crop of %d pixels: must not be negative", crop)
	}
	kind, convention, _ := strings.Cut(name, "_")
	switch kind {
	case "psnr", "ssim":
		c, err := metrics.ParseConvention(convention)
		if err != nil {
			return Metric{}, err
		}
		c.Crop = crop
		return fullReference(kind, c), nil
	case "niqe", "nrqm", "pi":
		c, err := metrics.ParseConvention(convention)
		if err != nil || c.Color == metrics.RGB || convention != c.Color.String() {
			return Metric{}, fmt.Errorf("want %s_y_bt601 or %s_y_yiq", kind, kind)
		}
		return noReference(kind, c.Color, crop, m)
	case "lpips":
		return lpips(convention, crop, m)
	case "sharpness":
		if convention == "" {
			return sharpness(crop), nil
		}
	}
	return Metric{}, errors.New("unknown: want " + Names)
}

func cropped(name string, crop int) string {
	if crop == 0 {
		return name
	}
	return fmt.Sprintf("%s_crop%d", name, crop)
}

func border(crop int) string {
	if crop == 0 {
		return "whole picture"
	}
	return fmt.Sprintf("without a border of %d pixels", crop)
}

var aboutColor = map[metrics.Color]string{
	metrics.RGB:    "RGB",
	metrics.YBT601: "BT.601 luma in 16..235 (MATLAB's rgb2ycbcr)",
	metrics.YYIQ:   "full-range YIQ luma",
}

func fullReference(kind string, c metrics.Convention) Metric {
	f, about := metrics.PSNR, "PSNR in dB"
	if kind == "ssim" {
		f, about = metrics.SSIM, "SSIM"
	}
	return Metric{
		Name:   kind + "_" + c.String(),
		About:  fmt.Sprintf("%s on %s, rounding and clamping of %v, %s; higher is better", about, aboutColor[c.Color], c.Impl, border(c.Crop)),
		Higher: true, NeedsTruth: true,
		Measure: func(s *Sample) (float64, error) { return f(s.Image, s.Truth, c) },
	}
}

func noReference(kind string, c metrics.Color, crop int, m Models) (Metric, error) {
	if kind != "nrqm" && m.NIQE == nil {
		return Metric{}, errors.New("needs the parameters of NIQE: name their file")
	}
	if kind != "niqe" && m.NRQM == nil {
		return Metric{}, errors.New("needs the model of NRQM: name its file")
	}
	niqe := func(s *Sample) (float64, error) {
		return s.once("niqe_"+c.String(), func() (float64, error) { return metrics.NIQE(s.Image, m.NIQE, c, crop) })
	}
	nrqm := func(s *Sample) (float64, error) {
		return s.once("nrqm_"+c.String(), func() (float64, error) { return metrics.NRQM(s.Image, m.NRQM, c, crop) })
	}
	on := fmt.Sprintf("on %s, %s", aboutColor[c], border(crop))
	metric := Metric{Name: cropped(kind+"_"+c.String(), crop)}
	switch kind {
	case "niqe":
		metric.About, metric.Measure = "NIQE "+on+"; no reference; lower is better", niqe
	case "nrqm":
		metric.About, metric.Measure, metric.Higher = "NRQM (Ma et al.) "+on+"; no reference; higher is better", nrqm, true
	case "pi":
		metric.About = "perceptual index ((10 - NRQM) + NIQE) / 2 " + on + "; no reference; lower is better"
		metric.Measure = func(s *Sample) (float64, error) {
			a, err := nrqm(s)
			if err != nil {
				return 0, err
			}
			b, err := niqe(s)
			return metrics.PI(a, b), err
		}
	}
	return metric, nil
}

func lpips(net string, crop int, m Models) (Metric, error) {
	if !slices.Contains([]string{"alex", "vgg", "squeeze"}, net) {
		return Metric{}, errors.New("want lpips_alex, lpips_vgg or lpips_squeeze")
	}
	if m.LPIPS == nil {
		return Metric{}, errors.New("needs a network, and this program has none")
	}
	distance, err := m.LPIPS(net)
	if err != nil {
		return Metric{}, err
	}
	return Metric{
		Name:       cropped("lpips_"+net, crop),
		About:      fmt.Sprintf("LPIPS v0.1 with the network %s on RGB, %s; lower is better", net, border(crop)),
		NeedsTruth: true,
		Measure:    func(s *Sample) (float64, error) { return distance(s.Context(), s.Image, s.Truth, crop) },
	}, nil
}

func sharpness(crop int) Metric {
	return Metric{
		Name:       cropped("sharpness", crop),
		About:      "mean Sobel gradient magnitude of luma over the ground truth's, " + border(crop) + "; 1 is as sharp as the truth",
		NeedsTruth: true, Target: true,
		Measure: func(s *Sample) (float64, error) { return metrics.SharpnessRatio(s.Image, s.Truth, crop) },
	}
}
