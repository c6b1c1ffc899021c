package data

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// BSRGAN is the shuffled degradation of BSRGAN (Zhang et al. 2021, fig. 3): two blurs, two downsamplings, noise and
// JPEG in random order, then JPEG once more; sometimes on the image shrunk to half before. The camera model of that
// paper, which needs a trained network and is off in its released training code, is left out.
type BSRGAN struct {
	Scale      int     `yaml:"scale"`
	Half       float64 `yaml:"half"`        // chance of halving first, at scale 4
	Aniso      float64 `yaml:"aniso"`       // chance of an anisotropic blur, else isotropic
	Resize     float64 `yaml:"resize"`      // chance that the first downsampling is a resize, else a shifted blur
	NoiseLevel [2]int  `yaml:"noise_level"` // sigma in levels of 255, whole numbers
	GrayNoise  float64 `yaml:"gray_noise"`  // chance of gray noise
	Correlated float64 `yaml:"correlated"`  // chance of noise with correlated channels; else coloured noise
	MiddleJPEG float64 `yaml:"middle_jpeg"` // chance of the JPEG among the shuffled steps
	Quality    Range   `yaml:"quality"`     // of both JPEGs, whole numbers
}

// shuffledDegradation has the numbers of BSRGAN's training code.
func shuffledDegradation(scale int) BSRGAN {
	return BSRGAN{Scale: scale, Half: 0.25, Aniso: 0.5, Resize: 0.75, NoiseLevel: [2]int{2, 25},
		GrayNoise: 0.4, Correlated: 0.2, MiddleJPEG: 0.9, Quality: Range{30, 95}}
}

// Factor is Scale.
func (d BSRGAN) Factor() int { return d.Scale }

// Validate reports the first field that makes no sense.
func (d BSRGAN) Validate() error {
	return firstError(
		validateScale(d.Scale),
		validateChance("half", d.Half),
		validateChance("aniso", d.Aniso),
		validateChance("resize", d.Resize),
		validateChance("gray_noise", d.GrayNoise),
		validateChance("gray_noise or correlated", d.GrayNoise+d.Correlated),
		validateChance("middle_jpeg", d.MiddleJPEG),
		Range{float64(d.NoiseLevel[0]), float64(d.NoiseLevel[1])}.validate("noise_level", 0),
		JPEGDraw{Prob: 1, Quality: d.Quality}.validate("quality"),
	)
}

// cvModes are the three that OpenCV's resize is called with.
var cvModes = []Mode{ModeBilinear, ModeBicubic, ModeCVArea}

// The steps that are shuffled.
const (
	firstBlur = iota
	secondBlur
	firstDown
	secondDown
	addNoise
	addJPEG
	shuffledSteps
)

// Draw draws one recipe; its LR image has sides target/Scale and has been through a real JPEG encoder.
func (d BSRGAN) Draw(rng *rand.Rand) Recipe {
	r := Recipe{Name: "bsrgan", Target: []Step{{Multiple: d.Scale}}}
	scale := d.Scale
	if scale == 4 && rng.Float64() < d.Half {
		half := &Resizing{Mode: ModeMATLAB, Scale: 0.5}
		if rng.Float64() < 0.5 {
			half = &Resizing{Mode: pickMode(rng), Scale: 0.5, Fit: true}
		}
		r.Steps = append(r.Steps, Step{Resize: half}, Step{Clamp: true})
		scale = 2
	}
	for _, s := range drawOrder(rng) {
		r.Steps = append(r.Steps, d.drawStep(rng, s, scale)...)
	}
	r.Steps = append(r.Steps, d.drawJPEG(rng))
	return r
}

// drawOrder shuffles the steps, then swaps the downsamplings if need be.
func drawOrder(rng *rand.Rand) []int {
	order := rng.Perm(shuffledSteps)
	at := make([]int, shuffledSteps)
	for i, s := range order {
		at[s] = i
	}
	if i, j := at[firstDown], at[secondDown]; i > j {
		order[i], order[j] = order[j], order[i]
	}
	return order
}

