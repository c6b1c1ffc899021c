package compare

import (
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gopdd/gopdd/internal/imgio"
)

// three is a comparison of three systems on n pictures, two of them upscalers.
func three(t *testing.T, n int) (dir string, c *Comparison) {
	t.Helper()
	dir, o := workplace(t, n)
	for i := range n {
		write(t, texture(64, 48, i+100), dir, "gamma", filepath.Base(mustGlob(t, o.GT, "*.png")[i]))
	}
	o.Systems = []System{(&fake{}).system("alpha"), (&fake{add: 20}).system("beta"), {Name: "gamma", Dir: filepath.Join(dir, "gamma")}}
	return dir, mustRun(t, o)
}

func mustGlob(t *testing.T, path ...string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestBlind(t *testing.T) {
	dir, c := three(t, 4)
	sheets, keyFile := filepath.Join(dir, "blind"), filepath.Join(dir, "key.json")
	key, err := c.Blind(t.Context(), sheets, keyFile, BlindOptions{Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	read, err := ReadKey(keyFile)
	if diff := cmp.Diff(key, read); err != nil || diff != "" {
		t.Errorf("the key on disk: %v %s", err, diff)
	}
	again, err := c.Blind(t.Context(), sheets, keyFile, BlindOptions{Seed: 7})
	if diff := cmp.Diff(key, again); err != nil || diff != "" {
		t.Errorf("the same seed: %v %s", err, diff)
	}
	if _, err := c.Blind(t.Context(), sheets, keyFile, BlindOptions{Seed: 8}); err == nil || !strings.Contains(err.Error(), "another test") {
		t.Errorf("another seed into the same folder: error %v", err)
	}
	if files := mustGlob(t, sheets, "*"); len(files) != 3*4+1 {
		t.Errorf("%d files in the folder, want 12 sheets and a page", len(files))
	}
	page, err := os.ReadFile(filepath.Join(sheets, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"alpha", "beta", "gamma", "p00", "p03", "http"} {
		if strings.Contains(string(page), secret) {
			t.Errorf("the page holds %q", secret)
		}
	}
	for _, s := range key.Sheets {
		if !strings.Contains(string(page), `"`+s.Name+`"`) {
			t.Errorf("the page lacks sheet %s", s.Name)
		}
	}
	if _, err := c.Blind(t.Context(), sheets, filepath.Join(sheets, "key.json"), BlindOptions{Seed: 7}); err == nil || !strings.Contains(err.Error(), "judges would find it") {
		t.Errorf("the key among the sheets: error %v", err)
	}
}

// Each pair is judged on each picture; a system stands on either side equally often; seeds differ.
func TestBlindDraw(t *testing.T) {
	_, c := three(t, 6)
	key, err := c.drawKey(BlindOptions{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	onA, seen := map[string]int{}, map[string]int{}
	for _, s := range key.Sheets {
		onA[s.A+" against "+s.B]++
		seen[s.Picture+" "+min(s.A, s.B)+" "+max(s.A, s.B)]++
	}
	if len(key.Sheets) != 18 || len(seen) != 18 {
		t.Errorf("%d sheets with %d questions, want 18", len(key.Sheets), len(seen))
	}
	for pair, n := range onA {
		if n != 3 {
			t.Errorf("%s: %d times on side A of 6", pair, n)
		}
	}
	other, err := c.drawKey(BlindOptions{Seed: 2})
	if err != nil || cmp.Equal(key.Sheets, other.Sheets) || key.Test == other.Test {
		t.Errorf("seeds 1 and 2 draw the same (%v)", err)
	}
	few, err := c.drawKey(BlindOptions{Seed: 1, Sheets: 6})
	count := map[string]int{}
	for _, s := range few.Sheets {
		count[min(s.A, s.B)+max(s.A, s.B)]++
	}
	if err != nil || len(few.Sheets) != 6 || len(count) != 3 || count["alphabeta"] != 2 {
		t.Errorf("6 sheets of 3 pairs: %v (%v)", count, err)
	}
}

// A sheet shows A and B as its key says, pixel for pixel.
func TestBlindSheet(t *testing.T) {
	_, c := three(t, 2)
	l, err := newLabeller(sheetText)
	if err != nil {
		t.Fatal(err)
	}
	s := Sheet{Name: "x-1", Picture: "p01", A: "gamma", B: "alpha"}
	sheet, err := c.blindSheet(s, 480, make([]func() []scored, 2)) // no windows are asked for: the pictures are small
	if err != nil {
		t.Fatal(err)
	}
	width := max(64, 4*l.line)
	for i, path := range []string{c.named(t, "gamma").Results[1].Path, c.named(t, "alpha").Results[1].Path} {
		m, _, err := imgio.ReadFile(path, imgio.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		left := sheetGap + (i+1)*(width+sheetGap) // the input comes first
		for y := range 48 {
			for x := range 64 {
				r, g, b, _ := m.At(x, y).RGBA()
				if sr, sg, sb, _ := sheet.At(left+x, sheetGap+y).RGBA(); sr != r || sg != g || sb != b {
					t.Fatalf("side %c differs from %s at %d,%d", 'A'+i, path, x, y)
				}
			}
		}
	}
}

func TestShown(t *testing.T) {
	window := func(x, y, size int) func() []scored {
		return func() []scored { return []scored{{Window{"p", x, y, size}, 1}} }
	}
	for _, tt := range []struct {
		reason  string
		size    image.Point
		windows func() []scored
		want    image.Rectangle
	}{
		{"a small picture is shown whole", image.Pt(30, 20), nil, image.Rect(0, 0, 30, 20)},
		{"a large one where the systems differ", image.Pt(90, 80), window(40, 10, 32), image.Rect(40, 10, 72, 42)},
		{"a window found in results of another size", image.Pt(60, 20), window(40, 10, 32), image.Rect(0, 0, 32, 20)},
		{"no differences to be found", image.Pt(60, 80), func() []scored { return nil }, image.Rect(0, 0, 32, 32)},
	} {
		if got := shown(tt.size, 32, tt.windows); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.reason, got, tt.want)
		}
	}
}
