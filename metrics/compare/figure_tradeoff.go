package compare

import (
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/gopdd/gopdd/metrics/report"
)

// TradeoffFigure draws the systems in the plane of two metrics: the first one, and the first one that is neither PSNR
// nor SSIM, with axes turned so that right and up are better. Bars are the 95 % intervals of the difference to the
// baseline. It fails with [ErrNothing] where the metrics do not give two axes.
func (c *Comparison) TradeoffFigure() (*Figure, error) {
	axes := c.headline()
	if len(axes) < 2 {
		return nil, fmt.Errorf("compare: trade-off figure: %w: there is no second metric besides PSNR and SSIM", ErrNothing)
	}
	p := newPlot(axisLabel(c.Metrics[axes[0]]), axisLabel(c.Metrics[axes[1]]))
	p.Title.Text = "Means; bars: 95 % interval of the difference to " + c.Systems[c.Baseline].Name
	p.Title.TextStyle.Font = sans(8)
	f := newFigure(p, 14, 8)
	low, high := [2]float64{math.Inf(1), math.Inf(1)}, [2]float64{math.Inf(-1), math.Inf(-1)}
	for i, s := range c.Systems {
		x, y := s.Cells[axes[0]], s.Cells[axes[1]]
		if bad(x.Mean) || bad(y.Mean) {
			continue
		}
		if err := c.addSystem(f, i, x, y); err != nil {
			return nil, fmt.Errorf("compare: trade-off figure: %w", err)
		}
		for k, cell := range []Cell{x, y} {
			below, above := cell.bars()
			low[k], high[k] = min(low[k], cell.Mean-below), max(high[k], cell.Mean+above)
		}
	}
	if low[0] > high[0] {
		return nil, fmt.Errorf("compare: trade-off figure: %w: no system has both means", ErrNothing)
	}
	widen(&p.X, low[0], high[0], 0.1)
	widen(&p.Y, low[1], high[1], 0.1)
	for k, axis := range []*plot.Axis{&p.X, &p.Y} {
		if m := c.Metrics[axes[k]]; !m.Higher && !m.Target {
			axis.Scale = plot.InvertedScale{Normalizer: axis.Scale}
		}
	}
	return f, nil
}

func bad(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }

func axisLabel(m report.Metric) string {
	text := m.Name + " " + arrow(m)
	if !m.Higher && !m.Target {
		text += ", axis turned"
	}
	return text
}

// bars are the lengths of the error bars below and above the mean; 0 for the baseline.
func (c Cell) bars() (below, above float64) {
	if math.IsNaN(c.Delta.Low) {
		return 0, 0
	}
	return c.Delta.Mean - c.Delta.Low, c.Delta.High - c.Delta.Mean
}

// errorPoint is a point with error bars on both axes.
type errorPoint struct {
	plotter.XYs
	plotter.XErrors
	plotter.YErrors
}

// addSystem draws a system's mark and bars.
func (c *Comparison) addSystem(f *Figure, i int, x, y Cell) error {
	e := errorPoint{XYs: plotter.XYs{{X: x.Mean, Y: y.Mean}}, XErrors: make(plotter.XErrors, 1), YErrors: make(plotter.YErrors, 1)}
	if i != c.Baseline {
		e.XErrors[0].Low, e.XErrors[0].High = x.bars()
		e.YErrors[0].Low, e.YErrors[0].High = y.bars()
	}
	across, err := plotter.NewXErrorBars(e)
	if err != nil {
		return err
	}
	up, err := plotter.NewYErrorBars(e)
	if err != nil {
		return err
	}
	mark, err := plotter.NewScatter(e.XYs)
	if err != nil {
		return err
	}
	color := palette[i%len(palette)]
	across.Color, up.Color = faded(color, 0xa0), faded(color, 0xa0)
	mark.GlyphStyle = draw.GlyphStyle{Color: color, Radius: vg.Points(4), Shape: draw.CircleGlyph{}}
	f.plot.Add(across, up, mark)
	f.legend.Add(c.Systems[i].Name, mark)
	return nil
}
