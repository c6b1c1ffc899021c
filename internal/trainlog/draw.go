package trainlog

import (
	"image/color"
	"math"

	"golang.org/x/image/font"
	"gonum.org/v1/plot"
	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// palette is Okabe and Ito's, which colour-blind people can tell apart; without its yellow, too pale for lines, and with
// a gray.
var palette = []color.RGBA{
	{0, 114, 178, 255}, {213, 94, 0, 255}, {0, 158, 115, 255}, {204, 121, 167, 255},
	{86, 180, 233, 255}, {230, 159, 0, 255}, {90, 90, 90, 255},
}

var (
	ink   = color.Gray{Y: 40}
	faint = color.Gray{Y: 215}
	alarm = color.RGBA{200, 0, 0, 255}
)

// lineStyle is that of the i-th curve of a panel: the palette, then the palette in dashes.
func lineStyle(i int) draw.LineStyle {
	s := draw.LineStyle{Color: palette[i%len(palette)], Width: pixels(3)}
	if i >= len(palette) {
		s.Dashes = []vg.Length{pixels(9), pixels(5)}
	}
	return s
}

// thinStyle is the style of the values behind their mean.
func thinStyle(s draw.LineStyle) draw.LineStyle {
	c := s.Color.(color.RGBA)
	return draw.LineStyle{Color: color.NRGBA{c.R, c.G, c.B, 90}, Width: pixels(1)}
}

// maxDots is how many points are too many to mark each.
const maxDots = 60

// plot makes the panel with room for a legend above it, which draws the title too.
func (p *panel) plot(legend vg.Length) *plot.Plot {
	pl := plot.New()
	pl.Title.Text, pl.Title.TextStyle.Font, pl.Title.Padding = " ", titleText().Font, legend+2*legendGap
	pl.X.Label.Text, pl.Y.Label.Text = "step", p.unit
	pl.X.Min, pl.X.Max, pl.Y.Min, pl.Y.Max = float64(p.first), float64(p.last), p.lo, p.hi
	pl.X.Tick.Marker, pl.Y.Tick.Marker = plot.TickerFunc(stepTicks), plot.TickerFunc(valueTicks)
	if p.log {
		pl.Y.Scale = plot.LogScale{}
		pl.Y.Tick.Marker = plot.TickerFunc(logTicks)
		pl.Y.Label.Text += " (log)"
	}
	for _, axis := range []*plot.Axis{&pl.X, &pl.Y} {
		axis.Label.TextStyle.Font = textFont(16, font.WeightNormal)
		axis.Tick.Label.Font = textFont(15, font.WeightNormal)
		axis.Padding, axis.Label.Padding, axis.Color = 0, pixels(5), ink
		axis.Label.TextStyle.Color, axis.Tick.Label.Color, axis.Tick.Color = ink, ink, ink
	}
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = faint, faint
	pl.Add(grid)
	for i, c := range p.lines {
		if c.mean != nil {
			pl.Add(strokes{c.segments, thinStyle(lineStyle(i)), noisyPath})
		}
	}
	for i, c := range p.lines {
		if c.mean != nil {
			pl.Add(strokes{c.mean, lineStyle(i), smoothPath})
			continue
		}
		pl.Add(strokes{c.segments, lineStyle(i), smoothPath})
		if len(c.points) < maxDots {
			pl.Add(dots{c.points, lineStyle(i).Color})
		}
	}
	for _, c := range p.lines {
		pl.Add(crosses(c.notFinite))
	}
	return pl
}

func textFont(size int, w font.Weight) plotfont.Font {
	return plotfont.Font{Typeface: "Liberation", Variant: "Sans", Weight: w, Size: pixels(size)}
}

// strokes draws lines through points, cut at the borders of the panel.
type strokes struct {
	lines [][]point
	style draw.LineStyle
	path  int // how many points make one path; see the constants
}

func (s strokes) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	c.SetLineStyle(s.style)
	for _, line := range s.lines {
		var points []vg.Point
		for _, pt := range thin(line, resolution) {
			points = append(points, vg.Point{X: x(pt.step), Y: y(pt.value)})
		}
		for len(points) > 1 {
			n := min(s.path, len(points))
			stroke(c, points[:n])
			points = points[n-1:]
		}
	}
}

// The time of a path grows with the square of the points that lie on a row of pixels, many in a line that goes up and
// down; where paths meet, there is a seam.
const (
	noisyPath  = 200
	smoothPath = math.MaxInt
)

// stroke draws what lies in the panel of a line.
func stroke(c draw.Canvas, points []vg.Point) {
	var path vg.Path
	for _, piece := range c.ClipLinesXY(points) {
		path.Move(piece[0])
		for _, pt := range piece[1:] {
			path.Line(pt)
		}
	}
	c.Stroke(path)
}

// dots marks points.
type dots struct {
	points []point
	color  color.Color
}

func (d dots) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := draw.GlyphStyle{Color: d.color, Radius: pixels(4), Shape: draw.CircleGlyph{}}
	for _, pt := range d.points {
		c.DrawGlyph(style, vg.Point{X: x(pt.step), Y: y(pt.value)})
	}
}

// crosses marks steps at the foot of the panel, neighbours by one cross.
type crosses []int

func (s crosses) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	last := vg.Length(math.Inf(-1))
	for _, step := range s {
		if at := x(float64(step)); at-last >= crossSize/2 {
			drawCross(c, at, c.Min.Y+crossSize)
			last = at
		}
	}
}

var crossSize = pixels(8)

// drawCross draws a cross around a point.
func drawCross(c draw.Canvas, x, y vg.Length) {
	style, d := draw.LineStyle{Color: alarm, Width: pixels(2)}, crossSize/2
	c.StrokeLine2(style, x-d, y-d, x+d, y+d)
	c.StrokeLine2(style, x-d, y+d, x+d, y-d)
}
