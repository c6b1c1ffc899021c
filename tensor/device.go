package tensor

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gopdd/gopdd/internal/libtorch"
)

// Device is where a tensor lives: [CPU], or the index of a CUDA device.
type Device int64

// CPU is the main processor.
const CPU Device = -1

// String gives "cpu" or "cuda:N".
func (d Device) String() string {
	if d == CPU {
		return "cpu"
	}
	return fmt.Sprintf("cuda:%d", int64(d))
}

// ParseDevice reads "cpu", "cuda" (device 0) or "cuda:N" and checks that there is such a device.
func ParseDevice(name string) (Device, error) {
	if name == "cpu" {
		return CPU, nil
	}
	index, ok := "0", name == "cuda"
	if !ok {
		index, ok = strings.CutPrefix(name, "cuda:")
	}
	n, err := strconv.ParseUint(index, 10, 8)
	if !ok || err != nil {
		return 0, fmt.Errorf("tensor: device %q: want cpu, cuda or cuda:N", name)
	}
	if have := libtorch.CUDADevices(); int(n) >= have {
		return 0, fmt.Errorf("tensor: device %q: libtorch %s sees %d CUDA devices; use cpu, or see pdd doctor",
			name, libtorch.CompiledVersion(), have)
	}
	return Device(n), nil
}

// Wait waits until d has done what threads without a stream of their own have begun; with the CPU it does nothing. What
// a network's loading has begun must be done before a [Worker] with a stream of its own ([WithStream]) uses it.
func (d Device) Wait() error {
	if d == CPU {
		return nil
	}
	if err := libtorch.WaitDevice(int(d)); err != nil {
		return fmt.Errorf("tensor: wait for %v: %w", d, err)
	}
	return nil
}

// Repeatable makes what networks and losses compute on CUDA devices equal in every run, in the whole process from now on,
// which costs time; [Device.Tune] does nothing then. Call it before the first product on a device: cuBLAS looks at
// CUBLAS_WORKSPACE_CONFIG, which this sets where it is not set, only once. The CPU is so by itself.
func (d Device) Repeatable() {
	if d != CPU {
		libtorch.RepeatableCUDA(true)
	}
}

// AllowTF32 lets CUDA devices round the factors of Float32 products to TF32, which has 10 bits instead of 23 and is several
// times as fast on those that know it (Ampere and later). It holds for the whole process from now on. Without it
// Float32 is exact, unlike libtorch's default.
func (d Device) AllowTF32() {
	if d != CPU {
		libtorch.AllowTF32()
	}
}

// Tune lets the process try cuDNN's algorithms for each new size of a convolution and keep the fastest (PyTorch's
// cudnn.benchmark), which pays where sizes come again, as those of tiles and patches do. With the CPU, and after
// [Device.Repeatable], it does nothing.
func (d Device) Tune() {
	if d != CPU {
		libtorch.TuneCUDA()
	}
}
