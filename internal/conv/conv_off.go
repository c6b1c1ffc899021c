//go:build !cgo || !amd64

package conv

import "unsafe"

// Available tells whether there are kernels for this CPU; where not, nothing else of the package may be called.
func (k Kind) Available() bool { return false }

// Table is nil here.
func Table() (table unsafe.Pointer, set int) { return nil, 0 }

const missing = "conv: no kernels for this CPU"

// Pack is missing here.
func (k Kind) Pack(memory unsafe.Pointer, w Filters, bias, slope []float32, gain float32, in []int) Layer {
	panic(missing)
}

// PackFirst is missing here.
func (k Kind) PackFirst(memory unsafe.Pointer, w Filters, bias, slope []float32, channels int) Layer {
	panic(missing)
}

// Run is missing here.
func (l Layer) Run(j Job, threads int, scratch unsafe.Pointer) { panic(missing) }

// Scratch is missing here.
func (l Layer) Scratch() int { panic(missing) }

// ClearAround is missing here.
func (p Planes) ClearAround() { panic(missing) }

// Read is missing here.
func (p Planes) Read(src unsafe.Pointer, channels, factor, threads int) { panic(missing) }

// Write is missing here.
func (p Planes) Write(dst, base unsafe.Pointer, from, to, channels, height, factor, threads int) {
	panic(missing)
}

func (k Kind) weights(in, out int) int { panic(missing) }
