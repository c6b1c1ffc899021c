package compare

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"math"
	"slices"

	"github.com/gopdd/gopdd/internal/imgio"
)

// SheetOptions of [Comparison.Sheet].
type SheetOptions struct {
	Rows int      // crops on the sheet, chosen where the systems differ most; without meaning with At
	Size int      // side of a crop in pixels of the results; 0: 96
	At   []Window // crops to show instead, in this order; those without a picture are shown of every picture
}

const defaultCrop = 96

// Measures of a sheet in pixels.
const (
	panelSide  = 208 // of an enlarged crop, about
	sheetGap   = 10
	sheetText  = 17 // size of the letters
	panelLines = 2  // of text below a crop
	rowPanels  = 7  // crops side by side; more go into a second line
)

// Sheet draws the contact sheet: for each crop a line with the LR picture, in which the crop is framed, and the crop
// of the LR picture, of all systems and of the ground truth, each pixel repeated, with the system's name and two
// measures of the whole picture below. Crops of LR pictures lie exactly where those of the results do only where the
// side of the results is a multiple of the LR picture's. It fails with [ErrNothing] where no picture has results of two
// systems.
func (c *Comparison) Sheet(ctx context.Context, o SheetOptions) (image.Image, error) {
	if o.Size <= 0 {
		o.Size = defaultCrop
	}
	l, err := newLabeller(sheetText)
	if err != nil {
		return nil, fmt.Errorf("compare: sheet: %w", err)
	}
	windows := c.spread(o.At)
	if len(windows) == 0 {
		if windows, err = c.windows(ctx, o.Rows, o.Size); err != nil {
			return nil, fmt.Errorf("compare: sheet: %w", err)
		}
	}
	var rows []*sheetRow
	for _, w := range windows {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("compare: sheet: %w", ctx.Err())
		}
		row, err := c.sheetRow(w)
		if err != nil {
			return nil, fmt.Errorf("compare: sheet: %w", err)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("compare: sheet: %w: no picture has results of two systems in one size", ErrNothing)
	}
	return drawSheet(rows, l, c.sheetCaption(o)), nil
}

// spread gives every window a picture.
func (c *Comparison) spread(at []Window) []Window {
	var windows []Window
	for _, w := range at {
		if w.Picture != "" {
			windows = append(windows, w)
			continue
		}
		for _, p := range c.Pictures {
			w.Picture = p.Name
			windows = append(windows, w)
		}
	}
	return windows
}

func (c *Comparison) sheetCaption(o SheetOptions) string {
	text := "Below each crop:"
	short := shortNames(c.Metrics)
	for i, m := range c.headline() {
		if i > 0 {
			text += " and"
		}
		text += fmt.Sprintf(" %s %s (%s)", short[m], arrow(c.Metrics[m]), c.Metrics[m].Name)
	}
	text += " of the whole picture, the best in bold."
	if len(o.At) > 0 {
		return text + " Crops chosen by hand."
	}
	return text + fmt.Sprintf(" Crops of %d×%d pixels chosen where the systems differ most.", o.Size, o.Size)
}

// panel is one enlarged crop with its text.
type panel struct {
	image image.Image // nil where there is none
	name  string
	value []span
}

// sheetRow is one line of the sheet.
type sheetRow struct {
	title   string
	context image.Image
	frame   image.Rectangle // in pixels of context
	panels  []panel
	side    int // of the enlarged crops
}

