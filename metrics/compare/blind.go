package compare

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"image"
	"image/color"
	"image/draw"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/gopdd/gopdd/internal/atomicfile"
	"github.com/gopdd/gopdd/internal/imgio"
)

// BlindOptions of [Comparison.Blind].
type BlindOptions struct {
	Seed   uint64 // of the order of the sheets and of the sides
	Sheets int    // at most, spread evenly over the pairs of systems; 0: each pair of systems on each picture
	Side   int    // pixels shown of larger pictures, there where the systems differ most; 0: 480
}

const defaultBlindSide = 480

// Key says what stands on the sheets of a blind test.
type Key struct {
	Test    string   `json:"test"` // names the test; begins the name of every sheet
	Seed    uint64   `json:"seed"`
	Systems []string `json:"systems"`
	Sheets  []Sheet  `json:"sheets"`
}

// Sheet is one question of a blind test: A or B?
type Sheet struct {
	Name    string `json:"sheet"` // of the file, without .png
	Picture string `json:"picture"`
	A       string `json:"a"` // system
	B       string `json:"b"`
}

// Blind writes a blind test: in dir a PNG per question, which shows the LR picture and the results of two systems as A
// and B, and a page (index.html) that shows them one after another in any browser, without a network, and saves the
// votes; in the file key, which must not lie in dir, what A and B are. Order and sides are drawn from the seed: of the
// sheets of two systems each has half on either side. The order of the systems has no influence. Count votes with
// [ReadKey], [ReadVotes] and [Key.Count].
func (c *Comparison) Blind(ctx context.Context, dir, key string, o BlindOptions) (*Key, error) {
	k, err := c.blind(ctx, dir, key, o)
	if err != nil {
		return nil, fmt.Errorf("compare: blind test: %w", err)
	}
	return k, nil
}

func (c *Comparison) blind(ctx context.Context, dir, key string, o BlindOptions) (*Key, error) {
	if o.Side <= 0 {
		o.Side = defaultBlindSide
	}
	if rel, err := filepath.Rel(dir, key); err == nil && filepath.IsLocal(rel) {
		return nil, fmt.Errorf("key %q lies in the folder of the sheets: judges would find it", key)
	}
	k, err := c.drawKey(o)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	if err := refuseOther(dir, k.Test); err != nil {
		return nil, err
	}
	if err := c.drawSheets(ctx, dir, k, o.Side); err != nil {
		return nil, err
	}
	if err := writePage(filepath.Join(dir, "index.html"), k); err != nil {
		return nil, err
	}
	return k, atomicfile.Write(key, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(k)
	})
}

// drawSheets writes the sheets, several at a time.
func (c *Comparison) drawSheets(ctx context.Context, dir string, k *Key, side int) error {
	windows := make([]func() []scored, len(c.Pictures)) // each found once, when a sheet needs it
	for p := range windows {
		windows[p] = sync.OnceValue(func() []scored { return c.differing(p, 1, side) })
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(min(runtime.GOMAXPROCS(0), 4))
	for _, s := range k.Sheets {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			sheet, err := c.blindSheet(s, side, windows)
			if err != nil {
				return fmt.Errorf("sheet %s: %w", s.Name, err)
			}
			return imgio.WriteFile(filepath.Join(dir, s.Name+".png"), sheet)
		})
	}
	return group.Wait()
}

// refuseOther keeps two tests from being mixed in one folder.
func refuseOther(dir, test string) error {
	sheets, err := filepath.Glob(filepath.Join(dir, "*.png"))
	for _, path := range sheets {
		if !strings.HasPrefix(filepath.Base(path), test+"-") {
			return fmt.Errorf("%q holds another test: move it away, or draw with the seed that it was made with", dir)
		}
	}
	return err
}

// drawKey pairs the systems, draws sides and order, and names the sheets.
func (c *Comparison) drawKey(o BlindOptions) (*Key, error) {
	rng := rand.New(rand.NewPCG(o.Seed, 0))
	var pairs [][]Sheet
	hash := sha256.New()
	for i, a := range c.byName() {
		for _, b := range c.byName()[i+1:] {
			trials, err := c.trials(a, b, hash)
			if err != nil {
				return nil, err
			}
			rng.Shuffle(len(trials), func(i, j int) { trials[i], trials[j] = trials[j], trials[i] })
			first := rng.IntN(2)
			for n := range trials {
				if t := &trials[n]; n%2 == first {
					t.A, t.B = t.B, t.A
				}
			}
			pairs = append(pairs, trials)
		}
	}
	k := &Key{Seed: o.Seed, Sheets: interleave(pairs, o.Sheets)}
	if len(k.Sheets) == 0 {
		return nil, errors.New("no picture has results of two systems in one size: nothing to judge")
	}
	for _, s := range c.byName() {
		k.Systems = append(k.Systems, s.Name)
	}
	rng.Shuffle(len(k.Sheets), func(i, j int) { k.Sheets[i], k.Sheets[j] = k.Sheets[j], k.Sheets[i] })
	fmt.Fprintln(hash, o.Seed, o.Side, k.Sheets)
	k.Test = hex.EncodeToString(hash.Sum(nil))[:6]
	for i := range k.Sheets {
		k.Sheets[i].Name = fmt.Sprintf("%s-%04d", k.Test, i+1)
	}
	return k, nil
}

