package data

import (
	"cmp"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"slices"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

// ContactSheet shows degraded pictures for the eye: for each the middle of the target, beside it the same part of the
// LR picture with every pixel enlarged, and below its name and recipe. It holds copies of what it shows, not the
// pictures; the zero value is empty. It is not safe for concurrent use.
type ContactSheet struct {
	entries []contactEntry
}

type contactEntry struct {
	index      int
	target, lr image.Image
	name       string
	steps      []string
}

// Measures of a sheet in pixels.
const (
	contactSide    = 256 // of a picture
	contactGap     = 8
	contactLine    = 14 // height of a line of text
	contactLines   = 4  // below the pictures
	contactColumns = 2
)

// Add puts a picture on the sheet.
func (s *ContactSheet) Add(r SampleResult) error {
	scale := max(1, r.Target.W/max(r.LR.W, 1))
	size := min(contactSide/scale, r.LR.W, r.LR.H)
	middle := image.Rect(0, 0, size, size).Add(image.Pt((r.LR.W-size)/2, (r.LR.H-size)/2))
	lr, err := r.LR.cropOriented(middle, Orientation{})
	if err != nil {
		return err
	}
	target, err := r.Target.cropOriented(scaled(middle, scale).Intersect(image.Rect(0, 0, r.Target.W, r.Target.H)), Orientation{})
	if err != nil {
		return err
	}
	small, err := lr.ToImage(8)
	if err != nil {
		return err
	}
	large, err := target.ToImage(8)
	if err != nil {
		return err
	}
	s.entries = append(s.entries, contactEntry{r.Index, large, enlarge(small, scale), r.Source, r.Recipe.summary()})
	return nil
}

// Len is the number of pictures on the sheet.
func (s *ContactSheet) Len() int { return len(s.entries) }

// enlarge repeats each pixel n×n times.
func enlarge(img image.Image, n int) image.Image {
	b := img.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, n*b.Dx(), n*b.Dy()))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			out.Set(x, y, img.At(b.Min.X+x/n, b.Min.Y+y/n))
		}
	}
	return out
}

// Image draws the sheet, two pictures to a row, in the order of their indices.
func (s *ContactSheet) Image() image.Image {
	slices.SortFunc(s.entries, func(a, b contactEntry) int { return cmp.Compare(a.index, b.index) })
	cellW := 2*contactSide + 3*contactGap
	cellH := contactSide + 2*contactGap + contactLines*contactLine
	rows := (len(s.entries) + contactColumns - 1) / contactColumns
	out := image.NewNRGBA(image.Rect(0, 0, contactColumns*cellW, max(rows, 1)*cellH))
	draw.Draw(out, out.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	for i, e := range s.entries {
		at := image.Pt(i%contactColumns*cellW+contactGap, i/contactColumns*cellH+contactGap)
		e.draw(out, at)
	}
	return out
}

func (e contactEntry) draw(out draw.Image, at image.Point) {
	for i, img := range []image.Image{e.target, e.lr} {
		p := at.Add(image.Pt(i*(contactSide+contactGap), 0))
		draw.Draw(out, image.Rectangle{p, p.Add(img.Bounds().Size())}, img, img.Bounds().Min, draw.Src)
	}
	d := font.Drawer{Dst: out, Src: image.NewUniform(color.Black), Face: basicfont.Face7x13}
	lines := append([]string{e.name}, wrap(e.steps, (2*contactSide+contactGap)/basicfont.Face7x13.Advance)...)
	for i, line := range lines[:min(len(lines), contactLines)] {
		d.Dot = fixed.P(at.X, at.Y+contactSide+(i+1)*contactLine)
		d.DrawString(line)
	}
}

// wrap joins words with spaces into lines of at most n bytes.
func wrap(words []string, n int) []string {
	var lines []string
	for _, w := range words {
		last := len(lines) - 1
		if last >= 0 && len(lines[last])+1+len(w) <= n {
			lines[last] += " " + w
		} else {
			lines = append(lines, w)
		}
	}
	return lines
}

// summary is a word per step, like "blur:aniso" or "jpeg:38".
func (r Recipe) summary() []string {
	var words []string
	for _, s := range slices.Concat(r.Target, r.Steps, r.Wanted) {
		if w := s.summary(); w != "" {
			words = append(words, w)
		}
	}
	return words
}

func (s Step) summary() string {
	switch {
	case s.Sharpen != nil:
		return "sharpen"
	case s.Blur != nil:
		return fmt.Sprintf("blur:%s", s.Blur.Kind)
	case s.Resize != nil && s.Resize.Down > 0:
		return fmt.Sprintf("resize:%s/%d*%.3g", s.Resize.Mode, s.Resize.Down, s.Resize.Scale)
	case s.Resize != nil:
		return fmt.Sprintf("resize:%s*%.3g", s.Resize.Mode, s.Resize.Scale)
	case s.Subsample > 0:
		return fmt.Sprintf("every:%d", s.Subsample)
	case s.Noise != nil:
		return strings.TrimSuffix(fmt.Sprintf("noise:%s:%.3g", s.Noise.Kind, s.Noise.Level), ":0")
	case s.JPEG != nil:
		return fmt.Sprintf("jpeg:%.3g", s.JPEG.Quality)
	}
	return ""
}
