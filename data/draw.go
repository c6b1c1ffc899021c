package data

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Degradation is a distribution over recipes: [FirstOrder], [RealESRGAN] and [BSRGAN]. Draw takes all its randomness
// from rng, so equal generators give equal recipes; an implementation must be safe for concurrent use.
type Degradation interface {
	Draw(rng *rand.Rand) Recipe
	Validate() error // names the first field that makes no sense
	Factor() int     // side of the target / side of the LR image
}

// Rand is the generator of one sample: its numbers depend on (seed, epoch, index) alone, and those of different
// samples are unrelated.
func Rand(seed uint64, epoch, index int) *rand.Rand {
	return rand.New(rand.NewPCG(hash64(seed), hash64(hash64(uint64(epoch))+uint64(index))))
}

// hash64 is splitmix64's finaliser.
func hash64(z uint64) uint64 {
	z += 0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// drawSeed draws a seed that survives every JSON reader, those that know float64 only included.
func drawSeed(rng *rand.Rand) uint64 { return rng.Uint64() >> 11 }

// Range is a uniform distribution between two numbers.
type Range [2]float64

func (r Range) draw(rng *rand.Rand) float64 { return r[0] + (r[1]-r[0])*rng.Float64() }

func (r Range) validate(name string, lowest float64) error {
	if !(r[0] >= lowest && r[0] <= r[1]) || math.IsInf(r[1], 0) {
		return fmt.Errorf("data: degradation: %s is %v to %v: want two numbers from %v, the smaller one first", name, r[0], r[1], lowest)
	}
	return nil
}

func validateChance(name string, p float64) error {
	if !(p >= 0 && p <= 1) {
		return fmt.Errorf("data: degradation: chance of %s is %v: want 0 to 1", name, p)
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// choose draws an index with chance proportional to its weight.
func choose(rng *rand.Rand, weights ...float64) int {
	var sum float64
	for _, w := range weights {
		sum += w
	}
	u := rng.Float64() * sum
	for i, w := range weights {
		if u -= w; u < 0 {
			return i
		}
	}
	return len(weights) - 1
}

// BlurDraw is a distribution over kernels.
type BlurDraw struct {
	Prob  float64 `yaml:"prob"`  // of blurring at all
	Sizes [2]int  `yaml:"sizes"` // smallest and largest side, odd; all odd sides between are equally likely
	Sinc  float64 `yaml:"sinc"`  // chance of a sinc kernel; Kinds share the rest
	// Kinds are the weights of iso, aniso, generalized_iso, generalized_aniso, plateau_iso, plateau_aniso.
	Kinds       [6]float64 `yaml:"kinds"`
	Sigma       Range      `yaml:"sigma"`       // pixels, each axis by itself
	Generalized Range      `yaml:"generalized"` // Beta: half the time from the lower end to 1, else from 1 to the upper
	Plateau     Range      `yaml:"plateau"`     // Beta, likewise
}

var gaussianKinds = [6]Kind{Iso, Aniso, GeneralizedIso, GeneralizedAniso, PlateauIso, PlateauAniso}

// draw is a kernel whether or not Prob grants one.
func (d BlurDraw) draw(rng *rand.Rand) Kernel {
	k := Kernel{Size: d.Sizes[0] + 2*rng.IntN((d.Sizes[1]-d.Sizes[0])/2+1)}
	if rng.Float64() < d.Sinc {
		k.Kind = Sinc
		lowest := math.Pi / 5
		if k.Size < 13 {
			lowest = math.Pi / 3
		}
		k.Cutoff = Range{lowest, math.Pi}.draw(rng)
		return k
	}
	k.Kind = gaussianKinds[choose(rng, d.Kinds[:]...)]
	k.SigmaX = d.Sigma.draw(rng)
	if k.Kind == Aniso || k.Kind == GeneralizedAniso || k.Kind == PlateauAniso {
		k.SigmaY = d.Sigma.draw(rng)
		k.Theta = Range{-math.Pi, math.Pi}.draw(rng)
	}
	switch k.Kind {
	case GeneralizedIso, GeneralizedAniso:
		k.Beta = drawBeta(rng, d.Generalized)
	case PlateauIso, PlateauAniso:
		k.Beta = drawBeta(rng, d.Plateau)
	}
	return k
}

func drawBeta(rng *rand.Rand, r Range) float64 {
	if rng.Float64() < 0.5 {
		return Range{r[0], 1}.draw(rng)
	}
	return Range{1, r[1]}.draw(rng)
}

func (d BlurDraw) validate(name string) error {
	if d.Prob == 0 {
		return nil
	}
	lo, hi := d.Sizes[0], d.Sizes[1]
	if lo < 1 || lo > hi || hi > maxKernel || lo%2 == 0 || hi%2 == 0 {
		return fmt.Errorf("data: degradation: %s: sizes %v: want two odd numbers up to %d, the smaller one first", name, d.Sizes, maxKernel)
	}
	if slices.Min(d.Kinds[:]) < 0 || slices.Max(d.Kinds[:]) <= 0 {
		return fmt.Errorf("data: degradation: %s: kinds %v: want weights that are not negative and not all zero", name, d.Kinds)
	}
	return firstError(
		validateChance(name, d.Prob),
		validateChance(name+": sinc", d.Sinc),
		d.Sigma.validate(name+": sigma", 1e-3),
		d.Generalized.validate(name+": generalized", 1e-3),
		d.Plateau.validate(name+": plateau", 1e-3),
	)
}

// ResizeDraw is a distribution over factors: up to Range[1], down to Range[0], or none, with these weights.
type ResizeDraw struct {
	Up    float64 `yaml:"up"`
	Down  float64 `yaml:"down"`
	Keep  float64 `yaml:"keep"`
	Range Range   `yaml:"range"`
	Modes []Mode  `yaml:"modes"` // equally likely
}

func (d ResizeDraw) draw(rng *rand.Rand) Resizing {
	r := Resizing{Scale: 1}
	switch choose(rng, d.Up, d.Down, d.Keep) {
	case 0:
		r.Scale = Range{1, d.Range[1]}.draw(rng)
	case 1:
		r.Scale = Range{d.Range[0], 1}.draw(rng)
	}
	r.Mode = d.Modes[rng.IntN(len(d.Modes))]
	return r
}

func (d ResizeDraw) validate(name string) error {
	if d.Up < 0 || d.Down < 0 || d.Keep < 0 || d.Up+d.Down+d.Keep <= 0 {
		return fmt.Errorf("data: degradation: %s: weights up %v, down %v, keep %v: want some above zero and none below", name, d.Up, d.Down, d.Keep)
	}
	if d.Range[0] > 1 || d.Range[1] < 1 {
		return fmt.Errorf("data: degradation: %s: range %v: must contain 1", name, d.Range)
	}
	return firstError(validateModes(name, d.Modes), d.Range.validate(name+": range", 1e-2))
}

func validateModes(name string, modes []Mode) error {
	if len(modes) == 0 {
		return fmt.Errorf("data: degradation: %s: no modes", name)
	}
	for _, m := range modes {
		if !slices.Contains([]Mode{ModeArea, ModeBilinear, ModeBicubic, ModeCVArea, ModeMATLAB}, m) {
			return fmt.Errorf("data: degradation: %s: unknown mode %q", name, m)
		}
	}
	return nil
}

// NoiseDraw is a distribution over noises.
type NoiseDraw struct {
	Prob     float64 `yaml:"prob"`     // of noise at all
	Gaussian float64 `yaml:"gaussian"` // chance of Gaussian noise, else Poisson
	Sigma    Range   `yaml:"sigma"`    // Gaussian, levels of 255
	Poisson  Range   `yaml:"poisson"`  // factor of the shot noise
	Gray     float64 `yaml:"gray"`     // chance of the same noise in all planes
}

// draw is a noise whether or not Prob grants one.
func (d NoiseDraw) draw(rng *rand.Rand) Noise {
	n := Noise{Kind: Poisson}
	if rng.Float64() < d.Gaussian {
		n.Kind = Gaussian
		n.Level = d.Sigma.draw(rng)
	} else {
		n.Level = d.Poisson.draw(rng)
	}
	n.Gray = rng.Float64() < d.Gray
	n.Seed = drawSeed(rng)
	return n
}

func (d NoiseDraw) validate(name string) error {
	return firstError(
		validateChance(name, d.Prob),
		validateChance(name+": gaussian", d.Gaussian),
		validateChance(name+": gray", d.Gray),
		d.Sigma.validate(name+": sigma", 0),
		d.Poisson.validate(name+": poisson", 0),
	)
}

// JPEGDraw is a distribution over compressions.
type JPEGDraw struct {
	Prob    float64 `yaml:"prob"`
	Quality Range   `yaml:"quality"`
	Real    bool    `yaml:"real"` // an actual encoder and whole qualities, see [Compression]
}

// draw is a compression whether or not Prob grants one.
func (d JPEGDraw) draw(rng *rand.Rand) Compression {
	if d.Real {
		lo, hi := int(math.Ceil(d.Quality[0])), int(d.Quality[1])
		return Compression{Quality: float64(lo + rng.IntN(max(hi-lo, 0)+1)), Real: true}
	}
	return Compression{Quality: d.Quality.draw(rng)}
}

func (d JPEGDraw) validate(name string) error {
	if d.Prob == 0 {
		return nil
	}
	if d.Quality[1] > 100 {
		return fmt.Errorf("data: degradation: %s: quality %v: want 1 to 100", name, d.Quality)
	}
	return firstError(validateChance(name, d.Prob), d.Quality.validate(name+": quality", 1))
}

func validateScale(scale int) error {
	if scale < 1 || scale > 16 {
		return fmt.Errorf("data: degradation: scale %d: want 1 to 16", scale)
	}
	return nil
}
