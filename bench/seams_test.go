package bench

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/imgio"
	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/internal/tile"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

// TestSeams measures how two neighbouring tiles differ from the whole picture, for several fades; docs/TILING.md has
// its table. It needs $GOPDD_WEIGHTS (a weight file) and $GOPDD_PHOTOS (a folder), and takes minutes.
func TestSeams(t *testing.T) {
	weights, files := weightsAndPhotos(t, 8)
	net, err := models.Load(weights)
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	const size, height = 176, 96
	for _, overlap := range []int{48, 64, 80, 96} {
		sums := map[int]*seam{}
		for _, file := range files[:8] {
			compare(t, net, lowResolution(t, file, 2*size-overlap, height), size, overlap, sums)
		}
		for _, margin := range []int{0, overlap / 8, overlap / 4, 3 * overlap / 8, overlap / 2} {
			fmt.Printf("overlap %d, margin %d, fade %d: %v\n", overlap, margin, overlap-2*margin, sums[margin])
		}
	}
}

// weightsAndPhotos are $GOPDD_WEIGHTS and the files of $GOPDD_PHOTOS, at least n; without the variables t is skipped.
func weightsAndPhotos(t *testing.T, n int) (weights string, files []string) {
	t.Helper()
	weights, photos := os.Getenv("GOPDD_WEIGHTS"), os.Getenv("GOPDD_PHOTOS")
	if weights == "" || photos == "" {
		t.Skip("GOPDD_WEIGHTS and GOPDD_PHOTOS are not set")
	}
	files, err := filepath.Glob(filepath.Join(photos, "*.jpg"))
	if err != nil || len(files) < n {
		t.Fatalf("%d photos in %s, want %d: %v", len(files), photos, n, err)
	}
	return weights, files
}

// lowResolution is the middle of the photo at a quarter of its size.
func lowResolution(t *testing.T, file string, w, h int) *data.Image {
	img, _, err := imgio.ReadFile(file, imgio.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	small, err := data.ResizeImage(img, 0.25, data.Bicubic)
	if err != nil {
		t.Fatal(err)
	}
	m := data.FromImage(small)
	m, err = m.Crop((m.W-w)/2, (m.H-h)/2, w, h)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return m
}

// seam sums up what a fade leaves visible.
type seam struct {
	largest, share, jump float64 // share of values off by more than 2/255; largest mean extra jump of a column
	photos               int
}

func (s *seam) String() string {
	return fmt.Sprintf("largest difference %.4f, off by more than 2/255 %.5f, extra jump %.5f (%d photos)",
		s.largest, s.share/float64(s.photos), s.jump, s.photos)
}

func compare(t *testing.T, net models.Generator, lr *data.Image, size, overlap int, sums map[int]*seam) {
	whole, left, right := run(t, net, lr, 0, lr.W), run(t, net, lr, 0, size), run(t, net, lr, lr.W-size, lr.W)
	for _, margin := range []int{0, overlap / 8, overlap / 4, 3 * overlap / 8, overlap / 2} {
		at, fade := lr.W/2, overlap-2*margin
		cols := []tile.Span{
			{Start: 0, End: size, From: 0, To: at, FadeTo: fade},
			{Start: lr.W - size, End: lr.W, From: at, To: lr.W, FadeFrom: fade},
		}
		blended := data.Image{C: 3, H: whole.H, W: whole.W, Pix: make([]float32, len(whole.Pix))}
		plan := tile.Plan{Rows: []tile.Span{{End: lr.H, To: lr.H}}, Cols: cols, Scale: net.Scale(), Planes: 3}
		err := plan.Run(func(_, col tile.Span) ([]float32, error) {
			if col.Start == 0 {
				return left.Pix, nil
			}
			return right.Pix, nil
		}, func(b *tile.Band) error {
			for c := range 3 {
				for y := range b.H {
					copy(blended.Row(c, b.Y+y), b.Row(c, y))
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if sums[margin] == nil {
			sums[margin] = &seam{}
		}
		sums[margin].add(&blended, whole)
	}
}

func run(t *testing.T, net models.Generator, lr *data.Image, from, to int) *data.Image {
	part, err := lr.Crop(from, 0, to-from, lr.H)
	if err != nil {
		t.Fatal(err)
	}
	out := &data.Image{C: 3, H: lr.H * net.Scale(), W: part.W * net.Scale()}
	err = tensor.Do(t.Context(), func(s *tensor.Scope) error {
		x := s.Upload(tensortest.Device(), part.Pix, 1, 3, int64(part.H), int64(part.W))
		out.Pix = s.Float32s(net.Forward(s.NoGrad(), x))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (s *seam) add(got, want *data.Image) {
	off := 0
	extra := make([]float64, got.W)
	for c := range got.C {
		for y := range got.H {
			g, w := got.Row(c, y), want.Row(c, y)
			for x := range g {
				d := math.Abs(float64(g[x] - w[x]))
				s.largest = max(s.largest, d)
				if d > 2.0/255 {
					off++
				}
				if x > 0 {
					extra[x] += math.Abs(float64(g[x]-g[x-1])) - math.Abs(float64(w[x]-w[x-1]))
				}
			}
		}
	}
	for _, e := range extra {
		s.jump = max(s.jump, e/float64(got.C*got.H))
	}
	s.share += float64(off) / float64(len(got.Pix))
	s.photos++
}
