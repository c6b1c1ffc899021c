package main

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/gopdd/gopdd/data"
)

// side is that of a crop, in pixels.
const side = 64

// kind is a way in which pictures of what super-resolution makes can be damaged: on a small picture that is then enlarged,
// or on the picture as it is.
type kind struct {
	name    string
	scale   int // of the small picture; 1: none
	degrade func(d *data.FirstOrder)
	sharpen bool // after enlarging
}

func blur(low, high float64) data.BlurDraw {
	one := data.Range{1, 1}
	return data.BlurDraw{Prob: 1, Sizes: [2]int{15, 21}, Kinds: [6]float64{1, 1}, Sigma: data.Range{low, high}, Generalized: one, Plateau: one}
}

func noise(low, high float64) data.NoiseDraw {
	return data.NoiseDraw{Prob: 1, Gaussian: 1, Sigma: data.Range{low, high}, Gray: 0.3}
}

func jpeg(low, high float64) data.JPEGDraw {
	return data.JPEGDraw{Prob: 1, Quality: data.Range{low, high}, Real: true}
}

var kinds = []kind{
	{"clean", 1, func(d *data.FirstOrder) {}, false},
	{"blurred", 1, func(d *data.FirstOrder) { d.Blur = blur(0.7, 1.5) }, false},
	{"noisy", 1, func(d *data.FirstOrder) { d.Noise = noise(2, 10) }, false},
	{"compressed", 1, func(d *data.FirstOrder) { d.JPEG = jpeg(30, 80) }, false},
	{"enlarged", 4, func(d *data.FirstOrder) {}, false},
	{"enlarged, sharpened", 4, func(d *data.FirstOrder) {}, true},
	{"blurred, enlarged", 4, func(d *data.FirstOrder) { d.Blur = blur(2, 5) }, false},
	{"noisy, enlarged", 4, func(d *data.FirstOrder) { d.Noise = noise(2, 10) }, false},
	{"noisy, enlarged, sharpened", 4, func(d *data.FirstOrder) { d.Noise = noise(2, 10) }, true},
	{"compressed, enlarged", 4, func(d *data.FirstOrder) { d.JPEG = jpeg(30, 80) }, false},
	{"compressed, enlarged, sharpened", 4, func(d *data.FirstOrder) { d.JPEG = jpeg(30, 80) }, true},
}

// crops are random parts of photographs, damaged in all kinds.
type crops struct {
	items []data.Item
	sets  []*data.Synthetic // one for each kind
}

func newCrops(dir string) (*crops, error) {
	c := &crops{}
	var err error
	if c.items, err = data.List(dir); err != nil {
		return nil, err
	}
	cache := data.NewCache(1 << 30)
	for _, k := range kinds {
		d := data.FirstOrder{Scale: k.scale, Modes: []data.Mode{data.ModeMATLAB}}
		k.degrade(&d)
		set, err := data.NewSynthetic(c.items, d, data.Options{Patch: side / k.scale, Augment: true, Cache: cache})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k.name, err)
		}
		c.sets = append(c.sets, set)
	}
	return c, nil
}

func (c *crops) photos() int { return len(c.items) }

// batch has crops [n,3,side,side] with their kinds and photographs.
type batch struct {
	pix         []float32
	kind, photo []int
	err         error
}

// batches makes batches ahead until ctx ends.
func (c *crops) batches(ctx context.Context, seed uint64, n int) <-chan batch {
	out := make(chan batch, 4)
	go func() {
		defer close(out)
		for i := 0; ctx.Err() == nil; i++ {
			select {
			case out <- c.batch(data.Rand(seed, 0, i), n):
			case <-ctx.Done():
			}
		}
	}()
	return out
}

func (c *crops) batch(rng *rand.Rand, n int) (b batch) {
	for range n {
		k, photo := rng.IntN(len(kinds)), rng.IntN(len(c.items))
		m, err := c.crop(rng, k, photo)
		if err != nil {
			return batch{err: err}
		}
		for plane := range 3 {
			b.pix = append(b.pix, m.Plane(plane)...)
		}
		b.kind, b.photo = append(b.kind, k), append(b.photo, photo)
	}
	return b
}

func (c *crops) crop(rng *rand.Rand, k, photo int) (*data.Image, error) {
	sample, err := c.sets[k].Sample(rng, photo)
	if err != nil {
		return nil, err
	}
	m := sample.LR
	if kinds[k].scale > 1 {
		if m, err = data.ResizeTo(m, side, side, data.Bicubic); err != nil {
			return nil, err
		}
	}
	if kinds[k].sharpen {
		if m, err = data.Sharpen(m, data.USM{Weight: 0.5 + rng.Float64(), Radius: 8, Sigma: 2}); err != nil {
			return nil, err
		}
	}
	return m.Clamp(), nil
}
