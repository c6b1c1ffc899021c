package tensor_test

import (
	"errors"
	"runtime"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/tensor"
)

// live counts the tensors made since before.
func live(before int64) int64 { return tensor.MemoryStats(tensor.CPU).LiveTensors - before }

func now() int64 { return tensor.MemoryStats(tensor.CPU).LiveTensors }

// The sentences of the contract in the package comment, in its order.

func TestScopeOwnsWhatItsMethodsMake(t *testing.T) {
	tensortest.Check(t)
	before := now()
	s := tensor.NewScope()
	x := vector(s, 1, 2, 3)
	s.Add(x, x)
	if n := live(before); n != 2 {
		t.Errorf("%d tensors alive in the scope, want 2", n)
	}
	s.Close()
	if n := live(before); n != 0 {
		t.Errorf("%d tensors alive after the scope, want 0", n)
	}
}

func TestDoEndsItsScope(t *testing.T) {
	failed := errors.New("failed")
	for _, c := range []struct {
		name string
		end  func() error
		want error
	}{
		{"returns", func() error { return nil }, nil},
		{"fails", func() error { return failed }, failed},
		{"panics", func() error { panic(failed) }, failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			tensortest.Check(t)
			before := now()
			err := recovered(func() error {
				return tensor.Do(t.Context(), func(s *tensor.Scope) error {
					vector(s, 1)
					return c.end()
				})
			})
			if n := live(before); n != 0 || !errors.Is(err, c.want) {
				t.Errorf("%d tensors alive, error %v", n, err)
			}
		})
	}
}

// recovered turns a panic with an error into a result.
func recovered(fn func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = r.(error)
		}
	}()
	return fn()
}

func TestHeldScope(t *testing.T) {
	tensortest.Check(t)
	s := tensor.NewScope()
	x := vector(s, 1)
	in(t, func(inner *tensor.Scope) { inner.Add(x, x) })
	want(t, s, x, of(1), 1) // it outlives the scopes that use it
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	wantError(t, func() { vector(s, 1) }) // and makes nothing after its end
}

func TestLocalMovesItsResult(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		before := now()
		y := s.Local(func(s *tensor.Scope) torch.Tensor {
			return s.MulScalar(s.Exp(vector(s, 0)), 2)
		})
		if n := live(before); n != 1 {
			t.Errorf("%d tensors alive, want the result alone", n)
		}
		want(t, s, y, of(1), 2)
		x := vector(s, 3)
		if got := s.Local(func(*tensor.Scope) torch.Tensor { return x }); got != x {
			t.Error("a result the inner scope does not own comes back as it is")
		}
		before = now()
		wantError(t, func() {
			s.Local(func(s *tensor.Scope) torch.Tensor { return s.Add(vector(s, 1, 2), vector(s, 1, 2, 3)) })
		})
		if n := live(before); n != 0 {
			t.Errorf("%d tensors alive after a panic in Local", n)
		}
	})
}

func TestMove(t *testing.T) {
	tensortest.Check(t)
	held := tensor.NewScope()
	defer held.Close()
	var x torch.Tensor
	in(t, func(s *tensor.Scope) {
		x = vector(s, 1, 2)
		held.NoGrad() // a mode of held moves to the same owner
		s.Move(held.NoGrad(), x)
		wantError(t, func() { s.Move(held, x) })              // not s's any more
		wantError(t, func() { s.Move(held, torch.Tensor{}) }) // nobody's
		var collected *tensor.Scope
		wantError(t, func() { collected.Move(s, x) })
		s.Free(x) // not its own: left alone
	})
	want(t, held, x, of(2), 1, 2)
}

func TestMoveToTheGarbageCollector(t *testing.T) {
	tensortest.Check(t)
	var x torch.Tensor
	in(t, func(s *tensor.Scope) {
		x = vector(s, 1)
		s.Move(nil, x)
	})
	want(t, nil, x, of(1), 1)
}

