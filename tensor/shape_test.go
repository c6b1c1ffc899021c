package tensor_test

import (
	"slices"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/tensor"
)

// Expected values are written by hand from
//
//	a = 1 2 3
//	    4 5 6
func TestShapes(t *testing.T) {
	type T = torch.Tensor
	for _, c := range []struct {
		name  string
		op    func(s *tensor.Scope, a T) T
		shape []int64
		want  []float64
	}{
		{"cat lines", func(s *tensor.Scope, a T) T { return s.Cat(0, a, a) }, of(4, 3), []float64{1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}},
		{"cat columns", func(s *tensor.Scope, a T) T { return s.Cat(1, a, s.Narrow(a, 1, 0, 1)) }, of(2, 4), []float64{1, 2, 3, 1, 4, 5, 6, 4}},
		{"narrow", func(s *tensor.Scope, a T) T { return s.Narrow(a, 1, 1, 2) }, of(2, 2), []float64{2, 3, 5, 6}},
		{"slice", func(s *tensor.Scope, a T) T { return s.Slice(a, 1, 0, 3, 2) }, of(2, 2), []float64{1, 3, 4, 6}},
		{"reshape", func(s *tensor.Scope, a T) T { return s.Reshape(a, 3, -1) }, of(3, 2), []float64{1, 2, 3, 4, 5, 6}},
		{"permute", func(s *tensor.Scope, a T) T { return s.Permute(a, 1, 0) }, of(3, 2), []float64{1, 4, 2, 5, 3, 6}},
		{"contiguous", func(s *tensor.Scope, a T) T { return s.Contiguous(s.Permute(a, 1, 0)) }, of(3, 2), []float64{1, 4, 2, 5, 3, 6}},
		{"channels last keeps shape and values", func(s *tensor.Scope, a T) T { return s.ChannelsLast(s.Reshape(a, 1, 3, 1, 2)) },
			of(1, 3, 1, 2), []float64{1, 2, 3, 4, 5, 6}},
		{"pad with zeros: left 1, bottom 1", func(s *tensor.Scope, a T) T {
			return s.Pad(s.Reshape(a, 1, 1, 2, 3), tensor.PadZero, 1, 0, 0, 1)
		}, of(1, 1, 3, 4), []float64{0, 1, 2, 3, 0, 4, 5, 6, 0, 0, 0, 0}},
		{"pad by reflection: left 2, top 1, the edge not repeated", func(s *tensor.Scope, a T) T {
			return s.Pad(s.Reshape(a, 1, 1, 2, 3), tensor.PadReflect, 2, 0, 1, 0)
		}, of(1, 1, 3, 5), []float64{6, 5, 4, 5, 6, 3, 2, 1, 2, 3, 6, 5, 4, 5, 6}},
		{"pad by the edge: right 2, top 1", func(s *tensor.Scope, a T) T {
			return s.Pad(s.Reshape(a, 1, 1, 2, 3), tensor.PadReplicate, 0, 2, 1, 0)
		}, of(1, 1, 3, 5), []float64{1, 2, 3, 3, 3, 1, 2, 3, 3, 3, 4, 5, 6, 6, 6}},
		{"pixel shuffle: channel dy·2+dx", func(s *tensor.Scope, _ T) T {
			return s.PixelShuffle(s.FromFloat32s([]float32{1, 2, 3, 4}, 1, 4, 1, 1), 2)
		}, of(1, 1, 2, 2), []float64{1, 2, 3, 4}},
		{"pixel unshuffle: channel c·4+dy·2+dx", func(s *tensor.Scope, _ T) T {
			return s.PixelUnshuffle(s.FromFloat32s([]float32{1, 2, 3, 4, 5, 6, 7, 8}, 1, 2, 2, 2), 2)
		}, of(1, 8, 1, 1), []float64{1, 2, 3, 4, 5, 6, 7, 8}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, func(s *tensor.Scope) {
				want(t, s, c.op(s, s.FromFloat32s([]float32{1, 2, 3, 4, 5, 6}, 2, 3)), c.shape, c.want...)
			})
		})
	}
}

