//go:build cgo && amd64

package conv

/*
#cgo CXXFLAGS: -O3 -fopenmp -fno-exceptions
#cgo LDFLAGS: -lgomp
#include "amx.h"
*/
import "C"

import (
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
)

// isa is the instruction set of the kernels; tests try lesser ones.
var isa = C.pdd_winograd_isa()

// Available tells whether this CPU can run the kernels.
func (k Kind) Available() bool {
	if k == BFloat16 {
		return amx()
	}
	return isa != C.PDD_NO_ISA
}

var amxGranted atomic.Bool

// amx asks again after a refusal: Linux refuses while any thread has a small stack for signals.
func amx() bool {
	if !amxGranted.Load() && C.pdd_amx_available() != 0 {
		amxGranted.Store(true)
	}
	return amxGranted.Load()
}

// Table is the kernels' C face, a *pdd_winograd, and the instruction set to call them for.
func Table() (table unsafe.Pointer, set int) { return unsafe.Pointer(&C.pdd_winograd_table), int(isa) }

// Pack writes a convolution's weights and bias [out], both times gain, to memory of Floats(in, out)
// floats, and returns it. slope [out] is what activation multiplies negative results by: LeakyReLU's and
// PReLU's; nil for none. in lists the channels of the pictures the convolution sees side by side, one or two.
func (k Kind) Pack(memory unsafe.Pointer, w Filters, bias, slope []float32, gain float32, in []int) Layer {
	return k.pack(memory, w, 1, bias, slope, gain, in)
}

// PackFirst is Pack for a convolution that sees an image of that many channels, by [Planes.Read].
func (k Kind) PackFirst(memory unsafe.Pointer, w Filters, bias, slope []float32, channels int) Layer {
	seen := k.ImageChannels(channels)
	return k.pack(memory, w, seen/channels, bias, slope, 1, []int{seen})
}

// pack has for each channel of the weights so many parts of it in the pictures.
func (k Kind) pack(memory unsafe.Pointer, w Filters, parts int, bias, slope []float32, gain float32, in []int) Layer {
	out := len(bias)
	l := Layer{kind: k, in: k.sumBlocks(in), out: Float32.Blocks(out), weights: memory, active: slope != nil}
	place := k.places(in)
	if len(place) < l.in*Block || out < l.out*Block { // some channels are filled up
		clear(unsafe.Slice((*float32)(memory), k.Floats(in, out)))
	}
	filters := C.pdd_filters{data: (*C.float)(w.Data), out: C.int64_t(w.Out), in: C.int64_t(w.In), tap: C.int64_t(w.Tap)}
	n, to := C.int(len(place)), (*C.int32_t)(unsafe.SliceData(place))
	inParts(l.out, func(from, until int) {
		if k == BFloat16 {
			C.pdd_amx_pack(filters, C.int(out), n, C.int(parts), to, C.float(gain), C.int(l.in/2), (*C.float)(memory), C.int(from), C.int(until))
		} else {
			C.pdd_winograd_pack(C.int(isa), filters, C.int(out), n, to, C.float(gain), C.int(l.in), (*C.float)(memory), C.int(from), C.int(until), 1)
		}
	})
	for i, b := range bias {
		l.vector(0)[i] = b * gain
	}
	if l.active {
		copy(l.vector(1), slope)
	}
	return l
}

// inParts shares 0..n among goroutines. OpenMP would leave a team of threads behind on whatever thread packs.
func inParts(n int, work func(from, to int)) {
	var group sync.WaitGroup
	parts := min(n, runtime.GOMAXPROCS(0))
	for i := range parts {
		group.Go(func() { work(n*i/parts, n*(i+1)/parts) })
	}
	group.Wait()
}

// vector is the bias (0) or the slopes (1).
func (l Layer) vector(i int) []float32 {
	n := l.out * Block
	begin := l.kind.weights(l.in, l.out)
	return unsafe.Slice((*float32)(l.weights), begin+2*n)[begin+i*n:][:n]
}

