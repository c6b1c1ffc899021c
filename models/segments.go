package models

import (
	"strings"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/tensor"
)

// Segmented is a network whose forward pass is a chain that can be cut: between its segments two tensors are all that is
// passed on. Training with little memory keeps those alone (Chen et al. 2016, Training Deep Nets with Sublinear Memory
// Cost). RRDBNet and SRVGGNetCompact implement it.
type Segmented interface {
	Trainable
	Segments() Segments
}

// Segments are the parts of Forward: y0 = Head(x), y the Blocks one after another from y0 on, and Tail(x, y0, y).
type Segments struct {
	Head   Segment
	Blocks []Segment
	Tail   Tail
}

// Segment is a part with one input.
type Segment struct {
	Forward func(s *tensor.Scope, x torch.Tensor) torch.Tensor
	Params  []int // of Parameters
}

// Tail is the last part.
type Tail struct {
	Forward func(s *tensor.Scope, x, y0, y torch.Tensor) torch.Tensor
	Skip    bool  // y0 counts
	Params  []int // of Parameters
}

// of lists the parameters whose names begin with one of the prefixes.
func (b *base) of(prefixes ...string) []int {
	var list []int
	for i, p := range b.store.Params() {
		for _, prefix := range prefixes {
			if strings.HasPrefix(p.Name, prefix) {
				list = append(list, i)
			}
		}
	}
	return list
}
