package pdd

import (
	"github.com/goccy/go-yaml"

	"github.com/gopdd/gopdd/data"
)

func (t *Trainer) buildDatasets() error {
	c := t.cfg.Data
	o := data.Options{Patch: c.Patch, Augment: c.Augment, Cache: data.NewCache(int64(c.CacheMiB) << 20)}
	hr, err := listAll(c.HR)
	if err != nil {
		return err
	}
	if len(c.LR) > 0 {
		lr, err := listAll(c.LR)
		if err != nil {
			return err
		}
		matched, err := data.MatchPairs(lr, hr)
		if err != nil {
			return err
		}
		if t.pairs, err = data.NewPaired(matched, t.scale, o); err != nil {
			return err
		}
	} else {
		d, err := c.Degradation.build(t.scale)
		if err != nil {
			return err
		}
		if t.pairs, err = data.NewSynthetic(hr, d, o); err != nil {
			return err
		}
	}
	if t.cfg.Method == SupervisedOnly {
		return nil
	}
	un, err := listAll(c.Unlabelled)
	if err != nil {
		return err
	}
	t.targets, err = data.NewUnpaired(un, o)
	return err
}

func listAll(paths []string) ([]data.Item, error) {
	var all []data.Item
	for _, p := range paths {
		items, err := data.List(p)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
	}
	return all, nil
}

// build is the degradation that shrinks by scale.
func (c DegradationConfig) build(scale int) (data.Degradation, error) {
	text, err := yaml.Marshal(struct {
		Preset   string
		Scale    int
		Settings any
	}{c.Preset, scale, c.Settings})
	if err != nil {
		return nil, err
	}
	return data.ParseDegradation(text)
}
