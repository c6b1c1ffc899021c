package pdd

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"iter"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/gopdd/gopdd/data"
)

var errNoData = errors.New("no data: fill Config.Data in, or give WithDatasets")

// Batches are those that the next steps of Run would see, one after the other without end: for training loops of one's
// own. The first error ends them: that of a file, or ctx's. Leave the loop to stop the goroutines that make them.
func (t *Trainer) Batches(ctx context.Context) iter.Seq2[data.Batch, error] {
	if t.loader == nil {
		return func(yield func(data.Batch, error) bool) {
			yield(data.Batch{}, fmt.Errorf("pdd: batches: %w", errNoData))
		}
	}
	return t.loader.Batches(ctx, t.Done())
}

// buildDatasets lists the data that were not given in memory.
func (t *Trainer) buildDatasets() error {
	c := t.cfg.Data
	var p problems
	if t.cfg.checkPatch(&p, t.scale, t.specialist.Multiple()); len(p) > 0 {
		return errors.New(strings.Join(p, "; "))
	}
	o := data.Options{Patch: c.Patch, Augment: c.Augment, Cache: data.NewCache(int64(c.CacheMiB) << 20)}
	if t.pairs == nil {
		if err := t.buildLabelled(o); err != nil {
			return err
		}
	}
	if t.targets != nil || t.cfg.Method == SupervisedOnly {
		return nil
	}
	un, err := listAll(c.Unlabelled)
	if err != nil {
		return err
	}
	t.targets, err = data.NewUnpaired(un, o)
	return err
}

func (t *Trainer) buildLabelled(o data.Options) error {
	c := t.cfg.Data
	hr, err := listAll(c.HR)
	if err != nil {
		return err
	}
	if len(c.LR) == 0 {
		d, err := c.Degradation.build(t.scale)
		if err != nil {
			return err
		}
		t.pairs, err = data.NewSynthetic(hr, d, o)
		return err
	}
	lr, err := listAll(c.LR)
	if err != nil {
		return err
	}
	matched, err := data.MatchPairs(lr, hr)
	if err != nil {
		return err
	}
	t.pairs, err = data.NewPaired(matched, t.scale, o)
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

// fingerprint tells data sets apart: their sizes and a hash of their files' names.
func (t *Trainer) fingerprint() string {
	text := ""
	for _, d := range []data.Dataset{t.pairs, t.targets} {
		if d == nil {
			continue
		}
		h := fnv.New64a()
		for i := range d.Len() {
			fmt.Fprintln(h, filepath.Base(d.Name(i)))
		}
		text += fmt.Sprintf("%d:%016x ", d.Len(), h.Sum64())
	}
	return text
}
