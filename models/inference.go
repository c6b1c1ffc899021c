package models

import (
	"fmt"
	"unsafe"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/conv"
	"github.com/gopdd/gopdd/internal/nn"
	"github.com/gopdd/gopdd/tensor"
)

// ForInference returns a network that computes what net does now, to be run and nothing else: gradients do not pass
// it, and it is no [Trainable]. In float32 on a CPU with AVX2 or AVX-512, RRDBNet and SRVGGNetCompact run in kernels of
// our own (package internal/conv), several times as fast as in libtorch; anything else becomes a clone. Weights are
// copied, and those of the kernels take four times as much memory. The caller closes the result.
func ForInference(net Trainable) (Generator, error) {
	if n, ok := forKernels(net, conv.Float32); ok {
		return inKernels(n, conv.Float32)
	}
	return net.Clone()
}

// inKernels returns n in the kernels of a kind, which there are for it.
func inKernels(n packable, k conv.Kind) (Generator, error) {
	var g Generator
	w := &packed{kind: k, scope: tensor.NewScope()}
	err := nn.OnWorker(func(s *tensor.Scope) error {
		w.fill(s, func(p *packing) { g = n.pack(p, w) })
		return nil
	})
	if err != nil {
		w.Close()
		return nil, fmt.Errorf("models: for inference: %w", err)
	}
	return g, nil
}

// packable is a network that there are kernels for.
type packable interface {
	placed() placement
	// pack makes the network's layers by p; the fast network owns w, their memory.
	pack(p *packing, w *packed) Generator
}

// forKernels tells whether there are kernels for net, whose weights are float32.
func forKernels(net Trainable, k conv.Kind) (packable, bool) {
	n, ok := net.(packable)
	return n, ok && k.Available() && n.placed() == onto(tensor.CPU)
}

// Sized is implemented by generators that know what a forward pass takes.
type Sized interface {
	// Memory is how many bytes of tensors Forward of x [1,3,h,w] has at most at a time, beside x and its result, on an
	// OS thread whose operations use that many threads.
	Memory(h, w, threads int) int64
}

// packed owns the layers' memory of a fast network, in one piece.
type packed struct {
	kind   conv.Kind
	scope  *tensor.Scope
	memory torch.Tensor
}

// Close frees the weights. It may be called twice; Forward is an error from then on.
func (w *packed) Close() error { return w.scope.Close() }

// check panics once the network is closed.
func (w *packed) check(s *tensor.Scope) { s.Data(w.memory) }

// fill runs build twice: to count, and to pack.
func (w *packed) fill(s *tensor.Scope, build func(p *packing)) {
	p := &packing{kind: w.kind, s: s}
	build(p)
	w.memory = w.scope.Empty(tensor.Float32, tensor.CPU, int64(p.floats))
	build(&packing{kind: w.kind, s: s, memory: s.Data(w.memory)})
}

// packing makes layers one after the other; without memory it only counts.
type packing struct {
	kind   conv.Kind
	s      *tensor.Scope // of the conversion
	memory unsafe.Pointer
	floats int // taken
}

// layer packs a convolution times gain. slope is what follows it; in are the channels of what it sees side by side.
func (p *packing) layer(c nn.Conv2D, slope []float32, gain float32, in ...int) conv.Layer {
	return p.place(c, in, func(memory unsafe.Pointer, w conv.Filters, bias []float32) conv.Layer {
		return p.kind.Pack(memory, w, bias, slope, gain, in)
	})
}

// first packs a convolution that sees an image of that many channels.
func (p *packing) first(c nn.Conv2D, slope []float32, channels int) conv.Layer {
	return p.place(c, []int{p.kind.ImageChannels(channels)}, func(memory unsafe.Pointer, w conv.Filters, bias []float32) conv.Layer {
		return p.kind.PackFirst(memory, w, bias, slope, channels)
	})
}

// place finds memory for a convolution and has it packed there.
func (p *packing) place(c nn.Conv2D, in []int, pack func(memory unsafe.Pointer, w conv.Filters, bias []float32) conv.Layer) conv.Layer {
	at := p.floats
	p.floats += p.kind.Floats(in, int(p.s.Shape(c.Bias)[0]))
	if p.memory == nil {
		return conv.Layer{}
	}
	rows := p.s.Contiguous(p.s.Permute(c.Weight, 0, 2, 3, 1)) // [out,3,3,in], as it lies in memory
	n := int(p.s.Shape(rows)[3])
	w := conv.Filters{Data: p.s.Data(rows), Out: 9 * n, In: 1, Tap: n}
	return pack(unsafe.Add(p.memory, 4*at), w, p.s.Float32s(c.Bias))
}