func TestFreeBeforeTheEnd(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		before := now()
		x, y := vector(s, 1), vector(s, 2)
		s.NoGrad().Free(x)
		s.Free(x, x) // again: nothing happens
		if n := live(before); n != 1 {
			t.Errorf("%d tensors alive, want 1", n)
		}
		want(t, s, y, of(1), 2)
	})
}

func TestModesOwnNothing(t *testing.T) {
	tensortest.Check(t)
	before := now()
	s := tensor.NewScope()
	child := s.NoGrad().Autocast(tensor.BFloat16)
	vector(child, 1)
	child.Close() // ends s: they are one scope
	if n := live(before); n != 0 {
		t.Errorf("%d tensors alive", n)
	}
	wantError(t, func() { vector(s, 1) })
}

func TestNilScopeIsCollected(t *testing.T) {
	tensortest.Check(t) // waits for the finalizers
	before := now()
	var s *tensor.Scope
	for range 200 {
		x := s.NoGrad().Local(func(s *tensor.Scope) torch.Tensor { return s.Exp(vector(s, 1, 2)) })
		s.Free(x) // of no effect
		want(t, s, s.Log(x), of(2), 1, 2)
	}
	if live(before) == 0 {
		t.Error("nothing was made")
	}
	runtime.GC()
}

func TestAutogradKeepsWhatItNeeds(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		x := vector(s, 3)
		s.RequiresGrad(true, x)
		square := s.Mul(x, x)
		y := s.Sum(s.Mul(square, x), false) // x³
		s.Free(square)
		s.Backward(y)
		g, _ := s.GradOf(x)
		want(t, s, g, of(1), 27) // 3x²
	})
}

func TestUseAfterFree(t *testing.T) {
	tensortest.Check(t)
	var x torch.Tensor
	in(t, func(s *tensor.Scope) { x = vector(s, 1, 2) })
	if *x.T != nil {
		t.Error("the cell of a freed tensor is not nil")
	}
	in(t, func(s *tensor.Scope) {
		for name, use := range uses(s) {
			if err := wantError(t, func() { use(x) }); err.Unwrap() == nil {
				t.Errorf("%s of a freed tensor: %v", name, err)
			}
		}
	})
}

func TestNilTensors(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		for name, use := range uses(s) {
			if err := wantError(t, func() { use(torch.Tensor{}) }); err.Unwrap() == nil {
				t.Errorf("%s of no tensor: %v", name, err)
			}
		}
	})
}

// uses takes each way a tensor reaches the native layer.
func uses(s *tensor.Scope) map[string]func(torch.Tensor) {
	type T = torch.Tensor
	one := []T{vector(s, 1)}
	adam := tensor.AdamOptions{Step: 1}
	return map[string]func(T){
		"abs":      func(x T) { s.Abs(x) },
		"add":      func(x T) { s.Add(one[0], x) },
		"cat":      func(x T) { s.Cat(0, one[0], x) },
		"fill":     func(x T) { s.Fill(x, 1) },
		"shape":    func(x T) { s.Shape(x) },
		"floats":   func(x T) { s.Float32s(x) },
		"read":     func(x T) { s.ReadFloat32s(x, nil) },
		"item":     func(x T) { s.Item(x) },
		"backward": func(x T) { s.Backward(x) },
		"grads":    func(x T) { s.Grads(x, false, one[0]) },
		"grads of": func(x T) { s.Grads(one[0], false, x) },
		"grad":     func(x T) { s.GradOf(x) },
		"require":  func(x T) { s.RequiresGrad(true, x) },
		"zero":     func(x T) { s.ZeroGrad(x) },
		"conv":     func(x T) { s.Conv2D(one[0], x, T{}, tensor.ConvOptions{}) },
		"adam":     func(x T) { s.Adam(adam, []T{x}, one, one, one) },
		"moments":  func(x T) { s.Adam(adam, one, one, []T{x}, one) },
		"ema":      func(x T) { s.EMA(.5, []T{x}, one) },
		"ema from": func(x T) { s.EMA(.5, one, []T{x}) },
	}
}
