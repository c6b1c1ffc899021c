package pdd

import (
	"fmt"
	"path"
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
