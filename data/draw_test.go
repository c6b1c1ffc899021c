package data

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// draws is the number of recorded recipes that the distributions are judged by. Each test below rejects at level 1e-3;
// the seed is fixed, so that a passing test keeps passing.
const draws = 2000

// record draws recipes and passes them through JSON, as the recipe files of pdd degrade do.
func record(t *testing.T, d Degradation) []Recipe {
	t.Helper()
	if err := d.Validate(); err != nil {
		t.Fatal(err)
	}
	list := make([]Recipe, draws)
	for i := range list {
		text := d.Draw(Rand(7, 0, i)).String()
		if err := json.Unmarshal([]byte(text), &list[i]); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// chiSquare tests counts against weights.
func chiSquare(t *testing.T, what string, counts []int, weights []float64) {
	t.Helper()
	var n, sum, x2 float64
	for i := range counts {
		n += float64(counts[i])
		sum += weights[i]
	}
	for i, c := range counts {
		want := n * weights[i] / sum
		x2 += (float64(c) - want) * (float64(c) - want) / want
	}
	if p := (distuv.ChiSquared{K: float64(len(counts) - 1)}).Survival(x2); p < 1e-3 {
		t.Errorf("%s: counts %v do not match weights %v: chi-square %.1f, p = %.2g", what, counts, weights, x2, p)
	}
}

// uniform is the Kolmogorov-Smirnov test against U(lo, hi): sqrt(n)·D stays below 1.95 with probability 0.999.
func uniform(t *testing.T, what string, values []float64, lo, hi float64) {
	t.Helper()
	slices.Sort(values)
	n := float64(len(values))
	var d float64
	for i, v := range values {
		f := (v - lo) / (hi - lo)
		d = max(d, math.Abs(f-float64(i)/n), math.Abs(f-float64(i+1)/n))
	}
	if n < 100 || math.Sqrt(n)*d > 1.95 {
		t.Errorf("%s: %d values are not uniform in [%v, %v]: sqrt(n)·D = %.2f", what, len(values), lo, hi, math.Sqrt(n)*d)
	}
}

// split sorts the steps of second-order recipes: those before the first JPEG belong to the first stage.
func split(r Recipe) (first, second []Step) {
	i := slices.IndexFunc(r.Steps, func(s Step) bool { return s.JPEG != nil })
	return r.Steps[:i+1], r.Steps[i+1:]
}

func TestRealESRGANStatistics(t *testing.T) {
	list := record(t, must(Preset("realesrgan", 4)))
	kinds := map[Kind]int{}
	sizes := make([]int, 8)
	resized := make([]int, 3)
	modes := map[Mode]int{}
	var sigma, theta, cutoff, up, down, quality, noiseSigma, poissonScale []float64
	gaussian, gray := 0, 0
	for _, r := range list {
		first, _ := split(r)
		k, resize, noise := first[0].Blur, first[1].Resize, first[2].Noise
		kinds[k.Kind]++
		sizes[(k.Size-7)/2]++
		if k.Kind == Sinc && k.Size >= 13 {
			cutoff = append(cutoff, k.Cutoff)
		}
		if k.Kind != Sinc {
			sigma = append(sigma, k.SigmaX)
		}
		if k.Kind == Aniso {
			theta = append(theta, k.Theta)
		}
		modes[resize.Mode]++
		switch {
		case resize.Scale > 1:
			resized[0]++
			up = append(up, resize.Scale)
		case resize.Scale < 1:
			resized[1]++
			down = append(down, resize.Scale)
		default:
			resized[2]++
		}
		if noise.Kind == Gaussian {
			gaussian++
			noiseSigma = append(noiseSigma, noise.Level)
		} else {
			poissonScale = append(poissonScale, noise.Level)
		}
		if noise.Gray {
			gray++
		}
		quality = append(quality, first[3].JPEG.Quality)
	}
	var kindCounts []int
	for _, k := range gaussianKinds {
		kindCounts = append(kindCounts, kinds[k])
	}
	chiSquare(t, "kinds", append(kindCounts, kinds[Sinc]), []float64{.405, .225, .108, .027, .108, .027, .1})
	chiSquare(t, "sizes", sizes, []float64{1, 1, 1, 1, 1, 1, 1, 1})
	chiSquare(t, "up, down, keep", resized, []float64{.2, .7, .1})
	chiSquare(t, "modes", []int{modes[ModeArea], modes[ModeBilinear], modes[ModeBicubic]}, []float64{1, 1, 1})
	chiSquare(t, "gaussian", []int{gaussian, draws - gaussian}, []float64{1, 1})
	chiSquare(t, "gray", []int{gray, draws - gray}, []float64{.4, .6})
	uniform(t, "sigma", sigma, 0.2, 3)
	uniform(t, "theta", theta, -math.Pi, math.Pi)
	uniform(t, "cutoff of large kernels", cutoff, math.Pi/5, math.Pi)
	uniform(t, "enlarging", up, 1, 1.5)
	uniform(t, "shrinking", down, 0.15, 1)
	uniform(t, "noise sigma", noiseSigma, 1, 30)
	uniform(t, "noise scale", poissonScale, 0.05, 3)
	uniform(t, "quality", quality, 30, 95)
}

func TestRealESRGANSecondStageStatistics(t *testing.T) {
	blurred, last, sinc := 0, 0, 0
	resized := make([]int, 3)
	betas := make([]int, 2)
	for _, r := range record(t, must(Preset("realesrgan", 4))) {
		_, s := split(r)
		if s[0].Blur != nil {
			blurred++
			if k := s[0].Blur; k.Kind == GeneralizedIso {
				betas[b2i(k.Beta > 1)]++
			}
			s = s[1:]
		}
		switch scale := s[0].Resize.Scale; {
		case scale > 1:
			resized[0]++
		case scale < 1:
			resized[1]++
		default:
			resized[2]++
		}
		sinc += b2i(slices.ContainsFunc(s, func(s Step) bool { return s.Blur != nil }))
		last += b2i(s[len(s)-2].JPEG != nil)
		if !s[len(s)-1].Quantize {
			t.Fatalf("the last step is not the rounding: %v", r)
		}
	}
	chiSquare(t, "second blur", []int{blurred, draws - blurred}, []float64{.8, .2})
	chiSquare(t, "up, down, keep", resized, []float64{.3, .4, .3})
	chiSquare(t, "final sinc", []int{sinc, draws - sinc}, []float64{.8, .2})
	chiSquare(t, "order", []int{last, draws - last}, []float64{1, 1})
	chiSquare(t, "beta below and above 1", betas, []float64{1, 1})
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestBSRGANStatistics(t *testing.T) {
	half, shifted, jpegs := 0, 0, 0
	noise := make([]int, 3)
	levels := make([]int, 24)
	var sigma []float64
	firstPlace := make([]int, 4)
	for _, r := range record(t, must(Preset("bsrgan", 4))) {
		steps := r.Steps
		halved := steps[0].Resize != nil && steps[0].Resize.Scale == 0.5 && steps[1].Clamp && steps[0].Resize.Down == 0
		half += b2i(halved)
		if halved {
			steps = steps[2:]
		}
		blurs, downs := 0, 0
		for i, s := range steps {
			switch {
			case s.Blur != nil && s.Blur.Kind == ShiftedIso:
				shifted++
				downs++
			case s.Blur != nil:
				blurs++
				if s.Blur.Kind == Iso && !halved {
					sigma = append(sigma, s.Blur.SigmaX)
				}
			case s.Resize != nil && s.Resize.Down == 4 && downs != 1:
				t.Fatalf("the second downsampling is not after the first: %v", r)
			case s.Resize != nil:
				downs++
			case s.Noise != nil:
				switch n := s.Noise; {
				case n.Kind == Covariance:
					noise[1]++
				case n.Gray:
					noise[0]++
				default:
					noise[2]++
				}
				if s.Noise.Kind == Gaussian {
					levels[int(s.Noise.Level)-2]++
				}
			case s.JPEG != nil:
				jpegs++
			}
			if i == 0 {
				firstPlace[whichFirst(s)]++
			}
		}
		if blurs != 2 || downs != 2 {
			t.Fatalf("%d blurs and %d downsamplings: %v", blurs, downs, r)
		}
	}
	equal := make([]float64, len(levels))
	for i := range equal {
		equal[i] = 1
	}
	chiSquare(t, "half", []int{half, draws - half}, []float64{.25, .75})
	chiSquare(t, "shifted", []int{shifted, draws - shifted}, []float64{.25, .75})
	chiSquare(t, "middle JPEG", []int{jpegs - draws, 2*draws - jpegs}, []float64{.9, .1})
	chiSquare(t, "gray, correlated, coloured", noise, []float64{.4, .2, .4})
	chiSquare(t, "noise level", levels, equal)
	uniform(t, "isotropic sigma", sigma, 1e-3, 2.8)
	// Six steps in random order, the camera model being no step; a JPEG that comes first is left out in one of ten
	// cases and then another step leads, each of the others in proportion.
	q := 1.0 / 6
	skip := q * 0.1 / 5
	chiSquare(t, "what comes first: blur, down, noise, JPEG", firstPlace, []float64{2*q + 2*skip, 2*q + 2*skip, q + skip, .9 * q})
}

func whichFirst(s Step) int {
	switch {
	case s.Blur != nil && s.Blur.Kind != ShiftedIso:
		return 0
	case s.Noise != nil:
		return 2
	case s.JPEG != nil:
		return 3
	}
	return 1
}

func must[T any](d T, err error) T {
	if err != nil {
		panic(err)
	}
	return d
}

// Poisson draws against the distribution's own probabilities.
func TestPoissonStatistics(t *testing.T) {
	for _, mean := range []float64{0.004, 0.7, 4, 12, 100, 256} {
		rng, table := Rand(3, 0, 0), newPoissonTable(mean)
		law := distuv.Poisson{Lambda: mean}
		lo, hi := int(mean-2.5*math.Sqrt(mean)), int(mean+2.5*math.Sqrt(mean)+1)
		lo = max(lo, 0)
		counts := make([]int, hi-lo+3)
		weights := make([]float64, len(counts))
		for range 20 * draws {
			counts[min(max(table.draw(rng.Uint32()), lo-1), hi+1)-lo+1]++
		}
		for k := lo; k <= hi; k++ {
			weights[k-lo+1] = law.Prob(float64(k))
		}
		weights[0], weights[len(weights)-1] = law.CDF(float64(lo)-1), law.Survival(float64(hi))
		if lo == 0 {
			counts, weights = counts[1:], weights[1:]
		}
		chiSquare(t, "poisson", counts, weights)
	}
}

func TestRandIsKeyedByAllThree(t *testing.T) {
	seen := map[uint64]bool{}
	for seed := range uint64(3) {
		for epoch := range 3 {
			for index := range 50 {
				v := Rand(seed, epoch, index).Uint64()
				if seen[v] {
					t.Fatalf("seed %d, epoch %d, index %d repeats another sample's draws", seed, epoch, index)
				}
				seen[v] = true
				if v != Rand(seed, epoch, index).Uint64() {
					t.Fatal("the same key gives other draws")
				}
			}
		}
	}
}
