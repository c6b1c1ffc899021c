package data

import (
	"math"
	"math/rand/v2"
)

// poissonTable draws from a Poisson distribution by inverting its distribution function.
type poissonTable struct {
	first int             // cdf[i] is the probability of at most first+i
	cdf   []float64       // up to where the rest does not matter
	guide [guideSlots]int // index in cdf to begin at, for each slot of the uniform number
}

const guideSlots = 64

// newPoissonTable makes the table for a mean of 0 or more. Tails of less than 1e-13 are cut off.
func newPoissonTable(mean float64) *poissonTable {
	if mean == 0 {
		return &poissonTable{cdf: []float64{1}}
	}
	t := &poissonTable{first: max(0, int(mean-8*math.Sqrt(mean)-8))}
	gamma, _ := math.Lgamma(float64(t.first) + 1)
	p := math.Exp(float64(t.first)*math.Log(mean) - mean - gamma)
	sum := 0.0
	for k := t.first; float64(k) < mean || p > 1e-14; k++ {
		sum += p
		t.cdf = append(t.cdf, sum)
		p *= mean / float64(k+1)
	}
	at := 0
	for slot := range t.guide {
		for at < len(t.cdf)-1 && t.cdf[at] <= float64(slot)/guideSlots {
			at++
		}
		t.guide[slot] = at
	}
	return t
}

func (t *poissonTable) draw(rng *rand.Rand) int {
	u := rng.Float64()
	i := t.guide[int(u*guideSlots)]
	for i < len(t.cdf)-1 && t.cdf[i] <= u {
		i++
	}
	return t.first + i
}
