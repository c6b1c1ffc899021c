package data

import (
	"math"
	"math/bits"
	"sync"
)

// poissonTable draws from a Poisson distribution by inverting its distribution function.
type poissonTable struct {
	first int         // the smallest count
	upTo  []uint32    // upTo[i] is the largest uniform number that gives first+i
	guide [256]uint16 // index in upTo to begin at, for each leading byte of the number
}

// newPoissonTable makes the table for a mean of 0 or more. Counts rarer than one in 2³² are left out.
func newPoissonTable(mean float64) *poissonTable {
	if mean == 0 {
		return &poissonTable{upTo: []uint32{math.MaxUint32}}
	}
	t := &poissonTable{first: max(0, int(mean-7*math.Sqrt(mean)-7))}
	gamma, _ := math.Lgamma(float64(t.first) + 1)
	p := math.Exp(float64(t.first)*math.Log(mean) - mean - gamma)
	sum := 0.0
	for k := t.first; float64(k) < mean || p > 1.0/(1<<33); k++ {
		sum += p
		t.upTo = append(t.upTo, uint32(min(sum*(1<<32), math.MaxUint32)))
		p *= mean / float64(k+1)
	}
	t.upTo[len(t.upTo)-1] = math.MaxUint32
	at := uint16(0)
	for lead := range t.guide {
		for t.upTo[at] < uint32(lead)<<24 {
			at++
		}
		t.guide[lead] = at
	}
	return t
}

// draw is the count for a uniform number.
func (t *poissonTable) draw(u uint32) int {
	i := int(t.guide[u>>24])
	for t.upTo[i] < u {
		i++
	}
	return t.first + i
}

// poissonTables holds for vals = 1, 2, 4, … 256 the tables of the means level/255·vals.
var poissonTables [9]struct {
	once   sync.Once
	levels [256]*poissonTable
}

// shotTables returns the tables for all 8-bit levels. vals is one of [PoissonLevels].
func shotTables(vals int) *[256]*poissonTable {
	t := &poissonTables[bits.TrailingZeros(uint(vals))]
	t.once.Do(func() {
		for l := range t.levels {
			t.levels[l] = newPoissonTable(float64(l) / 255 * float64(vals))
		}
	})
	return &t.levels
}