func (d BSRGAN) drawStep(rng *rand.Rand, step, scale int) []Step {
	switch step {
	case firstBlur, secondBlur:
		k := d.drawBlur(rng, float64(scale))
		return []Step{{Blur: &k}}
	case firstDown:
		return append(d.drawDown(rng, scale), Step{Clamp: true})
	case secondDown:
		return []Step{{Resize: &Resizing{Mode: pickMode(rng), Scale: 1, Down: d.Scale}}, {Clamp: true}}
	case addNoise:
		n := d.drawNoise(rng)
		return []Step{{Noise: &n}}
	}
	if rng.Float64() < d.MiddleJPEG {
		return []Step{d.drawJPEG(rng)}
	}
	return nil
}

func pickMode(rng *rand.Rand) Mode { return cvModes[rng.IntN(len(cvModes))] }

func (d BSRGAN) drawBlur(rng *rand.Rand, scale float64) Kernel {
	size := 2*(2+rng.IntN(10)) + 3
	if rng.Float64() < d.Aniso {
		variance := Range{1e-6, 4 + scale}
		return VarianceKernel(size, Range{0, math.Pi}.draw(rng), variance.draw(rng), variance.draw(rng))
	}
	return Kernel{Kind: Iso, Size: size, SigmaX: Range{1e-3, 2 + 0.2*scale}.draw(rng)}
}

func (d BSRGAN) drawDown(rng *rand.Rand, scale int) []Step {
	if rng.Float64() < d.Resize {
		factor := Range{1, 2 * float64(scale)}.draw(rng)
		return []Step{{Resize: &Resizing{Mode: pickMode(rng), Scale: 1 / factor, Fit: true}}}
	}
	k := Kernel{Kind: ShiftedIso, Size: 25, SigmaX: Range{0.1, 0.6 * float64(scale)}.draw(rng), Shift: float64(scale-1) / 2}
	if scale == 1 {
		return []Step{{Blur: &k}}
	}
	return []Step{{Blur: &k}, {Subsample: scale}}
}

func (d BSRGAN) drawNoise(rng *rand.Rand) Noise {
	lo, hi := d.NoiseLevel[0], d.NoiseLevel[1]
	n := Noise{Kind: Gaussian, Level: float64(lo + rng.IntN(hi-lo+1))}
	switch choose(rng, d.GrayNoise, d.Correlated, 1-d.GrayNoise-d.Correlated) {
	case 0:
		n.Gray = true
	case 1:
		n = Noise{Kind: Covariance, Mixing: drawMixing(rng, float64(hi)/255)}
	}
	n.Seed = drawSeed(rng)
	return n
}

func (d BSRGAN) drawJPEG(rng *rand.Rand) Step {
	c := JPEGDraw{Quality: d.Quality, Real: true}.draw(rng)
	return Step{JPEG: &c}
}

// drawMixing draws the covariance |level² Uᵀ D U| (elementwise) with D diagonal and uniform and U an orthonormal basis
// of a uniform matrix's columns, and returns its symmetric root. Where the absolute values spoil positive
// definiteness, negative eigenvalues count as positive, as they do in NumPy's sampler.
func drawMixing(rng *rand.Rand, level float64) *[3][3]float64 {
	diagonal := mat.NewDiagDense(3, []float64{rng.Float64(), rng.Float64(), rng.Float64()})
	uniform := mat.NewDense(3, 3, nil)
	uniform.Apply(func(_, _ int, _ float64) float64 { return rng.Float64() }, uniform)
	var svd mat.SVD
	svd.Factorize(uniform, mat.SVDFull)
	var u, product mat.Dense
	svd.UTo(&u)
	product.Product(u.T(), diagonal, &u)
	covariance := mat.NewSymDense(3, nil)
	for i := range 3 {
		for j := i; j < 3; j++ {
			covariance.SetSym(i, j, math.Abs(level*level*product.At(i, j)))
		}
	}
	return symmetricRoot(covariance)
}

func symmetricRoot(a *mat.SymDense) *[3][3]float64 {
	var eigen mat.EigenSym
	eigen.Factorize(a, true)
	values := eigen.Values(nil)
	for i, v := range values {
		values[i] = math.Sqrt(math.Abs(v))
	}
	var vectors, root mat.Dense
	eigen.VectorsTo(&vectors)
	root.Product(&vectors, mat.NewDiagDense(3, values), vectors.T())
	var out [3][3]float64
	for i := range out {
		for j := range out {
			out[i][j] = root.At(i, j)
		}
	}
	return &out
}
