package lpips

import (
	"context"
	"fmt"
	"image"
	"math"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/metrics"
	"github.com/gopdd/gopdd/tensor"
)

// Distance is the LPIPS of img against ref, without a border of crop pixels: 0 for equal pictures, lower is better. It
// looks at ctx between tiles. Call it outside of [tensor.Do], whose worker it uses.
func (m *Model) Distance(ctx context.Context, img, ref image.Image, crop int) (float64, error) {
	layers, err := m.Layers(ctx, img, ref, crop)
	total := 0.0
	for _, d := range layers {
		total += d
	}
	return total, err
}

// Layers are the distances in each of [Net.Layers]; their sum is [Model.Distance].
func (m *Model) Layers(ctx context.Context, img, ref image.Image, crop int) ([]float64, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	layers, err := m.measure(ctx, img, ref, crop)
	if err != nil {
		return nil, fmt.Errorf("lpips: %s: %w", m.network.name, err)
	}
	return layers, nil
}

func (m *Model) measure(ctx context.Context, img, ref image.Image, crop int) ([]float64, error) {
	if m.closed {
		return nil, ErrClosed
	}
	area, err := m.area(img, ref, crop)
	if err != nil {
		return nil, err
	}
	cols, rows := m.tiles(area.Dx(), area.Dy())
	sums, counts := make([]float64, len(m.heads)), make([]float64, len(m.heads))
	for _, row := range rows {
		for _, col := range cols {
			part := image.Rect(col.from, row.from, col.to, row.to).Add(area.Min)
			if err := m.addTile(ctx, img, ref, part, col, row, sums, counts); err != nil {
				return nil, err
			}
		}
	}
	for i := range sums {
		if sums[i] /= counts[i]; math.IsNaN(sums[i]) || math.IsInf(sums[i], 0) {
			return nil, fmt.Errorf("layer %s: the network gave %v: are its weights the right ones?", m.network.layers[i].name, sums[i])
		}
	}
	return sums, nil
}

// area is what is left of the pictures without the border, from their top left pixel.
func (m *Model) area(img, ref image.Image, crop int) (image.Rectangle, error) {
	if img == nil || ref == nil || img.Bounds().Empty() || ref.Bounds().Empty() {
		return image.Rectangle{}, fmt.Errorf("a picture is empty")
	}
	a, b := img.Bounds().Size(), ref.Bounds().Size()
	if a != b {
		return image.Rectangle{}, fmt.Errorf("img has %d×%d pixels and ref %d×%d: sizes must be equal", a.X, a.Y, b.X, b.Y)
	}
	if crop < 0 {
		return image.Rectangle{}, fmt.Errorf("crop of %d pixels: must not be negative", crop)
	}
	crop = min(crop, max(a.X, a.Y)) // twice a larger one could overflow
	w, h := a.X-2*crop, a.Y-2*crop
	if least := m.network.minSide; w < least || h < least {
		return image.Rectangle{}, fmt.Errorf("%d×%d pixels are left to compare: at least %d×%d are needed", max(w, 0), max(h, 0), least, least)
	}
	return image.Rect(crop, crop, crop+w, crop+h), nil
}

// addTile adds up the differences of a tile over the positions that it answers for, and counts these.
func (m *Model) addTile(ctx context.Context, img, ref image.Image, part image.Rectangle, col, row span, sums, counts []float64) error {
	a, err := metrics.NewPlanar(img, part)
	if err != nil {
		return err
	}
	b, err := metrics.NewPlanar(ref, part)
	if err != nil {
		return err
	}
	return tensor.Do(ctx, func(s *tensor.Scope) error {
		s = s.NoGrad()
		m.compare(s, m.input(s, a), m.input(s, b), func(i int, d torch.Tensor) {
			shape, stride := s.Shape(d), m.network.layers[i].stride
			y, h := row.positions(stride, shape[2])
			x, w := col.positions(stride, shape[3])
			core := s.Narrow(s.Narrow(d, 2, y, h), 3, x, w)
			sums[i] += s.Item(s.Sum(core, false))
			counts[i] += float64(h * w)
		})
		return nil
	})
}

// input brings a picture to the device, [1,3,H,W].
func (m *Model) input(s *tensor.Scope, p *metrics.Planar) torch.Tensor {
	return s.Upload(m.device, p.Pix, 1, 3, int64(p.H), int64(p.W))
}

// span is a tile along one axis of a picture, in pixels: what it reads, and inside of it what it answers for. Both start
// at multiples of the deepest stride, so that convolutions and poolings fall on the same pixels as in the whole picture.
type span struct {
	from, to         int
	coreFrom, coreTo int
	last             bool
}

// tiles cuts a picture of w×h pixels along both axes, so that no tile has more pixels than the model may hold.
func (m *Model) tiles(w, h int) (cols, rows []span) {
	tall := min(h, int(math.Sqrt(float64(m.pixels))))
	wide := min(w, m.pixels/tall)
	tall = min(h, m.pixels/wide)
	return cut(w, wide, m.network.halo), cut(h, tall, m.network.halo)
}

// cut cuts size pixels into tiles of at most tile pixels, which is more than twice the halo.
func cut(size, tile, halo int) []span {
	n := 1
	if size > tile {
		core := tile - 2*halo - deepest
		n = (size + core - 1) / core
	}
	spans := make([]span, n)
	for i := range spans {
		from, to := size*i/n/deepest*deepest, size*(i+1)/n/deepest*deepest
		if i == n-1 {
			to = size
		}
		spans[i] = span{max(from-halo, 0), min(to+halo, size), from, to, i == n-1}
	}
	return spans
}

// positions are the first one and the number of a layer's positions, of count in the tile, that it answers for. What
// the last tile reads ends with the picture, and so do its positions.
func (t span) positions(stride int, count int64) (first, n int64) {
	first = int64((t.coreFrom - t.from) / stride)
	if t.last {
		return first, count - first
	}
	return first, int64((t.coreTo - t.coreFrom) / stride)
}
