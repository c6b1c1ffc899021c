package pdd

import (
	"fmt"
	"strings"
)

// scaler keeps small gradients of float16 from vanishing: losses are multiplied by scale, which halves when gradients
// overflow and doubles after a while without.
type scaler struct {
	scale float64
	good  int // steps since the last change
	on    bool
}

const (
	scalerStart    = 1 << 16
	scalerInterval = 2000
	scalerLeast    = 1
)

func newScaler(p Precision) scaler {
	if p == Float16 {
		return scaler{scale: scalerStart, on: true}
	}
	return scaler{scale: 1}
}

// update tells whether the step is to be repeated on other data with a smaller scale: its gradients overflowed, but
// its losses did not.
func (c *scaler) update(r *StepReport) (overflow bool) {
	switch {
	case !c.on:
		return false
	case r.Skipped == "":
		if c.good++; c.good >= scalerInterval {
			c.scale, c.good = 2*c.scale, 0
		}
		return false
	case c.scale <= scalerLeast, strings.HasPrefix(r.Skipped, lossPrefix):
		return false
	}
	c.scale, c.good = c.scale/2, 0
	r.Skipped = fmt.Sprintf("%s: gradients overflowed, loss scale lowered to %v", r.Skipped, c.scale)
	return true
}
