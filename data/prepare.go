package data

import (
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/gopdd/gopdd/internal/imgio"
)

// PrepareOptions are common to [SubImages] and [MultiScale].
type PrepareOptions struct {
	MaxPixels int64                 // of a source picture; 0: 2^28
	Progress  func(done, total int) // pictures; may be nil; called from one goroutine at a time
}

// Prepared counts what was written.
type Prepared struct {
	Written int     // files
	Kept    int     // files that were there already and stay as they are
	Small   int     // source pictures too small to give anything
	Bad     []error // source pictures that could not be read
}

// Cutting says how [SubImages] cuts, in pixels.
type Cutting struct {
	Size int // side of the squares
	Step int // from one to the next
	// Rest is the strip left at the right or lower border above which one more square is cut that ends at the border,
	// overlapping its neighbour. Negative: never.
	Rest int
}

// The cuttings of BasicSR's script for DF2K at scale 4 (HR 480 every 240, LR 120 every 60), and of DRealSR's LR
// pictures: squares of 512 side by side.
var (
	CutDF2KHR  = Cutting{Size: 480, Step: 240}
	CutDF2KLR4 = Cutting{Size: 120, Step: 60}
	CutDRealSR = Cutting{Size: 512, Step: 512, Rest: -1}
)

// SubImages cuts every picture into squares and writes them as PNG below out, with the folders of their keys, as
// NAME_s001.png, NAME_s002.png, …, row by row. Small files decode fast where a patch of a large one costs all of it.
// Files that exist are kept, so that an interrupted run can be repeated; one of another size is an error. Pictures that
// cannot be read are reported and passed over; other errors are those of writing, or ctx's.
func SubImages(ctx context.Context, items []Item, out string, c Cutting, o PrepareOptions) (Prepared, error) {
	if c.Size < 1 || c.Step < 1 {
		return Prepared{}, fmt.Errorf("data: cut sub-images: size %d, step %d: want at least 1", c.Size, c.Step)
	}
	return prepare(ctx, items, out, o, func(img image.Image, write writeFunc) error {
		n := 0
		for _, y := range c.starts(img.Bounds().Dy()) {
			for _, x := range c.starts(img.Bounds().Dx()) {
				n++
				part := image.Rect(x, y, x+c.Size, y+c.Size)
				err := write(fmt.Sprintf("_s%03d", n), part.Size(), func() (image.Image, error) { return subImage(img, part), nil })
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// starts are the first pixels of the squares along a side of n pixels.
func (c Cutting) starts(n int) []int {
	var list []int
	at := 0
	for ; at+c.Size <= n; at += c.Step {
		list = append(list, at)
	}
	if len(list) == 0 {
		return nil
	}
	if rest := n - (at - c.Step + c.Size); c.Rest >= 0 && rest > c.Rest {
		list = append(list, n-c.Size)
	}
	return list
}

// Scales are the copies that [MultiScale] makes.
type Scales struct {
	Factors []float64
	Short   int // one more copy whose shorter side has this many pixels, if the picture is larger; 0: none
}

// ScalesDF2K are those of Real-ESRGAN's script for DF2K.
var ScalesDF2K = Scales{Factors: []float64{0.75, 0.5, 1.0 / 3}, Short: 400}

// MultiScale writes shrunk copies of every picture below out, as NAMET0.png, NAMET1.png, …, resampled with [Lanczos]:
// HR pictures at several scales teach a network more kinds of edges. Sides are rounded down. Otherwise it is like
// [SubImages].
func MultiScale(ctx context.Context, items []Item, out string, s Scales, o PrepareOptions) (Prepared, error) {
	for _, f := range s.Factors {
		if !(f > 0 && f <= 1) {
			return Prepared{}, fmt.Errorf("data: make copies: factor %v: want above 0 and up to 1", f)
		}
	}
	return prepare(ctx, items, out, o, func(img image.Image, write writeFunc) error {
		for i, size := range s.sizes(img.Bounds().Size()) {
			err := write(fmt.Sprintf("T%d", i), size, func() (image.Image, error) { return ResizeImageTo(img, size.Y, size.X, Lanczos) })
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (s Scales) sizes(p image.Point) []image.Point {
	var list []image.Point
	for _, f := range s.Factors {
		size := image.Pt(int(float64(p.X)*f), int(float64(p.Y)*f))
		if size.X > 0 && size.Y > 0 {
			list = append(list, size)
		}
	}
	if short := min(p.X, p.Y); s.Short > 0 && short > s.Short {
		list = append(list, image.Pt(p.X*s.Short/short, p.Y*s.Short/short))
	}
	return list
}

// writeFunc writes what of returns, a picture of the given size, under the source's name with a suffix, unless that file
// exists.
type writeFunc func(suffix string, size image.Point, of func() (image.Image, error)) error

// prepare runs make on every picture.
func prepare(ctx context.Context, items []Item, out string, o PrepareOptions, make func(image.Image, writeFunc) error) (Prepared, error) {
	stems, err := outputStems(items, out)
	if err != nil {
		return Prepared{}, err
	}
	var mu sync.Mutex
	var sum Prepared
	err = forEach(ctx, len(items), o.Progress, func(i int) error {
		img, err := items[i].Decode(o.MaxPixels)
		var one Prepared
		if err != nil {
			one.Bad = []error{err}
		} else if err := make(img, one.writer(stems[i])); err != nil {
			return err
		} else if one.Written+one.Kept == 0 {
			one.Small = 1
		}
		mu.Lock()
		defer mu.Unlock()
		sum.Written += one.Written
		sum.Kept += one.Kept
		sum.Small += one.Small
		sum.Bad = append(sum.Bad, one.Bad...)
		return nil
	})
	return sum, err
}

func (p *Prepared) writer(stem string) writeFunc {
	return func(suffix string, size image.Point, of func() (image.Image, error)) error {
		name := stem + suffix + ".png"
		if _, err := os.Lstat(name); err == nil {
			p.Kept++
			return checkKept(name, size)
		}
		img, err := of()
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			return fmt.Errorf("data: prepare: %w", err)
		}
		if err := imgio.WriteFile(name, img); err != nil {
			return fmt.Errorf("data: prepare: %w", err)
		}
		p.Written++
		return nil
	}
}

// checkKept fails if the file that is there is not a picture of this size.
func checkKept(name string, size image.Point) error {
	const wayOut = "choose another folder, or remove it"
	info, err := Item{Path: name}.Info()
	switch {
	case err != nil:
		return fmt.Errorf("%w: it is there already: %s", err, wayOut)
	case info.W != size.X || info.H != size.Y:
		return fmt.Errorf("data: prepare: %q is there already with %d×%d pixels, not %d×%d: %s", name, info.W, info.H, size.X, size.Y, wayOut)
	}
	return nil
}

// outputStems are the paths below out, without extension, that the items' files begin with. Keys may not lead out of
// it. Two items of one stem are an error.
func outputStems(items []Item, out string) ([]string, error) {
	if out == "" {
		return nil, errors.New("data: prepare: no output folder")
	}
	stems := make([]string, len(items))
	from := map[string]string{}
	for i, it := range items {
		key := path.Clean("/" + filepath.ToSlash(it.Key))
		stem := filepath.Join(out, filepath.FromSlash(strings.TrimSuffix(key, path.Ext(key))))
		if other, twice := from[stem]; twice {
			return nil, fmt.Errorf("data: prepare: %q and %q would be written to the same files: prepare them to separate folders", other, it.Path)
		}
		stems[i], from[stem] = stem, it.Path
	}
	return stems, nil
}
