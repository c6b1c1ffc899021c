package pdd

import (
	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/tensor"
)

// trainForward is the specialist's forward pass with gradients.
func (t *Trainer) trainForward() (func(*tensor.Scope, torch.Tensor) torch.Tensor, error) {
	return t.specialist.Forward, nil
}
