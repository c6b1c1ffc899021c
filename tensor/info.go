package tensor

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"unsafe"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/conv"
	"github.com/gopdd/gopdd/internal/libtorch"
)

// Shape of x.
func (s *Scope) Shape(x torch.Tensor) []int64 { return inspect(x).Shape }

// TypeOf x's elements.
func (s *Scope) TypeOf(x torch.Tensor) DType { return inspect(x).DType }

// DeviceOf x.
func (s *Scope) DeviceOf(x torch.Tensor) Device { return Device(inspect(x).CUDA) }

// Numel counts x's elements.
func (s *Scope) Numel(x torch.Tensor) int64 {
	n := int64(1)
	for _, d := range s.Shape(x) {
		n *= d
	}
	return n
}

func inspect(x torch.Tensor) libtorch.Info {
	h := handle(x)
	if h == nil {
		fail("inspect", errFreed, x)
	}
	info, err := libtorch.Inspect(h)
	runtime.KeepAlive(x)
	if err != nil {
		fail("inspect", err)
	}
	return info
}

// Data is the address of the first element of x, a contiguous tensor on the CPU, for code that computes without
// libtorch. It is good while x lives.
func (s *Scope) Data(x torch.Tensor) unsafe.Pointer {
	p, err := libtorch.Data(handles("data", list(x))[0])
	runtime.KeepAlive(x)
	if err != nil {
		fail("data", err, x)
	}
	return p
}

// Threads is how many cores operations called from this OS thread use: the worker's, inside of Do.
func (s *Scope) Threads() int { return libtorch.Threads() }

// Environment is what [Info] found.
type Environment struct {
	CompiledVersion string   `json:"compiled_version"` // libtorch's headers
	RuntimeVersion  string   `json:"runtime_version"`  // the library that runs; "" where it does not say
	CUDA            bool     `json:"cuda"`             // this libtorch can use at least one CUDA device
	CUDADevices     int      `json:"cuda_devices"`
	BFloat16        bool     `json:"bfloat16"`  // the CPU multiplies bfloat16 in hardware
	Kernels         []string `json:"kernels"`   // types that networks run in convolutions of our own in, on the CPU: float32, bfloat16
	Threads         int      `json:"threads"`   // cores a default worker uses
	Processes       []string `json:"processes"` // what moves tensors between processes that train together: gloo, nccl; none: they cannot
	Libraries       []string `json:"libraries"` // mapped libtorch, libc10 and libcgotorch files
}

// Info describes the libtorch in this process.
func Info() Environment {
	version, _ := runtimeVersion()
	n := libtorch.CUDADevices()
	return Environment{
		CompiledVersion: libtorch.CompiledVersion(),
		RuntimeVersion:  version,
		CUDA:            n > 0,
		CUDADevices:     n,
		BFloat16:        libtorch.HasBFloat16(),
		Kernels:         kernels(),
		Threads:         runtime.GOMAXPROCS(0),
		Processes:       groupEngines(),
		Libraries:       mappedLibraries(),
	}
}

func kernels() []string {
	names := []string{}
	for _, k := range conv.Available() {
		names = append(names, k.String())
	}
	return names
}

// groupEngines are those of this build, the CPU's first.
func groupEngines() []string {
	engines := []string{}
	for _, cuda := range []bool{false, true} {
		if name, _ := libtorch.GroupEngine(cuda); name != "" && !slices.Contains(engines, name) {
			engines = append(engines, name)
		}
	}
	return engines
}

var versionText = regexp.MustCompile(`TORCH_VERSION=([0-9.]+)`)

func runtimeVersion() (string, error) {
	text, err := libtorch.RuntimeConfig()
	if err != nil {
		return "", err
	}
	if m := versionText.FindStringSubmatch(text); m != nil {
		return m[1], nil
	}
	return "", nil
}

// mappedLibraries lists the native libraries of interest in this process.
func mappedLibraries() []string {
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return nil
	}
	defer f.Close()
	var found []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		_, path, _ := strings.Cut(lines.Text(), "/")
		path = strings.TrimSuffix("/"+path, " (deleted)")
		base := filepath.Base(path)
		for _, lib := range []string{"libc10.so", "libtorch_cpu.so", "libtorch_cuda.so", "libcgotorch.so"} {
			if strings.HasPrefix(base, lib) && !slices.Contains(found, path) {
				found = append(found, path)
			}
		}
	}
	slices.Sort(found)
	return found
}

// checkLibraries refuses a process in which two libtorches are mapped, or another version than the shim was
// compiled with: both end in undefined behaviour.
var checkLibraries = sync.OnceValue(func() error {
	return compatible(libtorch.CompiledVersion(), mappedLibraries(), runtimeVersion)
})

func compatible(compiled string, libraries []string, running func() (string, error)) error {
	var c10 []string
	for _, lib := range libraries {
		if strings.HasPrefix(filepath.Base(lib), "libc10.so") {
			c10 = append(c10, lib)
		}
	}
	if len(c10) > 1 {
		return fmt.Errorf("tensor: two libtorches are loaded, %s: run third_party/setup.sh for one of them and rebuild",
			strings.Join(c10, " and "))
	}
	version, err := running()
	if err != nil {
		return fmt.Errorf("tensor: ask libtorch for its version: %w", err)
	}
	if version != "" && version != compiled {
		return fmt.Errorf("tensor: compiled for libtorch %s, running with %s: run third_party/setup.sh, then go clean -cache and rebuild",
			compiled, version)
	}
	return nil
}

// Memory is what [MemoryStats] counts.
type Memory struct {
	LiveTensors int64 // made by this package and not yet freed, on any device
	LiveBytes   int64 // of all tensors of the device, whoever made them
	PeakBytes   int64 // the largest LiveBytes since the last ResetPeak
}

// MemoryStats counts tensors, and their bytes on d. A libtorch before 2.11 cannot tell those of a CUDA device: they are 0,
// as on a device that is not there. PeakBytes of a CUDA device also starts anew with [Scope.Peak] on it.
func MemoryStats(d Device) Memory {
	m := Memory{LiveTensors: libtorch.LiveTensors()}
	if d == CPU {
		m.LiveBytes, m.PeakBytes = libtorch.LiveBytes(), libtorch.PeakBytes()
	} else {
		m.LiveBytes, m.PeakBytes = libtorch.DeviceMemory(int(d))
	}
	return m
}

// ResetPeak starts a new measurement of PeakBytes, and so does [Scope.Peak] on a CUDA device.
func ResetPeak(d Device) {
	if d == CPU {
		libtorch.ResetPeakBytes()
	} else {
		libtorch.ResetDevicePeak(int(d))
	}
}

// Peak runs fn, which works in s inside [Do], and returns by how many bytes tensors on d rose at most meanwhile: on the
// CPU the worker's, whatever other workers do; on a CUDA device all, and 0 where [MemoryStats] cannot tell. A device has
// one peak, which this resets: two measurements on it at a time spoil each other.
func (s *Scope) Peak(d Device, fn func()) int64 {
	if d == CPU {
		return libtorch.ThreadPeak(fn)
	}
	ResetPeak(d)
	before := MemoryStats(d).LiveBytes
	fn()
	return MemoryStats(d).PeakBytes - before
}

// LimitMemory makes CPU tensor allocations fail with [ErrOutOfMemory] that would raise LiveBytes above n, in the
// whole process; 0 removes the limit. What libtorch's convolutions use beside tensors is not counted.
func LimitMemory(n int64) { libtorch.SetAllocationLimit(n) }

// Trim gives memory that is free but still held by the C heap back to the system.
func Trim() { libtorch.Trim() }
