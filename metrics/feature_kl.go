package metrics

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"
)

// KLOptions are the parameters of [FeatureKL].
type KLOptions struct {
	Components int     // of the principal component analysis, at most the number of rows
	Anomaly    float64 // projections this many standard deviations from the mean, or further, are dropped; 0: none
	// The shapes tried: GridFrom, GridFrom+GridStep, … below GridTo.
	GridFrom, GridTo, GridStep float64
}

// SRGAOptions are those of SRGA (Liu et al., arXiv 2205.07019): 300 components, 5 standard deviations, shapes from 0.2
// to 10 in steps of 0.001.
func SRGAOptions() KLOptions {
	return KLOptions{Components: 300, Anomaly: 5, GridFrom: 0.2, GridTo: 10, GridStep: 0.001}
}

func (o KLOptions) check() error {
	steps := (o.GridTo - o.GridFrom) / o.GridStep
	if o.Components < 1 || !(o.Anomaly >= 0) || !(o.GridFrom > 0) || !(steps > 1 && steps < 1e7) {
		return fmt.Errorf("options %+v: want at least one component, an anomaly bound of 0 or more, and shapes above 0 with From < To and Step > 0", o)
	}
	return nil
}

// GGD is a generalised Gaussian around 0, with density proportional to exp(-(|x|/α)^Shape), where α =
// Sigma sqrt(Γ(1/Shape)/Γ(3/Shape)).
type GGD struct {
	Sigma float64 // standard deviation
	Shape float64 // 2 is a Gaussian, 1 a Laplacian
}

func (g GGD) scale() float64 { return g.Sigma * math.Sqrt(gammaQuotient(1, 3, g.Shape)) }

// KL is the Kullback-Leibler divergence KL(g || other) in nats, in closed form (Do and Vetterli 2002, eq. 19). Sigmas
// and shapes must be positive.
func (g GGD) KL(other GGD) float64 {
	a, b := g.scale(), other.scale()
	p, q := g.Shape, other.Shape
	log := math.Log(p*b/(q*a)) + lnGamma(1/q) - lnGamma(1/p)
	return log + math.Pow(a/b, q)*math.Exp(lnGamma((q+1)/p)-lnGamma(1/p)) - 1/p
}

// SRGA is the index of SRGA for a divergence: log10(kl + 1e-5) + 5, so that 0 means equal.
func SRGA(kl float64) float64 { return math.Log10(kl+1e-5) + 5 }

// SetStatistics describes one set of features after projection.
type SetStatistics struct {
	Variance []float64 // of the principal components, descending, unbiased
	Removed  int       // projections dropped as anomalies
	Fit      GGD       // of the others
}

// KLResult is what [FeatureKL] finds.
type KLResult struct {
	Base, Test SetStatistics
	KL         float64 // KL(base || test)
	Reverse    float64 // KL(test || base)
	SRGA       float64 // of KL
}

// FeatureKL measures how far the low-level features of two sets of pictures lie apart, as SRGA does: a row per patch,
// for example the flattened deepest features of a network; principal components fitted to each set by itself; all
// projections of a set in one list; a generalised Gaussian fitted to it. It computes components exactly, while SRGA's
// code leaves it to scikit-learn, which picks a randomised solver for large sets (up to 2 % of difference in KL), and
// with the signs that numpy.linalg.svd gives the components, on which the index depends slightly.
//
// Rows must be equally long and finite, with more rows than one. Work is n² D for n rows of length D, and memory n²
// besides the rows, which are read only. It is safe for concurrent use.
func FeatureKL(base, test [][]float32, o KLOptions) (KLResult, error) {
	r, err := featureKL(base, test, o)
	if err != nil {
		return KLResult{}, fmt.Errorf("metrics: feature KL: %w", err)
	}
	return r, nil
}

func featureKL(base, test [][]float32, o KLOptions) (r KLResult, err error) {
	if err := o.check(); err != nil {
		return r, err
	}
	grid := newShapeGrid(o.GridFrom, o.GridStep, int(math.Ceil((o.GridTo-o.GridFrom)/o.GridStep-1e-9)), varianceRatio)
	if r.Base, err = newSetStatistics(base, o, grid); err != nil {
		return r, fmt.Errorf("base: %w", err)
	}
	if r.Test, err = newSetStatistics(test, o, grid); err != nil {
		return r, fmt.Errorf("test: %w", err)
	}
	r.KL, r.Reverse = r.Base.Fit.KL(r.Test.Fit), r.Test.Fit.KL(r.Base.Fit)
	r.SRGA = SRGA(r.KL)
	return r, nil
}

func newSetStatistics(rows [][]float32, o KLOptions, grid *shapeGrid) (s SetStatistics, err error) {
	p, err := newComponents(rows, o.Components)
	if err != nil {
		return s, err
	}
	signs := componentSigns(p.vectors, p.roots)
	var values []float64
	for c := range o.Components {
		scores := p.scores(c)
		floats.Scale(signs[c], scores)
		s.Variance = append(s.Variance, sumSquares(scores)/float64(len(rows)-1))
		values = append(values, scores...)
	}
	kept := values
	if o.Anomaly > 0 {
		kept = withoutAnomalies(values, o.Anomaly)
	}
	s.Removed = len(values) - len(kept)
	if s.Fit, err = fitGGD(kept, grid); err != nil {
		return s, err
	}
	return s, nil
}

// withoutAnomalies drops values at or beyond k standard deviations (of all values, biased) from the mean.
func withoutAnomalies(values []float64, k float64) []float64 {
	m, sd := stat.PopMeanStdDev(values, nil)
	var kept []float64
	for _, v := range values {
		if math.Abs(v-m) < k*sd {
			kept = append(kept, v)
		}
	}
	return kept
}

// fitGGD fits by moments: the second one around 0, the first absolute one around the mean.
func fitGGD(x []float64, grid *shapeGrid) (GGD, error) {
	m := mean(x)
	var deviation float64
	for _, v := range x {
		deviation += math.Abs(v - m)
	}
	n := float64(len(x))
	power := sumSquares(x) / n
	if !(power > 0) {
		return GGD{}, errors.New("all rows are equal: nothing to fit")
	}
	return GGD{Sigma: math.Sqrt(power), Shape: grid.nearest(power / (deviation / n * deviation / n))}, nil
}

func sumSquares(x []float64) float64 {
	var s float64
	for _, v := range x {
		s += v * v
	}
	return s
}
