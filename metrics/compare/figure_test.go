package compare

import (
	"bytes"
	"image/color"
	"math"
	"os"
	"strings"
	"testing"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgpdf"

	"github.com/gopdd/gopdd/internal/imgio"
)

// checkFigure saves a figure and looks at both forms: the PNG must not be blank, the PDF must hold no font.
func checkFigure(t *testing.T, f *Figure, path string) {
	t.Helper()
	if err := f.Save(path); err != nil {
		t.Fatal(err)
	}
	m, _, err := imgio.ReadFile(path, imgio.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if size, want := m.Bounds().Size(), float64(f.width/vg.Inch)*figureDPI; math.Abs(float64(size.X)-want) > 1 {
		t.Errorf("%s is %v, want a width of %v", path, size, want)
	}
	colors := map[color.Color]bool{}
	for y := range m.Bounds().Dy() {
		for x := range m.Bounds().Dx() {
			colors[m.At(x, y)] = true
		}
	}
	if len(colors) < 10 {
		t.Errorf("%s has %d colours", path, len(colors))
	}
	pdf, err := os.ReadFile(strings.TrimSuffix(path, ".png") + ".pdf")
	if err != nil || !bytes.HasPrefix(pdf, []byte("%PDF-")) || bytes.Contains(pdf, []byte("/FontFile")) {
		t.Errorf("%s: PDF of %d bytes (%v)", path, len(pdf), err)
	}
}

// Letters that code page 1252 lacks become outlines like all others.
func TestOutlines(t *testing.T) {
	length := func(text string) int {
		pdf := vgpdf.New(100, 100)
		face := font.DefaultCache.Lookup(sans(9), 9)
		outlinePDF{pdf}.FillString(face, vg.Point{X: 5, Y: 5}, text)
		var b bytes.Buffer
		if _, err := pdf.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		return b.Len()
	}
	if empty, arrow, two := length(""), length("↑"), length("↑×"); arrow <= empty || two <= arrow {
		t.Errorf("PDF of %d, %d and %d bytes for no, one and two letters", empty, arrow, two)
	}
}

func TestTicks(t *testing.T) {
	for _, r := range [][2]float64{{0, 1}, {-8.3, 10.1}, {26.58, 27.69}, {0.6, 0.6001}, {-1e-9, 3e5}, {100, 900}} {
		list := ticks(r[0], r[1])
		if len(list) < 3 || len(list) > 11 {
			t.Errorf("%v: %d ticks", r, len(list))
		}
		seen := map[string]bool{}
		for _, tick := range list {
			if tick.Value < r[0]-1e-9 || tick.Value > r[1]*(1+1e-9) || seen[tick.Label] || strings.HasPrefix(tick.Label, "-0.0") && tick.Value > -1e-9 {
				t.Errorf("%v: tick %+v", r, tick)
			}
			seen[tick.Label] = true
		}
	}
}
