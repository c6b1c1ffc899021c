package models

import (
	"fmt"
	"unsafe"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/nn"
	"github.com/gopdd/gopdd/internal/winograd"
	"github.com/gopdd/gopdd/tensor"
)

// ForInference returns a network that computes what net does now, to be run and nothing else: gradients do not pass
// it, and it is no [Trainable]. In float32 on a CPU with AVX2 or AVX-512, RRDBNet and SRVGGNetCompact run in kernels of
// our own (package internal/winograd), several times as fast as in libtorch; anything else becomes a clone. Weights are
// copied, and those of the kernels take four times as much memory. The caller closes the result.
func ForInference(net Trainable) (Generator, error) {
	if !hasKernels(net) {
		return net.Clone()
	}
	var g Generator
	held := tensor.NewScope()
	err := nn.OnWorker(func(s *tensor.Scope) error {
		switch n := net.(type) {
		case *RRDBNet:
			g = newFastRRDBNet(packing{s, held}, n)
		case *SRVGGNetCompact:
			g = newFastSRVGG(packing{s, held}, n)
		}
		return nil
	})
	if err != nil {
		held.Close()
		return nil, fmt.Errorf("models: for inference: %w", err)
	}
	return g, nil
}

// hasKernels tells whether net is one that the kernels compute.
func hasKernels(net Trainable) bool {
	var place placement
	switch n := net.(type) {
	case *RRDBNet:
		place = n.place
	case *SRVGGNetCompact:
		place = n.place
	}
	return winograd.Available() && place == onto(tensor.CPU)
}

// Sized is implemented by generators that know what a forward pass takes.
type Sized interface {
	// Memory is how many bytes of tensors Forward of x [1,3,h,w] has at most at a time, beside x and its result, on an
	// OS thread whose operations use that many threads.
	Memory(h, w, threads int) int64
}

// packing makes the layers of a fast network.
type packing struct {
	s    *tensor.Scope // of the conversion
	held *tensor.Scope // owns the layers' memory
}

// layer packs a convolution times gain. slope is what follows it; in are the channels of what it sees side by side.
func (p packing) layer(c nn.Conv2D, slope []float32, gain float32, in ...int) winograd.Layer {
	w, bias := p.s.Float32s(c.Weight), p.s.Float32s(c.Bias)
	memory := p.held.Empty(tensor.Float32, tensor.CPU, int64(winograd.Floats(in, len(bias))))
	return winograd.Pack(p.s.Data(memory), w, bias, slope, gain, in)
}

// leaky packs a convolution that LeakyReLU follows.
func (p packing) leaky(c nn.Conv2D, in ...int) winograd.Layer {
	slope := make([]float32, p.s.Shape(c.Bias)[0])
	for i := range slope {
		slope[i] = leakySlope
	}
	return p.layer(c, slope, 1, in...)
}

// workspace gives a forward pass its memory, which lives as long as the scope; without a scope it only counts.
type workspace struct {
	s       *tensor.Scope
	threads int
	scratch unsafe.Pointer // enough for every layer
	taken   int            // floats
}

// planes makes room for a picture of that many channels.
func (m *workspace) planes(channels, rows, width int) winograd.Planes {
	p := winograd.Planes{Blocks: winograd.Blocks(channels), Rows: rows, Width: width}
	p.Data = m.floats(p.Floats())
	return p
}

// scratchFor makes room for what the layers need while they run.
func (m *workspace) scratchFor(layers ...winograd.Layer) {
	most := 0
	for _, l := range layers {
		most = max(most, l.Scratch())
	}
	m.scratch = m.floats(m.threads * most)
}

func (m *workspace) floats(n int) unsafe.Pointer {
	m.taken += n
	if m.s == nil {
		return nil
	}
	return m.s.Data(m.s.Empty(tensor.Float32, tensor.CPU, int64(n)))
}

// bytes is what was taken.
func (m *workspace) bytes() int64 { return 4 * int64(m.taken) }

// run computes the whole of j.Out.
func (m *workspace) run(l winograd.Layer, j winograd.Job) {
	j.Height, j.To = j.Out.Rows, j.Out.Rows
	l.Run(j, m.threads, m.scratch)
}

// band computes the rows that j names, as far as there are such rows, into out, which holds those alone from now on.
func (m *workspace) band(l winograd.Layer, j winograd.Job, out *winograd.Planes) {
	j.From, j.To = max(j.From, 0), min(j.To, j.Height)
	out.Top, out.Rows = j.From, j.To-j.From
	j.Out = *out
	l.Run(j, m.threads, m.scratch)
}

func pair(p winograd.Planes) [2]winograd.Planes { return [2]winograd.Planes{p} }

// eachImage runs one image at a time: x [N,C,h,w] → [N,C,r·h,r·w], both float32. forward gets the addresses of an image
// and of its result.
func eachImage(s *tensor.Scope, x torch.Tensor, scale int, forward func(m *workspace, x, y unsafe.Pointer, h, w int)) torch.Tensor {
	return s.Local(func(s *tensor.Scope) torch.Tensor {
		x = s.Contiguous(s.Cast(x, tensor.Float32))
		shape, r := s.Shape(x), int64(scale)
		c, h, w := shape[1], shape[2], shape[3]
		y := s.Empty(tensor.Float32, tensor.CPU, shape[0], c, h*r, w*r)
		for i := range shape[0] {
			s.Local(func(s *tensor.Scope) torch.Tensor {
				from, to := unsafe.Add(s.Data(x), 4*i*c*h*w), unsafe.Add(s.Data(y), 4*i*c*h*w*r*r)
				forward(&workspace{s: s, threads: s.Threads()}, from, to, int(h), int(w))
				return y
			})
		}
		return y
	})
}
