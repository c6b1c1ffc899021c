package compare

import (
	"image"
	"image/color"
	"image/draw"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// labeller writes text on pictures.
type labeller struct {
	regular, bold font.Face
	line          int // pixels from one line of text to the next
}

func newLabeller(size float64) (*labeller, error) {
	l := &labeller{line: int(1.3*size + 0.5)}
	for _, f := range []struct {
		ttf  []byte
		face *font.Face
	}{{goregular.TTF, &l.regular}, {gobold.TTF, &l.bold}} {
		parsed, err := opentype.Parse(f.ttf)
		if err != nil {
			return nil, err
		}
		if *f.face, err = opentype.NewFace(parsed, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull}); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// span is a piece of text in one face.
type span struct {
	text string
	bold bool
}

func (l *labeller) face(s span) font.Face {
	if s.bold {
		return l.bold
	}
	return l.regular
}

func (l *labeller) width(spans ...span) int {
	var w fixed.Int26_6
	for _, s := range spans {
		w += font.MeasureString(l.face(s), s.text)
	}
	return w.Ceil()
}

// centred writes spans as line n below at, in the middle of width pixels, shortened if they do not fit.
func (l *labeller) centred(dst draw.Image, at image.Point, width, n int, spans ...span) {
	if l.width(spans...) > width {
		spans = []span{{l.shorten(joinSpans(spans), width), false}}
	}
	at.X += (width - l.width(spans...)) / 2
	l.write(dst, at, n, spans...)
}

func joinSpans(spans []span) string {
	var b strings.Builder
	for _, s := range spans {
		b.WriteString(s.text)
	}
	return b.String()
}

// write writes spans as line n below at.
func (l *labeller) write(dst draw.Image, at image.Point, n int, spans ...span) {
	d := font.Drawer{Dst: dst, Src: image.NewUniform(color.Black), Dot: fixed.P(at.X, at.Y+(n+1)*l.line-l.line/4)}
	for _, s := range spans {
		d.Face = l.face(s)
		d.DrawString(s.text)
	}
}

// shorten cuts the middle out of a text wider than width pixels.
func (l *labeller) shorten(text string, width int) string {
	runes := []rune(text)
	for keep := len(runes); keep > 1; keep-- {
		short := text
		if keep < len(runes) {
			short = string(runes[:(keep+1)/2]) + "…" + string(runes[len(runes)-keep/2:])
		}
		if l.width(span{text: short}) <= width {
			return short
		}
	}
	return "…"
}

// wrap breaks a text into lines of at most width pixels.
func (l *labeller) wrap(text string, width int) []string {
	var lines []string
	for word := range strings.FieldsSeq(text) {
		last := len(lines) - 1
		if last >= 0 && l.width(span{text: lines[last] + " " + word}) <= width {
			lines[last] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}
