package compare

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/gopdd/gopdd/metrics/report"
)

// Cell is a system's standing in one metric. Its means are over the pictures for which all systems have a value
// (systems without any value aside), so that no mean profits from a failure.
type Cell struct {
	Mean  float64 // NaN where there is none
	Count int     // pictures in the mean
	Best  bool    // no other system has a better mean
	Delta Delta   // to the baseline
}

// Delta compares a system with the baseline, picture by picture.
type Delta struct {
	Mean float64 // of the differences system - baseline; NaN where there is none
	// Low and High bound the 95 % interval of Mean by the bootstrap over pictures: percentiles of the means of 20,000
	// draws with replacement, fixed seed, expanded for few pictures as Student's t is. NaN below two pictures, and where
	// a difference is not finite.
	Low, High            float64
	Better, Worse, Equal int // pictures
}

const (
	bootstrapDraws = 20_000
	bootstrapSeed  = 20240
	confidence     = 0.95
)

// summarise fills in the cells of all systems.
func (c *Comparison) summarise() {
	for i := range c.Systems {
		c.Systems[i].Cells = make([]Cell, len(c.Metrics))
	}
	for m, metric := range c.Metrics {
		common := c.common(m)
		for i := range c.Systems {
			c.Systems[i].Cells[m] = c.cell(i, m, common)
		}
		c.markBest(m, metric)
	}
}

// common lists the pictures for which every system that has any value of metric m has one.
func (c *Comparison) common(m int) []int {
	var common []int
	for p := range c.Pictures {
		all, any := true, false
		for _, s := range c.Systems {
			has := s.Results[p].Errors[m] == nil
			all = all && (has || !s.hasAny(m))
			any = any || has
		}
		if all && any {
			common = append(common, p)
		}
	}
	return common
}

func (s Outcome) hasAny(m int) bool {
	return slices.ContainsFunc(s.Results, func(r Result) bool { return r.Errors[m] == nil })
}

func (c *Comparison) cell(system, m int, common []int) Cell {
	nan := math.NaN()
	cell := Cell{Mean: nan, Delta: Delta{Mean: nan, Low: nan, High: nan}}
	s, base := c.Systems[system], c.Systems[c.Baseline]
	if len(common) == 0 || !s.hasAny(m) {
		return cell
	}
	values, deltas := make([]float64, len(common)), make([]float64, len(common))
	paired := base.hasAny(m)
	for k, p := range common {
		values[k] = s.Results[p].Values[m]
		if paired {
			b := base.Results[p].Values[m]
			deltas[k] = difference(values[k], b)
			cell.Delta.count(c.Metrics[m], values[k], b)
		}
	}
	cell.Mean, cell.Count = mean(values), len(values)
	if paired {
		cell.Delta.Mean = mean(deltas)
		cell.Delta.Low, cell.Delta.High = bootstrap(deltas)
	}
	return cell
}

// difference is a - b, and 0 for equal values, also infinite ones.
func difference(a, b float64) float64 {
	if a == b {
		return 0
	}
	return a - b
}

func (d *Delta) count(m report.Metric, v, base float64) {
	switch {
	case v == base:
		d.Equal++
	case better(m, v, base):
		d.Better++
	case better(m, base, v):
		d.Worse++
	default: // as far from 1 on the other side, as 0.5 and 2 are
		d.Equal++
	}
}

// better reports whether a is better than b. Ratios are compared by their logarithms, as training's validation does.
func better(m report.Metric, a, b float64) bool {
	switch {
	case m.Target:
		return math.Abs(math.Log(a)) < math.Abs(math.Log(b))
	case m.Higher:
		return a > b
	}
	return a < b
}

func (c *Comparison) markBest(m int, metric report.Metric) {
	for i := range c.Systems {
		cell := &c.Systems[i].Cells[m]
		cell.Best = cell.Count > 0 && !slices.ContainsFunc(c.Systems, func(o Outcome) bool {
			return o.Cells[m].Count > 0 && better(metric, o.Cells[m].Mean, cell.Mean)
		})
	}
}

func mean(x []float64) float64 {
	var s float64
	for _, v := range x {
		s += v
	}
	return s / float64(len(x))
}

// bootstrap is the expanded percentile interval of the mean of x (Hesterberg, The American Statistician 69, 2015,
// section 4.3): plain percentiles are too near for small samples. For one length all calls draw the same pictures.
func bootstrap(x []float64) (low, high float64) {
	infinite := slices.ContainsFunc(x, func(v float64) bool { return math.IsInf(v, 0) || math.IsNaN(v) })
	if len(x) < 2 || infinite {
		return math.NaN(), math.NaN()
	}
	rng := rand.New(rand.NewPCG(bootstrapSeed, uint64(len(x))))
	means := make([]float64, bootstrapDraws)
	for i := range means {
		var s float64
		for range x {
			s += x[rng.IntN(len(x))]
		}
		means[i] = s / float64(len(x))
	}
	slices.Sort(means)
	tail := int(expandedTail(len(x)) * bootstrapDraws)
	return means[tail], means[bootstrapDraws-1-tail]
}

// expandedTail is the share of draws beyond either end of the interval: 2.5 % for many pictures, less for few.
func expandedTail(n int) float64 {
	t := distuv.StudentsT{Sigma: 1, Nu: float64(n - 1)}.Quantile((1 + confidence) / 2)
	return distuv.UnitNormal.CDF(-t * math.Sqrt(float64(n)/float64(n-1)))
}
