package weightfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"slices"

	"github.com/x448/float16"
)

// DType is an element type under its safetensors name.
type DType string

// The element types that weights and test vectors use.
const (
	F16  DType = "F16"
	BF16 DType = "BF16"
	F32  DType = "F32"
	F64  DType = "F64"
	I8   DType = "I8"
	I16  DType = "I16"
	I32  DType = "I32"
	I64  DType = "I64"
	U8   DType = "U8"
	Bool DType = "BOOL"
)

// Size is the number of bytes of one element, 0 for a type this package does not read.
func (d DType) Size() int {
	switch d {
	case I8, U8, Bool:
		return 1
	case F16, BF16, I16:
		return 2
	case F32, I32:
		return 4
	case F64, I64:
		return 8
	}
	return 0
}

// maxRank bounds the number of dimensions: a convolution's weight has 4.
const maxRank = 8

// Array is one named tensor of a weight file. It is immutable and may be read by many goroutines; it may be a
// strided view of bytes that other arrays share, and holds on to them.
type Array struct {
	Name  string
	DType DType
	Shape []int // row-major, outermost first; a scalar has none

	data    []byte // starts at the first element
	strides []int  // in elements; nil when the elements lie one after another
}

// NewFloat32 makes a contiguous F32 array. It copies data and fails if its length does not fit the shape.
func NewFloat32(name string, shape []int, data []float32) (Array, error) {
	raw := make([]byte, 0, 4*len(data))
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	a, err := newArray(name, F32, slices.Clone(shape), raw)
	if err == nil && a.Len() != len(data) {
		err = fmt.Errorf("weightfile: array %q: %d values for shape %v", name, len(data), shape)
	}
	return a, err
}

// newArray makes a contiguous array of the first bytes of data.
func newArray(name string, dtype DType, shape []int, data []byte) (Array, error) {
	return newView(name, dtype, data, 0, shape, nil)
}

// newView makes an array whose element (i, j, ..) is element offset + i*strides[0] + j*strides[1] + .. of data,
// after checking that no element lies outside data and that none repeats through a stride of 0.
func newView(name string, dtype DType, data []byte, offset int, shape, strides []int) (Array, error) {
	if dtype.Size() == 0 {
		return Array{}, fmt.Errorf("array %q: element type %q is not one of the supported", name, dtype)
	}
	capacity := len(data) / dtype.Size()
	if offset < 0 || offset > capacity {
		return Array{}, fmt.Errorf("array %q: starts at element %d of a storage of %d", name, offset, capacity)
	}
	if err := checkReach(shape, strides, capacity-offset); err != nil {
		return Array{}, fmt.Errorf("array %q: %w", name, err)
	}
	if contiguous(shape, strides) {
		strides = nil
	}
	return Array{Name: name, DType: dtype, Shape: shape, data: data[offset*dtype.Size():], strides: strides}, nil
}

// checkReach fails unless all elements lie among the first capacity ones. Nothing in it can overflow.
func checkReach(shape, strides []int, capacity int) error {
	if len(shape) > maxRank || (strides != nil && len(strides) != len(shape)) {
		return fmt.Errorf("%d dimensions with %d strides: at most %d, and as many strides", len(shape), len(strides), maxRank)
	}
	if len(shape) > 0 && slices.Min(shape) < 0 {
		return fmt.Errorf("negative shape %v", shape)
	}
	if slices.Contains(shape, 0) {
		return nil
	}
	count := 1
	for _, n := range shape {
		if count > capacity/n {
			return fmt.Errorf("shape %v needs more elements than the %d in its storage", shape, capacity)
		}
		count *= n
	}
	if capacity == 0 { // a scalar
		return errors.New("no element in its storage")
	}
	last := 0
	for i, stride := range strides {
		if shape[i] > 1 && (stride < 1 || shape[i]-1 > (capacity-1-last)/stride) {
			return fmt.Errorf("strides %v for shape %v in a storage of %d elements", strides, shape, capacity)
		}
		last += (shape[i] - 1) * stride
	}
	return nil
}

func contiguous(shape, strides []int) bool {
	want := 1
	for i := len(strides) - 1; i >= 0; i-- {
		if shape[i] != 1 && strides[i] != want {
			return false
		}
		want *= shape[i]
	}
	return true
}

// Len is the number of elements.
func (a Array) Len() int {
	n := 1
	for _, d := range a.Shape {
		n *= d
	}
	return n
}

// Bytes is the number of bytes of the elements.
func (a Array) Bytes() int { return a.Len() * a.DType.Size() }

// Float32s is [Array.Decode] into a new slice, which is the caller's.
func (a Array) Float32s() ([]float32, error) {
	out := make([]float32, a.Len())
	return out, a.Decode(out)
}

