package pdd

import (
	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

// Recomputing activations (compute.recompute): the specialist's forward pass leaves no graph, only what stands between
// its segments; the gradients go backwards from segment to segment, each computed once more with its graph. They are
// those of the whole graph to the bit in float32, for every sum has the same order.

// traced is the outcome of the specialist's forward pass.
type traced struct {
	out torch.Tensor // (n,3,rh,rw)

	// With recomputation out is a leaf, and these are the segments and their inputs.
	segments *models.Segments
	x, y0    torch.Tensor
	inputs   []torch.Tensor // of the blocks
	y        torch.Tensor   // of the tail
}

// trace runs the specialist so that gradients can follow.
func (t *Trainer) trace(s *tensor.Scope, x torch.Tensor) traced {
	g := t.segments
	if g == nil {
		return traced{out: t.autocast(s, t.specialist.Forward, x)}
	}
	k := traced{segments: g, x: x}
	run := func(f func(*tensor.Scope, torch.Tensor) torch.Tensor, x torch.Tensor) torch.Tensor {
		return s.NoGrad().Local(func(s *tensor.Scope) torch.Tensor { return t.autocast(s, f, x) })
	}
	k.y0 = run(g.Head.Forward, x)
	k.y = k.y0
	for _, block := range g.Blocks {
		k.inputs = append(k.inputs, k.y)
		k.y = run(block.Forward, k.y)
	}
	k.out = run(func(s *tensor.Scope, y torch.Tensor) torch.Tensor { return g.Tail.Forward(s, x, k.y0, y) }, k.y)
	s.RequiresGrad(true, k.out)
	return k
}

// kept are the tensors between the segments.
func (k traced) kept() []torch.Tensor {
	if k.segments == nil {
		return nil
	}
	return append(k.inputs, k.y)
}

// specialistGradients are those of a loss that depends on the traced output.
func (t *Trainer) specialistGradients(s *tensor.Scope, k traced, loss torch.Tensor) []torch.Tensor {
	params := t.optG.Params()
	if k.segments == nil {
		return t.backward(s, loss, params)
	}
	b := backwards{t, s, params, make([]torch.Tensor, len(params))}
	b.run(k, t.backward(s, loss, []torch.Tensor{k.out})[0])
	return b.grads
}

// backwards carries gradients from segment to segment.
type backwards struct {
	t      *Trainer
	s      *tensor.Scope
	params []torch.Tensor
	grads  []torch.Tensor // by parameter, as far as they are known
}

func (b *backwards) run(k traced, grad torch.Tensor) {
	g := k.segments
	var skip torch.Tensor // gradient of y0 through the tail
	in := []torch.Tensor{k.y}
	if g.Tail.Skip {
		in = append(in, k.y0)
	}
	got := b.through(g.Tail.Params, in, func(s *tensor.Scope, in []torch.Tensor) torch.Tensor {
		return dot(s, g.Tail.Forward(s, k.x, in[len(in)-1], in[0]), grad)
	})
	b.s.Free(grad)
	grad = got[0]
	if g.Tail.Skip {
		skip = got[1]
	}
	for i := len(g.Blocks) - 1; i >= 0; i-- {
		next := b.through(g.Blocks[i].Params, k.inputs[i:i+1], func(s *tensor.Scope, in []torch.Tensor) torch.Tensor {
			loss := dot(s, g.Blocks[i].Forward(s, in[0]), grad)
			if i == 0 && skip.T != nil { // made last, it comes first in the sum, as in the whole graph
				loss = s.Add(loss, dot(s, in[0], skip))
			}
			return loss
		})[0]
		b.s.Free(grad)
		grad = next
	}
	if len(g.Blocks) == 0 && skip.T != nil {
		grad = b.s.Add(skip, grad)
	}
	b.through(g.Head.Params, nil, func(s *tensor.Scope, _ []torch.Tensor) torch.Tensor {
		return dot(s, g.Head.Forward(s, k.x), grad)
	})
}

// dot is a scalar whose gradient with respect to y is grad, exactly.
func dot(s *tensor.Scope, y, grad torch.Tensor) torch.Tensor {
	return s.Sum(s.Mul(y, grad), false)
}

// through computes a segment's scalar with a graph, notes its parameters' gradients, and returns those of the inputs.
func (b *backwards) through(params []int, in []torch.Tensor, scalar func(*tensor.Scope, []torch.Tensor) torch.Tensor) []torch.Tensor {
	all := b.s.LocalList(func(s *tensor.Scope) []torch.Tensor {
		var wanted []torch.Tensor
		for _, x := range in {
			wanted = append(wanted, s.Detach(x))
		}
		s.RequiresGrad(true, wanted...)
		for _, i := range params {
			wanted = append(wanted, b.params[i])
		}
		var loss torch.Tensor
		b.t.autocast(s, func(s *tensor.Scope, _ torch.Tensor) torch.Tensor {
			loss = scalar(s, wanted[:len(in):len(in)])
			return loss
		}, torch.Tensor{})
		return s.Grads(loss, false, wanted...)
	})
	for k, i := range params {
		b.grads[i] = all[len(in)+k]
	}
	return all[:len(in)]
}
