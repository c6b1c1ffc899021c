package trainlog

import (
	"errors"
	"fmt"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// Run is what [Curves] draws.
type Run struct {
	Name   string // in legends, where there are several runs
	Series []Series
}

// Curves draws the series of runs and writes a PNG file, 1600 pixels wide: small multiples, the reported values thin,
// their running mean thick. One run has a panel for each group of names (see the package comment); of several runs each
// name has a panel, in which the runs are compared. An axis is logarithmic where all values are positive and far apart.
// Where a value is not finite, the curve has a gap and the panel a red cross at its foot. Curves returns errors of w,
// and one if there is nothing to draw. To draw some of the series, hand only them over.
func Curves(w io.Writer, runs ...Run) error {
	panels := group(runs)
	if len(panels) == 0 {
		return errors.New("trainlog: curves: no values to draw")
	}
	cols := columns(len(panels))
	rows := (len(panels) + cols - 1) / cols
	grid := make([][]*plot.Plot, rows)
	for i := range grid {
		grid[i] = make([]*plot.Plot, cols)
	}
	tiles := draw.Tiles{Rows: rows, Cols: cols, PadX: pixels(24), PadY: pixels(20),
		PadLeft: pixels(8), PadRight: pixels(16), PadTop: pixels(8), PadBottom: pixels(8)}
	canvas := vgimg.NewWith(vgimg.UseWH(pixels(picWidth), pixels(rows*panelHeight(cols))), vgimg.UseDPI(dpi))
	dc := draw.New(canvas)
	legends := make([]*legend, len(panels))
	rooms := make([]vg.Length, rows)
	for i, p := range panels {
		legends[i] = newLegend(p, tiles.At(dc, i%cols, i/cols).Size().X-pixels(90))
		rooms[i/cols] = max(rooms[i/cols], legends[i].height())
	}
	for i, p := range panels {
		grid[i/cols][i%cols] = p.plot(rooms[i/cols])
	}
	areas := plot.Align(grid, tiles, dc)
	for i := range panels {
		area, p := areas[i/cols][i%cols], grid[i/cols][i%cols]
		p.Draw(area)
		legends[i].draw(area, p)
	}
	if _, err := (vgimg.PngCanvas{Canvas: canvas}).WriteTo(w); err != nil {
		return fmt.Errorf("trainlog: curves: %w", err)
	}
	return nil
}

// The picture's width in pixels, and its resolution, which sets the size of pixels() in points.
const (
	picWidth = 1600
	dpi      = 96
)

func pixels(n int) vg.Length { return vg.Length(n) * vg.Inch / dpi }

// columns is how many panels stand side by side.
func columns(panels int) int {
	switch {
	case panels <= 2:
		return panels
	case panels == 4:
		return 2
	}
	return 3
}

func panelHeight(cols int) int { return []int{0, 700, 560, 420}[cols] }
