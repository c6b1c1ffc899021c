package compare

import (
	"fmt"
	"image/color"
	"math"
	"unicode/utf8"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ScatterFigure draws the points of a study, a colour per set, with the mean and the ellipse of two standard
// deviations of each.
func (c *Comparison) ScatterFigure(s *FeatureStudy) (*Figure, error) {
	p := newPlot(axisText(1, s.Share[0]), axisText(2, s.Share[1]))
	p.Title.Text = s.Features
	f := newFigure(p, 14.5, 9)
	for _, set := range s.Sets {
		points, err := plotter.NewScatter(xys(set.Points))
		if err != nil {
			return nil, fmt.Errorf("compare: scatter figure: %w", err)
		}
		points.GlyphStyle = draw.GlyphStyle{Color: faded(c.colorOf(set.Name), 0x50), Radius: vg.Points(1.1), Shape: draw.CircleGlyph{}}
		p.Add(points)
	}
	for _, set := range s.Sets { // above all points
		if err := c.addOutline(f, set); err != nil {
			return nil, fmt.Errorf("compare: scatter figure: %w", err)
		}
	}
	widen(&p.X, p.X.Min, p.X.Max, 0.03)
	widen(&p.Y, p.Y.Min, p.Y.Max, 0.03)
	return f, nil
}

func axisText(n int, share float64) string {
	return fmt.Sprintf("principal component %d of the log energies (%.0f %%)", n, 100*share)
}

func xys(points [][2]float64) plotter.XYs {
	out := make(plotter.XYs, len(points))
	for i, p := range points {
		out[i] = plotter.XY{X: p[0], Y: p[1]}
	}
	return out
}

// addOutline draws a set's mean and ellipse, and its line of the legend.
func (c *Comparison) addOutline(f *Figure, set FeatureSet) error {
	ellipse, centre := outline(set.Points)
	line, err := plotter.NewLine(ellipse)
	if err != nil {
		return err
	}
	line.LineStyle = draw.LineStyle{Color: c.colorOf(set.Name), Width: vg.Points(1.2)}
	mark, err := plotter.NewScatter(plotter.XYs{centre})
	if err != nil {
		return err
	}
	mark.GlyphStyle = draw.GlyphStyle{Color: c.colorOf(set.Name), Radius: vg.Points(4), Shape: draw.CircleGlyph{}}
	ring := *mark
	ring.GlyphStyle = draw.GlyphStyle{Color: color.White, Radius: vg.Points(5), Shape: draw.CircleGlyph{}}
	f.plot.Add(line, &ring, mark)
	f.legend.Add(set.Name, mark)
	return nil
}

// outline is the ellipse of two standard deviations around the mean of points.
func outline(points [][2]float64) (plotter.XYs, plotter.XY) {
	x, y := make([]float64, len(points)), make([]float64, len(points))
	for i, p := range points {
		x[i], y[i] = p[0], p[1]
	}
	centre := plotter.XY{X: stat.Mean(x, nil), Y: stat.Mean(y, nil)}
	a, b, d := stat.Variance(x, nil), stat.Covariance(x, y, nil), stat.Variance(y, nil)
	// A square root of the covariance matrix: its Cholesky factor.
	l11 := math.Sqrt(a)
	l21 := 0.0
	if l11 > 0 {
		l21 = b / l11
	}
	l22 := math.Sqrt(max(d-l21*l21, 0))
	const steps = 96
	ellipse := make(plotter.XYs, steps+1)
	for i := range ellipse {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / steps)
		ellipse[i] = plotter.XY{X: centre.X + 2*l11*cos, Y: centre.Y + 2*(l21*cos+l22*sin)}
	}
	return ellipse, centre
}

// KLFigure draws the divergence of each system's features from those of the ground truth as bars; the dashed line is
// that of two halves of the ground truth. It fails with [ErrNothing] where there is none.
func (c *Comparison) KLFigure(s *FeatureStudy) (*Figure, error) {
	if s.Floor == nil {
		return nil, fmt.Errorf("compare: KL figure: %w: there is no ground truth", ErrNothing)
	}
	p := newPlot("", "KL(ground truth ‖ system) in nats")
	p.Title.Text = s.Features
	var names []string
	var labels plotter.XYLabels
	highest := s.Floor.KL
	for _, set := range s.Sets {
		if set.KL == nil {
			continue
		}
		at := float64(len(names))
		bar, err := plotter.NewBarChart(plotter.Values{set.KL.KL}, vg.Points(34))
		if err != nil {
			return nil, fmt.Errorf("compare: KL figure: %w", err)
		}
		bar.XMin, bar.Color, bar.LineStyle.Width = at, c.colorOf(set.Name), 0
		p.Add(bar)
		names = append(names, set.Name)
		labels.XYs = append(labels.XYs, plotter.XY{X: at, Y: set.KL.KL})
		labels.Labels = append(labels.Labels, fmt.Sprintf("%.3g", set.KL.KL))
		highest = max(highest, set.KL.KL)
	}
	if err := addBarTexts(p, labels, s.Floor.KL, float64(len(names))); err != nil {
		return nil, fmt.Errorf("compare: KL figure: %w", err)
	}
	p.NominalX(names...)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.6, float64(len(names))-0.4, 0, 1.1*highest
	return newFigure(p, 2+barWidth(names)*vg.Length(len(names)), 7), nil
}

// barWidth is the width in centimetres that the longest name needs.
func barWidth(names []string) vg.Length {
	longest := 10
	for _, name := range names {
		longest = max(longest, utf8.RuneCountInString(name))
	}
	return 0.4 + 0.16*vg.Length(longest)
}

// addBarTexts writes the values above the bars and draws the line of the floor.
func addBarTexts(p *plot.Plot, labels plotter.XYLabels, floor, n float64) error {
	texts, err := plotter.NewLabels(labels)
	if err != nil {
		return err
	}
	for i := range texts.TextStyle {
		texts.TextStyle[i].Font, texts.TextStyle[i].XAlign = sans(8), draw.XCenter
	}
	texts.Offset = vg.Point{Y: vg.Points(3)}
	line, err := plotter.NewLine(plotter.XYs{{X: -0.6, Y: floor}, {X: n - 0.4, Y: floor}})
	if err != nil {
		return err
	}
	line.LineStyle = draw.LineStyle{Color: truthColor, Width: vg.Points(0.8), Dashes: []vg.Length{vg.Points(3), vg.Points(2)}}
	p.Add(texts, line)
	p.X.Label.Text = fmt.Sprintf("dashed: two halves of the ground truth, %.2g", floor)
	return nil
}
