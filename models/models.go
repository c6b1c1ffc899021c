package models

import (
	"fmt"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/nn"
	"github.com/gopdd/gopdd/tensor"
)

// Generator maps a low-resolution image to a larger one.
type Generator interface {
	// Forward maps x [N,3,H,W], float32 RGB in [0,1], to [N,3,rH,rW] with r = Scale. The result is float32 and not
	// clamped. H and W are multiples of Multiple.
	Forward(s *tensor.Scope, x torch.Tensor) torch.Tensor
	Scale() int    // output side / input side
	Multiple() int // input sides must be multiples of it
	Reach() int    // LR pixels an output pixel depends on, each side of the one it lies in
	Close() error  // frees the parameters; may be called twice
}

// Trainable is a Generator whose parameters are open to an optimizer.
type Trainable interface {
	Generator
	// Parameters lists the parameters in order of creation. They stay the network's, and collect gradients after
	// tensor.Scope.RequiresGrad.
	Parameters() []Named
	// Clone returns an independent network with equal parameters, which the caller closes.
	Clone() (Trainable, error)
}

// Named is a tensor under its checkpoint key, e.g. "body.0.rdb1.conv1.weight".
type Named struct {
	Name   string
	Tensor torch.Tensor
}

// base is what all networks with a parameter store share.
type base struct {
	store *nn.Store
	place placement
}

func (b *base) placed() placement { return b.place }

// Parameters lists what is trained, in order of creation; the tensors stay the network's.
func (b *base) Parameters() []Named { return named(b.store.Params()) }

// Close frees the parameters. It may be called twice; Forward is an error from then on.
func (b *base) Close() error { return b.store.Close() }

func named(list []nn.Named) []Named {
	out := make([]Named, len(list))
	for i, n := range list {
		out[i] = Named(n)
	}
	return out
}

// placement says in which type and where a network computes.
type placement struct {
	dtype  tensor.DType // of the body's convolutions; Float64: of everything
	device tensor.Device
}

// onto is the placement of a network made for training.
func onto(d tensor.Device) placement { return placement{tensor.Float32, d} }

// store builds a parameter store. What is not the body is kept in float32, or float64 in a float64 network.
func (p placement) store(src nn.Source, construct func(root nn.Path)) (base, error) {
	o := nn.Options{DType: tensor.Float32, Device: p.device}
	if p.dtype == tensor.Float64 {
		o.DType = tensor.Float64
	}
	st, err := nn.Build(src, o, construct)
	return base{st, p}, err
}

// copies is the source of a clone.
func (b *base) copies() nn.Source {
	c := nn.Copies(b.store.State())
	return &c
}

// checkImage panics unless x is [N,channels,H,W] with sides that are multiples of m.
func checkImage(s *tensor.Scope, op string, x torch.Tensor, channels, m int) {
	shape := s.Shape(x)
	if len(shape) != 4 || shape[1] != int64(channels) || shape[2] < 1 || shape[3] < 1 {
		tensor.Failf(op, "want an image [N,%d,H,W], got %v", channels, shape)
	}
	if shape[2]%int64(m) != 0 || shape[3]%int64(m) != 0 {
		tensor.Failf(op, "the sides of %v must be multiples of %d: pad the image", shape, m)
	}
}

// replace gives y = fn(x) and frees x, if it is the scope's, and all that was made between.
func replace(s *tensor.Scope, x torch.Tensor, fn func(s *tensor.Scope) torch.Tensor) torch.Tensor {
	y := s.Local(fn)
	s.Free(x)
	return y
}

// trainable keeps a nil network from becoming an interface that is not nil.
func trainable[N Trainable](n N, err error) (Trainable, error) {
	if err != nil {
		return nil, err
	}
	return n, nil
}

// cloned is trainable for the result of a Clone.
func cloned[N Trainable](n N, err error) (Trainable, error) {
	if err != nil {
		err = fmt.Errorf("models: clone: %w", err)
	}
	return trainable(n, err)
}
