package pdd

import (
	"errors"
	"fmt"
	"math"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/gopdd/gopdd/internal/weights"
	"github.com/gopdd/gopdd/losses"
)

// What an import's rules do beyond setting one field.

// only demands one of the given texts or numbers.
func only(choices ...string) func(any) error {
	return func(v any) error {
		text := show(v)
		return unless(slices.Contains(choices, text), v, strings.Join(choices, " or ")+", the only one known here")
	}
}

// same demands the value that another option has given a field.
func same[T comparable](field *T) func(any) error {
	return func(v any) error {
		before := *field
		if err := assign(v, field); err != nil {
			return err
		}
		if *field != before {
			*field = before
			return fmt.Errorf("%s: the other option of its kind is %v, and there is one setting here", show(v), before)
		}
		return nil
	}
}

// orNull sets a text, if there is one.
func orNull(to *string) func(any) error {
	return func(v any) error {
		if v == nil {
			return nil
		}
		return assign(v, to)
	}
}

func (im *importer) setFolder(v any) error {
	im.c.Output.Dir = path.Join("experiments", show(v))
	return nil
}

// setGPUs makes each GPU's share a part of the batch.
func (im *importer) setGPUs(v any) error {
	var n int
	if err := assign(v, &n); err != nil {
		return err
	}
	im.c.Optimizer.Accumulate = max(n, 1)
	im.note = "the share of each GPU is a part of the batch; see compute.device"
	return nil
}

// setWeights takes the catalogue's name of a file that has one.
func (im *importer) setWeights(to *string) func(any) error {
	return func(v any) error {
		if err := assign(v, to); err != nil {
			return err
		}
		base := path.Base(*to)
		for _, e := range weights.Catalog {
			if slices.ContainsFunc(e.Sources, func(s weights.Source) bool { return s.Files[0].Name == base }) {
				*to, im.note = e.Name, e.Name+" by its file name"
			}
		}
		return nil
	}
}

func (im *importer) setEntry(to *string) func(any) error {
	return func(v any) error {
		if v == nil || v == "params_ema" {
			im.note = "preferred without being named"
			return nil
		}
		return assign(v, to)
	}
}

func (im *importer) setUnlabelledGAN(v any) error {
	var without bool
	err := assign(v, &without)
	im.c.Loss.GAN.Unlabelled = GANJoint
	if without {
		im.c.Loss.GAN.Unlabelled = GANNone
	}
	return err
}

