package pdd

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

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