// Decode writes the elements to out, which has room for them, in row-major order and converted to float32. A value that is
// NaN, infinite or too large for float32 is an error that names the array: no network computes with it.
func (a Array) Decode(out []float32) error {
	raw := a.packed()
	switch a.DType {
	case F32:
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	case BF16:
		for i := range out {
			out[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(raw[2*i:])) << 16)
		}
	case F16:
		for i := range out {
			out[i] = halfToFloat(binary.LittleEndian.Uint16(raw[2*i:]))
		}
	default:
		for i := range out {
			out[i] = float32(a.DType.decode(raw, i))
		}
	}
	for i, v := range out {
		if v-v != 0 { // NaN and the infinities, nothing else
			return fmt.Errorf("weightfile: array %q: element %d of shape %v is %v: the weights are damaged or the training diverged",
				a.Name, i, a.Shape, v)
		}
	}
	return nil
}

// Half returns the array with its elements as float16, rounded to the nearest; whole numbers and truth values stay as
// they are. An element beyond ±65504, the range of float16, is an error.
func (a Array) Half() (Array, error) {
	switch a.DType {
	case F64, F32, BF16:
	default:
		return a, nil
	}
	values, err := a.Float32s()
	if err != nil {
		return Array{}, err
	}
	raw := make([]byte, 0, 2*len(values))
	for i, v := range values {
		h := float16.Fromfloat32(v)
		if h.IsInf(0) {
			return Array{}, fmt.Errorf("weightfile: array %q: element %d is %v: float16 ends at 65504", a.Name, i, v)
		}
		raw = binary.LittleEndian.AppendUint16(raw, h.Bits())
	}
	return newArray(a.Name, F16, slices.Clone(a.Shape), raw)
}

// Float64s returns the elements in row-major order, widened to float64 and not checked: NaN and infinities pass.
// The slice is the caller's.
func (a Array) Float64s() []float64 {
	out := make([]float64, a.Len())
	raw := a.packed()
	for i := range out {
		out[i] = a.DType.decode(raw, i)
	}
	return out
}

// Sum is a checksum (CRC-32C) of texts, and of the names, types and elements of arrays, in their order.
func Sum(texts []string, arrays []Array) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	sum := uint32(0)
	add := func(b []byte) {
		sum = crc32.Update(sum, table, binary.LittleEndian.AppendUint64(nil, uint64(len(b))))
		sum = crc32.Update(sum, table, b)
	}
	for _, t := range texts {
		add([]byte(t))
	}
	for _, a := range arrays {
		add([]byte(a.Name))
		add([]byte(a.DType))
		add(a.packed())
	}
	return sum
}

// packed returns the elements' bytes in row-major order: the array's own where it is contiguous, else a copy.
func (a Array) packed() []byte {
	size := a.DType.Size()
	if a.strides == nil {
		return a.data[:a.Len()*size]
	}
	out := make([]byte, 0, a.Len()*size)
	index := make([]int, len(a.Shape))
	for at := 0; len(out) < cap(out); {
		out = append(out, a.data[at*size:(at+1)*size]...)
		for d := len(index) - 1; d >= 0; d-- { // the next index, as an odometer counts
			index[d]++
			at += a.strides[d]
			if index[d] < a.Shape[d] {
				break
			}
			at -= index[d] * a.strides[d]
			index[d] = 0
		}
	}
	return out
}

// decode reads element i of contiguous little-endian bytes.
func (d DType) decode(raw []byte, i int) float64 {
	le := binary.LittleEndian
	switch d {
	case F16:
		return float64(halfToFloat(le.Uint16(raw[2*i:])))
	case BF16:
		return float64(math.Float32frombits(uint32(le.Uint16(raw[2*i:])) << 16))
	case F32:
		return float64(math.Float32frombits(le.Uint32(raw[4*i:])))
	case F64:
		return math.Float64frombits(le.Uint64(raw[8*i:]))
	case I8:
		return float64(int8(raw[i]))
	case I16:
		return float64(int16(le.Uint16(raw[2*i:])))
	case I32:
		return float64(int32(le.Uint32(raw[4*i:])))
	case I64:
		return float64(int64(le.Uint64(raw[8*i:])))
	default: // U8 and Bool; newView lets no other type in
		return float64(raw[i])
	}
}

// halfToFloat widens an IEEE 754 binary16.
func halfToFloat(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10&31), uint32(h&1023)
	switch exp {
	case 0: // zero and subnormals: frac * 2^-24
		return math.Float32frombits(sign | math.Float32bits(float32(frac)/(1<<24)))
	case 31: // infinity and NaN
		return math.Float32frombits(sign | 0xFF<<23 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}
