package libtorch

/*
#cgo pkg-config: gopdd-libtorch-from-third_party-setup.sh
#cgo CXXFLAGS: -std=c++20
#cgo LDFLAGS: -lstdc++
#include <stdlib.h>
#include "shim.h"
#include "ops.h"
*/
import "C"

import (
	"math"
	"unsafe"

	"github.com/gopdd/gopdd/internal/conv"
)

func init() { SetConvKernels(math.MaxInt) }

// SetConvKernels lets convolutions run in the kernels of package conv for an instruction set as theirs are counted,
// or the best there are; 0 leaves them all to libtorch. It is for tests, and for the whole process.
func SetConvKernels(set int) {
	table, best := conv.Table()
	C.pdd_set_conv_kernels(table, C.int(min(set, best)))
}

// Handle is an at::Tensor*.
type Handle = unsafe.Pointer

// Error is what libtorch said.
type Error struct {
	NoMemory bool // memory is exhausted; less work at a time may succeed
	Msg      string
}

func (e *Error) Error() string { return e.Msg }

// check turns a status into an error and frees its text.
func check(st C.pdd_status) error {
	if st.kind == C.PDD_OK {
		return nil
	}
	e := &Error{NoMemory: st.kind == C.PDD_NO_MEMORY, Msg: C.GoString(st.msg)}
	C.free(unsafe.Pointer(st.msg))
	return e
}

// Mode holds libtorch's thread-local modes, set for one call.
type Mode struct {
	Grad     int8 // -1: as the thread has it, 0: off, 1: on
	Autocast int8 // -1: as the thread has it, 0: off, else a DType
}

// ThreadMode leaves both modes as the calling thread has them.
var ThreadMode = Mode{Grad: -1, Autocast: -1}

// DType is the type of a tensor's elements.
type DType int8

const (
	Float32  DType = C.PDD_FLOAT32
	Float64  DType = C.PDD_FLOAT64
	BFloat16 DType = C.PDD_BFLOAT16
	Float16  DType = C.PDD_FLOAT16
	Uint8    DType = C.PDD_UINT8
	Int64    DType = C.PDD_INT64
	Bool     DType = C.PDD_BOOL
)

func handles(h []Handle) *C.pdd_tensor {
	return (*C.pdd_tensor)(unsafe.Pointer(unsafe.SliceData(h)))
}

// Call runs one operation of ops.h and returns its result.
func Call(op Op, m Mode, in []Handle, ints []int64, nums []float64) (Handle, error) {
	var out C.pdd_tensor
	err := call(op, m, in, ints, nums, &out, 1)
	return Handle(out), err
}

// Run runs one operation of ops.h for its effect.
func Run(op Op, m Mode, in []Handle, ints []int64, nums []float64) error {
	return call(op, m, in, ints, nums, nil, 0)
}

func call(op Op, m Mode, in []Handle, ints []int64, nums []float64, out *C.pdd_tensor, n C.int) error {
	return check(C.pdd_call(C.int(op), C.pdd_mode{grad: C.int8_t(m.Grad), autocast: C.int8_t(m.Autocast)},
		handles(in), C.int(len(in)),
		(*C.int64_t)(unsafe.Pointer(unsafe.SliceData(ints))), C.int(len(ints)),
		(*C.double)(unsafe.Pointer(unsafe.SliceData(nums))), C.int(len(nums)),
		out, n))
}

// Free deletes the at::Tensor; nil is allowed.
func Free(h Handle) { C.pdd_free(C.pdd_tensor(h)) }

// Info describes a tensor.
type Info struct {
	Shape        []int64
	DType        DType // 0: none of ours
	CUDA         int   // device index, -1: CPU
	ChannelsLast bool
	RequiresGrad bool
}

// Inspect reads a tensor's shape, type and place.
func Inspect(h Handle) (Info, error) {
	var c C.pdd_info
	if err := check(C.pdd_inspect(C.pdd_tensor(h), &c)); err != nil {
		return Info{}, err
	}
	if c.dims < 0 {
		return Info{}, &Error{Msg: "tensors of more than 8 dimensions are not supported"}
	}
	shape := make([]int64, c.dims)
	for i := range shape {
		shape[i] = int64(c.shape[i])
	}
	return Info{shape, DType(c.dtype), int(c.cuda), c.channels_last != 0, c.requires_grad != 0}, nil
}

