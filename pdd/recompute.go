package pdd

import (
	"errors"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/tensor"
)

// trainForward is the specialist's forward pass with gradients.
func (t *Trainer) trainForward() (func(*tensor.Scope, torch.Tensor) torch.Tensor, error) {
	if t.cfg.Compute.Recompute {
		return nil, errors.New("compute.recompute: this version cannot recompute activations: set it to false; optimizer.accumulate saves memory too")
	}
	return t.specialist.Forward, nil
}
