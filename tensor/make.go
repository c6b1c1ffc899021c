package tensor

import (
	"runtime"
	"unsafe"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/libtorch"
)

// DType is the type of a tensor's elements.
type DType = libtorch.DType

const (
	Float32  = libtorch.Float32
	Float64  = libtorch.Float64
	BFloat16 = libtorch.BFloat16
	Float16  = libtorch.Float16
	Uint8    = libtorch.Uint8
	Int64    = libtorch.Int64
	Bool     = libtorch.Bool
)

// FromFloat32s copies v into a new CPU tensor of that shape.
func (s *Scope) FromFloat32s(v []float32, shape ...int64) torch.Tensor {
	return fromMemory(s, v, Float32, shape, CPU)
}

// FromFloat64s copies v into a new CPU tensor of that shape.
func (s *Scope) FromFloat64s(v []float64, shape ...int64) torch.Tensor {
	return fromMemory(s, v, Float64, shape, CPU)
}

// FromBytes copies an image's interleaved bytes [h,w,c] into a float32 tensor [1,c,h,w] with values in [0,1].
func (s *Scope) FromBytes(pix []byte, h, w, c int64) torch.Tensor {
	return s.Local(func(s *Scope) torch.Tensor {
		return s.call("from bytes", libtorch.OpFromBytes, list(fromMemory(s, pix, Uint8, ints(h, w, c), CPU)), nil)
	})
}

// ToBytes gives an image [1,c,h,w] as interleaved bytes [h,w,c]: clamped to [0,1], times 255, rounded half to even.
func (s *Scope) ToBytes(x torch.Tensor) []byte {
	t := s.call("to bytes", libtorch.OpToBytes, list(x), nil)
	defer s.Free(t)
	out := make([]byte, s.Numel(t))
	toMemory(s, t, out, Uint8)
	return out
}

// Upload copies v into a new tensor of that shape on d: to a CUDA device from pinned memory, without waiting for it.
func (s *Scope) Upload(d Device, v []float32, shape ...int64) torch.Tensor {
	return fromMemory(s, v, Float32, shape, d)
}

func fromMemory[T any](s *Scope, v []T, dt DType, shape []int64, d Device) torch.Tensor {
	var zero T
	h, err := libtorch.FromMemory(unsafe.Pointer(unsafe.SliceData(v)), int64(len(v))*int64(unsafe.Sizeof(zero)), dt, shape, int(d))
	if err != nil {
		panic(&Error{Op: "from memory", Shapes: [][]int64{shape}, Cause: err})
	}
	return s.wrap(h)
}

func toMemory[T any](s *Scope, x torch.Tensor, dst []T, dt DType) {
	var zero T
	h := handles("read", list(x))[0]
	err := libtorch.ToMemory(h, unsafe.Pointer(unsafe.SliceData(dst)), int64(len(dst))*int64(unsafe.Sizeof(zero)), dt)
	runtime.KeepAlive(x)
	if err != nil {
		fail("read", err, x)
	}
}

// Float32s copies x out, row-major, converted to float32.
func (s *Scope) Float32s(x torch.Tensor) []float32 {
	out := make([]float32, s.Numel(x))
	toMemory(s, x, out, Float32)
	return out
}

// ReadFloat32s copies x into dst, which has exactly as many elements.
func (s *Scope) ReadFloat32s(x torch.Tensor, dst []float32) { toMemory(s, x, dst, Float32) }

// Float64s copies x out, row-major, converted to float64.
func (s *Scope) Float64s(x torch.Tensor) []float64 {
	out := make([]float64, s.Numel(x))
	toMemory(s, x, out, Float64)
	return out
}

// Item is the value of a tensor of one element.
func (s *Scope) Item(x torch.Tensor) float64 {
	var v [1]float64
	toMemory(s, x, v[:], Float64)
	return v[0]
}

// Full makes a tensor of one value.
func (s *Scope) Full(value float64, dt DType, d Device, shape ...int64) torch.Tensor {
	return s.call("full", libtorch.OpFull, nil, append(ints(int64(dt), int64(d)), shape...), value)
}

// Empty makes a tensor whose elements have any value.
func (s *Scope) Empty(dt DType, d Device, shape ...int64) torch.Tensor {
	return s.call("empty", libtorch.OpEmpty, nil, append(ints(int64(dt), int64(d)), shape...))
}

// Zeros makes a tensor of zeros.
func (s *Scope) Zeros(dt DType, d Device, shape ...int64) torch.Tensor {
	return s.Full(0, dt, d, shape...)
}

// Rand draws uniformly from [0,1). The result depends on the seed, shape and type alone, not on the device.
func (s *Scope) Rand(seed int64, dt DType, d Device, shape ...int64) torch.Tensor {
	return s.call("rand", libtorch.OpRand, nil, append(ints(int64(dt), int64(d), seed), shape...))
}

// RandN draws from the standard normal distribution, with the same rule as [Scope.Rand].
func (s *Scope) RandN(seed int64, dt DType, d Device, shape ...int64) torch.Tensor {
	return s.call("randn", libtorch.OpRandN, nil, append(ints(int64(dt), int64(d), seed), shape...))
}

// Cast converts x to another type; the result may share x's memory where it has that type already.
func (s *Scope) Cast(x torch.Tensor, dt DType) torch.Tensor {
	return s.call("cast", libtorch.OpTo, list(x), ints(int64(dt), -2))
}

// To brings x to a device; the result may share x's memory where it is there already.
func (s *Scope) To(x torch.Tensor, d Device) torch.Tensor {
	return s.call("to", libtorch.OpTo, list(x), ints(0, int64(d)))
}

// Clone copies x.
func (s *Scope) Clone(x torch.Tensor) torch.Tensor {
	return s.call("clone", libtorch.OpClone, list(x), nil)
}
