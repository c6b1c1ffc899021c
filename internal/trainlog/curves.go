package trainlog

import "io"

// Run is what [Curves] draws.
type Run struct {
	Name   string // in the legend, where there are several runs
	Series []Series
}

// Curves draws the series of runs and writes a PNG file, 1600 pixels wide: small multiples, the reported values thin,
// their running mean thick. One run has a panel for each group of names (see the package comment); of several runs each
// name has a panel, in which the runs are compared. An axis is logarithmic where values are positive and far apart.
// Where a value is not finite, the curve has a gap and the step a mark. It returns errors of w, and one if there is
// nothing to draw. To draw some of the series, hand only them over.
func Curves(w io.Writer, runs ...Run) error {
	return nil
}
