package trainlog

import (
	"fmt"

	"golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// legend stands in rows above a panel, the panel's title above them.
type legend struct {
	title string
	rows  [][]entry
}

// entry is a sample of a curve, or of the crosses, and a label.
type entry struct {
	label string
	curve int // -1: crosses
	width vg.Length
}

// newLegend lays the entries of a panel out in rows of the given width. A single curve with the axis's name needs none.
func newLegend(p *panel, width vg.Length) *legend {
	l := &legend{title: p.title}
	if len(p.lines) > 1 || p.lines[0].label != p.unit {
		for i, c := range p.lines {
			l.add(entry{label: c.label, curve: i}, width)
		}
	}
	bad := 0
	for _, c := range p.lines {
		bad += len(c.notFinite)
	}
	if bad > 0 {
		l.add(entry{label: fmt.Sprintf("NaN or infinite: %d", bad), curve: -1}, width)
	}
	return l
}

// add puts e at the end of the last row if it fits there, else in a new one. A label that is too long for a row loses
// its end.
func (l *legend) add(e entry, width vg.Length) {
	frame := legendSample + 4*legendGap
	for label := []rune(e.label); frame+legendText().Width(e.label) > width && len(label) > 1; {
		label = label[:len(label)-1]
		e.label = string(label) + "…"
	}
	e.width = frame + legendText().Width(e.label)
	last := len(l.rows) - 1
	if last < 0 || rowWidth(l.rows[last])+e.width > width {
		l.rows = append(l.rows, nil)
		last++
	}
	l.rows[last] = append(l.rows[last], e)
}

func rowWidth(row []entry) (sum vg.Length) {
	for _, e := range row {
		sum += e.width
	}
	return sum
}

func (l *legend) height() vg.Length { return vg.Length(len(l.rows)) * legendRow }

var (
	legendRow    = pixels(22)
	legendSample = pixels(24)
	legendGap    = pixels(6)
)

func legendText() text.Style {
	return text.Style{Color: ink, Font: textFont(15, font.WeightNormal), YAlign: text.YCenter, Handler: plot.DefaultTextHandler}
}

func titleText() text.Style {
	return text.Style{Color: ink, Font: textFont(18, font.WeightBold), XAlign: text.XCenter, YAlign: text.YCenter, Handler: plot.DefaultTextHandler}
}

// draw draws the legend above the data of p, which was drawn on area with room for it.
func (l *legend) draw(area draw.Canvas, p *plot.Plot) {
	data := p.DataCanvas(area)
	y := data.Max.Y + legendGap + l.height() + legendRow/2
	area.FillText(titleText(), vg.Point{X: data.Center().X, Y: y}, l.title)
	for _, row := range l.rows {
		y -= legendRow
		x := data.Center().X - rowWidth(row)/2
		for _, e := range row {
			if e.curve >= 0 {
				area.StrokeLine2(lineStyle(e.curve), x, y, x+legendSample, y)
			} else {
				drawCross(area, x+legendSample/2, y)
			}
			area.FillText(legendText(), vg.Point{X: x + legendSample + legendGap, Y: y}, e.label)
			x += e.width
		}
	}
}
