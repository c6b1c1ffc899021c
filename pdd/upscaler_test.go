package pdd_test

import (
	"context"
	"errors"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/pdd"
	"github.com/gopdd/gopdd/tensor"
)

// formula is a generator without weights: what fn says.
type formula struct {
	scale, multiple, reach int
	fn                     func(s *tensor.Scope, x torch.Tensor) torch.Tensor
}

func (f formula) Forward(s *tensor.Scope, x torch.Tensor) torch.Tensor { return f.fn(s, x) }
func (f formula) Scale() int                                           { return f.scale }
func (f formula) Multiple() int                                        { return f.multiple }
func (f formula) Reach() int                                           { return f.reach }
func (f formula) Close() error                                         { return nil }

// nearest repeats pixels.
func nearest(scale, multiple int) formula {
	return formula{scale, multiple, 0, func(s *tensor.Scope, x torch.Tensor) torch.Tensor {
		for _, side := range s.Shape(x)[2:] {
			if side%int64(multiple) != 0 {
				tensor.Failf("nearest", "side %d is no multiple of %d", side, multiple)
			}
		}
		return s.Upsample(x, tensor.Nearest, int64(scale))
	}}
}

// compact is a real network, small enough for tests: SRVGGNetCompact of random weights.
func compact(t testing.TB) models.Trainable {
	t.Helper()
	net, err := models.NewSRVGGNetCompact(
		models.SRVGGNetCompactConfig{NumInCh: 3, NumOutCh: 3, NumFeat: 12, NumConv: 4, Upscale: 4}, 7, tensortest.Device())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { net.Close() })
	return net
}

func upscaler(t testing.TB, opts ...pdd.Option) *pdd.Upscaler {
	t.Helper()
	u, err := pdd.NewUpscaler(append([]pdd.Option{pdd.WithDevice(tensortest.DeviceName())}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(u.Close(), u.Close()); err != nil {
			t.Error(err)
		}
	})
	return u
}

func upscale(t testing.TB, u *pdd.Upscaler, img image.Image, opts ...pdd.CallOption) image.Image {
	t.Helper()
	out, err := u.Upscale(t.Context(), img, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// noise is an opaque colour picture.
func noise(w, h int, seed uint64) *image.NRGBA {
	r := rand.New(rand.NewPCG(seed, 1))
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = uint8(r.UintN(256))
		if i%4 == 3 {
			m.Pix[i] = 255
		}
	}
	return m
}

// maxLevels is the largest difference in levels of 255.
func maxLevels(a, b image.Image) float64 {
	if a.Bounds().Size() != b.Bounds().Size() {
		return math.Inf(1)
	}
	worst := 0.0
	p, q := data.FromImage(a), data.FromImage(b)
	for i := range p.Pix {
		worst = max(worst, 255*math.Abs(float64(p.Pix[i]-q.Pix[i])))
	}
	return worst
}

// A network that repeats pixels gives the picture's own values, whatever its kind, size and place; the kind is kept.
func TestUpscaleKinds(t *testing.T) {
	tensortest.Check(t)
	u := upscaler(t, pdd.WithModel(nearest(2, 4)), pdd.WithTile(32, 4))
	colours := noise(37, 45, 1)
	transparent := noise(9, 5, 2)
	for i := 3; i < len(transparent.Pix); i += 4 {
		transparent.Pix[i] = uint8(255 - i)
	}
	paletted := image.NewPaletted(image.Rect(0, 0, 7, 3), color.Palette{color.NRGBA{10, 20, 30, 255}, color.White})
	paletted.Pix[4] = 1
	gray16 := image.NewGray16(image.Rect(0, 0, 3, 50))
	gray16.SetGray16(1, 7, color.Gray16{12345})
	deep := image.NewNRGBA64(image.Rect(-3, -2, 5, 9))
	deep.SetNRGBA64(-3, -2, color.NRGBA64{1, 255, 256, 0xffff})
	for _, c := range []struct {
		name   string
		in     image.Image
		want   image.Image // of the result's type
		reason string
	}{
		{"colour", colours, &image.NRGBA{}, "8 bits stay 8 bits"},
		{"part", colours.SubImage(image.Rect(3, 4, 20, 40)), &image.NRGBA{}, "bounds need not begin at 0"},
		{"transparent", transparent, &image.NRGBA{}, "alpha survives"},
		{"paletted", paletted, &image.NRGBA{}, "palettes become colours"},
		{"gray", image.NewGray(image.Rect(0, 0, 5, 5)), &image.Gray{}, "gray stays gray"},
		{"gray16", gray16, &image.Gray16{}, "16 bits are told from the type, not from the values"},
		{"deep", deep, &image.NRGBA64{}, "16 bits are told from the type, not from the values"},
		{"pixel", noise(1, 1, 3), &image.NRGBA{}, "the smallest picture, padded to the multiple by repetition"},
		{"row", noise(100, 1, 4), &image.NRGBA{}, "a mirror would be too short"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := upscale(t, u, c.in)
			if g, w := typeName(got), typeName(c.want); g != w {
				t.Errorf("result is %s, want %s: %s", g, w, c.reason)
			}
			b, small := got.Bounds(), c.in.Bounds()
			if b != image.Rect(0, 0, 2*small.Dx(), 2*small.Dy()) {
				t.Fatalf("bounds %v of %v", b, small)
			}
			for y := range b.Dy() {
				for x := range b.Dx() {
					if d := colourDistance(got.At(x, y), c.in.At(small.Min.X+x/2, small.Min.Y+y/2)); d > 257 {
						t.Fatalf("(%d,%d) differs by %d of 65535: %s", x, y, d, c.reason)
					}
				}
			}
		})
	}
}