// Run computes rows [From, To) of the convolution's output with the given number of OpenMP threads. scratch is memory
// of threads × l.Scratch() floats, 64-byte aligned.
func (l Layer) Run(j Job, threads int, scratch unsafe.Pointer) {
	c := C.pdd_conv{
		images: 1, height: C.int(j.Height), width: C.int(j.Out.Width), u: (*C.float)(l.weights), bias: l.vectorC(0),
		out: j.Out.floats(), half: j.Out.halves(), stream: 1, from: C.int(j.From), to: C.int(j.To),
	}
	if l.active {
		c.slope = l.vectorC(1)
	}
	if j.Enlarge {
		c.enlarge = 1
	}
	for i := range j.In {
		c.in[i], c.add[i], c.scale[i] = j.In[i].seen(l.kind), j.Add[i].floats(), C.float(j.Scale[i])
	}
	if l.kind == BFloat16 {
		c.out.blocks = C.int(l.out)
		C.pdd_amx_run(&c, C.int(threads), (*C.float)(scratch))
	} else {
		C.pdd_winograd_run(C.int(isa), &c, C.int(threads), (*C.float)(scratch))
	}
}

// Scratch is how many floats of scratch memory a thread needs.
func (l Layer) Scratch() int {
	if l.kind == BFloat16 {
		return int(C.pdd_amx_scratch(C.int(l.in / 2)))
	}
	return int(C.pdd_winograd_scratch(C.int(l.in), C.int(l.out)))
}

// ClearAround puts zeros around the rows of p.Half.
func (p Planes) ClearAround() { C.pdd_amx_clear(p.halves(), C.int(p.Rows)) }

// Read fills p with the image src [channels][factor·p.Rows][factor·p.Width], float32, pixel-unshuffled by factor; the
// channels that p has beyond those of [Kind.ImageChannels] become 0.
func (p Planes) Read(src unsafe.Pointer, channels, factor, threads int) {
	from, c, h, w, f, n := (*C.float)(src), C.int(channels), C.int(p.Rows*factor), C.int(p.Width*factor), C.int(factor), C.int(threads)
	if p.Half != nil {
		C.pdd_amx_read(from, c, h, w, f, p.halves(), n)
	} else {
		C.pdd_planes_read(from, c, h, w, f, p.floats(), n)
	}
}

// Write puts rows [from, to) of p, pixel-shuffled by factor, into the image dst
// [channels][factor·height][factor·p.Width]. base, unless nil, is an image [channels][height][p.Width] that is enlarged
// by repetition and added.
func (p Planes) Write(dst, base unsafe.Pointer, from, to, channels, height, factor, threads int) {
	C.pdd_planes_write(p.floats(), C.int(from), C.int(to), C.int(channels), C.int(height), C.int(p.Width), C.int(factor),
		(*C.float)(base), (*C.float)(dst), C.int(threads))
}

func (p Planes) seen(k Kind) C.pdd_planes {
	if k == BFloat16 {
		return p.halves()
	}
	return p.floats()
}

func (p Planes) floats() C.pdd_planes { return p.c(p.Data, p.Blocks, p.Width) }
func (p Planes) halves() C.pdd_planes { return p.c(p.Half, p.Blocks/2, p.Width+1) }

func (p Planes) c(data unsafe.Pointer, blocks, width int) C.pdd_planes {
	row := C.int64_t(width * Block)
	return C.pdd_planes{data: (*C.float)(data), blocks: C.int(blocks), top: C.int(p.Top), pixel: Block, row: row, block: row * C.int64_t(p.Rows)}
}

func (l Layer) vectorC(i int) *C.float {
	return (*C.float)(unsafe.Pointer(unsafe.SliceData(l.vector(i))))
}

func (k Kind) weights(in, out int) int {
	if k == BFloat16 {
		return int(C.pdd_amx_weights(C.int(in/2), C.int(out)))
	}
	return int(C.pdd_winograd_weights(C.int(in), C.int(out)))
}
