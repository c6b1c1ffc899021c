package tensor

import (
	"context"
	"errors"
	"runtime"
	"unsafe"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/libtorch"
)

// Scope owns the tensors its methods make and carries the modes of their operations. See the package comment for the
// contract. A Scope is for one goroutine at a time; a nil Scope leaves ownership to the garbage collector.
type Scope struct {
	ctx  context.Context
	mode libtorch.Mode
	*owner
}

// owner is what a scope shares with the children that differ from it in modes only.
type owner struct {
	cells map[*unsafe.Pointer]struct{}
	ended bool
}

func newOwner() *owner { return &owner{cells: make(map[*unsafe.Pointer]struct{})} }

// NewScope returns a held scope for what lives long, such as a network's parameters. Its holder closes it.
func NewScope() *Scope {
	return &Scope{ctx: context.Background(), mode: libtorch.ThreadMode, owner: newOwner()}
}

// Context is the one given to [Do]; it also lets an inner Do notice that it is inside.
func (s *Scope) Context() context.Context {
	if s == nil {
		return context.Background()
	}
	return s.ctx
}

// NoGrad returns s with gradients off: its operations record nothing for autograd.
func (s *Scope) NoGrad() *Scope { return s.with(func(m *libtorch.Mode) { m.Grad = 0 }) }

// Grad returns s with gradients on.
func (s *Scope) Grad() *Scope { return s.with(func(m *libtorch.Mode) { m.Grad = 1 }) }

// Autocast returns s with libtorch's autocast to dt on: convolutions and matrix products compute in it.
// dt is BFloat16 or Float16; zero turns autocast off.
func (s *Scope) Autocast(dt DType) *Scope {
	return s.with(func(m *libtorch.Mode) { m.Autocast = int8(dt) })
}

func (s *Scope) with(change func(*libtorch.Mode)) *Scope {
	child := Scope{ctx: s.Context(), mode: libtorch.ThreadMode}
	if s != nil {
		child = *s
	}
	change(&child.mode)
	return &child
}

// Local runs fn in an inner scope and returns its result, which moves to s. Everything else made in fn is freed at
// once: long chains of operations use it to bound their memory.
func (s *Scope) Local(fn func(s *Scope) torch.Tensor) torch.Tensor {
	return s.LocalList(func(s *Scope) []torch.Tensor { return list(fn(s)) })[0]
}

// LocalList is [Scope.Local] for a function that returns several tensors.
func (s *Scope) LocalList(fn func(s *Scope) []torch.Tensor) []torch.Tensor {
	if s.collected() {
		return fn(s)
	}
	inner := *s
	inner.owner = newOwner()
	defer inner.end()
	out := fn(&inner)
	for _, t := range out {
		if _, mine := inner.cells[t.T]; mine {
			inner.Move(s, t)
		}
	}
	return out
}

// collected tells that the garbage collector owns what s makes.
func (s *Scope) collected() bool { return s == nil || s.owner == nil }

// Move hands tensors of s to another scope; nil hands them to the garbage collector.
func (s *Scope) Move(to *Scope, ts ...torch.Tensor) {
	for _, t := range ts {
		if s.collected() {
			fail("move", errors.New("the garbage collector owns the tensor"), t)
		}
		if _, mine := s.cells[t.T]; !mine {
			fail("move", errors.New("the scope does not own the tensor"), t)
		}
		delete(s.cells, t.T)
		to.adopt(t.T)
	}
}

// Free frees tensors of s before its end. Tensors of others are left alone, so callers need not know who owns.
func (s *Scope) Free(ts ...torch.Tensor) {
	if s.collected() {
		return
	}
	for _, t := range ts {
		if _, mine := s.cells[t.T]; mine {
			delete(s.cells, t.T)
			freeCell(t.T)
		}
	}
}

// Close ends a held scope and frees what it owns. It may be called twice. Scopes of [Do] end by themselves.
func (s *Scope) Close() error {
	if !s.collected() {
		s.end()
	}
	return nil
}

func (o *owner) end() {
	for cell := range o.cells {
		freeCell(cell)
	}
	clear(o.cells)
	o.ended = true
}

// adopt makes s the owner of a cell.
func (s *Scope) adopt(cell *unsafe.Pointer) {
	if s.collected() {
		runtime.SetFinalizer(cell, freeCell)
		return
	}
	if s.ended {
		freeCell(cell)
		panic(&Error{Op: "scope", Cause: errors.New("the scope has ended")})
	}
	s.cells[cell] = struct{}{}
}

func freeCell(cell *unsafe.Pointer) {
	libtorch.Free(*cell)
	*cell = nil
}

// wrap turns a native result into a tensor owned by s.
func (s *Scope) wrap(h libtorch.Handle) torch.Tensor {
	cell := new(unsafe.Pointer)
	*cell = h
	s.adopt(cell)
	return torch.Tensor{T: cell}
}

func handle(t torch.Tensor) libtorch.Handle {
	if t.T == nil {
		return nil
	}
	return *t.T
}

func (s *Scope) modes() libtorch.Mode {
	if s == nil {
		return libtorch.ThreadMode
	}
	return s.mode
}
