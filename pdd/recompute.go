package pdd

import (
	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/comm"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

// The specialist's gradients segment by segment, from its tail to its head, for two purposes. To recompute activations
// (compute.recompute) the forward pass leaves no graph, only what stands between segments, and each segment is computed
// once more with its graph. With several processes the gradients of a segment begin to travel while those of the one
// before it are computed. Either way they are those of the whole graph to the bit in float32, for every sum has the same
// order.

// traced is the outcome of the specialist's forward pass.
type traced struct {
	out torch.Tensor // (n,3,rh,rw)

	// By segments, out is a leaf, and these are the segments and their inputs.
	segments *models.Segments
	x, y0    torch.Tensor
	inputs   []torch.Tensor // of the blocks
	y        torch.Tensor   // of the tail
	results  []torch.Tensor // of head, blocks and tail, each with its graph; none where activations are recomputed
	reducer  *comm.Reducer  // takes gradients as they become complete; nil: nobody does
}

// trace runs the specialist so that gradients can follow; r is the step's reducer, nil in a single process.
func (t *Trainer) trace(s *tensor.Scope, x torch.Tensor, r *comm.Reducer) traced {
	recompute := t.cfg.Compute.Recompute
	if t.cfg.Optimizer.Accumulate > 1 { // they are not complete before the last part
		r = nil
	}
	g := t.segments
	if g == nil || !recompute && r == nil {
		return traced{out: t.autocast(s, t.specialist.Forward, x)}
	}
	k := traced{segments: g, x: x, reducer: r}
	run := func(f func(*tensor.Scope, torch.Tensor) torch.Tensor, x torch.Tensor) torch.Tensor {
		mode := s
		if recompute {
			mode = s.NoGrad()
		}
		y := mode.Local(func(s *tensor.Scope) torch.Tensor { return t.autocast(s, f, x) })
		if !recompute {
			k.results = append(k.results, y)
			y = s.Detach(y)
			s.RequiresGrad(true, y)
		}
		return y
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
	return append(append(k.inputs, k.results...), k.y)
}

// result is that of the head (0), of a block (from 1) or of the tail, the zero Tensor where it was not kept.
func (k traced) result(i int) torch.Tensor {
	if k.results == nil {
		return torch.Tensor{}
	}
	return k.results[i]
}

// specialistGradients are those of a loss that depends on the traced output.
func (t *Trainer) specialistGradients(s *tensor.Scope, k traced, loss torch.Tensor) []torch.Tensor {
	params := t.optG.Params()
	if k.segments == nil {
		return t.backward(s, loss, params)
	}
	b := backwards{t, s, k.reducer, params, make([]torch.Tensor, len(params))}
	b.run(k, t.backward(s, loss, []torch.Tensor{k.out})[0])
	return b.grads
}

// backwards carries gradients from segment to segment.
type backwards struct {
	t       *Trainer
	s       *tensor.Scope
	reducer *comm.Reducer
	params  []torch.Tensor
	grads   []torch.Tensor // by parameter, as far as they are known
}

// passage is a segment on the way back.
type passage struct {
	params  []int
	in      []torch.Tensor
	result  torch.Tensor // with its graph from in, or the zero Tensor: forward computes it
	forward func(s *tensor.Scope, in []torch.Tensor) torch.Tensor
}

func (b *backwards) run(k traced, grad torch.Tensor) {
	g := k.segments
	var skip torch.Tensor // gradient of y0 through the tail
	in := []torch.Tensor{k.y}
	if g.Tail.Skip {
		in = append(in, k.y0)
	}
	tail := passage{g.Tail.Params, in, k.result(len(g.Blocks) + 1), func(s *tensor.Scope, in []torch.Tensor) torch.Tensor {
		return g.Tail.Forward(s, k.x, in[len(in)-1], in[0])
	}}
	got := b.through(tail, grad, torch.Tensor{})
	grad = got[0]
	if g.Tail.Skip {
		skip = got[1]
	}
	for i := len(g.Blocks) - 1; i >= 0; i-- {
		block := passage{g.Blocks[i].Params, k.inputs[i : i+1], k.result(i + 1), func(s *tensor.Scope, in []torch.Tensor) torch.Tensor {
			return g.Blocks[i].Forward(s, in[0])
		}}
		var joins torch.Tensor
		if i == 0 {
			joins = skip
		}
		grad = b.through(block, grad, joins)[0]
	}
	if len(g.Blocks) == 0 && skip.T != nil {
		grad = b.s.Add(skip, grad)
	}
	b.through(passage{g.Head.Params, nil, k.result(0), func(s *tensor.Scope, _ []torch.Tensor) torch.Tensor {
		return g.Head.Forward(s, k.x)
	}}, grad, torch.Tensor{})
}

// dot is a scalar whose gradient with respect to y is grad, exactly.
func dot(s *tensor.Scope, y, grad torch.Tensor) torch.Tensor {
	return s.Sum(s.Mul(y, grad), false)
}

// through takes the gradient of a segment's result, notes its parameters' gradients, and returns those of its inputs.
// skip, where there is one, is another gradient of the first input: made last, it comes first in the sum, as in the
// whole graph.
func (b *backwards) through(p passage, grad, skip torch.Tensor) []torch.Tensor {
	n := len(p.in)
	all := b.s.LocalList(func(s *tensor.Scope) []torch.Tensor {
		in, y := p.in, p.result
		if y.T == nil {
			in = make([]torch.Tensor, n)
			for i, x := range p.in {
				in[i] = s.Detach(x)
			}
			s.RequiresGrad(true, in...)
		}
		var loss torch.Tensor
		b.t.autocast(s, func(s *tensor.Scope, _ torch.Tensor) torch.Tensor {
			if y.T == nil {
				y = p.forward(s, in)
			}
			if loss = dot(s, y, grad); skip.T != nil {
				loss = s.Add(loss, dot(s, in[0], skip))
			}
			return loss
		}, torch.Tensor{})
		wanted := in[:n:n]
		for _, i := range p.params {
			wanted = append(wanted, b.params[i])
		}
		return s.Grads(loss, false, wanted...)
	})
	b.s.Free(grad, p.result)
	for k, i := range p.params {
		b.grads[i] = all[n+k]
	}
	if b.reducer != nil {
		if err := b.reducer.Add(all[n:]...); err != nil {
			tensor.Failf("gradients", "%w", err)
		}
	}
	return all[:n]
}
