package losses

import (
	"slices"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/tensor"
)

// named is a tensor under the name its argument has.
type named struct {
	name string
	t    torch.Tensor
}

// batch gives the shape of x and panics unless it is [N,C,H,W] with at least one element.
func batch(s *tensor.Scope, op string, x named) []int64 {
	shape := s.Shape(x.t)
	if len(shape) != 4 || slices.Min(shape) < 1 {
		tensor.Failf(op, "%s: want [N,C,H,W], got %v", x.name, shape)
	}
	return shape
}

// same gives the shape [N,C,H,W] that all the tensors have.
func same(s *tensor.Scope, op string, ts ...named) []int64 {
	first := batch(s, op, ts[0])
	for _, t := range ts[1:] {
		if shape := s.Shape(t.t); !slices.Equal(shape, first) {
			tensor.Failf(op, "%s is %v and %s is %v: want the same shape", ts[0].name, first, t.name, shape)
		}
	}
	return first
}

// wide gives x in float32 where it has half precision, else x itself.
func wide(s *tensor.Scope, x torch.Tensor) torch.Tensor {
	if dt := s.TypeOf(x); dt == tensor.BFloat16 || dt == tensor.Float16 {
		return s.Cast(x, tensor.Float32)
	}
	return x
}

// local runs fn in an inner scope without autocast and frees all it makes but the result.
func local(s *tensor.Scope, fn func(s *tensor.Scope) torch.Tensor) torch.Tensor {
	return s.Autocast(0).Local(fn)
}

// difference is a − b of wide values.
func difference(s *tensor.Scope, a, b torch.Tensor) torch.Tensor {
	return s.Local(func(s *tensor.Scope) torch.Tensor { return s.Sub(wide(s, a), wide(s, b)) })
}
