package data

import (
	"math"
	"math/rand/v2"
)

// RealESRGAN is the second-order degradation of Real-ESRGAN (Wang et al. 2021, fig. 2): blur, resize, noise and JPEG
// twice, then a sinc filter and the final resizing, with the last JPEG before or after them. The target is sharpened
// first.
//
// Everything is drawn for each image. Real-ESRGAN's training code draws resize factors, modes, the kind of noise and
// the final order once per batch, because the images of its batch live in one tensor.
type RealESRGAN struct {
	Scale     int     `yaml:"scale"`
	Sharpen   USM     `yaml:"sharpen"` // of the target; weight 0: none
	First     Stage   `yaml:"first"`
	Second    Stage   `yaml:"second"`
	FinalSinc float64 `yaml:"final_sinc"` // chance of a sinc filter at the end
	SincSizes [2]int  `yaml:"sinc_sizes"` // of that filter
	JPEGLast  float64 `yaml:"jpeg_last"`  // chance that the last JPEG follows the final resizing
	Modes     []Mode  `yaml:"modes"`      // of the final resizing
}

// Stage is one of the two rounds.
type Stage struct {
	Blur   BlurDraw   `yaml:"blur"`
	Resize ResizeDraw `yaml:"resize"`
	Noise  NoiseDraw  `yaml:"noise"`
	JPEG   JPEGDraw   `yaml:"jpeg"`
}

var torchModes = []Mode{ModeArea, ModeBilinear, ModeBicubic}

// realESRGANBlur are the kernels of the first stage.
var realESRGANBlur = BlurDraw{
	Prob: 1, Sizes: [2]int{7, 21}, Sinc: 0.1, Kinds: [6]float64{0.45, 0.25, 0.12, 0.03, 0.12, 0.03},
	Sigma: Range{0.2, 3}, Generalized: Range{0.5, 4}, Plateau: Range{1, 2},
}

// secondOrder has the ranges of train_realesrgan_x4plus.yml.
func secondOrder(scale int) RealESRGAN {
	d := RealESRGAN{
		Scale: scale, Sharpen: DefaultUSM,
		First: Stage{
			Blur:   realESRGANBlur,
			Resize: ResizeDraw{Up: 0.2, Down: 0.7, Keep: 0.1, Range: Range{0.15, 1.5}, Modes: torchModes},
			Noise:  NoiseDraw{Prob: 1, Gaussian: 0.5, Sigma: Range{1, 30}, Poisson: Range{0.05, 3}, Gray: 0.4},
			JPEG:   JPEGDraw{Prob: 1, Quality: Range{30, 95}},
		},
		FinalSinc: 0.8, SincSizes: [2]int{7, 21}, JPEGLast: 0.5, Modes: torchModes,
	}
	d.Second = Stage{
		Blur:   realESRGANBlur,
		Resize: ResizeDraw{Up: 0.3, Down: 0.4, Keep: 0.3, Range: Range{0.3, 1.2}, Modes: torchModes},
		Noise:  NoiseDraw{Prob: 1, Gaussian: 0.5, Sigma: Range{1, 25}, Poisson: Range{0.05, 2.5}, Gray: 0.4},
		JPEG:   JPEGDraw{Prob: 1, Quality: Range{30, 95}},
	}
	d.Second.Blur.Prob = 0.8
	d.Second.Blur.Sigma = Range{0.2, 1.5}
	return d
}

// Factor is Scale.
func (d RealESRGAN) Factor() int { return d.Scale }

// Validate reports the first field that makes no sense.
func (d RealESRGAN) Validate() error {
	sinc := realESRGANBlur
	sinc.Sizes = d.SincSizes
	return firstError(
		validateScale(d.Scale),
		d.Sharpen.validate(),
		d.First.validate("first"),
		d.Second.validate("second"),
		sinc.validate("final sinc"),
		validateChance("final_sinc", d.FinalSinc),
		validateChance("jpeg_last", d.JPEGLast),
		validateModes("modes", d.Modes),
	)
}

func (s Stage) validate(name string) error {
	return firstError(
		s.Blur.validate(name+": blur"),
		s.Resize.validate(name+": resize"),
		s.Noise.validate(name+": noise"),
		s.JPEG.validate(name+": jpeg"),
	)
}

// Draw draws one recipe; its LR image has sides target/Scale and 8-bit levels.
func (d RealESRGAN) Draw(rng *rand.Rand) Recipe {
	r := Recipe{Name: "realesrgan", Target: []Step{{Multiple: d.Scale}}}
	if d.Sharpen.Weight != 0 {
		r.Target = append(r.Target, Step{Sharpen: &d.Sharpen})
	}
	jpeg := func(j JPEGDraw) []Step {
		if rng.Float64() >= j.Prob {
			return nil
		}
		c := j.draw(rng)
		return []Step{{JPEG: &c}}
	}
	r.Steps = append(d.First.draw(rng, 0), jpeg(d.First.JPEG)...)
	r.Steps = append(r.Steps, d.Second.draw(rng, d.Scale)...)

	final := []Step{{Resize: &Resizing{Mode: d.Modes[rng.IntN(len(d.Modes))], Scale: 1, Down: d.Scale}}}
	if rng.Float64() < d.FinalSinc {
		k := Kernel{Kind: Sinc, Size: d.SincSizes[0] + 2*rng.IntN((d.SincSizes[1]-d.SincSizes[0])/2+1)}
		k.Cutoff = Range{math.Pi / 3, math.Pi}.draw(rng)
		final = append(final, Step{Blur: &k})
	}
	last := jpeg(d.Second.JPEG)
	if rng.Float64() < d.JPEGLast {
		r.Steps = append(append(r.Steps, final...), last...)
	} else {
		r.Steps = append(append(r.Steps, last...), final...)
	}
	r.Steps = append(r.Steps, Step{Quantize: true})
	return r
}

// draw is the stage without its JPEG; down is that of [Resizing].
func (s Stage) draw(rng *rand.Rand, down int) []Step {
	var steps []Step
	if rng.Float64() < s.Blur.Prob {
		k := s.Blur.draw(rng)
		steps = append(steps, Step{Blur: &k})
	}
	resize := s.Resize.draw(rng)
	resize.Down = down
	steps = append(steps, Step{Resize: &resize})
	if rng.Float64() < s.Noise.Prob {
		n := s.Noise.draw(rng)
		steps = append(steps, Step{Noise: &n})
	}
	return steps
}
