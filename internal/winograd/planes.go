package winograd

import "unsafe"

// Block is how many channels lie side by side in memory.
const Block = 16

// Planes is a picture, or some of its rows, as float32 [Blocks][Rows][Width][16]. The memory, 64-byte aligned and not
// Go's, is the caller's.
type Planes struct {
	Data        unsafe.Pointer
	Blocks      int // of 16 channels; the last may be filled up with zeros
	Rows, Width int
	Top         int // the picture's row that is the first one held
}

// Floats is how many a picture takes.
func (p Planes) Floats() int { return p.Blocks * p.Rows * p.Width * Block }

// Slice is blocks [from, to) of p, in the same memory.
func (p Planes) Slice(from, to int) Planes {
	p.Data = unsafe.Add(p.Data, 4*from*p.Rows*p.Width*Block)
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
	weights unsafe.Pointer // the 36 matrices, then bias and slopes
	in, out int            // blocks
	active  bool
}

// Job is one run of a [Layer]: Out = act(conv(In)) + Scale[0]·Add[0] + Scale[1]·Add[1]. Pictures may be the same memory
// as Out only in Add.
type Job struct {
	In       [2]Planes // side by side; one may be missing
	Height   int       // rows of the picture the convolution sees; beyond them are zeros
	Enlarge  bool      // it sees In enlarged by 2, each pixel four times
	Add      [2]Planes
	Scale    [2]float32
	Out      Planes // as wide as the picture the convolution sees
	From, To int    // the rows to compute, which Out holds
}

// Blocks is how many blocks a number of channels takes.
func Blocks(channels int) int { return (channels + Block - 1) / Block }

func sumBlocks(channels []int) (n int) {
	for _, c := range channels {
		n += Blocks(c)
	}
	return n
}

// places lists where each channel of the pictures side by side lies in their blocks.
func places(pictures []int) (at []int32) {
	block := 0
	for _, channels := range pictures {
		for c := range channels {
			at = append(at, int32(block*Block+c))
		}
		block += Blocks(channels)
	}
	return at
}

// Floats is how many floats of memory [Pack] needs for pictures of in channels side by side and out channels.
func Floats(in []int, out int) int {
	return weights(sumBlocks(in), Blocks(out)) + 2*Blocks(out)*Block
}