func (c *Comparison) sheetRow(w Window) (*sheetRow, error) {
	p := slices.IndexFunc(c.Pictures, func(p Picture) bool { return p.Name == w.Picture })
	if p < 0 {
		return nil, fmt.Errorf("crop of %q: no such picture", w.Picture)
	}
	picture := c.Pictures[p]
	row := &sheetRow{title: picture.Name, side: max(1, (panelSide+w.Size/2)/w.Size) * w.Size}
	size, crops, err := c.crops(p, w, row.side)
	if err != nil {
		return nil, err
	}
	if lr, err := open(picture.LR); err == nil {
		scale := float64(size.X) / float64(lr.Bounds().Dx())
		row.context, row.frame = lr, shrink(w.rect(), scale)
		row.panels = append(row.panels, panel{image: enlarge(lr, row.frame, row.side), name: "LR", value: []span{{text: sizeText(lr)}}})
	}
	row.panels = append(row.panels, crops...)
	if truth, err := open(picture.Truth); err == nil {
		t := panel{name: "ground truth", value: []span{{text: sizeText(truth)}}}
		if truth.Bounds().Size() == size {
			t.image = enlarge(truth, w.rect(), row.side)
		}
		row.panels = append(row.panels, t)
		if row.context == nil {
			row.context, row.frame = truth, w.rect()
		}
	}
	return row, nil
}

func open(path string) (image.Image, error) {
	if path == "" {
		return nil, errNoTruth
	}
	m, _, err := imgio.ReadFile(path, imgio.Limits{})
	return m, err
}

func sizeText(m image.Image) string { return fmt.Sprintf("%d×%d", m.Bounds().Dx(), m.Bounds().Dy()) }

// crops cuts the window out of all results, which must have one size.
func (c *Comparison) crops(p int, w Window, side int) (size image.Point, crops []panel, err error) {
	for i, s := range c.Systems {
		crop := panel{name: s.Name, value: c.values(i, p)}
		if m, err := open(s.Results[p].Path); err == nil {
			if size == (image.Point{}) {
				size = m.Bounds().Size()
			}
			if !w.rect().In(image.Rectangle{Max: m.Bounds().Size()}) {
				return size, nil, fmt.Errorf("crop %d,%d,%d: does not lie in %q, which has %s pixels", w.X, w.Y, w.Size, w.Picture, sizeText(m))
			}
			if m.Bounds().Size() == size {
				crop.image = enlarge(m, w.rect(), side)
			}
		}
		crops = append(crops, crop)
	}
	if size == (image.Point{}) {
		return size, nil, fmt.Errorf("crop of %q: no system has a result", w.Picture)
	}
	return size, crops, nil
}

// values writes the headline measures of a system's picture, those that no other system's beat in bold.
func (c *Comparison) values(system, p int) []span {
	var spans []span
	for k, m := range c.headline() {
		if k > 0 {
			spans = append(spans, span{text: " / "})
		}
		v := c.Systems[system].Results[p].Values[m]
		best := !math.IsNaN(v) && !slices.ContainsFunc(c.Systems, func(o Outcome) bool { return better(c.Metrics[m], o.Results[p].Values[m], v) })
		spans = append(spans, span{decimal(v, c.decimals(m)), best})
	}
	return spans
}

// shrink brings a rectangle from the results to the LR picture.
func shrink(r image.Rectangle, scale float64) image.Rectangle {
	at := func(v int) int { return int(float64(v)/scale + 0.5) }
	return image.Rect(at(r.Min.X), at(r.Min.Y), max(at(r.Max.X), at(r.Min.X)+1), max(at(r.Max.Y), at(r.Min.Y)+1))
}

// enlarge repeats the pixels of a part of m to a square of side pixels.
func enlarge(m image.Image, part image.Rectangle, side int) image.Image {
	return repeat(m, part, image.Pt(side, side))
}

// repeat shows a part of m in the given size, without interpolation and without alpha, as the metrics see it.
func repeat(m image.Image, part image.Rectangle, size image.Point) image.Image {
	out := image.NewNRGBA(image.Rectangle{Max: size})
	at := m.Bounds().Min.Add(part.Min)
	for y := range size.Y {
		line := out.Pix[y*out.Stride:]
		for x := range size.X {
			c := color.NRGBAModel.Convert(m.At(at.X+x*part.Dx()/size.X, at.Y+y*part.Dy()/size.Y)).(color.NRGBA)
			line[4*x], line[4*x+1], line[4*x+2], line[4*x+3] = c.R, c.G, c.B, 0xff
		}
	}
	return out
}

func fill(dst draw.Image, r image.Rectangle, c color.Color) {
	draw.Draw(dst, r, image.NewUniform(c), image.Point{}, draw.Src)
}
