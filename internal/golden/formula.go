package golden

import (
	"hash/fnv"
	"math"
)

// Formula returns the weights that the cases define by formula for the tensor called name: element k (row-major) is
// (2u-1)*bound with u from splitmix64(fnv1a64(prefix+name) + k). The bound is gain*sqrt(3/fanIn) for a weight (two
// or more dimensions, the first being the outputs) and 0.05 for a bias (one dimension). The product is computed in
// float64 and rounded once.
func Formula(prefix, name string, shape []int, gain float64) []float32 {
	bound := 0.05
	if len(shape) > 1 {
		bound = gain * math.Sqrt(3/float64(product(shape[1:])))
	}
	out := make([]float32, product(shape))
	seed := fnv1a64(prefix + name)
	for k := range out {
		out[k] = float32((2*uniform(seed+uint64(k)) - 1) * bound)
	}
	return out
}

// FormulaInput returns the input that the cases define by formula under that name: values in [0,1).
func FormulaInput(name string, shape []int) []float32 {
	out := make([]float32, product(shape))
	seed := fnv1a64(name)
	for k := range out {
		out[k] = float32(uniform(seed + uint64(k)))
	}
	return out
}

func product(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

func fnv1a64(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

// uniform maps a seed to [0,1) with 24 bits, through one round of splitmix64.
func uniform(seed uint64) float64 {
	z := seed + 0x9E3779B97F4A7C15
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return float64((z^z>>31)>>40) / (1 << 24)
}