func typeName(m image.Image) string {
	switch m.(type) {
	case *image.NRGBA:
		return "NRGBA"
	case *image.NRGBA64:
		return "NRGBA64"
	case *image.Gray:
		return "Gray"
	case *image.Gray16:
		return "Gray16"
	}
	return "other"
}

// colourDistance compares premultiplied colours: what a viewer sees.
func colourDistance(a, b color.Color) (d uint32) {
	r0, g0, b0, a0 := a.RGBA()
	r1, g1, b1, a1 := b.RGBA()
	for _, p := range [][2]uint32{{r0, r1}, {g0, g1}, {b0, b1}, {a0, a1}} {
		d = max(d, max(p[0], p[1])-min(p[0], p[1]))
	}
	return d
}

// With an overlap of twice the network's reach tiling changes nothing but rounding.
func TestTiledIsWhole(t *testing.T) {
	net := compact(t)
	photo := noise(150, 97, 5)
	whole := upscale(t, upscaler(t, pdd.WithModel(net), pdd.WithTile(0, 0)), photo)
	for _, size := range []int{32, 48, 80} {
		tiled := upscale(t, upscaler(t, pdd.WithModel(net), pdd.WithTile(size, -1)), photo)
		if d := maxLevels(tiled, whole); d > 1.01 { // a rounding may fall the other way
			t.Errorf("tiles of %d differ by %.1f levels from the whole picture", size, d)
		}
	}
}

// Tiles without overlap do differ, so the test above can fail.
func TestTilingWithoutOverlapShows(t *testing.T) {
	net := compact(t)
	photo := noise(150, 97, 5)
	whole := upscale(t, upscaler(t, pdd.WithModel(net), pdd.WithTile(0, 0)), photo)
	if d := maxLevels(upscale(t, upscaler(t, pdd.WithModel(net), pdd.WithTile(32, 0)), photo), whole); d < 3 {
		t.Errorf("hard cuts differ by %.1f levels only", d)
	}
}