func (c *Comparison) byName() []Outcome {
	return slices.SortedFunc(slices.Values(c.Systems), func(a, b Outcome) int { return cmp.Compare(a.Name, b.Name) })
}

// trials are the pictures that both systems have in one size, by name; what they look like goes into hash.
func (c *Comparison) trials(a, b Outcome, hash io.Writer) ([]Sheet, error) {
	var trials []Sheet
	for p, picture := range c.Pictures {
		size, err := sizeOf(a.Results[p].Path)
		if other, otherErr := sizeOf(b.Results[p].Path); err != nil || otherErr != nil || other != size {
			continue
		}
		for _, path := range []string{a.Results[p].Path, b.Results[p].Path} {
			sum, err := digest(path)
			if err != nil {
				return nil, err
			}
			fmt.Fprintln(hash, sum)
		}
		trials = append(trials, Sheet{Picture: picture.Name, A: a.Name, B: b.Name})
	}
	return trials, nil
}

// interleave takes one sheet of each pair in turn, n at most unless n is 0.
func interleave(pairs [][]Sheet, n int) []Sheet {
	var list []Sheet
	for round := 0; ; round++ {
		before := len(list)
		for _, trials := range pairs {
			if round < len(trials) && (n == 0 || len(list) < n) {
				list = append(list, trials[round])
			}
		}
		if len(list) == before {
			return list
		}
	}
}

// blindSheet draws a question: input, A and B side by side; windows gives where the systems differ most in a picture.
func (c *Comparison) blindSheet(s Sheet, side int, windows []func() []scored) (image.Image, error) {
	l, err := newLabeller(sheetText) // its faces are for one goroutine
	if err != nil {
		return nil, err
	}
	p := slices.IndexFunc(c.Pictures, func(p Picture) bool { return p.Name == s.Picture })
	var results []image.Image
	for _, system := range []string{s.A, s.B} {
		i := slices.IndexFunc(c.Systems, func(o Outcome) bool { return o.Name == system })
		m, err := open(c.Systems[i].Results[p].Path)
		if err != nil {
			return nil, err
		}
		results = append(results, m)
	}
	size := results[0].Bounds().Size()
	part := shown(size, side, windows[p])
	var panels []panel
	if lr, err := open(c.Pictures[p].LR); err == nil {
		scale := float64(size.X) / float64(lr.Bounds().Dx())
		panels = append(panels, panel{image: repeat(lr, shrink(part, scale), part.Size()), name: "input"})
	}
	for i, m := range results {
		panels = append(panels, panel{image: repeat(m, part, part.Size()), name: "AB"[i : i+1]})
	}
	return drawPanels(panels, part.Size(), s.Name, l), nil
}

// shown is the part of a picture that a sheet shows: all of a small one, of others where the systems differ most.
func shown(size image.Point, side int, windows func() []scored) image.Rectangle {
	whole := image.Rectangle{Max: size}
	if size.X <= side && size.Y <= side {
		return whole
	}
	if best := windows(); len(best) > 0 && best[0].rect().In(whole) {
		return best[0].rect()
	}
	return whole.Intersect(image.Rect(0, 0, side, side))
}

func drawPanels(panels []panel, size image.Point, title string, l *labeller) image.Image {
	width := max(size.X, 4*l.line)
	out := image.NewNRGBA(image.Rect(0, 0, sheetGap+len(panels)*(width+sheetGap), size.Y+2*sheetGap+l.line+l.line/2))
	fill(out, out.Rect, color.White)
	for i, p := range panels {
		at := image.Pt(sheetGap+i*(width+sheetGap), sheetGap)
		draw.Draw(out, image.Rectangle{Min: at, Max: at.Add(size)}, p.image, image.Point{}, draw.Src)
		l.centred(out, at.Add(image.Pt(0, size.Y+l.line/4)), width, 0, span{p.name, true})
	}
	l.write(out, image.Pt(sheetGap, sheetGap+size.Y+l.line/4), 0, span{text: title})
	return out
}

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// writePage writes the page that asks the questions; it knows the sheets' names only.
func writePage(path string, k *Key) error {
	names := make([]string, len(k.Sheets))
	for i, s := range k.Sheets {
		names[i] = s.Name
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, map[string]any{"Test": k.Test, "Sheets": names}); err != nil {
		return err
	}
	return atomicfile.Write(path, func(w io.Writer) error { _, err := b.WriteTo(w); return err })
}
