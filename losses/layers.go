package losses

import (
	"maps"
	"slices"
	"strings"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/tensor"
)

// Layers are layers of a feature extractor, by the names it gives them, with the weights of their losses.
type Layers map[string]float64

// Names lists the layers in alphabetical order, the order of every sum over them.
func (l Layers) Names() []string { return slices.Sorted(maps.Keys(l)) }

// Sum is Σ weight·loss(layer), in the order of Names. No layer at all is an error.
func (l Layers) Sum(s *tensor.Scope, loss func(layer string) torch.Tensor) torch.Tensor {
	if len(l) == 0 {
		tensor.Failf("layers", "there is none to sum over")
	}
	return local(s, func(s *tensor.Scope) torch.Tensor {
		var sum torch.Tensor
		for i, name := range l.Names() {
			if i == 0 {
				sum = s.MulScalar(loss(name), l[name])
			} else {
				sum = s.AddScaled(sum, loss(name), l[name])
			}
		}
		return sum
	})
}

// pair gives the features of both images at a layer.
func pair(op, layer string, x, gt map[string]torch.Tensor) (a, b torch.Tensor) {
	a, inX := x[layer]
	b, inGT := gt[layer]
	if !inX || !inGT {
		tensor.Failf(op, "no features of layer %q: there are %s of x and %s of gt", layer, list(x), list(gt))
	}
	return a, b
}

func list(m map[string]torch.Tensor) string {
	if len(m) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}