// Data is the address of a contiguous CPU tensor's first element, which is the tensor's memory.
func Data(h Handle) (unsafe.Pointer, error) {
	var data unsafe.Pointer
	err := check(C.pdd_data(C.pdd_tensor(h), &data))
	return data, err
}

// FromMemory copies n bytes at src into a new tensor of the given type and shape, on a CUDA device or, with -1, the CPU.
func FromMemory(src unsafe.Pointer, n int64, t DType, shape []int64, cuda int) (Handle, error) {
	var out C.pdd_tensor
	st := C.pdd_from_memory(src, C.int64_t(n), C.int(t),
		(*C.int64_t)(unsafe.Pointer(unsafe.SliceData(shape))), C.int(len(shape)), C.int(cuda), &out)
	return Handle(out), check(st)
}

// ToMemory copies a tensor, converted to type t and made contiguous, to the n bytes at dst.
func ToMemory(h Handle, dst unsafe.Pointer, n int64, t DType) error {
	return check(C.pdd_to_memory(C.pdd_tensor(h), dst, C.int64_t(n), C.int(t)))
}

// Backward is torch::autograd::backward of a scalar.
func Backward(loss Handle, retainGraph bool) error {
	return check(C.pdd_backward(C.pdd_tensor(loss), flag(retainGraph)))
}

// Grads is torch::autograd::grad of a scalar with respect to inputs, accumulating nowhere.
func Grads(loss Handle, inputs []Handle, retainGraph bool) ([]Handle, error) {
	out := make([]Handle, len(inputs))
	st := C.pdd_grads(C.pdd_tensor(loss), handles(inputs), C.int(len(inputs)), flag(retainGraph), handles(out))
	return out, check(st)
}

// Grad is x.grad(), nil where there is none.
func Grad(h Handle) (Handle, error) {
	var out C.pdd_tensor
	st := C.pdd_grad(C.pdd_tensor(h), &out)
	return Handle(out), check(st)
}

// AdamOptions are one step's rates; Step counts from 1.
type AdamOptions struct {
	LR, Beta1, Beta2, Eps, WeightDecay float64
	Step                               int64
}

// Adam updates params and the moments m and v in place; a nil gradient skips its parameter.
func Adam(o AdamOptions, params, grads, m, v []Handle) error {
	c := C.pdd_adam_options{lr: C.double(o.LR), beta1: C.double(o.Beta1), beta2: C.double(o.Beta2),
		eps: C.double(o.Eps), weight_decay: C.double(o.WeightDecay), step: C.int64_t(o.Step)}
	return check(C.pdd_adam(c, handles(params), handles(grads), handles(m), handles(v), C.int(len(params))))
}

// EMA moves averages to decay*average + (1-decay)*param in place.
func EMA(decay float64, averages, params []Handle) error {
	return check(C.pdd_ema(C.double(decay), handles(averages), handles(params), C.int(len(params))))
}

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}

// Module is a torch::jit::Module*.
type Module = unsafe.Pointer

// LoadModule is torch::jit::load onto CUDA device cuda, or the CPU for -1.
func LoadModule(path string, cuda int) (Module, error) {
	p := C.CString(path)
	defer C.free(unsafe.Pointer(p))
	var out C.pdd_module
	st := C.pdd_module_load(p, C.int(cuda), &out)
	return Module(out), check(st)
}

// ForwardModule calls the module's forward with one tensor.
func ForwardModule(mod Module, m Mode, x Handle) (Handle, error) {
	var out C.pdd_tensor
	st := C.pdd_module_forward(C.pdd_module(mod), C.pdd_mode{grad: C.int8_t(m.Grad), autocast: C.int8_t(m.Autocast)},
		C.pdd_tensor(x), &out)
	return Handle(out), check(st)
}

