package compare

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"math"
	"math/rand/v2"

	"github.com/gopdd/gopdd/metrics"
)

// Features turns patches of pictures into rows of low-level features: [DCT], or layers of a network.
type Features struct {
	Name  string // for captions
	Patch int    // side of a patch in pixels
	// Rows gives a row per patch; all rows of all calls are equally long. Each patch is Patch×Patch.
	Rows func(ctx context.Context, patches []image.Image) ([][]float32, error)
	// Energies sums a row up: the logarithms of the energies in its bands or channels.
	Energies func(row []float32) []float32
}

// FeatureStudy shows how far the low-level features of the systems' pictures lie from those of the ground truth.
type FeatureStudy struct {
	Features   string // their name
	Patches    int    // per set, at the same places in all sets
	Components int    // of the principal component analysis
	Sets       []FeatureSet
	// Floor is the divergence between two halves of the ground truth's patches: what equal sources give.
	Floor *metrics.KLResult
	Share [2]float64 // of the variance that the axes of the points explain
}

// FeatureSet is one cloud of points: the ground truth's (first, if there is one) or a system's.
type FeatureSet struct {
	Name   string
	Truth  bool
	Points [][2]float64      // a point per patch: energies projected onto two principal components of all sets
	KL     *metrics.KLResult // from the ground truth; nil for itself and without one
}

// maxPatches keeps rows of DCT features long enough for components of known sign, see [metrics.FeatureKL].
const maxPatches = 512

// minPatches is what a distribution can be fitted to.
const minPatches = 32

// Study computes the features of the pictures that all systems and the ground truth have in one size. The places of
// the patches are drawn from a fixed seed. The divergence is that of SRGA ([metrics.FeatureKL]) on the rows, with 300
// components, or half as many as there are patches where these are fewer than 600. It fails with [ErrNothing] where there
// are too few patches.
func (c *Comparison) Study(ctx context.Context, f Features) (*FeatureStudy, error) {
	s, err := c.study(ctx, f)
	if err != nil {
		return nil, fmt.Errorf("compare: features: %w", err)
	}
	return s, nil
}

// source is a set before its features are computed.
type source struct {
	name  string
	truth bool
	path  func(p int) string
}

func (c *Comparison) study(ctx context.Context, f Features) (*FeatureStudy, error) {
	sources := c.sources()
	places := c.places(sources, f.Patch)
	study := &FeatureStudy{Features: f.Name}
	for _, at := range places {
		study.Patches += len(at)
	}
	if study.Patches < minPatches {
		return nil, fmt.Errorf("%w: %d patches of %d×%d pixels in the pictures that all systems have, need %d", ErrNothing, study.Patches, f.Patch, f.Patch, minPatches)
	}
	o := metrics.SRGAOptions()
	study.Components = min(o.Components, study.Patches/2)
	o.Components = study.Components
	var truth [][]float32
	var energies [][][]float32
	for _, src := range sources {
		rows, err := f.rows(ctx, src, places)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", src.name, err)
		}
		set := FeatureSet{Name: src.name, Truth: src.truth}
		if src.truth {
			truth = rows
			study.Floor, err = floor(rows, o)
		} else if truth != nil {
			set.KL, err = divergence(truth, rows, o)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", src.name, err)
		}
		study.Sets, energies = append(study.Sets, set), append(energies, f.energies(rows))
	}
	points, share, err := metrics.Project(energies...)
	if err != nil {
		return nil, err
	}
	study.Share = share
	for i := range study.Sets {
		study.Sets[i].Points = points[i]
	}
	return study, nil
}

func divergence(base, test [][]float32, o metrics.KLOptions) (*metrics.KLResult, error) {
	r, err := metrics.FeatureKL(base, test, o)
	if err != nil {
		return nil, err
	}
	return &r, nil
}

// floor compares the patches of even and odd number.
func floor(rows [][]float32, o metrics.KLOptions) (*metrics.KLResult, error) {
	var halves [2][][]float32
	for i, row := range rows {
		halves[i%2] = append(halves[i%2], row)
	}
	o.Components = min(o.Components, len(halves[1]))
	return divergence(halves[0], halves[1], o)
}

// sources are the ground truth, if there is any, and the systems that have any result.
func (c *Comparison) sources() []source {
	var list []source
	for _, p := range c.Pictures {
		if p.Truth != "" {
			list = append(list, source{"ground truth", true, func(p int) string { return c.Pictures[p].Truth }})
			break
		}
	}
	for _, s := range c.Systems {
		for _, r := range s.Results {
			if r.Path != "" {
				list = append(list, source{s.Name, false, func(p int) string { return s.Results[p].Path }})
				break
			}
		}
	}
	return list
}

// places draws the corners of the patches, for each picture.
func (c *Comparison) places(sources []source, side int) [][]image.Point {
	places := make([][]image.Point, len(c.Pictures))
	rng := rand.New(rand.NewPCG(bootstrapSeed, 1))
	usable, sizes := 0, make([]image.Point, len(c.Pictures))
	for p := range c.Pictures {
		if size, ok := commonSize(sources, p); ok {
			sizes[p] = size
			usable++
		}
	}
	for p, size := range sizes {
		var grid []image.Point
		for y := 0; y+side <= size.Y; y += side {
			for x := 0; x+side <= size.X; x += side {
				grid = append(grid, image.Pt(x, y))
			}
		}
		rng.Shuffle(len(grid), func(i, j int) { grid[i], grid[j] = grid[j], grid[i] })
		places[p] = grid[:min(len(grid), max(1, maxPatches/max(usable, 1)))]
	}
	return places
}

// commonSize is the size of a picture if all sources have it in one size.
func commonSize(sources []source, p int) (size image.Point, ok bool) {
	for i, src := range sources {
		s, err := sizeOf(src.path(p))
		if err != nil || i > 0 && s != size {
			return image.Point{}, false
		}
		size = s
	}
	return size, true
}

func (f Features) rows(ctx context.Context, src source, places [][]image.Point) ([][]float32, error) {
	var rows [][]float32
	for p, corners := range places {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if len(corners) == 0 {
			continue
		}
		m, err := open(src.path(p))
		if err != nil {
			return nil, err
		}
		patches := make([]image.Image, len(corners))
		for i, corner := range corners {
			patch := image.NewNRGBA64(image.Rect(0, 0, f.Patch, f.Patch))
			draw.Draw(patch, patch.Rect, m, m.Bounds().Min.Add(corner), draw.Src)
			patches[i] = patch
		}
		more, err := f.Rows(ctx, patches)
		if err != nil {
			return nil, err
		}
		if len(more) != len(patches) {
			return nil, errors.New("the features have another number of rows than there are patches")
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

func (f Features) energies(rows [][]float32) [][]float32 {
	out := make([][]float32, len(rows))
	for i, row := range rows {
		out[i] = f.Energies(row)
	}
	return out
}

// LogEnergies is the logarithm to base 10 of the mean square of each of n equal parts of row, one after another, as the
// channels of a network's layer lie; floor is added to the mean square first.
func LogEnergies(row []float32, n int, floor float64) []float32 {
	out := make([]float32, n)
	part := len(row) / n
	for i := range out {
		var sum float64
		for _, v := range row[i*part : (i+1)*part] {
			sum += float64(v) * float64(v)
		}
		out[i] = float32(math.Log10(sum/float64(part) + floor))
	}
	return out
}
