// Package optim keeps the state of optimizers between steps; the arithmetic of a step is package tensor's.
package optim

import (
	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/nn"
	"github.com/gopdd/gopdd/tensor"
)

// Adam is the optimizer of Kingma & Ba 2015 over a fixed list of parameters. It owns the moments until Close and
// borrows the parameters. One goroutine at a time may use it.
type Adam struct {
	Beta1, Beta2, Eps, WeightDecay float64
	Count                          int64 // steps made

	params, means, squares []torch.Tensor
	scope                  *tensor.Scope
}

// NewAdam returns an optimizer whose moments are zero and laid out as the parameters are.
func NewAdam(params []torch.Tensor) (*Adam, error) {
	a := &Adam{params: params, scope: tensor.NewScope()}
	err := nn.OnWorker(func(*tensor.Scope) error {
		a.means, a.squares = a.zeros(), a.zeros()
		return nil
	})
	if err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

func (a *Adam) zeros() []torch.Tensor {
	list := make([]torch.Tensor, len(a.params))
	for i, p := range a.params {
		list[i] = a.scope.Local(func(s *tensor.Scope) torch.Tensor {
			z := s.NoGrad().Clone(s.Detach(p))
			s.NoGrad().Fill(z, 0)
			return z
		})
	}
	return list
}

// Params are the parameters, in the order of the gradients of Step.
func (a *Adam) Params() []torch.Tensor { return a.params }

// Moments are the first and second moments in the order of Params. They stay the optimizer's; a checkpoint copies out
// of and into them.
func (a *Adam) Moments() (means, squares []torch.Tensor) { return a.means, a.squares }

// Step changes the parameters by one step with the given gradients and learning rate, and counts it.
func (a *Adam) Step(s *tensor.Scope, lr float64, grads []torch.Tensor) {
	s.Adam(tensor.AdamOptions{LR: lr, Beta1: a.Beta1, Beta2: a.Beta2, Eps: a.Eps, WeightDecay: a.WeightDecay, Step: a.Count + 1},
		a.params, grads, a.means, a.squares)
	a.Count++
}

// Close frees the moments. It may be called twice.
func (a *Adam) Close() error { return a.scope.Close() }
