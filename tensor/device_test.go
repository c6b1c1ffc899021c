package tensor_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/libtorch"
	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/tensor"
)

func TestParseDevice(t *testing.T) {
	have := tensor.Info().CUDADevices
	for _, c := range []struct {
		name string
		want tensor.Device
		ok   bool
	}{
		{"cpu", tensor.CPU, true},
		{"cuda", 0, have > 0},
		{"cuda:0", 0, have > 0},
		{"cuda:200", 200, have > 200},
		{"", 0, false},
		{"CPU", 0, false},
		{"cuda:", 0, false},
		{"cuda:-1", 0, false},
		{"cuda:+0", 0, false},
		{"cuda:x", 0, false},
		{"cuda:99999999999999999999", 0, false},
		{"cpu:0", 0, false},
		{"0", 0, false},
	} {
		got, err := tensor.ParseDevice(c.name)
		if (err == nil) != c.ok || c.ok && got != c.want {
			t.Errorf("ParseDevice(%q) = %v, %v", c.name, got, err)
		}
		if c.ok && c.name != "cuda" && got.String() != c.name {
			t.Errorf("%q prints as %q", c.name, got)
		}
	}
}

// Where there is no device, whatever asks for one is an error and nothing worse.
func TestNoDevice(t *testing.T) {
	if tensor.Info().CUDA {
		t.Skip("there is one")
	}
	const device = tensor.Device(0)
	if _, err := tensor.NewWorker(1, tensor.WithStream(device)); err == nil {
		t.Error("a worker has a stream")
	}
	if err := device.Wait(); err == nil {
		t.Error("it was waited for")
	}
	err := tensor.Do(t.Context(), func(s *tensor.Scope) error { s.Upload(device, []float32{1}, 1); return nil })
	var e *tensor.Error
	if !errors.As(err, &e) {
		t.Errorf("an upload gave %v, want a tensor.Error", err)
	}
	t.Log(err)
}

// What goes up comes down the same, on the CPU and on every device, and on a worker with a stream of its own too.
func TestUpload(t *testing.T) {
	for device := tensor.CPU; int(device) < tensor.Info().CUDADevices; device++ {
		w, err := tensor.NewWorker(1, tensor.WithStream(device))
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		err = w.Do(context.Background(), func(s *tensor.Scope) error {
			x := s.Upload(device, []float32{1, -2, 3, 0.5, 5, 6}, 2, 3)
			if got := s.DeviceOf(x); got != device {
				t.Errorf("on %v, want %v", got, device)
			}
			twice := s.MulScalar(s.Permute(x, 1, 0), 2)
			if got := s.Float32s(twice); !slices.Equal(got, []float32{2, 1, -4, 10, 6, 12}) {
				t.Errorf("%v: %v", device, got)
			}
			return nil
		})
		if err := errors.Join(err, device.Wait()); err != nil {
			t.Error(err)
		}
	}
}

// Repeatable enlarges bilinearly in other operations than libtorch's, to the same end.
func TestRepeatable(t *testing.T) {
	bilinear := func(s *tensor.Scope, x torch.Tensor) torch.Tensor { return s.Upsample(x, tensor.Bilinear, 2) }
	results := func(device tensor.Device, enlarge func(s *tensor.Scope, x torch.Tensor) torch.Tensor) (all []float64) {
		tensortest.Do(t, func(s *tensor.Scope) {
			x := s.Rand(1, tensor.Float32, device, 2, 3, 4, 5)
			s.RequiresGrad(true, x)
			y := enlarge(s, x)
			r := s.RandN(2, tensor.Float32, device, s.Shape(y)...)
			all = append(s.Float64s(y), s.Float64s(s.Grads(s.Sum(s.Mul(y, r), false), false, x)[0])...)
		})
		return all
	}
	want := results(tensor.CPU, bilinear)
	libtorch.RepeatableCUDA(true)
	t.Cleanup(func() { libtorch.RepeatableCUDA(false) })
	for name, all := range map[string][]float64{
		"twice":         results(tensor.CPU, (*tensor.Scope).Twice),
		"on the device": results(tensortest.Device(), bilinear),
	} {
		for i, got := range all {
			if math.Abs(got-want[i]) > 1e-6 {
				t.Errorf("%s, number %d: %v, want %v", name, i, got, want[i])
			}
		}
	}
}