func TestConcurrentCallersGetTheirOwnPictures(t *testing.T) {
	tensortest.Check(t)
	u := upscaler(t, pdd.WithModel(compact(t)), pdd.WithTile(32, -1))
	const callers, each = 8, 4
	picture := func(i int) *image.NRGBA { return noise(20+7*i, 60-5*(i%5), uint64(i)) }
	want := make([]image.Image, callers*each)
	for i := range want {
		want[i] = upscale(t, u, picture(i))
	}
	var group sync.WaitGroup
	for c := range callers {
		group.Go(func() {
			for i := c * each; i < (c+1)*each; i++ {
				got, err := u.Upscale(t.Context(), picture(i))
				if err != nil {
					t.Error(err)
				} else if d := maxLevels(got, want[i]); d != 0 {
					t.Errorf("picture %d differs by %.1f levels from the serial result", i, d)
				}
			}
		})
	}
	group.Wait()
}

func TestProgressAndCancel(t *testing.T) {
	tensortest.Check(t)
	u := upscaler(t, pdd.WithModel(nearest(4, 1)), pdd.WithTile(32, 8))
	var seen []int
	upscale(t, u, noise(100, 40, 1), pdd.Progress(func(done, total int) {
		if seen = append(seen, done); total != 8 { // 4 columns of 32 with at least 8 in common, 2 rows
			t.Errorf("total %d", total)
		}
	}))
	if len(seen) != 9 || seen[0] != 0 || seen[8] != 8 {
		t.Errorf("progress %v", seen)
	}
	ctx, cancel := context.WithCancel(t.Context())
	got, err := u.Upscale(ctx, noise(100, 40, 1), pdd.Progress(func(done, _ int) {
		if done == 3 {
			cancel()
		}
		if done > 3 {
			t.Error("a tile ran after the cancellation")
		}
	}))
	if !errors.Is(err, context.Canceled) || got != nil {
		t.Errorf("got %v, %v after cancel", got, err)
	}
}

