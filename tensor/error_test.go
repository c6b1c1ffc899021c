package tensor_test

import (
	"context"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/tensor"
)

// What goes wrong inside Do becomes an error that names the operation and the shapes, and the process goes on.
func TestErrors(t *testing.T) {
	type T = torch.Tensor
	for _, c := range []struct {
		name   string
		do     func(s *tensor.Scope, x T)
		op     string
		shapes [][]int64
		text   string // part of the cause
	}{
		{"convolution of other channels", func(s *tensor.Scope, x T) {
			s.Conv2D(s.Reshape(x, 1, 2, 1, 3), s.Zeros(tensor.Float32, tensor.CPU, 4, 5, 1, 1), T{}, tensor.ConvOptions{})
		}, "conv2d", [][]int64{{1, 2, 1, 3}, {4, 5, 1, 1}, nil}, "channels"},
		{"shapes that do not broadcast", func(s *tensor.Scope, x T) { s.Add(x, vector(s, 1, 2)) }, "add", [][]int64{{2, 3}, {2}}, "must match"},
		{"a product of other sizes", func(s *tensor.Scope, x T) { s.MatMul(x, x) }, "matmul", [][]int64{{2, 3}, {2, 3}}, ""},
		{"backward of what is no scalar", func(s *tensor.Scope, x T) {
			s.RequiresGrad(true, x)
			s.Backward(s.MulScalar(x, 2))
		}, "backward", [][]int64{{2, 3}}, "scalar"},
		{"backward without a graph", func(s *tensor.Scope, x T) { s.Backward(s.Sum(x, false)) }, "backward", [][]int64{{}}, "grad"},
		{"gradients of what is not used", func(s *tensor.Scope, x T) {
			y := vector(s, 1)
			s.RequiresGrad(true, x, y)
			s.Grads(s.Sum(x, false), false, y)
		}, "grads", [][]int64{{}, {1}}, "used"},
		{"in place on a leaf", func(s *tensor.Scope, x T) {
			s.RequiresGrad(true, x)
			s.Grad().ScaleInPlace(x, 2)
		}, "scale in place", [][]int64{{2, 3}}, "leaf"},
		{"reflection wider than the image", func(s *tensor.Scope, x T) {
			s.Pad(s.Reshape(x, 1, 1, 2, 3), tensor.PadReflect, 3, 0, 0, 0)
		}, "pad", [][]int64{{1, 1, 2, 3}}, ""},
		{"unshuffle of a side that is no multiple", func(s *tensor.Scope, x T) { s.PixelUnshuffle(s.Reshape(x, 1, 1, 2, 3), 2) },
			"pixel_unshuffle", [][]int64{{1, 1, 2, 3}}, ""},
		{"too few values", func(s *tensor.Scope, _ T) { s.FromFloat32s(make([]float32, 5), 2, 3) }, "from memory", [][]int64{{2, 3}}, "24 bytes"},
		{"a negative size", func(s *tensor.Scope, _ T) { s.FromFloat32s(nil, -1) }, "from memory", [][]int64{{-1}}, ""},
		{"a destination of another size", func(s *tensor.Scope, x T) { s.ReadFloat32s(x, make([]float32, 5)) }, "read", [][]int64{{2, 3}}, "24 bytes"},
		{"item of many", func(s *tensor.Scope, x T) { s.Item(x) }, "read", [][]int64{{2, 3}}, ""},
		{"bytes of no image", func(s *tensor.Scope, x T) { s.ToBytes(x) }, "to bytes", [][]int64{{2, 3}}, "[1,c,h,w]"},
		{"an unknown type", func(s *tensor.Scope, x T) { s.Cast(x, 99) }, "cast", [][]int64{{2, 3}}, "99"},
		{"an unknown filter", func(s *tensor.Scope, x T) {
			s.Interpolate(s.Reshape(x, 1, 1, 2, 3), 9, tensor.InterpolateOptions{H: 1, W: 1})
		}, "interpolate", [][]int64{{1, 1, 2, 3}}, "mode 9"},
		{"no such device", func(s *tensor.Scope, x T) { s.To(x, 1000) }, "to", [][]int64{{2, 3}}, "1000"},
		{"autocast to an integer", func(s *tensor.Scope, x T) { s.Autocast(tensor.Int64).Abs(x) }, "abs", [][]int64{{2, 3}}, "autocast"},
		{"nothing to join", func(s *tensor.Scope, _ T) { s.Cat(0) }, "cat", nil, ""},
		{"adam's lists", func(s *tensor.Scope, x T) { s.Adam(tensor.AdamOptions{Step: 1}, []T{x}, nil, nil, nil) }, "adam", nil, "1 params, 0 gradients"},
		{"adam's first step is 1", func(s *tensor.Scope, x T) { s.Adam(tensor.AdamOptions{}, nil, nil, nil, nil) }, "adam", nil, "from 1"},
		{"an average of another shape", func(s *tensor.Scope, x T) { s.EMA(.5, []T{x}, []T{vector(s, 1, 2, 3)}) }, "ema", nil, "parameter 0"},
		{"a failure by name", func(*tensor.Scope, T) { tensor.Failf("unet", "want %d channels", 3) }, "unet", nil, "want 3 channels"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tensortest.Check(t)
			err := tensor.Do(t.Context(), func(s *tensor.Scope) error {
				c.do(s, s.FromFloat32s([]float32{1, 2, 3, 4, 5, 6}, 2, 3))
				return nil
			})
			var e *tensor.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want an *Error", err)
			}
			if e.Op != c.op || !reflect.DeepEqual(e.Shapes, c.shapes) || !strings.Contains(e.Cause.Error(), c.text) {
				t.Errorf("got %q of %v: %v\nwant %q of %v: ...%s...", e.Op, e.Shapes, e.Cause, c.op, c.shapes, c.text)
			}
			if strings.Contains(e.Error(), "\n") || errors.Is(e, tensor.ErrOutOfMemory) {
				t.Errorf("more than a line, or out of memory: %v", e)
			}
			in(t, func(s *tensor.Scope) { want(t, s, s.Abs(vector(s, -1)), of(1), 1) }) // the process goes on
		})
	}
}

