package losses_test

import (
	"math"
	"slices"
	"testing"

	"github.com/gopdd/gopdd/losses"
	"github.com/gopdd/gopdd/tensor"
)

var (
	distances = []losses.Distance{losses.DistanceL1, losses.DistanceL2, losses.DistanceCharbonnier}
	layers    = losses.Layers{"conv1_2": 0.1, "conv3_4": 2}
)

// features has two layers of interest and one of none.
func features(s *tensor.Scope, seed int64) map[string]T {
	return map[string]T{
		"conv1_2": random(s, seed, 2, 3, 2, 2),
		"conv3_4": random(s, seed+1, 2, 4, 2, 1),
		"conv9_9": random(s, seed+2, 1, 1, 1, 1),
	}
}

type featureLoss func(s *tensor.Scope, x, gt map[string]T, layers losses.Layers, d losses.Distance) T

var featureLosses = map[string]featureLoss{"perceptual": losses.Perceptual, "style": losses.Style}

// eachFeatureLoss runs fn for every loss and distance.
func eachFeatureLoss(t *testing.T, fn func(t *testing.T, s *tensor.Scope, loss featureLoss, d losses.Distance)) {
	for name, loss := range featureLosses {
		for _, d := range distances {
			t.Run(name+" "+d.String(), func(t *testing.T) {
				in(t, func(s *tensor.Scope) { fn(t, s, loss, d) })
			})
		}
	}
}

func TestFeatureLossGradients(t *testing.T) {
	eachFeatureLoss(t, func(t *testing.T, s *tensor.Scope, loss featureLoss, d losses.Distance) {
		x, gt := features(s, 1), features(s, 11)
		checkGradients(t, s, func() T { return loss(s, x, gt, layers, d) }, x["conv1_2"], x["conv3_4"], gt["conv1_2"])
	})
}

func TestFeatureLossLaws(t *testing.T) {
	eachFeatureLoss(t, func(t *testing.T, s *tensor.Scope, loss featureLoss, d losses.Distance) {
		x, gt := features(s, 1), features(s, 11)
		sum := 0.0
		for name, weight := range layers {
			sum += weight * s.Item(loss(s, x, gt, losses.Layers{name: 1}, d))
		}
		near(t, "sum over layers", s.Item(loss(s, x, gt, layers, d)), sum)
		near(t, "sides exchanged", s.Item(loss(s, gt, x, layers, d)), sum)

		equal := s.Item(loss(s, x, x, layers, d))
		if limit := map[losses.Distance]float64{losses.DistanceCharbonnier: 2.1 * 1e-6}[d]; !(equal >= 0 && equal <= limit*(1+1e-9)) {
			t.Errorf("equal features: %v, want at most %v", equal, limit)
		}
		twin := map[string]T{"conv1_2": s.Clone(x["conv1_2"]), "conv3_4": s.Clone(x["conv3_4"])}
		for _, g := range gradients(s, func() T { return loss(s, x, twin, layers, d) }, x["conv1_2"], x["conv3_4"]) {
			isZero(t, "gradient of equal features", s, g)
		}
	})
}

// One element: the distances of 5 and 2.
func TestDistancesByHand(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		one := func(v float64) map[string]T { return map[string]T{"a": s.FromFloat64s([]float64{v}, 1, 1, 1, 1)} }
		for d, want := range map[losses.Distance]float64{
			losses.DistanceL1: 3, losses.DistanceL2: 9, losses.DistanceCharbonnier: math.Sqrt(9 + 1e-12),
		} {
			near(t, d.String(), s.Item(losses.Perceptual(s, one(5), one(2), losses.Layers{"a": 1}, d)), want)
		}
		near(t, "style: 25 − 4", s.Item(losses.Style(s, one(5), one(2), losses.Layers{"a": 1}, losses.DistanceL1)), 21)
	})
}

// Style does not see where things are, nor how large the image is.
func TestStyleOfPositions(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		f := random(s, 1, 2, 3, 4, 6)
		x := map[string]T{"a": f}
		for what, other := range map[string]T{"transposed": s.Permute(f, 0, 1, 3, 2), "twice": s.Cat(2, f, f)} {
			near(t, what, s.Item(losses.Style(s, x, map[string]T{"a": other}, losses.Layers{"a": 1}, losses.DistanceL1)), 0)
		}
	})
}

func TestLayers(t *testing.T) {
	l := losses.Layers{"b": 2, "a": 1, "c": 0.5}
	if names := l.Names(); !slices.Equal(names, []string{"a", "b", "c"}) {
		t.Errorf("names %v", names)
	}
	in(t, func(s *tensor.Scope) {
		var order []string
		sum := l.Sum(s, func(layer string) T {
			order = append(order, layer)
			return s.Full(float64(len(order)), tensor.Float64, tensor.CPU)
		})
		near(t, "1·1 + 2·2 + ½·3", s.Item(sum), 6.5)
		if !slices.Equal(order, l.Names()) {
			t.Errorf("summed in the order %v", order)
		}
	})
}
