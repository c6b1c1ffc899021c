package tensor

import (
	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/libtorch"
)

// Compatible is what a process is checked with before its first worker.
var Compatible = compatible

// Twice is Upsample(x, Bilinear, 2) as it is computed on devices after [Device.Repeatable].
func (s *Scope) Twice(x torch.Tensor) torch.Tensor {
	return s.call("twice", libtorch.OpTwice, list(x), nil)
}