func TestErrorText(t *testing.T) {
	e := &tensor.Error{Op: "conv2d", Shapes: [][]int64{{1, 3, 8, 8}, nil, {}}, Cause: errors.New("two\n  lines")}
	if got, want := e.Error(), "tensor: conv2d of [1×3×8×8], none, []: two lines"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	e.Shapes = make([][]int64, 700)
	if got := e.Error(); len(got) > 200 || !strings.Contains(got, "none, 688 more: two lines") {
		t.Errorf("of 700 tensors: %q", got)
	}
}

func TestOutOfMemory(t *testing.T) {
	for _, c := range []struct {
		name string
		n    []int64
	}{
		{"a petabyte", of(1<<25, 1<<23)},
		{"more bytes than an int64 counts", of(math.MaxInt32, math.MaxInt32, math.MaxInt32)},
	} {
		t.Run(c.name, func(t *testing.T) {
			tensortest.Check(t)
			err := tensor.Do(t.Context(), func(s *tensor.Scope) error {
				s.Zeros(tensor.Float32, tensor.CPU, c.n...)
				return nil
			})
			if !errors.Is(err, tensor.ErrOutOfMemory) {
				t.Errorf("got %v, want ErrOutOfMemory", err)
			}
		})
	}
}

func TestLimitMemory(t *testing.T) {
	tensortest.Check(t)
	defer tensor.LimitMemory(0)
	const size = 1 << 20
	tensor.LimitMemory(tensor.MemoryStats(tensor.CPU).LiveBytes + 3*size)
	allocate := func(n int64) error {
		return tensor.Do(t.Context(), func(s *tensor.Scope) error {
			s.Zeros(tensor.Uint8, tensor.CPU, size)
			s.Zeros(tensor.Uint8, tensor.CPU, n)
			return nil
		})
	}
	if err := allocate(size); err != nil {
		t.Error("below the limit:", err)
	}
	if err := allocate(3 * size); !errors.Is(err, tensor.ErrOutOfMemory) {
		t.Errorf("above the limit: %v", err)
	}
	tensor.LimitMemory(0)
	if err := allocate(3 * size); err != nil {
		t.Error("without a limit:", err)
	}
}

func TestMemoryStats(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		const size = 1 << 20
		tensor.ResetPeak(tensor.CPU)
		before := tensor.MemoryStats(tensor.CPU)
		s.Free(s.Zeros(tensor.Uint8, tensor.CPU, size))
		after := tensor.MemoryStats(tensor.CPU)
		if after.LiveTensors != before.LiveTensors || after.LiveBytes != before.LiveBytes {
			t.Errorf("before %+v, after %+v", before, after)
		}
		if rise := after.PeakBytes - before.LiveBytes; rise < size || rise > size+1<<16 {
			t.Errorf("the peak rose by %d for a tensor of %d bytes", rise, size)
		}
		tensor.Trim()
	})
}

func TestCatchPassesOtherPanics(t *testing.T) {
	defer func() {
		if r := recover(); r != "other" {
			t.Errorf("recovered %v", r)
		}
	}()
	tensor.Catch(func() { panic("other") })
}

func TestEndedContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("why")
	cancel(why)
	err := tensor.Do(ctx, func(*tensor.Scope) error { panic("it ran") })
	if !errors.Is(err, why) {
		t.Errorf("got %v", err)
	}
}
