// Package tile cuts a picture into overlapping tiles for a network and blends the results without seams. It is plain
// arithmetic on float32 planes and knows neither networks nor pictures; package pdd calls it.
//
// Along each axis a picture is covered by [Span]s. Two neighbours share an overlap; in its middle lies their seam, and
// around the seam a linear fade, so that the weights of all tiles add up to one in every pixel. What lies beyond the
// fade, near a tile's own edge where the network saw zero padding instead of the picture, is dropped. The outer tiles
// end where the picture ends, so there the network sees what it would see of the whole picture.
package tile

import "fmt"

// Span is one tile along one axis, in pixels of the network's input.
type Span struct {
	Start, End int // what the network sees
	From, To   int // what of its result counts, up to half a fade more on either side
	FadeFrom   int // width of the fade centred at From; 0 is a hard cut
	FadeTo     int // width of the fade centred at To
}

// granule divides the sides of tiles: few different sizes, each of which costs a set of compiled kernels, and sides that
// suit networks which shrink their input.
const granule = 8

// Spans covers n pixels with the fewest tiles of at most the given size that overlap by at least overlap: equal ones, no
// larger than that takes, spread evenly. A picture no larger than size gets one tile. reach is how far a result depends on
// its surroundings: where the overlap is at least twice that, fades keep to the part that no border reaches and the result
// is exact, else they take the inner quarter of the overlap (docs/TILING.md).
func Spans(n, size, overlap, reach int) ([]Span, error) {
	if n <= 0 || size <= 0 || overlap < 0 {
		return nil, fmt.Errorf("tile: cover %d pixels with tiles of %d, overlap %d: want positive sizes", n, size, overlap)
	}
	if n <= size {
		return []Span{{End: n, To: n}}, nil
	}
	if overlap > size/2 {
		return nil, fmt.Errorf("tile: overlap %d of tiles of %d: want at most half the tile", overlap, size)
	}
	count := (n - overlap + size - overlap - 1) / (size - overlap)
	needed := (n + (count-1)*overlap + count - 1) / count
	size = min(size, (needed+granule-1)/granule*granule)
	spans := make([]Span, count)
	for i := range spans {
		start := i * (n - size) / (count - 1)
		spans[i] = Span{Start: start, End: start + size, From: start, To: start + size}
	}
	for i := range count - 1 {
		join(&spans[i], &spans[i+1], reach)
	}
	return spans, nil
}

// join puts the seam of two neighbours into the middle of their overlap.
func join(a, b *Span, reach int) {
	shared := a.End - b.Start
	margin := reach
	if 2*reach > shared {
		margin = shared * 3 / 8
	}
	seam := b.Start + shared/2
	fade := min(2*min(seam-b.Start-margin, a.End-margin-seam), b.Start-a.Start) // three tiles do not fade into one
	a.To, b.From = seam, seam
	a.FadeTo, b.FadeFrom = fade, fade
}

// Size is how many pixels the network sees.
func (s Span) Size() int { return s.End - s.Start }

// weights are the span's weights for its result, scale samples per pixel, and the part [lo, hi) where they are not 0,
// counted from the span's start.
func (s Span) weights(scale int) (w []float32, lo, hi int) {
	w = make([]float32, s.Size()*scale)
	for i := range w {
		x := (float64(i)+0.5)/float64(scale) + float64(s.Start)
		w[i] = float32(rise(x, s.From, s.FadeFrom) - rise(x, s.To, s.FadeTo))
	}
	lo = (s.From-s.Start)*scale - s.FadeFrom*scale/2
	hi = (s.To-s.Start)*scale + s.FadeTo*scale/2
	return w, lo, hi
}

// rise goes from 0 to 1 over the fade around the seam.
func rise(x float64, seam, fade int) float64 {
	d := x - float64(seam)
	if fade == 0 {
		if d < 0 {
			return 0
		}
		return 1
	}
	return min(max(d/float64(fade)+0.5, 0), 1)
}
