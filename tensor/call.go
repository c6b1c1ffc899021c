package tensor

import (
	"runtime"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/libtorch"
)

// call runs one operation and owns its result. Optional tensors are the zero Tensor, at the end of in.
func (s *Scope) call(name string, op libtorch.Op, in []torch.Tensor, ints []int64, nums ...float64) torch.Tensor {
	h, err := libtorch.Call(op, s.modes(), handles(name, in), ints, nums)
	runtime.KeepAlive(in)
	if err != nil {
		fail(name, err, in...)
	}
	return s.wrap(h)
}

// run runs one operation for its effect on its first tensor.
func (s *Scope) run(name string, op libtorch.Op, in []torch.Tensor, ints []int64, nums ...float64) {
	err := libtorch.Run(op, s.modes(), handles(name, in), ints, nums)
	runtime.KeepAlive(in)
	if err != nil {
		fail(name, err, in...)
	}
}

// handles reads the cells; a tensor that was made once and freed since is an error, an absent one is nil.
func handles(name string, in []torch.Tensor) []libtorch.Handle {
	hs := make([]libtorch.Handle, len(in))
	for i, t := range in {
		if hs[i] = handle(t); hs[i] == nil && t.T != nil {
			fail(name, errFreed, in...)
		}
	}
	return hs
}

func list(ts ...torch.Tensor) []torch.Tensor { return ts }

func ints(v ...int64) []int64 { return v }

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