// numbers reads a list of n.
func numbers(v any, n int) ([]float64, error) {
	list, _ := v.([]any)
	out := make([]float64, len(list))
	for i, x := range list {
		if err := assign(x, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, unless(len(list) == n, v, fmt.Sprintf("a list of %d numbers", n))
}

func (im *importer) setBands(v any) error {
	w, err := numbers(v, 3)
	if err == nil {
		im.c.Loss.Wavelet.Bands = losses.Bands{Low: w[0], Middle: w[1], High: w[2]}
	}
	return err
}

func (im *importer) setBetas(v any) error {
	b, err := numbers(v, 2)
	if err == nil {
		im.c.Optimizer.Beta1, im.c.Optimizer.Beta2 = b[0], b[1]
	}
	return err
}

func (im *importer) sameBetas(v any) error {
	b, err := numbers(v, 2)
	if err == nil && (b[0] != im.c.Optimizer.Beta1 || b[1] != im.c.Optimizer.Beta2) {
		err = fmt.Errorf("%s: the generator's are %v and %v, and there is one setting here", show(v), im.c.Optimizer.Beta1, im.c.Optimizer.Beta2)
	}
	return err
}

// sameAugment compares the augmentation of the unlabelled half with that of the labelled one.
func (im *importer) sameAugment(v any) error {
	var on bool
	err := assign(v, &on)
	if on != im.c.Data.Augment {
		im.lost, im.note = true, fmt.Sprintf("both halves are augmented alike, here %v", im.c.Data.Augment)
	}
	return err
}

// setMetrics takes PSNR and SSIM as BasicSR measures them.
func (im *importer) setMetrics(v any) error {
	options, _ := v.(yaml.MapSlice)
	byName := map[string]map[string]any{}
	var names []string
	for _, o := range options {
		name, key, _ := strings.Cut(fmt.Sprint(o.Key), ".")
		if byName[name] == nil {
			byName[name] = map[string]any{}
			names = append(names, name)
		}
		byName[name][key] = o.Value
	}
	val := &im.c.Validation
	val.Crop = 0
	var left []string
	for _, name := range names {
		m := byName[name]
		color := "rgb"
		if m["test_y_channel"] == true {
			color = "y_bt601"
		}
		crop, _ := number(m["crop_border"])
		switch kind := show(m["type"]); {
		case kind != "calculate_psnr" && kind != "calculate_ssim", len(val.Metrics) > 0 && int(crop) != val.Crop:
			left = append(left, name)
		default:
			val.Crop = int(crop)
			val.Metrics = append(val.Metrics, strings.TrimPrefix(kind, "calculate_")+"_"+color+"_basicsr")
		}
	}
	if len(left) > 0 {
		im.note = fmt.Sprintf("without %s: measure that with `pdd eval`", strings.Join(left, ", "))
	}
	return nil
}

// setPipeline reads how LR is made of HR.
func (im *importer) setPipeline(v any) error {
	steps, ok := v.([]any)
	if !ok {
		return unless(false, v, "a list of steps")
	}
	p := pipeline{im: im}
	for i, step := range steps {
		m, ok := step.(yaml.MapSlice)
		if !ok {
			return fmt.Errorf("step %d: %s: want keys with values", i+1, show(step))
		}
		if err := p.step(show(m.ToMap()["type"]), m.ToMap()); err != nil {
			return fmt.Errorf("step %d, %s: %w", i+1, show(m.ToMap()["type"]), err)
		}
	}
	return p.finish()
}

// pipeline collects what the steps do.
type pipeline struct {
	im      *importer
	resized bool
	patch   float64 // in HR
	turns   []string
}

func (p *pipeline) step(kind string, m map[any]any) (err error) {
	d := &p.im.c.Data.Degradation
	switch kind {
	case "FixedCrop":
		p.patch, err = square(m["crop_size"])
	case "Flip":
		p.turns = append(p.turns, show(m["direction"]))
		err = evenly(m["flip_ratio"])
	case "RandomTransposeHW":
		p.turns = append(p.turns, "transpose")
		err = evenly(m["transpose_ratio"])
	case "MATLABLikeResize":
		*d, p.resized = DegradationConfig{Preset: "bicubic"}, true
		err = p.resizedTo(m["output_shape"])
	case "RandomResize":
		p.resized = true
		params, _ := m["params"].(yaml.MapSlice)
		if err = p.resizedTo(params.ToMap()["target_size"]); err == nil {
			*d, err = drawnResize(params.ToMap())
		}
	case "CopyValues", "Quantize", "Collect":
	default:
		err = errors.New("there is no such step here: see docs/DATA.md for data.degradation")
	}
	return err
}

// resizedTo demands that the patch shrinks by the network's scale.
func (p *pipeline) resizedTo(size any) error {
	side, err := square(size)
	if err == nil && side*float64(p.im.scale) != p.patch {
		err = fmt.Errorf("%v of %v pixels: want 1/%d", side, p.patch, p.im.scale)
	}
	return err
}

func (p *pipeline) finish() error {
	if p.patch == 0 || !p.resized {
		return errors.New("want at least FixedCrop and RandomResize or MATLABLikeResize")
	}
	p.im.c.Data.Patch = int(p.patch) / p.im.scale
	slices.Sort(p.turns)
	p.im.c.Data.Augment = len(p.turns) > 0
	if p.im.c.Data.Augment && !reflect.DeepEqual(p.turns, []string{"horizontal", "transpose", "vertical"}) {
		return fmt.Errorf("augmentation by %s: want all of horizontal and vertical flip and transposition, or none", strings.Join(p.turns, ", "))
	}
	p.im.note = "also data.patch and data.augment"
	return nil
}

// square reads the side of a list of two equal ones.
func square(v any) (float64, error) {
	sides, err := numbers(v, 2)
	if err == nil {
		err = unless(sides[0] == sides[1] && sides[0] >= 1, v, "two equal sides")
	}
	if err != nil {
		return 0, err
	}
	return sides[0], nil
}

// evenly demands a chance of one half.
func evenly(v any) error {
	x, ok := number(v)
	return unless(ok && x == 0.5, v, "0.5, the only chance here")
}

// drawnResize is a random choice of OpenCV's resizing.
func drawnResize(params map[any]any) (DegradationConfig, error) {
	d := DegradationConfig{Preset: "resize"}
	modes, _ := params["resize_opt"].([]any)
	chances, err := numbers(params["resize_prob"], len(modes))
	if err != nil {
		return d, err
	}
	names := make([]string, len(modes))
	for i, m := range modes {
		names[i] = strings.ToLower(show(m))
		if math.Abs(chances[i]*float64(len(modes))-1) > 1e-3 {
			return d, fmt.Errorf("chances %s: want equal ones", show(params["resize_prob"]))
		}
		if !slices.Contains([]string{"bicubic", "bilinear", "area"}, names[i]) {
			return d, fmt.Errorf("%s: want bicubic, bilinear or area", names[i])
		}
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) < 3 {
		d.Settings = map[string]any{"modes": toAny(names)}
	}
	return d, nil
}

func toAny(texts []string) []any {
	list := make([]any, len(texts))
	for i, t := range texts {
		list[i] = t
	}
	return list
}
