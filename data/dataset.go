package data

import (
	"errors"
	"fmt"
	"image"
	"math/rand/v2"
)

// Dataset is a numbered set of samples: [Paired], [Synthetic], [Unpaired]. Sample returns number i of Len; what is
// random in it (the place of the crop, the orientation, the degradation) comes from rng alone. A Dataset must be safe
// for concurrent use.
type Dataset interface {
	Len() int
	Sample(rng *rand.Rand, i int) (Sample, error)
	Name(i int) string // the file, for messages
}

// Sample is one training example. Images have three planes (gray pictures are repeated) of values in [0, 1].
type Sample struct {
	LR     *Image
	HR     *Image  // target, Scale times as large; nil where there is none
	Name   string  // file it was made of
	Recipe *Recipe // how LR was made of HR, where it was
}

// Options are what datasets have in common.
type Options struct {
	Patch     int    // side of the random LR crop in pixels; 0: whole pictures
	Augment   bool   // random flips and quarter turns
	Cache     *Cache // of decoded pictures; nil: none
	MaxPixels int64  // larger pictures are refused; 0: 2^28
}

// Paired is a dataset of LR pictures with their HR pictures.
type Paired struct {
	pairs []Pair
	scale int
	opts  Options
}

// NewPaired returns the dataset of the given pairs. HR sides must be scale times LR sides; HR may be up to scale-1
// pixels larger, which are cut off right and below. That is checked when a pair is read ([Check] does it beforehand).
func NewPaired(pairs []Pair, scale int, o Options) (*Paired, error) {
	if len(pairs) == 0 {
		return nil, errors.New("data: paired dataset: no pairs")
	}
	if err := firstError(validateScale(scale), o.validate()); err != nil {
		return nil, err
	}
	return &Paired{pairs, scale, o}, nil
}

func (o Options) validate() error {
	if o.Patch < 0 || o.Patch > 1<<14 {
		return fmt.Errorf("data: dataset: patch of %d pixels: want 0 (whole pictures) to %d", o.Patch, 1<<14)
	}
	return nil
}

// Len is the number of pairs.
func (d *Paired) Len() int { return len(d.pairs) }

// Name is the LR file of pair i.
func (d *Paired) Name(i int) string { return d.pairs[i].LR.Path }

// Sample reads pair i and takes the same part of both pictures.
func (d *Paired) Sample(rng *rand.Rand, i int) (Sample, error) {
	p := d.pairs[i]
	lr, err := d.opts.open(p.LR)
	if err != nil {
		return Sample{}, err
	}
	hr, err := d.opts.open(p.HR)
	if err != nil {
		return Sample{}, err
	}
	if err := checkRatio(p, lr.size, hr.size, d.scale); err != nil {
		return Sample{}, err
	}
	part, err := d.opts.part(rng, p.LR, lr.size)
	if err != nil {
		return Sample{}, err
	}
	s := Sample{Name: p.LR.Path}
	if s.LR, err = lr.planes(part); err != nil {
		return Sample{}, err
	}
	if s.HR, err = hr.planes(scaled(part, d.scale)); err != nil {
		return Sample{}, err
	}
	o := d.opts.orientation(rng)
	s.LR, s.HR = s.LR.Orient(o), s.HR.Orient(o)
	return s, nil
}

// checkRatio demands that hr is scale times lr, up to a remainder.
func checkRatio(p Pair, lr, hr image.Point, scale int) error {
	if hr.X/scale != lr.X || hr.Y/scale != lr.Y {
		return fmt.Errorf("data: pair %q, %q: %d×%d and %d×%d: the HR picture must be %d times as large",
			p.LR.Path, p.HR.Path, lr.X, lr.Y, hr.X, hr.Y, scale)
	}
	return nil
}

// part is the random patch of a picture, or all of it.
func (o Options) part(rng *rand.Rand, it Item, size image.Point) (image.Rectangle, error) {
	if o.Patch == 0 {
		return image.Rectangle{Max: size}, nil
	}
	r, err := square(rng, size.X, size.Y, o.Patch)
	if err != nil {
		return r, fmt.Errorf("data: crop %q: %w", it.Path, err)
	}
	return r, nil
}

func (o Options) orientation(rng *rand.Rand) Orientation {
	if !o.Augment {
		return Orientation{}
	}
	return drawOrientation(rng)
}

// Unpaired is a dataset of LR pictures without ground truth.
type Unpaired struct {
	items []Item
	opts  Options
}

// NewUnpaired returns the dataset of the given pictures.
func NewUnpaired(lr []Item, o Options) (*Unpaired, error) {
	if len(lr) == 0 {
		return nil, errors.New("data: unpaired dataset: no pictures")
	}
	if err := o.validate(); err != nil {
		return nil, err
	}
	return &Unpaired{lr, o}, nil
}

// Len is the number of pictures.
func (d *Unpaired) Len() int { return len(d.items) }

// Name is the file of picture i.
func (d *Unpaired) Name(i int) string { return d.items[i].Path }

// Sample reads a part of picture i.
func (d *Unpaired) Sample(rng *rand.Rand, i int) (Sample, error) {
	p, err := d.opts.open(d.items[i])
	if err != nil {
		return Sample{}, err
	}
	part, err := d.opts.part(rng, d.items[i], p.size)
	if err != nil {
		return Sample{}, err
	}
	lr, err := p.planes(part)
	if err != nil {
		return Sample{}, err
	}
	return Sample{LR: lr.Orient(d.opts.orientation(rng)), Name: d.items[i].Path}, nil
}
