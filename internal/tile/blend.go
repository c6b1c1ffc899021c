package tile

import "github.com/gopdd/gopdd/internal/parallel"

// Plan is how a picture is cut: a tile for each pair of a row and a column.
type Plan struct {
	Rows, Cols []Span
	Scale      int // samples of the result per pixel
	Planes     int
	Threads    int // that blend; 0: one for each core
}

// Forward gives the result of one tile: Planes planes of row.Size()·Scale rows of col.Size()·Scale samples. The slice
// may be reused by the next call.
type Forward func(row, col Span) ([]float32, error)

// Band is a run of finished rows of the result.
type Band struct {
	Y, H, W int // first row in the whole result, number of rows, samples in a row
	planes  [][]float32
}

// Row is row y of plane c, counted from the band's first.
func (b *Band) Row(c, y int) []float32 { return b.planes[c][y*b.W : (y+1)*b.W] }

// Run runs every tile, row by row, and hands out finished rows from top to bottom. A band is valid during the call.
// Memory beyond the tiles' is one band: Planes · result width · (tile + fade) · Scale samples.
func (p Plan) Run(forward Forward, emit func(*Band) error) error {
	b := newBlender(p)
	for _, row := range p.Rows {
		wy, lo, hi := row.weights(p.Scale)
		for i, col := range p.Cols {
			result, err := forward(row, col)
			if err != nil {
				return err
			}
			b.add(result, row.Start*p.Scale, wy, lo, hi, b.cols[i])
		}
		if err := b.flush((row.To*p.Scale)-(row.FadeTo*p.Scale)/2, emit); err != nil {
			return err
		}
	}
	return nil
}

// column is what a column's blending needs.
type column struct {
	weights       []float32
	lo, from, to  int // the weights are not 0 from lo to hi, and 1 from from to to
	hi, at, width int // at is the first sample in the result, width how many there are
}

type blender struct {
	plan Plan
	cols []column
	band Band // Y is the first unfinished row; rows below are zero until added to
	rows int  // rows the band has memory for
}

func newBlender(p Plan) *blender {
	b := &blender{plan: p}
	for _, c := range p.Cols {
		w, lo, hi := c.weights(p.Scale)
		from, to := lo, hi
		for from < hi && w[from] != 1 {
			from++
		}
		for to > from && w[to-1] != 1 {
			to--
		}
		b.cols = append(b.cols, column{w, lo, from, to, hi, c.Start * p.Scale, len(w)})
	}
	for _, r := range p.Rows {
		_, lo, hi := r.weights(p.Scale)
		b.rows = max(b.rows, hi-lo)
	}
	b.band.W = p.Cols[len(p.Cols)-1].End * p.Scale
	b.band.planes = make([][]float32, p.Planes)
	for c := range b.band.planes {
		b.band.planes[c] = make([]float32, b.rows*b.band.W)
	}
	return b
}

// add adds a tile's result, weighted, to the band. top is its first row in the whole result.
func (b *blender) add(result []float32, top int, wy []float32, lo, hi int, c column) {
	parallel.Rows(b.plan.Threads, b.plan.Planes*(hi-lo), func() func(int) {
		return func(i int) {
			plane, y := i/(hi-lo), lo+i%(hi-lo)
			src := result[(plane*len(wy)+y)*c.width:][:c.width]
			c.add(b.band.Row(plane, top+y-b.band.Y)[c.at:][:c.width], src, wy[y])
		}
	})
}

// add adds a row times its weight. Where the whole weight is 1 no other tile has any, and the sum is a copy.
func (c column) add(dst, src []float32, weight float32) {
	if weight != 1 {
		c.fade(dst, src, weight, c.lo, c.hi)
		return
	}
	c.fade(dst, src, 1, c.lo, c.from)
	copy(dst[c.from:c.to], src[c.from:c.to])
	c.fade(dst, src, 1, c.to, c.hi)
}

func (c column) fade(dst, src []float32, weight float32, from, to int) {
	for x := from; x < to; x++ {
		dst[x] += weight * c.weights[x] * src[x]
	}
}

// flush hands out the rows before end and moves the rest to the front of the band.
func (b *blender) flush(end int, emit func(*Band) error) error {
	n := end - b.band.Y
	done := b.band
	done.H = n
	if err := emit(&done); err != nil {
		return err
	}
	for _, p := range b.band.planes {
		kept := copy(p, p[n*b.band.W:])
		clear(p[kept:])
	}
	b.band.Y = end
	return nil
}

// Whole is a result of h rows of w samples as one band.
func Whole(h, w int, plane func(c int) []float32, planes int) *Band {
	b := &Band{H: h, W: w}
	for c := range planes {
		b.planes = append(b.planes, plane(c))
	}
	return b
}
