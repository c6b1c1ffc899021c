// Package nn keeps the parameters of networks. A constructor receives a [Path] and asks it for "weight" and "bias", so
// a parameter's full name ("body.0.rdb1.conv1.weight") is its key in a checkpoint by construction, and the order of
// parameters is the order of creation. Where the values come from is a [Source]'s business: a file, a seed, another
// network.
//
// It knows no network: package models does, and is its only user outside tests.
//
//	store, err := nn.Build(nn.He(seed), nn.Options{Device: tensor.CPU}, func(root nn.Path) {
//		net.first = root.Sub("conv_first").Conv2D(3, 64, 3, tensor.ConvOptions{Padding: 1})
//	})
package nn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/tensor"
)

// Named is a tensor under its checkpoint key.
type Named struct {
	Name   string
	Tensor torch.Tensor
}

// Options say where and in which type parameters are kept.
type Options struct {
	DType  tensor.DType // zero: Float32
	Device tensor.Device
}

// Store owns the parameters and buffers of one network until Close.
type Store struct {
	scope  *tensor.Scope
	source Source
	opts   Options
	state  []Named
	params []Named // those of state that are trained
	errs   []error
}

// Build runs construct with the root path of a new store, on a tensor worker. When the source cannot serve every
// tensor asked for, Build frees everything and returns an error that lists them all.
func Build(src Source, o Options, construct func(root Path)) (*Store, error) {
	if o.DType == 0 {
		o.DType = tensor.Float32
	}
	st := &Store{scope: tensor.NewScope(), source: src, opts: o}
	err := OnWorker(func(*tensor.Scope) error {
		construct(Path{store: st, dtype: o.DType, gain: 1})
		return errors.Join(st.errs...)
	})
	if err != nil {
		st.Close()
		return nil, err
	}
	return st, nil
}

// builder is the thread that networks are made on. It has no team of OpenMP threads: GNU's OpenMP counts those of all
// teams, and where they are more than cores all of them go to sleep between operations, which costs a training step a
// fifth of its time.
var builder = sync.OnceValues(func() (*tensor.Worker, error) { return tensor.NewWorker(1) })

// OnWorker runs fn on a thread of its own, or right here where the caller is on it already.
func OnWorker(fn func(s *tensor.Scope) error) error {
	w, err := builder()
	if err != nil {
		return err
	}
	err = w.Do(context.Background(), fn)
	if !errors.Is(err, tensor.ErrNested) {
		return err
	}
	s := tensor.NewScope()
	defer s.Close()
	if caught := tensor.Catch(func() { err = fn(s) }); caught != nil {
		return caught
	}
	return err
}

// Params lists what is trained, in order of creation. The tensors stay the store's.
func (st *Store) Params() []Named { return slices.Clone(st.params) }

// State lists parameters and buffers, in order of creation: what a checkpoint holds.
func (st *Store) State() []Named { return slices.Clone(st.state) }

// Options are those the store was built with.
func (st *Store) Options() Options { return st.opts }

// Close frees all tensors. It may be called twice.
func (st *Store) Close() error { return st.scope.Close() }

// Path is a place in a store at which a constructor asks for its tensors.
type Path struct {
	store  *Store
	prefix string
	dtype  tensor.DType
	gain   float64
}

// Sub is the path with one more component, formatted as by fmt.Sprint.
func (p Path) Sub(component any) Path {
	p.prefix += fmt.Sprint(component) + "."
	return p
}

// As is the path with another type for what is asked from it.
func (p Path) As(dt tensor.DType) Path {
	p.dtype = dt
	return p
}

// Gain is the path with a factor for random weights, which other sources ignore.
func (p Path) Gain(g float64) Path {
	p.gain *= g
	return p
}

// DType is the type of what is asked from the path.
func (p Path) DType() tensor.DType { return p.dtype }

// Param asks for a trained tensor. Weights of convolutions come in channels-last layout.
func (p Path) Param(name string, shape ...int64) torch.Tensor {
	t := p.get(name, shape)
	p.store.params = append(p.store.params, Named{p.prefix + name, t})
	return t
}

// Buffer asks for a tensor that is saved but not trained.
func (p Path) Buffer(name string, shape ...int64) torch.Tensor { return p.get(name, shape) }

// Const keeps values that are neither saved nor trained.
func (p Path) Const(values []float32, shape ...int64) torch.Tensor {
	return p.store.scope.Local(func(s *tensor.Scope) torch.Tensor {
		return p.place(s, s.FromFloat32s(values, shape...))
	})
}

func (p Path) get(name string, shape []int64) torch.Tensor {
	st, full := p.store, p.prefix+name
	t := st.scope.Local(func(s *tensor.Scope) torch.Tensor {
		t, err := st.source.Tensor(s, Request{full, shape, p.gain})
		if err == nil && !slices.Equal(s.Shape(t), shape) {
			err = fmt.Errorf("%s: shape %v, want %v", full, s.Shape(t), shape)
		}
		if err != nil {
			st.errs = append(st.errs, err)
			return torch.Tensor{}
		}
		return p.place(s, t)
	})
	st.state = append(st.state, Named{full, t})
	return t
}

// place brings a tensor to the path's type, layout and device.
func (p Path) place(s *tensor.Scope, t torch.Tensor) torch.Tensor {
	t = s.Cast(t, p.dtype)
	if len(s.Shape(t)) == 4 {
		t = s.ChannelsLast(t)
	}
	return s.To(t, p.store.opts.Device)
}
