package trainlog

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"
)

// linearTicks are multiples of 1, 2 or 5 times a power of ten, four to ten of them; whole asks for whole numbers.
func linearTicks(lo, hi float64, whole bool, label func(v float64) string) []plot.Tick {
	least := (hi - lo) / 8
	exp := int(math.Floor(math.Log10(least)))
	if whole {
		exp = max(exp, 0)
	}
	digit := 1
	for _, d := range []int{2, 5, 10} {
		if decimal(digit, exp) < least {
			digit = d
		}
	}
	step := decimal(digit, exp)
	var ticks []plot.Tick
	for i := math.Ceil(lo / step); i*step <= hi; i++ {
		v := i*step + 0 // turns −0 into 0
		ticks = append(ticks, plot.Tick{Value: v, Label: label(v)})
	}
	return ticks
}

// decimal is m·10^e without rounding errors.
func decimal(m, e int) float64 {
	v, _ := strconv.ParseFloat(strconv.Itoa(m)+"e"+strconv.Itoa(e), 64)
	return v
}

// stepTicks labels whole steps: 500, 20k, 1.5M.
func stepTicks(lo, hi float64) []plot.Tick {
	return linearTicks(lo, hi, true, func(v float64) string { return stepLabel(v, hi) })
}

func valueTicks(lo, hi float64) []plot.Tick {
	return linearTicks(lo, hi, false, func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) })
}

func stepLabel(v, hi float64) string {
	switch {
	case v == 0 || hi < 10_000:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case hi < 10_000_000:
		return strconv.FormatFloat(v/1000, 'g', -1, 64) + "k"
	}
	return strconv.FormatFloat(v/1_000_000, 'g', -1, 64) + "M"
}

// logTicks marks multiples of powers of ten, and labels as many as there is room for: the powers, or every second one
// and so on, and beside them 2 and 5 times the powers where there are at most two.
func logTicks(lo, hi float64) []plot.Tick {
	first, last := math.Floor(math.Log10(lo)), math.Ceil(math.Log10(hi))
	every := math.Ceil((last - first) / 8)
	var ticks []plot.Tick
	for e := first; e <= last; e++ {
		for m := 1; m <= 9; m++ {
			v := decimal(m, int(e))
			if v < lo || v > hi {
				continue
			}
			t := plot.Tick{Value: v}
			if m == 1 && math.Mod(e, every) == 0 || last-first <= 3 && (m == 2 || m == 5) {
				t.Label = strconv.FormatFloat(v, 'g', -1, 64)
			}
			if t.Label != "" || every == 1 {
				ticks = append(ticks, t)
			}
		}
	}
	return ticks
}
