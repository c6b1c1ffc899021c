package compare

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gopdd/gopdd/metrics/report"
)

// given is a comparison with these values of one metric: values[system][picture], NaN for a failure.
func given(m report.Metric, values ...[]float64) *Comparison {
	c := &Comparison{Metrics: []report.Metric{m}, Pictures: make([]Picture, len(values[0]))}
	for s, row := range values {
		o := Outcome{Name: fmt.Sprint("s", s)}
		for _, v := range row {
			r := Result{Values: []float64{v}, Errors: make([]error, 1)}
			if math.IsNaN(v) {
				r.Errors[0] = errTest
			}
			o.Results = append(o.Results, r)
		}
		c.Systems = append(c.Systems, o)
	}
	c.summarise()
	return c
}

func TestCells(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	tests := []struct {
		reason       string
		metric       report.Metric
		base, system []float64
		mean         float64 // of the system
		count        int
		best         bool
		delta        float64
		better       [3]int // better, worse, equal
	}{
		{"higher is better", report.Metric{Higher: true}, []float64{1, 2, 3}, []float64{2, 2, 5}, 3, 3, true, 1, [3]int{2, 0, 1}},
		{"lower is better", report.Metric{}, []float64{1, 2, 3}, []float64{2, 2, 5}, 3, 3, false, 1, [3]int{0, 2, 1}},
		{"1 is best: 0.5 equals 2, 1.5 beats 0.6", report.Metric{Target: true}, []float64{2, 0.6, 1}, []float64{0.5, 1.5, 1.5}, 3.5 / 3, 3, true, -0.1 / 3, [3]int{1, 1, 1}},
		{"a picture without any edge is worst", report.Metric{Target: true}, []float64{0, 0}, []float64{100, 0}, 50, 2, true, 50, [3]int{1, 0, 1}},
		{"a failure leaves the picture out for both", report.Metric{Higher: true}, []float64{1, nan, 3}, []float64{2, 100, 5}, 3.5, 2, true, 1.5, [3]int{2, 0, 0}},
		{"infinite like the baseline, and alone", report.Metric{Higher: true}, []float64{inf, 30}, []float64{inf, inf}, inf, 2, true, inf, [3]int{1, 0, 1}},
		{"a baseline without any value", report.Metric{Higher: true}, []float64{nan, nan}, []float64{1, 3}, 2, 2, true, nan, [3]int{}},
	}
	same := func(a, b float64) bool {
		return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) < 1e-12
	}
	for _, tt := range tests {
		got := given(tt.metric, tt.base, tt.system).Systems[1].Cells[0]
		d := got.Delta
		if !same(got.Mean, tt.mean) || got.Count != tt.count || got.Best != tt.best || !same(d.Mean, tt.delta) || [3]int{d.Better, d.Worse, d.Equal} != tt.better {
			t.Errorf("%s: %+v", tt.reason, got)
		}
	}
}

func TestBootstrap(t *testing.T) {
	if low, high := bootstrap([]float64{4}); !math.IsNaN(low) || !math.IsNaN(high) {
		t.Errorf("one picture: %v to %v, want no interval", low, high)
	}
	if low, high := bootstrap([]float64{0.25, 0.25, 0.25}); low != 0.25 || high != 0.25 {
		t.Errorf("equal differences: %v to %v, want 0.25", low, high)
	}
	x := []float64{3, -1, 4, 1, -5, 9, 2, 6}
	low, high := bootstrap(x)
	again, _ := bootstrap(x)
	shifted := make([]float64, len(x))
	for i := range x {
		shifted[i] = -2 * x[i]
	}
	mirrorLow, mirrorHigh := bootstrap(shifted)
	if low != again || !(low < mean(x) && mean(x) < high) || math.Abs(mirrorLow+2*high) > 1e-12 || math.Abs(mirrorHigh+2*low) > 1e-12 {
		t.Errorf("%v to %v, again %v, times -2 %v to %v", low, high, again, mirrorLow, mirrorHigh)
	}
}

// Of samples of a normal distribution the interval must hold the true mean about as often as it says, but for three
// pictures, where no mean of a draw lies beyond the largest value: that interval holds it in at most 3/4 of the cases.
// The shares are printed for the docs.
func TestBootstrapCoverage(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for _, tt := range []struct {
		n        int
		from, to float64
	}{{3, 0.65, 0.80}, {8, 0.90, 0.98}, {12, 0.90, 0.98}} {
		const trials = 200
		hits := 0
		for range trials {
			x := make([]float64, tt.n)
			for i := range x {
				x[i] = rng.NormFloat64()
			}
			if low, high := bootstrap(x); low <= 0 && 0 <= high {
				hits++
			}
		}
		share := float64(hits) / trials
		t.Logf("%d pictures: %.2f", tt.n, share)
		if share < tt.from || share > tt.to {
			t.Errorf("%d pictures: the interval holds the mean in %.2f of the trials, want %v to %v", tt.n, share, tt.from, tt.to)
		}
	}
}

// 2.5 % for many; for 12 pictures Φ(-2.200985 √(12/11)) = Φ(-2.298837) = 0.010757.
func TestExpandedTail(t *testing.T) {
	if many := expandedTail(1e6); math.Abs(many-0.025) > 1e-5 {
		t.Errorf("a million pictures: %v", many)
	}
	if dozen := expandedTail(12); math.Abs(dozen-0.010757) > 1e-5 {
		t.Errorf("12 pictures: %v", dozen)
	}
}

func TestNumber(t *testing.T) {
	for _, v := range []float64{0, -1.5, 1e-300, 0.1, math.Inf(1), math.Inf(-1), math.NaN()} {
		text, err := json.Marshal(number(v))
		if err != nil {
			t.Fatal(err)
		}
		var back number
		if err := json.Unmarshal(text, &back); err != nil || float64(back) != v && !math.IsNaN(v) || math.IsNaN(v) != math.IsNaN(float64(back)) {
			t.Errorf("%v becomes %s and then %v (%v)", v, text, float64(back), err)
		}
	}
}
