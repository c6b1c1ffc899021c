package compare

import (
	"image"
	"image/color"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Crops are where the systems differ: two systems that are equal but for planted squares.
func TestWindowsFindDifferences(t *testing.T) {
	dir, o := workplace(t, 3)
	planted := map[int]image.Rectangle{0: image.Rect(40, 8, 56, 24), 2: image.Rect(4, 28, 20, 44)}
	for i, path := range mustGlob(t, o.GT, "*.png") {
		m := texture(64, 48, i)
		write(t, m, dir, "one", filepath.Base(path))
		fill(m, planted[i], color.White)
		write(t, m, dir, "two", filepath.Base(path))
	}
	o.Systems = []System{{Name: "one", Dir: filepath.Join(dir, "one")}, {Name: "two", Dir: filepath.Join(dir, "two")}}
	c := mustRun(t, o)
	got, err := c.windows(t.Context(), 2, 16)
	want := []Window{{"p00", 40, 8, 16}, {"p02", 4, 28, 16}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("crops: %v %s", err, diff)
	}
	all, err := c.windows(t.Context(), 7, 16)
	if err != nil || len(all) != 7 {
		t.Fatalf("%d crops (%v), want 7", len(all), err)
	}
	for i, a := range all {
		for _, b := range all[:i] {
			if a.Picture == b.Picture && a.rect().Overlaps(b.rect()) {
				t.Errorf("crops %v and %v overlap", a, b)
			}
		}
	}
}

func TestSheet(t *testing.T) {
	_, c := three(t, 3)
	for _, o := range []SheetOptions{{Rows: 3, Size: 16}, {At: []Window{{"p01", 8, 8, 16}}}, {At: []Window{{"", 0, 0, 48}}}} {
		sheet, err := c.Sheet(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if size := sheet.Bounds().Size(); size.X < 5*panelSide || size.Y < panelSide {
			t.Errorf("%+v: a sheet of %v has no room for LR, three systems and the truth", o, size)
		}
	}
	for want, o := range map[string]SheetOptions{
		"does not lie in": {At: []Window{{"p01", 50, 8, 16}}},
		"no such picture": {At: []Window{{"p77", 0, 0, 16}}},
	} {
		if _, err := c.Sheet(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// A system without a picture, or with one of another size, has a gray place on the sheet; the others are shown.
func TestSheetWithHoles(t *testing.T) {
	dir, o := workplace(t, 1)
	write(t, texture(32, 24, 0), dir, "small", "p00.png")
	o.Systems = []System{(&fake{}).system("s"), {Name: "small", Dir: filepath.Join(dir, "small")}, (&fake{err: errTest}).system("none")}
	c := mustRun(t, o)
	row, err := c.sheetRow(Window{"p00", 0, 0, 16})
	if err != nil {
		t.Fatal(err)
	}
	var shown []string
	for _, p := range row.panels {
		if p.image != nil {
			shown = append(shown, p.name)
		}
	}
	if want := []string{"LR", "s", "ground truth"}; !cmp.Equal(shown, want) {
		t.Errorf("shown are %v, want %v", shown, want)
	}
}

func TestRepeat(t *testing.T) {
	m := texture(20, 20, 1)
	part := image.Rect(3, 5, 11, 13)
	big := repeat(m, part, image.Pt(24, 24))
	for y := range 24 {
		for x := range 24 {
			if got, want := big.At(x, y), m.At(part.Min.X+x/3, part.Min.Y+y/3); got != want {
				t.Fatalf("pixel %d,%d is %v, want %v", x, y, got, want)
			}
		}
	}
}

func TestParseWindow(t *testing.T) {
	for text, want := range map[string]Window{"1,2,3": {"", 1, 2, 3}, "a b:10,0,64": {"a b", 10, 0, 64}, "c:d:0,0,1": {"c:d", 0, 0, 1}} {
		if got, err := ParseWindow(text); err != nil || got != want {
			t.Errorf("%q: %+v (%v)", text, got, err)
		}
	}
	for _, text := range []string{"", "1,2", "1,2,3,4", "1,2,3x", "-1,2,3", "1,2,0", "a:", "a,b,c"} {
		if got, err := ParseWindow(text); err == nil {
			t.Errorf("%q: %+v, want an error", text, got)
		}
	}
}

func TestShorten(t *testing.T) {
	l, err := newLabeller(14)
	if err != nil {
		t.Fatal(err)
	}
	long := "a_very_long_name_of_a_picture"
	if got := l.shorten(long, 10_000); got != long {
		t.Errorf("%q was shortened to %q without need", long, got)
	}
	for width := 120; width > 20; width -= 7 {
		if got := l.shorten(long, width); l.width(span{text: got}) > width || !strings.Contains(got, "…") {
			t.Errorf("%q for %d pixels is %d wide", got, width, l.width(span{text: got}))
		}
	}
}