// leaky packs a convolution that LeakyReLU follows.
func (p *packing) leaky(c nn.Conv2D, in ...int) conv.Layer {
	slope := make([]float32, p.s.Shape(c.Bias)[0])
	for i := range slope {
		slope[i] = leakySlope
	}
	return p.layer(c, slope, 1, in...)
}

// workspace is the memory of a forward pass, in one piece. A workspace without memory counts what is asked for.
type workspace struct {
	kind    conv.Kind
	threads int
	memory  unsafe.Pointer
	scratch unsafe.Pointer // enough for every layer
	floats  int            // taken
}

// newWorkspace has memory for what pictures asks for, as long as s lives.
func newWorkspace(s *tensor.Scope, k conv.Kind, pictures func(m *workspace)) *workspace {
	threads := s.Threads()
	memory := s.Empty(tensor.Float32, tensor.CPU, count(k, threads, pictures))
	return &workspace{kind: k, threads: threads, memory: s.Data(memory)}
}

// count is how many floats pictures asks for.
func count(k conv.Kind, threads int, pictures func(m *workspace)) int64 {
	m := &workspace{kind: k, threads: threads}
	pictures(m)
	return int64(m.floats)
}

// image makes room for what the first convolution sees of an image.
func (m *workspace) image(channels, rows, width int) conv.Planes {
	return m.seen(m.kind.ImageChannels(channels), rows, width)
}

// seen makes room for a picture of that many channels that convolutions see.
func (m *workspace) seen(channels, rows, width int) conv.Planes {
	return m.planes(channels, rows, width, m.kind == conv.Float32, true)
}

// added makes room for one that is added, too.
func (m *workspace) added(channels, rows, width int) conv.Planes {
	return m.planes(channels, rows, width, true, true)
}

// result makes room for one that no convolution sees.
func (m *workspace) result(channels, rows, width int) conv.Planes {
	return m.planes(channels, rows, width, true, false)
}

func (m *workspace) planes(channels, rows, width int, data, half bool) conv.Planes {
	p := conv.Planes{Blocks: m.kind.Blocks(channels), Rows: rows, Width: width}
	if data {
		p.Data = m.take(p.Floats())
	}
	if half && m.kind == conv.BFloat16 {
		if at := m.take(p.HalfFloats()); at != nil {
			p.Half = unsafe.Add(at, 4*conv.Block)
			p.ClearAround()
		}
	}
	return p
}

// scratchFor makes room for what the layers need while they run.
func (m *workspace) scratchFor(layers ...conv.Layer) {
	most := 0
	for _, l := range layers {
		most = max(most, l.Scratch())
	}
	m.scratch = m.take(m.threads * most)
}

func (m *workspace) take(n int) unsafe.Pointer {
	at := m.floats
	m.floats += (n + conv.Block - 1) / conv.Block * conv.Block
	if m.memory == nil {
		return nil
	}
	return unsafe.Add(m.memory, 4*at)
}

// run computes the whole of j.Out.
func (m *workspace) run(l conv.Layer, j conv.Job) {
	j.Height, j.To = j.Out.Rows, j.Out.Rows
	l.Run(j, m.threads, m.scratch)
}

// band computes the rows that j names, as far as there are such rows, into out, which holds those alone from now on.
func (m *workspace) band(l conv.Layer, j conv.Job, out *conv.Planes) {
	j.From, j.To = max(j.From, 0), min(j.To, j.Height)
	out.Top, out.Rows = j.From, j.To-j.From
	j.Out = *out
	l.Run(j, m.threads, m.scratch)
}

func pair(p conv.Planes) [2]conv.Planes { return [2]conv.Planes{p} }

// eachImage runs one image at a time: x [N,C,h,w] → [N,out,r·h,r·w], both float32. forward gets the addresses of an image
// and of its result.
func eachImage(s *tensor.Scope, x torch.Tensor, out, scale int, forward func(s *tensor.Scope, x, y unsafe.Pointer, h, w int)) torch.Tensor {
	return s.Local(func(s *tensor.Scope) torch.Tensor {
		x = s.Contiguous(s.Cast(x, tensor.Float32))
		shape, r := s.Shape(x), int64(scale)
		c, h, w := shape[1], shape[2], shape[3]
		y := s.Empty(tensor.Float32, tensor.CPU, shape[0], int64(out), h*r, w*r)
		for i := range shape[0] {
			s.Local(func(s *tensor.Scope) torch.Tensor {
				from, to := unsafe.Add(s.Data(x), 4*i*c*h*w), unsafe.Add(s.Data(y), 4*i*int64(out)*h*w*r*r)
				forward(s, from, to, int(h), int(w))
				return y
			})
		}
		return y
	})
}
