package data

import (
	"errors"
	"fmt"
	"image"
	"math/rand/v2"
)

// Synthetic is a dataset of HR pictures whose LR pictures are made on the fly by a [Degradation].
type Synthetic struct {
	items []Item
	deg   Degradation
	opts  Options
}

// NewSynthetic returns the dataset of the given HR pictures.
func NewSynthetic(hr []Item, d Degradation, o Options) (*Synthetic, error) {
	if len(hr) == 0 {
		return nil, errors.New("data: synthetic dataset: no pictures")
	}
	if d == nil {
		return nil, errors.New("data: synthetic dataset: no degradation: want one such as Preset(\"bicubic\", 4)")
	}
	if err := firstError(o.validate(), d.Validate()); err != nil {
		return nil, err
	}
	return &Synthetic{hr, d, o}, nil
}

// Len is the number of pictures.
func (d *Synthetic) Len() int { return len(d.items) }

// Name is the file of picture i.
func (d *Synthetic) Name(i int) string { return d.items[i].Path }

// margin is how many LR pixels around a patch are degraded with it and then cut away. With 4 of them, 16 HR pixels at
// scale 4, a bicubic patch equals that part of the whole LR picture exactly, and blurs see the true surroundings.
const margin = 4

// Sample degrades a part of picture i. Parts begin at multiples of the scale, so that they are parts of the LR picture
// that the whole HR picture has.
func (d *Synthetic) Sample(rng *rand.Rand, i int) (Sample, error) {
	p, err := d.opts.open(d.items[i])
	if err != nil {
		return Sample{}, err
	}
	scale := d.deg.Factor()
	whole := p.size.Div(scale) // in LR pixels
	part, err := d.opts.part(rng, d.items[i], whole)
	if err != nil {
		return Sample{}, err
	}
	around := part.Inset(-margin).Intersect(image.Rectangle{Max: whole})
	o := d.opts.orientation(rng)
	recipe := d.deg.Draw(rng)
	source, err := p.planes(scaled(around, scale))
	if err != nil {
		return Sample{}, err
	}
	lr, target, err := recipe.Apply(source)
	if err != nil {
		return Sample{}, fmt.Errorf("data: degrade %q: %w", d.items[i].Path, err)
	}
	s := Sample{Name: d.items[i].Path, Recipe: &recipe}
	part = part.Sub(around.Min)
	if s.LR, err = lr.cropOriented(part, o); err != nil {
		return Sample{}, fmt.Errorf("data: degrade %q: LR image: %w", d.items[i].Path, err)
	}
	if s.HR, err = target.cropOriented(scaled(part, scale), o); err != nil {
		return Sample{}, fmt.Errorf("data: degrade %q: target: %w", d.items[i].Path, err)
	}
	freeImages(source, target, lr)
	return s, nil
}
