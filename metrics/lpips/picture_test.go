package lpips

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/metrics"
	"github.com/gopdd/gopdd/tensor"
)

// A picture and the tensor of its values have one distance; layers add up to it; equal pictures have 0.
func TestPictures(t *testing.T) {
	for _, net := range nets {
		m := open(t, net)
		a, b := noisy(67, 50, 1), noisy(67, 50, 2)
		layers, err := m.Layers(t.Context(), a, b, 3)
		if err != nil {
			t.Fatal(err)
		}
		total := 0.0
		for _, d := range layers {
			total += d
		}
		if got, err := m.Distance(t.Context(), a, b, 3); err != nil || got != total || !(got > 0.001) {
			t.Errorf("%v: distance %v (%v), layers add up to %v", net, got, err, total)
		}
		if got, err := m.Distance(t.Context(), b, a, 3); err != nil || !near(got, total) {
			t.Errorf("%v: the other way round %v (%v), want %v", net, got, err, total)
		}
		if got, err := m.Distance(t.Context(), a, a, 0); err != nil || got != 0 {
			t.Errorf("%v: of equal pictures %v (%v), want 0", net, got, err)
		}
		inner := image.Rect(3, 3, 64, 47)
		do(t, func(s *tensor.Scope) {
			pa, _ := metrics.NewPlanar(a, inner)
			pb, _ := metrics.NewPlanar(b, inner)
			want := s.Float64s(m.Forward(s.NoGrad(), m.input(s, pa), m.input(s, pb)))
			for i, w := range want {
				if !near(layers[i], w) {
					t.Errorf("%v: layer %d of the pictures %v, of tensors %v", net, i, layers[i], w)
				}
			}
		})
	}
}

// Tiles must meet without a seam, gap or overlap: strips along both axes with each network, both at once with the
// cheapest.
func TestTiledIsWhole(t *testing.T) {
	for _, net := range nets {
		m := open(t, net)
		tile, thin := 2*m.network.halo+deepest+minCore, net.MinSide()+2
		sizes := [][2]int{{thin, tile + 150}, {tile + 150, thin}}
		if net == Alex {
			sizes = append(sizes, [2]int{tile + 29, tile + 13})
		}
		for _, size := range sizes {
			a, b := noisy(size[0], size[1], 1), noisy(size[0], size[1], 2)
			draw.Draw(b, image.Rect(0, 0, size[0]/2, size[1]/2), image.White, image.Point{}, draw.Src) // differences are not alike everywhere
			whole := layersInTiles(t, m, a, b, size[0]*size[1], 1)
			tiled := layersInTiles(t, m, a, b, tile*min(tile, size[0], size[1]), 2)
			for i := range whole {
				if !near(tiled[i], whole[i]) {
					t.Errorf("%v %v: layer %s in tiles %v, whole %v", net, size, net.Layers()[i], tiled[i], whole[i])
				}
			}
		}
	}
}

// layersInTiles measures in tiles of at most the given number of pixels, of which there must be one, or at least two.
func layersInTiles(t *testing.T, m *Model, a, b image.Image, pixels, want int) []float64 {
	t.Helper()
	m.pixels = pixels
	size := a.Bounds().Size()
	if cols, rows := m.tiles(size.X, size.Y); min(len(cols)*len(rows), 2) != want {
		t.Fatalf("%v: %d×%d tiles", size, len(cols), len(rows))
	}
	layers, err := m.Layers(t.Context(), a, b, 0)
	if err != nil {
		t.Fatal(err)
	}
	return layers
}

// Any picture is cut into tiles that hold no more pixels than allowed, and answer for every pixel once.
func TestTilesFit(t *testing.T) {
	for _, net := range nets {
		n := &networks[net]
		least := 2*n.halo + deepest + minCore
		for _, pixels := range []int{least * least, 1 << 20} {
			m := &Model{network: n, pixels: pixels}
			for _, size := range [][2]int{{31, 31}, {5000, 40}, {40, 5000}, {4000, 3000}, {273, 1 << 20}, {1 << 20, 700}} {
				cols, rows := m.tiles(size[0], size[1])
				for axis, spans := range [][]span{cols, rows} {
					at := 0
					for _, s := range spans {
						if s.coreFrom != at || s.coreTo <= at || s.from%deepest != 0 || s.from > s.coreFrom || s.to < s.coreTo {
							t.Fatalf("%v, %d pixels, %v: axis %d: tile %+v after %d", net, pixels, size, axis, s, at)
						}
						at = s.coreTo
					}
					if at != size[axis] {
						t.Fatalf("%v, %d pixels, %v: axis %d ends at %d", net, pixels, size, axis, at)
					}
				}
				for _, c := range cols {
					for _, r := range rows {
						if got := (c.to - c.from) * (r.to - r.from); got > pixels {
							t.Fatalf("%v, %v: a tile of %d pixels, want at most %d", net, size, got, pixels)
						}
					}
				}
			}
		}
	}
}

