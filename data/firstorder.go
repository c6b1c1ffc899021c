package data

import "math/rand/v2"

// FirstOrder is the classical degradation: blur, shrink, noise, JPEG, once each. With blur, noise and JPEG off it is
// plain shrinking, the labelled half of the paper's training; with some of them on it is one of the paper's other
// simple specialists.
type FirstOrder struct {
	Scale   int       `yaml:"scale"`
	Sharpen USM       `yaml:"sharpen"` // of the target, after LR was made of it; weight 0: none
	Blur    BlurDraw  `yaml:"blur"`
	Modes   []Mode    `yaml:"modes"` // of shrinking, equally likely
	Noise   NoiseDraw `yaml:"noise"`
	JPEG    JPEGDraw  `yaml:"jpeg"`
}

// plainBicubic shrinks to 1/scale by MATLAB's bicubic and does nothing else.
func plainBicubic(scale int) FirstOrder {
	return FirstOrder{Scale: scale, Modes: []Mode{ModeMATLAB}}
}

// simpleBlur is an isotropic Gaussian in the range that is usual for scale 4 (sigma 0.2 to 4; Gu et al. 2019).
var simpleBlur = BlurDraw{Prob: 1, Sizes: [2]int{21, 21}, Kinds: [6]float64{1}, Sigma: Range{0.2, 4}, Generalized: Range{1, 1}, Plateau: Range{1, 1}}

// simpleNoise is coloured Gaussian noise, simpleJPEG a compression, in Real-ESRGAN's ranges.
var (
	simpleNoise = NoiseDraw{Prob: 1, Gaussian: 1, Sigma: Range{1, 30}}
	simpleJPEG  = JPEGDraw{Prob: 1, Quality: Range{30, 95}}
)

// Factor is Scale.
func (d FirstOrder) Factor() int { return d.Scale }

// Validate reports the first field that makes no sense.
func (d FirstOrder) Validate() error {
	return firstError(
		validateScale(d.Scale),
		d.Sharpen.validate(),
		d.Blur.validate("blur"),
		validateModes("modes", d.Modes),
		d.Noise.validate("noise"),
		d.JPEG.validate("jpeg"),
	)
}

// Draw draws one recipe; its LR image has sides target/Scale and 8-bit levels.
func (d FirstOrder) Draw(rng *rand.Rand) Recipe {
	r := Recipe{Name: "first_order", Target: []Step{{Multiple: d.Scale}}}
	if d.Sharpen.Weight != 0 {
		r.Wanted = []Step{{Sharpen: &d.Sharpen}}
	}
	if rng.Float64() < d.Blur.Prob {
		k := d.Blur.draw(rng)
		r.Steps = append(r.Steps, Step{Blur: &k})
	}
	mode := d.Modes[rng.IntN(len(d.Modes))]
	r.Steps = append(r.Steps, Step{Resize: &Resizing{Mode: mode, Scale: 1, Down: d.Scale}})
	if rng.Float64() < d.Noise.Prob {
		n := d.Noise.draw(rng)
		r.Steps = append(r.Steps, Step{Noise: &n})
	}
	if rng.Float64() < d.JPEG.Prob {
		c := d.JPEG.draw(rng)
		r.Steps = append(r.Steps, Step{JPEG: &c})
	}
	r.Steps = append(r.Steps, Step{Quantize: true})
	return r
}
