package compare

import (
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

// Figure is a plot for a document.
type Figure struct {
	plot          *plot.Plot
	width, height vg.Length
}

// figureDPI is the resolution of the PNG form.
const figureDPI = 200

// Save writes path without its extension twice: as PNG and as PDF.
func (f *Figure) Save(path string) error {
	path = path[:len(path)-len(filepath.Ext(path))]
	img := vgimg.NewWith(vgimg.UseWH(f.width, f.height), vgimg.UseDPI(figureDPI))
	f.plot.Draw(draw.New(img))
	pdf := vgpdf.New(f.width, f.height)
	f.plot.Draw(draw.New(pdf))
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
		axis.LineStyle.Width, axis.Tick.LineStyle.Width = vg.Points(0.6), vg.Points(0.6)
	}
	p.Legend.TextStyle.Font = sans(8)
	p.Legend.Padding = vg.Points(2)
	p.Legend.ThumbnailWidth = vg.Points(10)
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