// Shuffle and unshuffle undo each other.
func TestPixelShuffleLaws(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		for _, r := range []int64{1, 2, 3} {
			x := s.Rand(1, tensor.Float32, tensor.CPU, 2, 3*r*r, 4, 5)
			if back := s.PixelUnshuffle(s.PixelShuffle(x, r), r); !slices.Equal(s.Float32s(back), s.Float32s(x)) {
				t.Errorf("r=%d: unshuffle(shuffle(x)) != x", r)
			}
		}
	})
}

func TestViewsShareMemory(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		a := vector(s, 1, 2, 3)
		s.Fill(s.Narrow(a, 0, 1, 1), 9)
		s.ScaleInPlace(s.Detach(a), 2)
		s.Fill(s.Clone(a), 0)
		want(t, s, a, of(3), 2, 18, 6)
	})
}

// Sample positions with align_corners false: (i+½)/scale − ½. Lines of height 1 keep what happens in one dimension.
func TestInterpolate(t *testing.T) {
	type T = torch.Tensor
	type options = tensor.InterpolateOptions
	for _, c := range []struct {
		reason string
		in     []float32
		mode   tensor.InterpolateMode
		o      options
		want   []float64
	}{
		{"nearest repeats", []float32{1, 2}, tensor.Nearest, options{H: 1, W: 4}, []float64{1, 1, 2, 2}},
		{"bilinear: positions −¼ (clamped), ¼, ¾, 1¼ (clamped)", []float32{0, 4}, tensor.Bilinear, options{H: 1, W: 4}, []float64{0, 1, 3, 4}},
		// w(x) = (a+2)x³−(a+3)x²+1 for x ≤ 1, a(x³−5x²+8x−4) for x ≤ 2, a = −0.75:
		// w(¼) = .87890625, w(¾) = .26171875, w(1¼) = −.10546875, w(1¾) = −.03515625.
		{"bicubic of an impulse draws the kernel", []float32{0, 0, 1, 0, 0}, tensor.Bicubic, options{H: 1, W: 10},
			[]float64{0, -.03515625, -.10546875, .26171875, .87890625, .87890625, .26171875, -.10546875, -.03515625, 0}},
		{"bicubic keeps a constant", []float32{3, 3, 3}, tensor.Bicubic, options{H: 1, W: 7}, []float64{3, 3, 3, 3, 3, 3, 3}},
		{"area: means of windows", []float32{1, 3, 5, 9}, tensor.Area, options{H: 1, W: 2}, []float64{2, 7}},
		{"bilinear without antialias: positions ½, 2½", []float32{0, 1, 2, 3}, tensor.Bilinear, options{H: 1, W: 2}, []float64{.5, 2.5}},
		// A triangle of radius 2 around 1: weights ¾ ¾ ¼ of pixels 0 1 2, divided by their sum: 1.25/1.75.
		{"antialias widens the triangle", []float32{0, 1, 2, 3}, tensor.Bilinear, options{H: 1, W: 2, Antialias: true}, []float64{1.25 / 1.75, 3 - 1.25/1.75}},
		{"bicubic antialias keeps a constant", []float32{3, 3, 3, 3}, tensor.Bicubic, options{H: 1, W: 2, Antialias: true}, []float64{3, 3}},
		{"sizes decide: positions ¾, 3¼ of a ramp", []float32{0, 1, 2, 3, 4}, tensor.Bilinear, options{H: 1, W: 2}, []float64{.75, 3.25}},
		{"a given scale decides: positions ½, 2½", []float32{0, 1, 2, 3, 4}, tensor.Bilinear, options{H: 1, W: 2, ScaleW: .5}, []float64{.5, 2.5}},
	} {
		t.Run(c.reason, func(t *testing.T) {
			in(t, func(s *tensor.Scope) {
				want(t, s, s.Interpolate(row(s, c.in...), c.mode, c.o), of(1, 1, 1, c.o.W), c.want...)
			})
		})
	}
}

func TestUpsample(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		want(t, s, s.Upsample(row(s, 1, 2), tensor.Nearest, 2), of(1, 1, 2, 4), 1, 1, 2, 2, 1, 1, 2, 2)
		wantError(t, func() { s.Upsample(vector(s, 1), tensor.Nearest, 2) })
	})
}
