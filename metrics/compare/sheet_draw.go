package compare

import (
	"image"
	"image/color"
	"image/draw"

	xdraw "golang.org/x/image/draw"
)

var (
	frameColor   = color.NRGBA{R: 0xe6, G: 0x1e, B: 0x1e, A: 0xff}
	missingColor = color.NRGBA{R: 0xdd, G: 0xdd, B: 0xdd, A: 0xff}
)

// sheetLayout is where the parts of a row stand; all rows have one.
type sheetLayout struct {
	columns, lines int // of crops
	side           int // of a crop
	cell           int // height of a crop with its text
	context        image.Point
	rowHeight      int
	width          int
}

func newSheetLayout(rows []*sheetRow, l *labeller) sheetLayout {
	var a sheetLayout
	panels := 0
	for _, r := range rows {
		panels, a.side = max(panels, len(r.panels)), max(a.side, r.side)
	}
	a.lines = (panels + rowPanels - 1) / rowPanels
	a.columns = (panels + a.lines - 1) / a.lines
	a.cell = a.side + panelLines*l.line + sheetGap
	height := a.lines*a.cell - sheetGap - l.line // one line below is the picture's name
	for _, r := range rows {
		a.context.X = max(a.context.X, fitted(r.context, 2*height, height).X)
	}
	a.context.Y = height
	a.rowHeight = a.lines*a.cell + sheetGap
	a.width = 2*sheetGap + a.context.X + a.columns*(a.side+sheetGap)
	return a
}

// fitted is the largest size with m's proportions inside w×h.
func fitted(m image.Image, w, h int) image.Point {
	if m == nil {
		return image.Point{}
	}
	s := m.Bounds().Size()
	f := min(float64(w)/float64(s.X), float64(h)/float64(s.Y))
	return image.Pt(max(1, int(f*float64(s.X))), max(1, int(f*float64(s.Y))))
}

func drawSheet(rows []*sheetRow, l *labeller, caption string) image.Image {
	a := newSheetLayout(rows, l)
	lines := l.wrap(caption, a.width-2*sheetGap)
	out := image.NewNRGBA(image.Rect(0, 0, a.width, sheetGap+len(rows)*a.rowHeight+len(lines)*l.line+sheetGap))
	fill(out, out.Rect, color.White)
	for i, r := range rows {
		r.draw(out, image.Pt(sheetGap, sheetGap+i*a.rowHeight), a, l)
	}
	for i, line := range lines {
		l.write(out, image.Pt(sheetGap, sheetGap+len(rows)*a.rowHeight), i, span{text: line})
	}
	return out
}

func (r *sheetRow) draw(out *image.NRGBA, at image.Point, a sheetLayout, l *labeller) {
	if r.context != nil {
		size := fitted(r.context, a.context.X, a.context.Y)
		drawContext(out, image.Rectangle{Min: at, Max: at.Add(size)}, r.context, r.frame)
		l.centred(out, at.Add(image.Pt(0, size.Y+l.line/4)), size.X, 0, span{text: r.title})
	}
	for i, p := range r.panels {
		corner := at.Add(image.Pt(a.context.X+sheetGap+i%a.columns*(a.side+sheetGap), i/a.columns*a.cell))
		place := image.Rectangle{Min: corner, Max: corner.Add(image.Pt(a.side, a.side))}
		if p.image == nil {
			fill(out, place, missingColor)
			l.centred(out, corner.Add(image.Pt(0, a.side/2-l.line)), a.side, 0, span{text: "missing"})
		} else {
			draw.Draw(out, place, p.image, image.Point{}, draw.Src)
		}
		below := corner.Add(image.Pt(0, a.side+l.line/8))
		l.centred(out, below, a.side, 0, span{text: p.name})
		l.centred(out, below, a.side, 1, p.value...)
	}
}

// drawContext shows a whole picture in place, pixels repeated where it is enlarged, with a frame around a part of it.
func drawContext(out *image.NRGBA, place image.Rectangle, m image.Image, part image.Rectangle) {
	var scaler xdraw.Scaler = xdraw.NearestNeighbor
	if place.Dx() < m.Bounds().Dx() {
		scaler = xdraw.CatmullRom
	}
	scaler.Scale(out, place, m, m.Bounds(), xdraw.Src, nil)
	fx, fy := float64(place.Dx())/float64(m.Bounds().Dx()), float64(place.Dy())/float64(m.Bounds().Dy())
	frame := image.Rect(int(fx*float64(part.Min.X)), int(fy*float64(part.Min.Y)), int(fx*float64(part.Max.X)+0.5), int(fy*float64(part.Max.Y)+0.5))
	strokeRect(out, frame.Add(place.Min), 3, color.White, place) // shows on red too
	strokeRect(out, frame.Add(place.Min), 2, frameColor, place)
}

// strokeRect draws a frame of the given width around r, within limits.
func strokeRect(out draw.Image, r image.Rectangle, width int, c color.Color, limits image.Rectangle) {
	outer := r.Inset(-width)
	for _, edge := range []image.Rectangle{
		{outer.Min, image.Pt(outer.Max.X, r.Min.Y)}, {image.Pt(outer.Min.X, r.Max.Y), outer.Max},
		{outer.Min, image.Pt(r.Min.X, outer.Max.Y)}, {image.Pt(r.Max.X, outer.Min.Y), outer.Max},
	} {
		fill(out, edge.Intersect(limits), c)
	}
}
