package golden

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Report says how near a result came.
type Report struct {
	Worst    string  // the output with the largest Share
	MaxError float64 // largest |got-want| in that output
	Share    float64 // largest |got-want| as a share of what is allowed there: 1 is just right, 0 is exact
	Relative float64 // the largest error of an output over the largest |want| in it, for the worst of all outputs
	Outliers int     // elements beyond their tolerance that the case allows
}

// String is one line.
func (r Report) String() string {
	s := fmt.Sprintf("max error %.3g = %.3g of the tolerance (%s), relative %.2g", r.MaxError, r.Share, r.Worst, r.Relative)
	if r.Outliers > 0 {
		s += fmt.Sprintf(", %d outliers allowed", r.Outliers)
	}
	return s
}

// Compare compares every element of every expected output with got and returns an error that names all outputs that
// are missing, not asked for, misshapen or beyond their tolerance. NaN is never right; an infinity is right where the
// same one is wanted. The report is valid also beside an error.
func (c *Case) Compare(got map[string]Array) (Report, error) {
	var report Report
	var problems []error
	outliers := map[string]int{}
	for _, name := range c.Outputs {
		key, tol := c.tolerance(name)
		misses, err := c.compareOutput(name, got, tol, &report)
		if err != nil {
			problems = append(problems, err)
		}
		if misses > 0 {
			outliers[key] += misses
			report.Outliers += misses
		}
	}
	for key, n := range outliers {
		if allowed := c.tol[key].Outliers; n > allowed {
			problems = append(problems, fmt.Errorf("%q: %d outliers, %d are allowed", key, n, allowed))
		}
	}
	for name := range got {
		if !slices.Contains(c.Outputs, name) {
			problems = append(problems, fmt.Errorf("%q: the case has no such output", name))
		}
	}
	return report, errors.Join(problems...)
}

// compareOutput compares one output. It returns the number of elements that miss the tolerance but count as
// outliers; those that are neither make the error, with the worst of them.
func (c *Case) compareOutput(name string, got map[string]Array, tol tolerance, report *Report) (misses int, err error) {
	have, ok := got[name]
	if !ok {
		return 0, fmt.Errorf("%q: missing", name)
	}
	want, err := c.Array(name)
	if err != nil {
		return 0, err
	}
	if !slices.Equal(have.Shape, want.Shape) || len(have.Data) != len(want.Data) {
		return 0, fmt.Errorf("%q: shape %v with %d values, want %v", name, have.Shape, len(have.Data), want.Shape)
	}
	wrong, worst, worstShare, largest, scale := 0, 0, -1.0, 0.0, 0.0
	for i, w := range want.Data {
		diff, share := distance(have.Data[i], w, tol)
		largest = max(largest, diff)
		if !math.IsInf(w, 0) {
			scale = max(scale, math.Abs(w))
		}
		if share > worstShare {
			worst, worstShare = i, share
		}
		switch {
		case share <= 1:
		case tol.Outliers > 0 && diff <= tol.OutlierAtol:
			misses++
		default:
			wrong++
		}
	}
	if scale > 0 {
		report.Relative = max(report.Relative, largest/scale)
	}
	if worstShare > report.Share || report.Worst == "" {
		report.Worst, report.MaxError, report.Share = name, largest, worstShare
	}
	if wrong > 0 {
		return misses, fmt.Errorf("%q: %d of %d elements are wrong, the worst is number %d: got %v, want %v (%.3g of the tolerance)",
			name, wrong, len(want.Data), worst, have.Data[worst], want.Data[worst], worstShare)
	}
	return misses, nil
}

// distance is |got-want|, and the same as a share of what tol allows. Both are +Inf for a NaN on either side and for
// infinities that differ.
func distance(got, want float64, tol tolerance) (diff, share float64) {
	if got == want { // also equal infinities
		return 0, 0
	}
	diff = math.Abs(got - want)
	if math.IsNaN(diff) || math.IsInf(diff, 0) {
		return math.Inf(1), math.Inf(1)
	}
	return diff, diff / (tol.Atol + tol.Rtol*math.Abs(want))
}
