package conv

import (
	"slices"
	"unsafe"
)

// Block is how many channels lie side by side in memory.
const Block = 16

// Kind is the type of the numbers that a convolution multiplies. Sums are float32.
type Kind int

const (
	Float32  Kind = iota // by Winograd's filtering
	BFloat16             // directly
)

func (k Kind) String() string {
	if k == BFloat16 {
		return "bfloat16"
	}
	return "float32"
}

// Available lists the kinds that there are kernels for on this CPU.
func Available() []Kind {
	return slices.DeleteFunc([]Kind{Float32, BFloat16}, func(k Kind) bool { return !k.Available() })
}

// channels lie side by side in a picture that a convolution of the kind sees.
func (k Kind) channels() int {
	if k == BFloat16 {
		return 2 * Block
	}
	return Block
}

// Blocks is how many blocks of 16 a number of channels takes, which fill up the kind's own blocks.
func (k Kind) Blocks(channels int) int {
	side := k.channels()
	return (channels + side - 1) / side * side / Block
}

// Planes is a picture, or some of its rows, as float32 [Blocks][Rows][Width][16] in Data, as bfloat16
// [Blocks/2][Rows][Width][32] in Half, where a pixel of zeros lies before each row, or both. What is nil is not kept. The
// memory, 64-byte aligned and not Go's, is the caller's.
type Planes struct {
	Data, Half  unsafe.Pointer
	Blocks      int // of 16 channels; the last may be filled up with zeros
	Rows, Width int
	Top         int // the picture's row that is the first one held
}

// Floats is how many Data takes.
func (p Planes) Floats() int { return p.Blocks * p.Rows * p.Width * Block }

// around Half are the pixels of zeros before the first row and behind the last, and what tiles read behind that.
const around = 2 + Block

// HalfFloats is how many Half takes, with the pixels around it.
func (p Planes) HalfFloats() int { return (p.Blocks/2*p.Rows*(p.Width+1) + around) * Block }

// Slice is blocks [from, to) of p, in the same memory. Half has whole blocks of 32 channels.
func (p Planes) Slice(from, to int) Planes {
	if p.Data != nil {
		p.Data = unsafe.Add(p.Data, 4*from*p.Rows*p.Width*Block)
	}
	if p.Half != nil {
		p.Half = unsafe.Add(p.Half, 2*from*p.Rows*(p.Width+1)*Block)
	}
	p.Blocks = to - from
	return p
}

// Filters are a convolution's weights, 3×3 taps for each pair of channels, in the caller's memory, not Go's. Out, In and
// Tap are how many floats lie from one output channel, input channel and tap to the next.
type Filters struct {
	Data         unsafe.Pointer
	Out, In, Tap int
}

// Layer is a convolution that is ready to run. It is read-only, so goroutines may share it while its memory lives.
type Layer struct {
	kind    Kind
	weights unsafe.Pointer // the matrices, then bias and slopes
	in, out int            // blocks of 16 channels
	active  bool
}

// Job is one run of a [Layer]: Out = act(conv(In)) + Scale[0]·Add[0] + Scale[1]·Add[1]. Pictures may be the same memory
// as Out only in Add. A layer of BFloat16 sees the Half of pictures and adds their Data.
type Job struct {
	In       [2]Planes // side by side; one may be missing
	Height   int       // rows of the picture the convolution sees; beyond them are zeros
	Enlarge  bool      // it sees In enlarged by 2, each pixel four times
	Add      [2]Planes
	Scale    [2]float32
	Out      Planes // as wide as the picture the convolution sees
	From, To int    // the rows to compute, which Out holds
}

func (k Kind) sumBlocks(channels []int) (n int) {
	for _, c := range channels {
		n += k.Blocks(c)
	}
	return n
}

// places lists where each channel of the pictures side by side lies in their blocks.
func (k Kind) places(pictures []int) (at []int32) {
	block := 0
	for _, channels := range pictures {
		for c := range channels {
			at = append(at, int32(block*Block+c))
		}
		block += k.Blocks(channels)
	}
	return at
}

// ImageChannels is how many channels [Planes.Read] makes of an image's, for a layer packed by [Kind.PackFirst]: in
// BFloat16 three for one, so that an image loses nothing to the type's few digits.
func (k Kind) ImageChannels(channels int) int {
	if k == BFloat16 {
		return 3 * channels
	}
	return channels
}

// Floats is how many floats of memory [Kind.Pack] needs for pictures of in channels side by side and out channels.
func (k Kind) Floats(in []int, out int) int {
	blocks := Float32.Blocks(out)
	return k.weights(k.sumBlocks(in), blocks) + 2*blocks*Block
}
