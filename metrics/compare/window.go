package compare

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"os"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/gopdd/gopdd/internal/imgio"
	"github.com/gopdd/gopdd/internal/pixel"
)

// Window is a square part of a picture, in pixels of the results.
type Window struct {
	Picture    string // its name; in [SheetOptions] "" stands for all pictures
	X, Y, Size int
}

func (w Window) rect() image.Rectangle { return image.Rect(w.X, w.Y, w.X+w.Size, w.Y+w.Size) }

// scored is a window and how much the systems differ in it.
type scored struct {
	Window
	score float64
}

// windows finds count places where the systems differ most: the mean, over the window, of the variance of luma over
// the systems. As long as there are pictures, each has one window; windows of one picture do not overlap.
func (c *Comparison) windows(ctx context.Context, count, size int) ([]Window, error) {
	perPicture := (count + len(c.Pictures) - 1) / len(c.Pictures)
	all := make([][]scored, len(c.Pictures))
	var group errgroup.Group
	group.SetLimit(2) // each holds all results of a picture
	for p := range c.Pictures {
		group.Go(func() error {
			if ctx.Err() == nil {
				all[p] = c.differing(p, perPicture, size)
			}
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var picked []Window
	for rank := range perPicture {
		var level []scored
		for _, windows := range all {
			if rank < len(windows) {
				level = append(level, windows[rank])
			}
		}
		slices.SortStableFunc(level, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
		for _, w := range level[:min(len(level), count-len(picked))] {
			picked = append(picked, w.Window)
		}
	}
	slices.SortStableFunc(picked, func(a, b Window) int { return strings.Compare(a.Picture, b.Picture) })
	return picked, nil
}

// differing gives the best windows of a picture, best first; none if fewer than two systems have it in one size.
func (c *Comparison) differing(p, count, size int) []scored {
	lumas, bounds := c.lumas(p)
	if len(lumas) < 2 {
		return nil
	}
	size = min(size, bounds.X, bounds.Y)
	sums := integral(variance(lumas), bounds.X)
	step := c.scale(p, bounds)
	var list []scored
	for range count {
		best := scored{score: -1}
		for y := 0; y+size <= bounds.Y; y += step {
			for x := 0; x+size <= bounds.X; x += step {
				w := Window{c.Pictures[p].Name, x, y, size}
				if s := sums.mean(w.rect()); s > best.score && !overlaps(list, w) {
					best = scored{w, s}
				}
			}
		}
		if best.score < 0 {
			break
		}
		list = append(list, best)
	}
	return list
}

func overlaps(list []scored, w Window) bool {
	return slices.ContainsFunc(list, func(s scored) bool { return s.rect().Overlaps(w.rect()) })
}

// scale is the factor from the LR picture to results of the given size, 1 where it is not a whole number.
func (c *Comparison) scale(p int, size image.Point) int {
	lr, err := sizeOf(c.Pictures[p].LR)
	if err != nil || size.X%lr.X != 0 || size.X/lr.X*lr.Y != size.Y {
		return 1
	}
	return size.X / lr.X
}

// sizeOf reads the size of a picture from its header.
func sizeOf(path string) (image.Point, error) {
	f, err := os.Open(path)
	if err != nil {
		return image.Point{}, err
	}
	defer f.Close()
	info, err := imgio.DecodeInfo(f)
	return image.Pt(info.Width, info.Height), err
}

// lumas reads the results of a picture, in the order of the systems' names, as luma planes of equal size; those of
// another size than the first are left out.
func (c *Comparison) lumas(p int) (planes [][]float32, size image.Point) {
	systems := slices.SortedFunc(slices.Values(c.Systems), func(a, b Outcome) int { return strings.Compare(a.Name, b.Name) })
	for _, s := range systems {
		if s.Results[p].Path == "" {
			continue
		}
		img, _, err := imgio.ReadFile(s.Results[p].Path, imgio.Limits{})
		if err != nil {
			continue // its cell says so
		}
		if planes != nil && img.Bounds().Size() != size {
			continue
		}
		size = img.Bounds().Size()
		planes = append(planes, luma(img))
	}
	return planes, size
}

// luma is the full-range luma of a picture in 0..1, row by row.
func luma(img image.Image) []float32 {
	size := img.Bounds().Size()
	out := make([]float32, size.X*size.Y)
	r := pixel.NewReader(img)
	rows := [][]float32{make([]float32, size.X), make([]float32, size.X), make([]float32, size.X)}
	if pixel.IsGray(img) {
		rows = rows[:1]
	}
	for y := range size.Y {
		r.Planes(y, rows)
		line := out[y*size.X : (y+1)*size.X]
		if len(rows) == 1 {
			copy(line, rows[0])
			continue
		}
		for x := range line {
			line[x] = 0.299*rows[0][x] + 0.587*rows[1][x] + 0.114*rows[2][x]
		}
	}
	return out
}

// variance over the planes, pixel by pixel.
func variance(planes [][]float32) []float64 {
	out := make([]float64, len(planes[0]))
	n := float64(len(planes))
	for i := range out {
		var sum, squares float64
		for _, p := range planes {
			v := float64(p[i])
			sum += v
			squares += v * v
		}
		out[i] = squares/n - sum/n*(sum/n)
	}
	return out
}

// summed holds the sums over all rectangles that begin at the origin.
type summed struct {
	stride int
	sum    []float64
}

func integral(values []float64, width int) summed {
	s := summed{stride: width + 1, sum: make([]float64, (width+1)*(len(values)/width+1))}
	for y := range len(values) / width {
		var row float64
		for x := range width {
			row += values[y*width+x]
			s.sum[(y+1)*s.stride+x+1] = s.sum[y*s.stride+x+1] + row
		}
	}
	return s
}

func (s summed) mean(r image.Rectangle) float64 {
	at := func(x, y int) float64 { return s.sum[y*s.stride+x] }
	total := at(r.Max.X, r.Max.Y) - at(r.Min.X, r.Max.Y) - at(r.Max.X, r.Min.Y) + at(r.Min.X, r.Min.Y)
	return total / float64(r.Dx()*r.Dy())
}

// ParseWindow reads X,Y,SIZE or PICTURE:X,Y,SIZE, as the command line gives it.
func ParseWindow(text string) (w Window, err error) {
	numbers := text
	if i := strings.LastIndex(text, ":"); i >= 0 {
		w.Picture, numbers = text[:i], text[i+1:]
	}
	var rest string
	n, _ := fmt.Sscanf(numbers+" ", "%d,%d,%d%s", &w.X, &w.Y, &w.Size, &rest)
	if n != 3 || w.X < 0 || w.Y < 0 || w.Size < 1 {
		return w, fmt.Errorf("compare: window %q: want X,Y,SIZE or PICTURE:X,Y,SIZE in pixels of the results", text)
	}
	return w, nil
}
