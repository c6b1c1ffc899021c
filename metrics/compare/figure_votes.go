package compare

import (
	"fmt"
	"image/color"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// votePart is the part of a bar that stands for one answer.
type votePart struct {
	name  string
	votes int
	color color.NRGBA
}

// Figure draws the votes of each pair as a bar in three parts with their counts: the first system's, those for equal in
// gray, the second's.
func (t *Tally) Figure() (*Figure, error) {
	p := newPlot("share of the votes in %", "")
	rows := len(t.Pairs)
	f := newFigure(p, 15, 1.6+0.9*vg.Length(rows))
	inLegend := map[string]bool{}
	for i, pair := range t.Pairs {
		y := float64(rows - 1 - i) // the first pair at the top
		total := float64(pair.FirstWins + pair.SecondWins + pair.Ties)
		from := 0.0
		for _, part := range []votePart{{pair.First, pair.FirstWins, t.colorOf(pair.First)}, {"equal", pair.Ties, missingColor},
			{pair.Second, pair.SecondWins, t.colorOf(pair.Second)}} {
			to := from + 100*float64(part.votes)/total
			thumb, err := addPart(p, part, from, to, y)
			if err != nil {
				return nil, fmt.Errorf("compare: figure of votes: %w", err)
			}
			if !inLegend[part.name] {
				f.legend.Add(part.name, thumb)
			}
			inLegend[part.name], from = true, to
		}
	}
	p.NominalY(make([]string, rows)...)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, 100, -0.5, float64(rows)-0.5
	return f, nil
}

// colorOf is a system's colour, whatever the order of preference.
func (t *Tally) colorOf(name string) color.NRGBA {
	var names []string
	for _, s := range t.Systems {
		names = append(names, s.Name)
	}
	slices.Sort(names)
	return palette[slices.Index(names, name)%len(palette)]
}

// addPart draws a part of the bar in row y, with its count.
func addPart(p *plot.Plot, part votePart, from, to, y float64) (plot.Thumbnailer, error) {
	const half = 0.33
	bar, err := plotter.NewPolygon(plotter.XYs{{X: from, Y: y - half}, {X: to, Y: y - half}, {X: to, Y: y + half}, {X: from, Y: y + half}})
	if err != nil {
		return nil, err
	}
	bar.Color, bar.LineStyle.Width = part.color, 0
	p.Add(bar)
	if part.votes == 0 {
		return bar, nil
	}
	count, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: (from + to) / 2, Y: y}}, Labels: []string{strconv.Itoa(part.votes)}})
	if err != nil {
		return nil, err
	}
	style := &count.TextStyle[0]
	style.Font, style.XAlign, style.YAlign, style.Color = sans(8), draw.XCenter, draw.YCenter, color.White
	if part.color == missingColor {
		style.Color = color.Black
	}
	p.Add(count)
	return bar, nil
}
