package tensor

import (
	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/libtorch"
)

// Cat concatenates along dimension dim.
func (s *Scope) Cat(dim int64, ts ...torch.Tensor) torch.Tensor {
	return s.call("cat", libtorch.OpCat, ts, ints(dim))
}

// Narrow is a view of length elements of dimension dim, from start.
func (s *Scope) Narrow(a torch.Tensor, dim, start, length int64) torch.Tensor {
	return s.call("narrow", libtorch.OpNarrow, list(a), ints(dim, start, length))
}

// Slice is a view of every step-th element of dimension dim in [start, stop).
func (s *Scope) Slice(a torch.Tensor, dim, start, stop, step int64) torch.Tensor {
	return s.call("slice", libtorch.OpSlice, list(a), ints(dim, start, stop, step))
}

// Reshape gives a another shape with as many elements; one size may be −1.
func (s *Scope) Reshape(a torch.Tensor, shape ...int64) torch.Tensor {
	return s.call("reshape", libtorch.OpReshape, list(a), shape)
}

// Permute is a view with the dimensions in another order.
func (s *Scope) Permute(a torch.Tensor, order ...int64) torch.Tensor {
	return s.call("permute", libtorch.OpPermute, list(a), order)
}

// ChannelsLast lays a [N,C,H,W] out as NHWC in memory, which CPU convolutions prefer; the shape stays.
func (s *Scope) ChannelsLast(a torch.Tensor) torch.Tensor {
	return s.call("channels_last", libtorch.OpContiguous, list(a), ints(1))
}

// Contiguous lays a out row-major.
func (s *Scope) Contiguous(a torch.Tensor) torch.Tensor {
	return s.call("contiguous", libtorch.OpContiguous, list(a), ints(0))
}

// PadMode is how [Scope.Pad] continues an image beyond its border.
type PadMode int64

const (
	PadZero      PadMode = 0
	PadReflect   PadMode = 1 // without repeating the edge; at most size−1 pixels
	PadReplicate PadMode = 2
)

// Pad widens the last two dimensions of a [N,C,H,W].
func (s *Scope) Pad(a torch.Tensor, mode PadMode, left, right, top, bottom int64) torch.Tensor {
	return s.call("pad", libtorch.OpPad, list(a), ints(int64(mode), left, right, top, bottom), 0)
}

// PixelShuffle turns [N,C·r²,H,W] into [N,C,rH,rW].
func (s *Scope) PixelShuffle(a torch.Tensor, r int64) torch.Tensor {
	return s.call("pixel_shuffle", libtorch.OpPixelShuffle, list(a), ints(r))
}

// PixelUnshuffle turns [N,C,rH,rW] into [N,C·r²,H,W], channel c·r²+dy·r+dx.
func (s *Scope) PixelUnshuffle(a torch.Tensor, r int64) torch.Tensor {
	return s.call("pixel_unshuffle", libtorch.OpPixelUnshuffle, list(a), ints(r))
}

// InterpolateMode is the filter of [Scope.Interpolate].
type InterpolateMode int64

const (
	Nearest  InterpolateMode = 0
	Bilinear InterpolateMode = 1
	Bicubic  InterpolateMode = 2 // a = −0.75
	Area     InterpolateMode = 3 // adaptive average pooling
)

// InterpolateOptions say the output's size. Antialias widens the filter when shrinking (Bilinear and Bicubic).
// With a ScaleH or ScaleW that is not 0, the sample positions use it instead of the ratio of the sizes.
type InterpolateOptions struct {
	H, W           int64
	ScaleH, ScaleW float64
	Antialias      bool
}

// Interpolate resizes a [N,C,H,W] as torch.nn.functional.interpolate with align_corners false.
func (s *Scope) Interpolate(a torch.Tensor, mode InterpolateMode, o InterpolateOptions) torch.Tensor {
	return s.call("interpolate", libtorch.OpInterpolate, list(a),
		ints(int64(mode), o.H, o.W, bit(o.Antialias)), o.ScaleH, o.ScaleW)
}

// Upsample enlarges both sides of a [N,C,H,W] by factor.
func (s *Scope) Upsample(a torch.Tensor, mode InterpolateMode, factor int64) torch.Tensor {
	shape := s.Shape(a)
	if len(shape) != 4 {
		Failf("upsample", "want [N,C,H,W], got %v", shape)
	}
	return s.Interpolate(a, mode, InterpolateOptions{H: shape[2] * factor, W: shape[3] * factor})
}