// A caller whose turn does not come leaves the queue when its context ends.
func TestQueueEndsWithContext(t *testing.T) {
	hold, inside := make(chan struct{}), make(chan struct{}, 10)
	u := upscaler(t, pdd.WithModel(formula{1, 1, 0, func(s *tensor.Scope, x torch.Tensor) torch.Tensor {
		if s.Shape(x)[3] == 7 {
			inside <- struct{}{}
			<-hold
		}
		return s.Clone(x)
	}}))
	done := make(chan error)
	go func() {
		_, err := u.Upscale(t.Context(), noise(7, 7, 1))
		done <- err
	}()
	<-inside
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := u.Upscale(ctx, noise(8, 8, 1)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting caller: %v", err)
	}
	close(hold)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestCloseRefusesAtOnce: while Close waits for a picture, further callers are refused, whatever their contexts allow.
func TestCloseRefusesAtOnce(t *testing.T) {
	hold, inside := make(chan struct{}), make(chan struct{})
	u := upscaler(t, pdd.WithModel(formula{1, 1, 0, func(s *tensor.Scope, x torch.Tensor) torch.Tensor {
		if s.Shape(x)[3] == 7 {
			inside <- struct{}{}
			<-hold
		}
		return s.Clone(x)
	}}))
	done := make(chan error, 2)
	go func() {
		_, err := u.Upscale(t.Context(), noise(7, 7, 1))
		done <- err
	}()
	<-inside
	go func() { done <- u.Close() }()
	for deadline := time.Now().Add(10 * time.Second); ; { // until Close has begun to wait
		_, err := u.Upscale(ctxFor(t, time.Millisecond), noise(8, 8, 1))
		if errors.Is(err, pdd.ErrClosed) {
			break
		}
		if !errors.Is(err, context.DeadlineExceeded) || time.Now().After(deadline) {
			t.Fatalf("a caller beside Close: %v", err)
		}
	}
	close(hold)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func ctxFor(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestNotFinite(t *testing.T) {
	tensortest.Check(t)
	u := upscaler(t, pdd.WithModel(formula{1, 1, 0, func(s *tensor.Scope, x torch.Tensor) torch.Tensor {
		if s.Item(s.Max(x)) > 0.9 {
			return s.MulScalar(x, math.Inf(1))
		}
		return s.Clone(x)
	}}))
	dark := image.NewNRGBA(image.Rect(0, 0, 4, 4))
	upscale(t, u, dark)
	dark.Set(1, 1, color.White)
	if got, err := u.Upscale(t.Context(), dark); !errors.Is(err, pdd.ErrNotFinite) || got != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

// When an allocation fails the picture is done in smaller tiles, and comes out right, one that was to be done whole too.
func TestOutOfMemoryHalvesTiles(t *testing.T) {
	if tensortest.Device() != tensor.CPU {
		t.Skip("the limit is one of the CPU's tensors")
	}
	tensortest.Check(t)
	net, photo := compact(t), noise(128, 128, 9)
	halved := upscale(t, upscaler(t, pdd.WithModel(net), pdd.WithTile(64, -1)), photo)
	defer tensor.LimitMemory(0)
	for _, tile := range []int{128, 0} {
		u := upscaler(t, pdd.WithModel(net), pdd.WithTile(tile, -1))
		want := upscale(t, u, photo)
		tensor.LimitMemory(tensor.MemoryStats(tensor.CPU).LiveBytes + 4<<20) // a tile of 128 needs 8 MiB, one of 64 needs 2
		var totals []int
		got := upscale(t, u, photo, pdd.Progress(func(done, total int) { totals = append(totals, total) }))
		if first, last := totals[0], totals[len(totals)-1]; first != 1 || last <= 1 {
			t.Errorf("tile %d: first %d tiles, then %d; the limit did not bite", tile, first, last)
		}
		if d := maxLevels(got, halved); d != 0 {
			t.Errorf("tile %d: differs by %.1f levels from tiles of half the size", tile, d)
		}
		if d := maxLevels(got, want); d > 1.01 {
			t.Errorf("tile %d: differs by %.1f levels from one large tile", tile, d)
		}
		tensor.LimitMemory(tensor.MemoryStats(tensor.CPU).LiveBytes + 1<<10)
		if _, err := u.Upscale(t.Context(), photo); !errors.Is(err, tensor.ErrOutOfMemory) {
			t.Errorf("tile %d: with no memory at all: %v", tile, err)
		}
		tensor.LimitMemory(0)
	}
}

func TestTooLargeIsRefusedBeforeAllocation(t *testing.T) {
	u := upscaler(t, pdd.WithModel(nearest(4, 1)), pdd.WithMemoryLimit(2<<30))
	huge := image.NewUniform(color.White) // bounds of 2e9 × 2e9 without memory behind them
	for _, img := range []image.Image{huge, sized{huge, image.Rect(0, 0, 20000, 20000)}} {
		start := time.Now()
		if _, err := u.Upscale(t.Context(), img); !errors.Is(err, pdd.ErrTooLarge) {
			t.Errorf("%v: %v", img.Bounds(), err)
		}
		if time.Since(start) > time.Second {
			t.Errorf("%v: took %v to refuse", img.Bounds(), time.Since(start))
		}
	}
	upscale(t, u, noise(50, 50, 1)) // and goes on
}

type sized struct {
	image.Image
	bounds image.Rectangle
}

func (s sized) Bounds() image.Rectangle { return s.bounds }

func TestColorCorrectionSetsMoments(t *testing.T) {
	shift := formula{2, 1, 0, func(s *tensor.Scope, x torch.Tensor) torch.Tensor {
		return s.AddScalar(s.MulScalar(s.Upsample(x, tensor.Nearest, 2), 0.5), 0.1)
	}}
	u := upscaler(t, pdd.WithModel(shift), pdd.WithTile(32, 4))
	photo := noise(60, 50, 3)
	if d := maxLevels(upscale(t, u, photo), upscale(t, u, photo, pdd.ColorCorrection(true))); d < 20 {
		t.Fatalf("correction changed %.1f levels only", d)
	}
	corrected := upscale(t, u, photo, pdd.ColorCorrection(true))
	want := upscale(t, upscaler(t, pdd.WithModel(nearest(2, 1))), photo)
	// N−1 of 60·50 and of 120·100 samples make the gain differ from 1 by 1e-4
	if d := maxLevels(corrected, want); d > 1.01 {
		t.Errorf("an affine change of colours is undone but for %.1f levels", d)
	}
}

func TestOutScale(t *testing.T) {
	u := upscaler(t, pdd.WithModel(nearest(4, 1)))
	photo := noise(21, 13, 3)
	for _, c := range []struct {
		scale float64
		w, h  int
	}{{0, 84, 52}, {4, 84, 52}, {2, 42, 26}, {1.5, 32, 20}, {6, 126, 78}, {0.01, 1, 1}} {
		if got := upscale(t, u, photo, pdd.OutScale(c.scale)).Bounds(); got != image.Rect(0, 0, c.w, c.h) {
			t.Errorf("scale %v: %v, want %d×%d", c.scale, got, c.w, c.h)
		}
	}
	for _, bad := range []float64{-1, math.NaN(), math.Inf(1), 65} {
		if _, err := u.Upscale(t.Context(), photo, pdd.OutScale(bad)); err == nil {
			t.Errorf("scale %v accepted", bad)
		}
	}
}

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		reason string
		opts   []pdd.Option
		is     error
	}{
		{"two networks", []pdd.Option{pdd.WithModel(nearest(2, 1)), pdd.WithWeights("x.pth")}, nil},
		{"no such file", []pdd.Option{pdd.WithWeights("no/such/file.pth")}, nil},
		{"no such device", []pdd.Option{pdd.WithModel(nearest(2, 1)), pdd.WithDevice("cuda:99")}, nil},
		{"tile too small", []pdd.Option{pdd.WithModel(nearest(2, 1)), pdd.WithTile(8, 0)}, nil},
		{"overlap too large", []pdd.Option{pdd.WithModel(nearest(2, 1)), pdd.WithTile(64, 33)}, nil},
		{"negative threads", []pdd.Option{pdd.WithModel(nearest(2, 1)), pdd.WithThreads(-1)}, nil},
		{"negative memory", []pdd.Option{pdd.WithModel(nearest(2, 1)), pdd.WithMemoryLimit(-1)}, nil},
		{"a model that makes one channel", []pdd.Option{pdd.WithModel(formula{scale: 2, multiple: 1, fn: func(s *tensor.Scope, x torch.Tensor) torch.Tensor {
			return s.Narrow(s.Upsample(x, tensor.Nearest, 2), 1, 0, 1)
		}})}, nil},
		{"a model that does not enlarge", []pdd.Option{pdd.WithModel(formula{scale: 2, multiple: 1, fn: func(s *tensor.Scope, x torch.Tensor) torch.Tensor { return s.Clone(x) }})}, nil},
		{"a model has its own format", []pdd.Option{pdd.WithModel(nearest(2, 1)), pdd.WithPrecision(pdd.BFloat16)}, nil},
	} {
		u, err := pdd.NewUpscaler(c.opts...)
		if err == nil || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: %v", c.reason, err)
		}
		if err == nil {
			u.Close()
		}
	}
	u := upscaler(t, pdd.WithModel(nearest(2, 1)))
	for _, empty := range []image.Image{nil, image.NewNRGBA(image.Rectangle{})} {
		if _, err := u.Upscale(t.Context(), empty); err == nil {
			t.Error("empty picture accepted")
		}
	}
	u.Close()
	if _, err := u.Upscale(t.Context(), noise(2, 2, 1)); !errors.Is(err, pdd.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