// FreeModule deletes the module; nil is allowed.
func FreeModule(m Module) { C.pdd_module_free(C.pdd_module(m)) }

// SetThreads sets how many threads libtorch uses for operations called from this OS thread.
func SetThreads(n int) error { return check(C.pdd_set_threads(C.int(n))) }

// Threads is the number in force on this OS thread.
func Threads() int { return int(C.pdd_get_threads()) }

// ThreadID differs between live OS threads.
func ThreadID() uintptr { return uintptr(C.pdd_thread_id()) }

// CompiledVersion is the version of the headers the shim was compiled with.
func CompiledVersion() string { return C.GoString(C.pdd_compiled_version()) }

// RuntimeConfig is at::show_config().
func RuntimeConfig() (string, error) {
	var text *C.char
	if err := check(C.pdd_runtime_config(&text)); err != nil {
		return "", err
	}
	defer C.free(unsafe.Pointer(text))
	return C.GoString(text), nil
}

// CUDADevices counts the CUDA devices libtorch can use; where it cannot tell, that is none.
func CUDADevices() int {
	var n C.int
	_ = check(C.pdd_cuda_devices(&n))
	return int(n)
}

// TuneCUDA is PyTorch's cudnn.benchmark = True, for the whole process. It does nothing while RepeatableCUDA is on.
func TuneCUDA() { C.pdd_cuda_tune() }

// RepeatableCUDA makes training on CUDA devices give equal results in every run, or not, for the whole process.
func RepeatableCUDA(on bool) { C.pdd_cuda_repeatable(flag(on)) }

// AllowTF32 lets CUDA devices multiply float32 in TF32, in the whole process from now on.
func AllowTF32() { C.pdd_cuda_allow_tf32() }

// OwnStream gives the calling OS thread a CUDA stream of its own.
func OwnStream(cuda int) error { return check(C.pdd_cuda_own_stream(C.int(cuda))) }

// WaitDevice waits for what threads without a stream of their own have begun on a CUDA device.
func WaitDevice(cuda int) error { return check(C.pdd_cuda_wait(C.int(cuda))) }

// DeviceMemory are the bytes of all tensors on a CUDA device, now and at most since the last ResetDevicePeak: 0 on one
// that has had none or is not there, and with a libtorch before 2.11.
func DeviceMemory(cuda int) (live, peak int64) {
	var m C.pdd_memory
	_ = check(C.pdd_cuda_memory(C.int(cuda), &m))
	return int64(m.live), int64(m.peak)
}

// ResetDevicePeak starts a new measurement, where DeviceMemory can tell.
func ResetDevicePeak(cuda int) { _ = check(C.pdd_cuda_reset_peak(C.int(cuda))) }

// HasBFloat16 tells whether the CPU multiplies bfloat16 in hardware.
func HasBFloat16() bool { return C.pdd_cpu_bfloat16() != 0 }

// LiveTensors counts the handles given out and not yet freed.
func LiveTensors() int64 { return int64(C.pdd_live_tensors()) }

// LiveBytes counts the bytes of all CPU tensors, whoever made them.
func LiveBytes() int64 { return int64(C.pdd_live_bytes()) }

// PeakBytes is the largest LiveBytes since the last ResetPeakBytes.
func PeakBytes() int64 { return int64(C.pdd_peak_bytes()) }

// ResetPeakBytes starts a new measurement.
func ResetPeakBytes() { C.pdd_reset_peak_bytes() }

// ThreadPeak runs fn and returns by how many bytes of CPU tensors this OS thread's use rose at most meanwhile. The
// caller has locked its goroutine to the thread.
func ThreadPeak(fn func()) int64 {
	C.pdd_reset_thread_peak_bytes()
	before := C.pdd_thread_bytes()
	fn()
	return int64(C.pdd_thread_peak_bytes() - before)
}

// SetAllocationLimit makes CPU allocations that would raise LiveBytes above n fail; 0 removes the limit.
func SetAllocationLimit(n int64) { C.pdd_set_allocation_limit(C.int64_t(n)) }

// Trim gives free heap pages back to the system.
func Trim() { C.pdd_trim() }
