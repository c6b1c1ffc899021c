package compare

import (
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"

	"github.com/gopdd/gopdd/internal/atomicfile"
)

// ErrNothing says that there is nothing to draw: the comparison lacks what a sheet or figure shows.
var ErrNothing = errors.New("nothing to draw")

// Figure is a plot for a document.
type Figure struct {
	plot          *plot.Plot
	width, height vg.Length
	legend        plot.Legend // to the right of the plot
}

// figureDPI is the resolution of the PNG form.
const figureDPI = 200

// Save writes path without its extension twice: as PNG and as PDF.
func (f *Figure) Save(path string) error {
	path = path[:len(path)-len(filepath.Ext(path))]
	img := vgimg.NewWith(vgimg.UseWH(f.width, f.height), vgimg.UseDPI(figureDPI))
	f.draw(draw.New(img))
	pdf := vgpdf.New(f.width, f.height)
	f.draw(draw.New(outlinePDF{pdf}))
	for _, form := range []struct {
		ext   string
		write io.WriterTo
	}{{".png", vgimg.PngCanvas{Canvas: img}}, {".pdf", pdf}} {
		err := atomicfile.Write(path+form.ext, func(w io.Writer) error { _, err := form.write.WriteTo(w); return err })
		if err != nil {
			return fmt.Errorf("compare: save figure: %w", err)
		}
	}
	return nil
}

func (f *Figure) draw(c draw.Canvas) {
	const margin = 4
	legend := f.legend.Rectangle(c)
	plotted := draw.Crop(c, margin, -(legend.Max.X - legend.Min.X + 2*margin), margin, -margin)
	f.plot.Draw(plotted)
	f.legend.Draw(draw.Crop(c, plotted.Max.X+margin, -margin, 0, -margin))
}

// newFigure is a figure without a legend yet.
func newFigure(p *plot.Plot, width, height vg.Length) *Figure {
	f := &Figure{plot: p, width: width * vg.Centimeter, height: height * vg.Centimeter, legend: plot.NewLegend()}
	f.legend.Top, f.legend.Left = true, true
	f.legend.TextStyle.Font = sans(8)
	f.legend.Padding, f.legend.ThumbnailWidth = vg.Points(3), vg.Points(12)
	return f
}

// palette are Okabe and Ito's colours, which colour-blind readers tell apart; black is the ground truth's.
var palette = []color.NRGBA{
	{0x00, 0x72, 0xb2, 0xff}, {0xd5, 0x5e, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff}, {0xcc, 0x79, 0xa7, 0xff},
	{0xe6, 0x9f, 0x00, 0xff}, {0x56, 0xb4, 0xe9, 0xff}, {0x8c, 0x6d, 0x31, 0xff},
}

var truthColor = color.NRGBA{A: 0xff}

// colorOf is the colour of a system, or of the ground truth for a name that is none.
func (c *Comparison) colorOf(name string) color.NRGBA {
	for i, s := range c.Systems {
		if s.Name == name {
			return palette[i%len(palette)]
		}
	}
	return truthColor
}

func faded(c color.NRGBA, alpha uint8) color.NRGBA {
	c.A = alpha
	return c
}

func sans(size float64) font.Font {
	return font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(size)}
}

// newPlot is an empty plot in the style of all figures.
func newPlot(x, y string) *plot.Plot {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = x, y
	p.Title.TextStyle.Font = sans(10)
	p.Title.Padding = vg.Points(6)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font = sans(9)
		axis.Label.Padding = vg.Points(4)
		axis.Tick.Label.Font = sans(8)
		axis.Padding = vg.Points(3)
		axis.Tick.Marker = plot.TickerFunc(ticks)
		axis.LineStyle.Width, axis.Tick.LineStyle.Width = vg.Points(0.6), vg.Points(0.6)
	}
	return p
}

// widen sets an axis to what it shows and a share of it on both sides.
func widen(a *plot.Axis, low, high, share float64) {
	margin := share * (high - low)
	if !(margin > 0) {
		margin = math.Max(math.Abs(high), 1) * share
	}
	a.Min, a.Max = low-margin, high+margin
}

// ticks marks four to eight round numbers, as labels of equal precision.
func ticks(low, high float64) []plot.Tick {
	step := math.Pow(10, math.Floor(math.Log10((high-low)/4)))
	for _, f := range []float64{5, 2} {
		if (high-low)/(f*step) >= 4 {
			step *= f
			break
		}
	}
	decimals := max(0, int(-math.Floor(math.Log10(step)+1e-9)))
	var list []plot.Tick
	for n := math.Ceil(low/step - 1e-9); n*step <= high+1e-9*step; n++ {
		list = append(list, plot.Tick{Value: n * step, Label: decimal(n*step+0, decimals)})
	}
	return list
}
