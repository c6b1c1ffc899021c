package data

import (
	"encoding/json"
	"fmt"
	"math"
)

// Recipe is one drawn degradation: what was done to an HR image to get its training target and its LR image, with
// every number that was drawn. It is a value: print it, store it as JSON, apply it again. Applied to the same image it
// gives the same result, bit for bit on the same machine type.
type Recipe struct {
	Name   string `json:"name,omitempty"`
	Target []Step `json:"target,omitempty"` // HR → target, e.g. sharpening
	Steps  []Step `json:"steps"`            // target → LR
	Wanted []Step `json:"wanted,omitempty"` // target → what a network is to make of LR; none: the target
}

// Apply returns the LR image and the target, as it is wanted, that hr becomes. hr is not changed; the target may be hr
// itself.
func (r Recipe) Apply(hr *Image) (lr, target *Image, err error) {
	if target, err = applySteps(r.Target, hr); err != nil {
		return nil, nil, fmt.Errorf("data: degrade: target %w", err)
	}
	if lr, err = applySteps(r.Steps, target); err != nil {
		return nil, nil, fmt.Errorf("data: degrade: %w", err)
	}
	wanted, err := applySteps(r.Wanted, target)
	if err != nil {
		return nil, nil, fmt.Errorf("data: degrade: wanted %w", err)
	}
	if target != hr && target != wanted {
		target.free()
	}
	return lr, wanted, nil
}

// applySteps returns what the steps make of m, which is not changed. What lies between is given back.
func applySteps(steps []Step, m *Image) (*Image, error) {
	now := m
	for i, s := range steps {
		next, err := s.Apply(now, m)
		if err != nil {
			return nil, fmt.Errorf("step %d: %w", i+1, err)
		}
		if now != m && now != next {
			now.free()
		}
		now = next
	}
	return now, nil
}

// String is the recipe as JSON on one line.
func (r Recipe) String() string {
	text, err := json.Marshal(r)
	if err != nil { // a NaN or infinity, which no drawn recipe has
		return fmt.Sprintf("data.Recipe(%v)", err)
	}
	return string(text)
}

// Step is one operation of a degradation: exactly one field is set.
type Step struct {
	Multiple  int          `json:"multiple,omitempty"`  // cut right and below to sides that are multiples
	Sharpen   *USM         `json:"usm,omitempty"`       // see [Sharpen]
	Blur      *Kernel      `json:"blur,omitempty"`      // see [Filter2D]
	Resize    *Resizing    `json:"resize,omitempty"`    // see [Interpolate]
	Subsample int          `json:"subsample,omitempty"` // keep every n-th row and column, from the first
	Noise     *Noise       `json:"noise,omitempty"`     // see [Noise.Apply]
	JPEG      *Compression `json:"jpeg,omitempty"`      // see [Compression]
	Clamp     bool         `json:"clamp,omitempty"`     // to [0, 1]
	Quantize  bool         `json:"quantize,omitempty"`  // to 8 bits, see [Image.Quantize]
}

// Resizing is a change of size. With Down = 0 it is [InterpolateScale] by Scale; otherwise the size becomes
// int(side/Down·Scale), side being the target's.
type Resizing struct {
	Mode  Mode    `json:"mode"`
	Scale float64 `json:"scale"`
	Down  int     `json:"down,omitempty"`
	// Fit makes the step input / output side where Down is 0, as OpenCV does, instead of 1/Scale, as torch does.
	Fit bool `json:"fit,omitempty"`
}

// Compression is JPEG: DiffJPEG ([JPEG]) or, with Real, an actual encoder ([EncodeJPEG], Quality rounded). The image
// is clamped to [0, 1] first.
type Compression struct {
	Quality float64 `json:"quality"`
	Real    bool    `json:"real,omitempty"`
}

// Apply returns what the step makes of m, which is not changed; m itself where there is nothing to do. target is the
// image the recipe's steps began with.
func (s Step) Apply(m, target *Image) (*Image, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	if err := m.check("degrade"); err != nil {
		return nil, err
	}
	switch {
	case s.Multiple > 0:
		return cutToMultiple(m, s.Multiple)
	case s.Sharpen != nil:
		return Sharpen(m, *s.Sharpen)
	case s.Blur != nil:
		return s.Blur.blur(m)
	case s.Resize != nil:
		return s.Resize.apply(m, target)
	case s.Subsample > 0:
		return subsample(m, s.Subsample), nil
	case s.Noise != nil:
		return s.Noise.Apply(m)
	case s.JPEG != nil:
		return s.JPEG.apply(m)
	case s.Clamp:
		return m.Clone().Clamp(), nil
	}
	return m.Clone().Quantize(), nil
}

// cutToMultiple cuts m right and below; where nothing is to be cut it is m itself.
func cutToMultiple(m *Image, n int) (*Image, error) {
	if m.W%n == 0 && m.H%n == 0 {
		return m, nil
	}
	return m.Crop(0, 0, m.W-m.W%n, m.H-m.H%n)
}

// validate demands that exactly one field is set.
func (s Step) validate() error {
	n := 0
	for _, set := range []bool{s.Multiple > 0, s.Sharpen != nil, s.Blur != nil, s.Resize != nil, s.Subsample > 0,
		s.Noise != nil, s.JPEG != nil, s.Clamp, s.Quantize} {
		if set {
			n++
		}
	}
	if n != 1 {
		return fmt.Errorf("data: degrade: a step has %d operations, want exactly one", n)
	}
	return nil
}

func (k Kernel) blur(m *Image) (*Image, error) {
	if k.Kind == Pulse {
		return m, nil
	}
	weights, side, err := k.Weights()
	if err != nil {
		return nil, err
	}
	return Filter2D(m, weights, side)
}

func (r Resizing) apply(m, target *Image) (*Image, error) {
	switch {
	case r.Down > 0:
		down := func(side int) int { return int(float64(side) / float64(r.Down) * r.Scale) }
		return Interpolate(m, down(target.H), down(target.W), r.Mode)
	case r.Fit:
		return Interpolate(m, int(r.Scale*float64(m.H)), int(r.Scale*float64(m.W)), r.Mode)
	}
	return InterpolateScale(m, r.Scale, r.Mode)
}

func (c Compression) apply(m *Image) (*Image, error) {
	m = m.Clone().Clamp()
	defer m.free()
	if c.Real {
		return EncodeJPEG(m, int(math.Round(c.Quality)))
	}
	return JPEG(m, c.Quality)
}

func subsample(m *Image, n int) *Image {
	out := rawImage(m.C, (m.H+n-1)/n, (m.W+n-1)/n)
	for c := range m.C {
		for y := range out.H {
			src, dst := m.Row(c, y*n), out.Row(c, y)
			for x := range dst {
				dst[x] = src[x*n]
			}
		}
	}
	return out
}