// What the doc says about memory: a pixel more takes at most pixelBytes more, and not much less.
func TestMemory(t *testing.T) {
	for _, net := range nets {
		m := open(t, net)
		const small, large = 480 * 360, 640 * 480 // all of their convolutions in the kernels
		got := (peak(t, m, 640, 480) - peak(t, m, 480, 360)) / (large - small)
		if want := networks[net].pixelBytes; got > want || got < want*2/3 {
			t.Errorf("%v: %d bytes a pixel, want at most %d and not much less", net, got, want)
		}
	}
}

// peak is the largest number of bytes that tensors take while two pictures are compared.
func peak(t *testing.T, m *Model, w, h int) int64 {
	t.Helper()
	before := tensor.MemoryStats(tensor.CPU).LiveBytes
	tensor.ResetPeak(tensor.CPU)
	if _, err := m.Distance(t.Context(), noisy(w, h, 1), noisy(w, h, 2), 0); err != nil {
		t.Fatal(err)
	}
	return tensor.MemoryStats(tensor.CPU).PeakBytes - before
}

func TestSmallestPictures(t *testing.T) {
	for _, net := range nets {
		m := open(t, net)
		least := net.MinSide()
		for _, size := range [][2]int{{least, least + 9}, {least + 9, least}} {
			if d, err := m.Distance(t.Context(), noisy(size[0], size[1], 1), noisy(size[0], size[1], 2), 0); err != nil || !(d > 0) {
				t.Errorf("%v %v: %v, %v", net, size, d, err)
			}
			if _, err := m.Distance(t.Context(), noisy(size[0], size[1], 1), noisy(size[0], size[1], 2), 1); err == nil || !strings.Contains(err.Error(), "at least") {
				t.Errorf("%v %v less a border of 1: error %v", net, size, err)
			}
		}
	}
}

func TestOddPictures(t *testing.T) {
	m := open(t, Alex)
	src, ref := noisy(48, 40, 1), noisy(48, 40, 2)
	gray := image.NewGray(src.Rect)
	draw.Draw(gray, src.Rect, src, image.Point{}, draw.Src)
	grayRGB := image.NewNRGBA(src.Rect)
	draw.Draw(grayRGB, src.Rect, gray, image.Point{}, draw.Src)
	deep, clear := image.NewNRGBA64(src.Rect), image.NewNRGBA(src.Rect)
	draw.Draw(deep, src.Rect, src, image.Point{}, draw.Src)
	copy(clear.Pix, src.Pix)
	for i := 3; i < len(clear.Pix); i += 4 {
		clear.Pix[i] = 7
	}
	for _, tt := range []struct {
		reason    string
		img, same image.Image
	}{
		{"gray is R = G = B", gray, grayRGB},
		{"16 bits: 257 v", deep, src},
		{"alpha is ignored", clear, src},
		{"unknown types go through At", struct{ image.Image }{src}, src},
	} {
		got, err1 := m.Distance(t.Context(), tt.img, ref, 0)
		want, err2 := m.Distance(t.Context(), tt.same, ref, 0)
		if err1 != nil || err2 != nil || got != want {
			t.Errorf("%s: %v (%v), want %v (%v)", tt.reason, got, err1, want, err2)
		}
	}
	deep.SetNRGBA64(20, 20, addOne(deep.NRGBA64At(20, 20)))
	if d, err := m.Distance(t.Context(), deep, src, 0); err != nil || !(d > 0) {
		t.Errorf("a 16-bit picture that differs by 1 of 65535: %v, %v, want more than 0", d, err)
	}
	nan := &metrics.Planar{C: 3, H: 40, W: 48, Pix: make([]float32, 3*40*48)}
	nan.Pix[77] = float32(math.NaN())
	for reason, pair := range map[string][2]image.Image{
		"sizes must be equal": {src, noisy(40, 48, 1)}, "finite": {nan, src}, "empty": {nil, src},
	} {
		if _, err := m.Distance(t.Context(), pair[0], pair[1], 0); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("error %v, want one with %q", err, reason)
		}
	}
	for _, crop := range []int{-1, 5, 3 << 61} {
		if _, err := m.Distance(t.Context(), src, ref, crop); err == nil {
			t.Errorf("a crop of %d: no error", crop)
		}
	}
}

func addOne(c color.NRGBA64) color.NRGBA64 {
	c.R ^= 1
	return c
}
