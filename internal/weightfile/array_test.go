package weightfile

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func bytesOf(n int) []byte { // element i of U8 is i
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func TestViews(t *testing.T) {
	tests := []struct {
		label          string
		offset         int
		shape, strides []int
		want           []float64
	}{
		{"contiguous", 1, []int{2, 3}, []int{3, 1}, []float64{1, 2, 3, 4, 5, 6}},
		{"transposed", 0, []int{3, 2}, []int{1, 3}, []float64{0, 3, 1, 4, 2, 5}},
		{"every other column", 0, []int{2, 2}, []int{6, 2}, []float64{0, 2, 6, 8}},
		{"stride of a side of 1 is free", 2, []int{1, 2}, []int{999, 1}, []float64{2, 3}},
		{"scalar", 5, nil, []int{}, []float64{5}},
		{"empty", 12, []int{7, 0}, []int{7, 1}, []float64{}},
	}
	for _, tt := range tests {
		t.Run(tt.label, func(t *testing.T) {
			a, err := newView("a", U8, bytesOf(12), tt.offset, tt.shape, tt.strides)
			if err != nil {
				t.Fatal(err)
			}
			if got := a.Float64s(); !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestViewsOutOfBounds(t *testing.T) {
	const big = math.MaxInt
	tests := []struct {
		label          string
		offset         int
		shape, strides []int
	}{
		{"one too many", 0, []int{13}, nil},
		{"scalar behind the end", 12, nil, nil},
		{"offset before the start", -1, []int{1}, []int{1}},
		{"offset beyond the end", 13, []int{0}, []int{1}},
		{"last element beyond the end", 1, []int{2, 2}, []int{10, 1}},
		{"negative side", 0, []int{-1}, []int{1}},
		{"negative stride", 11, []int{2}, []int{-1}},
		{"stride 0 repeats an element", 0, []int{3}, []int{0}},
		{"product overflows", 0, []int{big, big}, []int{1, 1}},
		{"stride overflows", 0, []int{3}, []int{big}},
		{"fewer strides than sides", 0, []int{2, 2}, []int{1}},
		{"too many dimensions", 0, []int{1, 1, 1, 1, 1, 1, 1, 1, 1}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.label, func(t *testing.T) {
			if a, err := newView("a", U8, bytesOf(12), tt.offset, tt.shape, tt.strides); err == nil {
				t.Errorf("accepted as %v", a.Shape)
			}
		})
	}
}

// The bit patterns are IEEE 754's binary16 and the truncated binary32 that bfloat16 is.
func TestDTypes(t *testing.T) {
	tests := []struct {
		dtype DType
		raw   string
		want  float64
	}{
		{F16, "\x00\x3c", 1},
		{F16, "\x00\xc0", -2},
		{F16, "\xff\x7b", 65504},                    // the largest
		{F16, "\x01\x00", math.Pow(2, -24)},         // the smallest subnormal
		{F16, "\xff\x83", -1023 * math.Pow(2, -24)}, // the largest subnormal, negative
		{F16, "\x00\x04", math.Pow(2, -14)},         // the smallest normal
		{F16, "\x00\x7c", math.Inf(1)},
		{BF16, "\x80\x3f", 1},
		{BF16, "\x80\x7f", math.Inf(1)},
		{F32, "\x00\x00\x80\x3f", 1},
		{F64, "\x00\x00\x00\x00\x00\x00\xf0\x3f", 1},
		{I8, "\xff", -1},
		{U8, "\xff", 255},
		{I16, "\xfe\xff", -2},
		{I32, "\xfd\xff\xff\xff", -3},
		{I64, "\xfc\xff\xff\xff\xff\xff\xff\xff", -4},
		{Bool, "\x01", 1},
	}
	for _, tt := range tests {
		a, err := newArray("a", tt.dtype, []int{1}, []byte(tt.raw))
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Float64s()[0]; got != tt.want {
			t.Errorf("%s %q is %v, want %v", tt.dtype, tt.raw, got, tt.want)
		}
		got, err := a.Float32s()
		if math.IsInf(tt.want, 0) {
			if err == nil || !strings.Contains(err.Error(), `array "a"`) {
				t.Errorf("%s %q as float32: error %v, want one that names the array", tt.dtype, tt.raw, err)
			}
			continue
		}
		if err != nil || got[0] != float32(tt.want) {
			t.Errorf("%s %q as float32 is %v, %v; want %v", tt.dtype, tt.raw, got, err, tt.want)
		}
	}
	if _, err := newArray("a", "F8_E4M3", []int{1}, []byte{0}); err == nil {
		t.Error("an element type without meaning here was accepted")
	}
}

func TestFloat32sRefusesNonFinite(t *testing.T) {
	for _, v := range []float32{float32(math.NaN()), float32(math.Inf(1)), float32(math.Inf(-1))} {
		a, err := NewFloat32("w", []int{2}, []float32{0, v})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Float32s(); err == nil || !strings.Contains(err.Error(), `"w": element 1`) {
			t.Errorf("%v: error %v, want one that names the array and the element", v, err)
		}
	}
	large, err := newArray("w", F64, []int{1}, []byte("\x00\x00\x00\x00\x00\x00\xf0\x7e")) // 2^1008
	if err != nil {
		t.Fatal(err)
	}
	if _, err := large.Float32s(); err == nil {
		t.Error("a float64 beyond float32's range was accepted")
	}
}

func TestNewFloat32ChecksItsLength(t *testing.T) {
	for _, shape := range [][]int{{1}, {3}, {2, 2}, {-2}} {
		if _, err := NewFloat32("w", shape, []float32{1, 2}); err == nil {
			t.Errorf("2 values were accepted for shape %v", shape)
		}
	}
}

func TestHalf(t *testing.T) {
	// Expected values: IEEE 754 binary16, round to nearest even.
	a, err := NewFloat32("w", []int{2, 3}, []float32{1, -0.1, 65504, 1 + 1.0/2048, 1 + 3.0/2048, 6e-8})
	if err != nil {
		t.Fatal(err)
	}
	h, err := a.Half()
	if err != nil {
		t.Fatal(err)
	}
	want := []float64{1, -0.0999755859375, 65504, 1, 1 + 2.0/1024, 1.0 / (1 << 24)}
	if got := h.Float64s(); !slices.Equal(got, want) || h.DType != F16 || h.Bytes() != 12 || !slices.Equal(h.Shape, a.Shape) {
		t.Errorf("%v %v: %v, want %v", h.DType, h.Shape, got, want)
	}
	if again, err := h.Half(); err != nil || !slices.Equal(again.Float64s(), want) {
		t.Errorf("of float16: %v, %v", again.Float64s(), err)
	}
	large, err := NewFloat32("bias", []int{1}, []float32{65520})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := large.Half(); err == nil || !strings.Contains(err.Error(), `"bias"`) {
		t.Errorf("beyond the range: error %v, want one that names the array", err)
	}
}
