package tile

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Laws of Spans: everything is covered, neighbours share a seam and a fade inside their overlap, tiles are equal and not
// larger than is needed.
func TestSpans(t *testing.T) {
	for _, c := range []struct{ n, size, overlap, reach int }{
		{1, 8, 2, 100}, {8, 8, 4, 1}, {9, 8, 4, 1}, {100, 32, 8, 350}, {101, 32, 8, 3}, {1000, 37, 13, 5}, {64, 32, 16, 8}, {853, 384, 36, 18}, {110, 100, 50, 1}, {160, 100, 50, 0},
	} {
		spans, err := Spans(c.n, c.size, c.overlap, c.reach)
		if err != nil {
			t.Fatalf("%+v: %v", c, err)
		}
		for i, s := range spans {
			if s.Size() != spans[0].Size() || s.Size() > c.size || s.From < s.Start || s.To > s.End {
				t.Errorf("%+v: span %d %+v", c, i, s)
			}
			if smaller := s.Size() - granule; len(spans) > 1 && smaller*len(spans) >= c.n+(len(spans)-1)*(c.overlap+1) {
				t.Errorf("%+v: tiles of %d, smaller ones would do", c, s.Size())
			}
			if s.From+s.FadeFrom/2 > s.To-s.FadeTo/2 {
				t.Errorf("%+v: the fades of span %d %+v cross", c, i, s)
			}
			if i == 0 {
				continue
			}
			p := spans[i-1]
			margin := min(s.From-s.FadeFrom/2-s.Start, p.End-p.To-p.FadeTo/2)
			switch {
			case p.To != s.From || p.FadeTo != s.FadeFrom || s.FadeFrom < 0:
				t.Errorf("%+v: seam of %+v and %+v", c, p, s)
			case p.End-s.Start < c.overlap:
				t.Errorf("%+v: overlap of %+v and %+v below %d", c, p, s, c.overlap)
			case 2*c.reach <= p.End-s.Start && margin < c.reach:
				t.Errorf("%+v: fade of %+v and %+v lies within reach of a border", c, p, s)
			}
		}
		if spans[0].Start != 0 || spans[0].From != 0 || spans[len(spans)-1].To != c.n {
			t.Errorf("%+v: not covered", c)
		}
	}
}

func TestSpansRefuse(t *testing.T) {
	for _, c := range [][4]int{{0, 8, 0, 0}, {10, 0, 0, 0}, {10, 8, -1, 0}, {10, 8, 5, 0}} {
		if _, err := Spans(c[0], c[1], c[2], c[3]); err == nil {
			t.Errorf("Spans%v accepted", c)
		}
	}
}

// A network that only copies pixels, and a constant, come out whole whatever the cut: the weights add up to one.
func TestRunIsPartitionOfUnity(t *testing.T) {
	const h, w, scale = 53, 71, 2
	picture := make([]float32, h*w)
	for i := range picture {
		picture[i] = rand.Float32()
	}
	for _, c := range []struct{ size, overlap, reach int }{{100, 0, 0}, {16, 0, 0}, {16, 8, 2}, {20, 7, 100}, {53, 10, 3}} {
		rows, err := Spans(h, c.size, c.overlap, c.reach)
		if err != nil {
			t.Fatal(err)
		}
		cols, err := Spans(w, c.size, c.overlap, c.reach)
		if err != nil {
			t.Fatal(err)
		}
		forward := func(row, col Span) ([]float32, error) { // nearest enlargement
			var out []float32
			for y := range row.Size() * scale {
				for x := range col.Size() * scale {
					out = append(out, picture[(row.Start+y/scale)*w+col.Start+x/scale])
				}
			}
			return out, nil
		}
		next := 0
		err = Plan{Rows: rows, Cols: cols, Scale: scale, Planes: 1}.Run(forward, func(b *Band) error {
			if b.Y != next {
				t.Fatalf("%+v: band at %d, want %d", c, b.Y, next)
			}
			next += b.H
			for y := range b.H {
				for x, got := range b.Row(0, y) {
					want := picture[(b.Y+y)/scale*w+x/scale]
					if math.Abs(float64(got-want)) > 1e-6 { // w + (1-w) in float32
						t.Fatalf("%+v: (%d,%d) = %v, want %v", c, x, b.Y+y, got, want)
					}
				}
			}
			return nil
		})
		if err != nil || next != h*scale {
			t.Errorf("%+v: %d rows, %v", c, next, err)
		}
	}
}
