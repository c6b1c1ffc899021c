package compare

import (
	"image/color"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgpdf"
)

// outlinePDF is a PDF whose text is drawn as filled outlines, since vgpdf's fonts know the 256 characters of code page
// 1252 only, which has no arrows, and takes UTF-8 for them; and whose transparent colours are not darkened, as vgpdf
// does by writing them premultiplied.
type outlinePDF struct{ *vgpdf.Canvas }

// SetColor sets the colour of lines and fillings; nil is black.
func (c outlinePDF) SetColor(clr color.Color) {
	if clr != nil {
		clr = straight{color.NRGBAModel.Convert(clr).(color.NRGBA)}
	}
	c.Canvas.SetColor(clr)
}

// straight gives its colours without alpha in them, against the rule of color.Color.
type straight struct{ color.NRGBA }

func (s straight) RGBA() (r, g, b, a uint32) {
	return 0x101 * uint32(s.R), 0x101 * uint32(s.G), 0x101 * uint32(s.B), 0x101 * uint32(s.A)
}

// FillString draws text at pt, its left end on the base line.
func (c outlinePDF) FillString(f plotfont.Face, pt vg.Point, text string) {
	units := fixed.Int26_6(f.Face.UnitsPerEm()) // as pixels per em, so that coordinates are whole font units
	scale := f.Font.Size / vg.Length(units)
	var buf sfnt.Buffer
	var path vg.Path
	var previous sfnt.GlyphIndex
	for i, r := range text {
		glyph, err := f.Face.GlyphIndex(&buf, r)
		if err != nil {
			continue
		}
		if i > 0 {
			if kern, err := f.Face.Kern(&buf, previous, glyph, units, font.HintingNone); err == nil {
				pt.X += scale * vg.Length(kern)
			}
		}
		if segments, err := f.Face.LoadGlyph(&buf, glyph, units, nil); err == nil {
			addGlyph(&path, segments, pt, scale)
		}
		if advance, err := f.Face.GlyphAdvance(&buf, glyph, units, font.HintingNone); err == nil {
			pt.X += scale * vg.Length(advance)
		}
		previous = glyph
	}
	if len(path) > 0 {
		c.Fill(path)
	}
}

// addGlyph appends the outline of a glyph whose origin is at pt.
func addGlyph(path *vg.Path, segments sfnt.Segments, pt vg.Point, scale vg.Length) {
	at := func(p fixed.Point26_6) vg.Point {
		return vg.Point{X: pt.X + scale*vg.Length(p.X), Y: pt.Y - scale*vg.Length(p.Y)}
	}
	for i, s := range segments {
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			if i > 0 {
				path.Close()
			}
			path.Move(at(s.Args[0]))
		case sfnt.SegmentOpLineTo:
			path.Line(at(s.Args[0]))
		case sfnt.SegmentOpQuadTo:
			path.QuadTo(at(s.Args[0]), at(s.Args[1]))
		case sfnt.SegmentOpCubeTo:
			path.CubeTo(at(s.Args[0]), at(s.Args[1]), at(s.Args[2]))
		}
	}
	if len(segments) > 0 {
		path.Close()
	}
}
