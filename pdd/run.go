package pdd

import (
	"context"
	"fmt"
	"image"
	"slices"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/tile"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

// exactNet is the network in float32, loaded when first needed. It is used on the worker's thread only.
type exactNet struct{ net models.Generator }

func (e *exactNet) get(u *Upscaler) (models.Generator, error) {
	if e.net == nil {
		net, err := u.load(Float32)
		if err != nil {
			return nil, err
		}
		e.net = net
		if err := u.device.Wait(); err != nil {
			return nil, err
		}
	}
	return e.net, nil
}

func (e *exactNet) close() error {
	if e.net == nil {
		return nil
	}
	return e.net.Close()
}

// run upscales p in tiles of the given side.
func (u *Upscaler) run(ctx context.Context, p *picture, side int) (image.Image, error) {
	plan, err := u.plan(p, side)
	if err != nil {
		return nil, err
	}
	t := tiler{u: u, ctx: ctx, p: p, total: len(plan.Rows) * len(plan.Cols)}
	t.report()
	sink := p.newSink()
	if err := plan.Run(t.forward, sink.add); err != nil {
		return nil, err
	}
	return sink.finish()
}

func (u *Upscaler) plan(p *picture, side int) (tile.Plan, error) {
	overlap := min(u.settings.overlap, side/2)
	rows, err := tile.Spans(p.h, side, overlap, u.net.Reach())
	if err != nil {
		return tile.Plan{}, err
	}
	cols, err := tile.Spans(p.w, side, overlap, u.net.Reach())
	return tile.Plan{Rows: rows, Cols: cols, Scale: u.net.Scale(), Planes: p.channels, Threads: p.threads}, err
}

// tiler runs the tiles of one picture. Its buffers are reused from tile to tile.
type tiler struct {
	u           *Upscaler
	ctx         context.Context
	p           *picture
	in, out     []float32
	done, total int
}

func (t *tiler) report() {
	if t.p.call.progress != nil {
		t.p.call.progress(t.done, t.total)
	}
}

// forward runs one tile: its colour planes, then its alpha, each by a pass of its own.
func (t *tiler) forward(row, col tile.Span) ([]float32, error) {
	h, w := row.Size(), col.Size()
	scale := t.u.net.Scale()
	samples := h * scale * w * scale
	t.out = grow(t.out, t.p.channels*samples)
	err := t.u.worker.Do(t.ctx, func(s *tensor.Scope) error {
		s = s.NoGrad()
		for _, pass := range t.p.passes() {
			t.in = t.p.crop(t.in, pass.from, row, col)
			y, err := t.u.network(s, s.Upload(t.u.device, t.in, 1, 3, int64(h), int64(w)))
			if err != nil {
				return fmt.Errorf("tile at (%d,%d): %w", col.Start, row.Start, err)
			}
			if pass.gray {
				y = luma(s, y)
			}
			s.ReadFloat32s(y, t.out[pass.to*samples:][:s.Numel(y)])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	t.done++
	t.report()
	return t.out, nil
}

// network runs x [1,3,h,w] through the network, and through its float32 twin where the result is not finite.
func (u *Upscaler) network(s *tensor.Scope, x torch.Tensor) (torch.Tensor, error) {
	y := forward(s, u.net, x)
	if s.AllFinite(y) {
		return y, nil
	}
	if u.settings.model != nil || u.settings.precision.dtype() == tensor.Float32 {
		return y, ErrNotFinite
	}
	s.Free(y)
	exact, err := u.exact.get(u)
	if err != nil {
		return y, err
	}
	if y = forward(s, exact, x); !s.AllFinite(y) {
		return y, ErrNotFinite
	}
	return y, nil
}

// forward pads x [1,3,h,w] to the network's multiple, mirrored, and cuts the result back.
func forward(s *tensor.Scope, net models.Generator, x torch.Tensor) torch.Tensor {
	shape, scale := s.Shape(x), int64(net.Scale())
	h, w := shape[2], shape[3]
	m := int64(net.Multiple())
	down, right := (m-h%m)%m, (m-w%m)%m
	if down != 0 || right != 0 {
		mode := tensor.PadReflect
		if down >= h || right >= w { // a mirror is too short
			mode = tensor.PadReplicate
		}
		x = s.Pad(x, mode, 0, right, 0, down)
	}
	y := net.Forward(s, x)
	if got, want := s.Shape(y), []int64{shape[0], shape[1], (h + down) * scale, (w + right) * scale}; !slices.Equal(got, want) {
		tensor.Failf("upscale", "the network makes %v of %v, want %v: it is not one that enlarges colour pictures by %d", got, s.Shape(x), want, scale)
	}
	if down == 0 && right == 0 {
		return y
	}
	return s.Narrow(s.Narrow(y, 2, 0, h*scale), 3, 0, w*scale)
}

// luma is BT.601's weighted mean of R, G, B: [1,3,h,w] → [1,1,h,w].
func luma(s *tensor.Scope, rgb torch.Tensor) torch.Tensor {
	weights := s.Upload(s.DeviceOf(rgb), []float32{0.299, 0.587, 0.114}, 1, 3, 1, 1)
	return s.Sum(s.Mul(rgb, weights), true, 1)
}

func grow(buf []float32, n int) []float32 {
	if cap(buf) < n {
		return make([]float32, n)
	}
	return buf[:n]
}
