package tensor_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gopdd/gopdd/internal/libtorch"
	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/tensor"
)

func newWorker(t *testing.T, threads int) *tensor.Worker {
	t.Helper()
	tensortest.Check(t)
	w, err := tensor.NewWorker(threads)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

func nothing(*tensor.Scope) error { return nil }

// within fails t if fn has not returned after a while: what may deadlock shows as a failure, not as a hanging test.
func within(t *testing.T, fn func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		fn()
	}()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal("deadlock")
	}
}

func TestDoInsideDo(t *testing.T) {
	a, b := newWorker(t, 1), newWorker(t, 1)
	outer := t.Context()
	for _, c := range []struct {
		name string
		fn   func(s *tensor.Scope) error // runs in a.Do
	}{
		{"with the scope's context", func(s *tensor.Scope) error { return a.Do(s.Context(), nothing) }},
		{"with the outer context", func(*tensor.Scope) error { return a.Do(outer, nothing) }},
		{"from another goroutine that has the scope's context", func(s *tensor.Scope) error {
			failed := make(chan error)
			go func() { failed <- a.Do(s.Context(), nothing) }()
			return <-failed
		}},
		{"through another worker", func(s *tensor.Scope) error {
			return b.Do(s.Context(), func(s *tensor.Scope) error { return a.Do(s.Context(), nothing) })
		}},
		{"through another worker, with the outer context", func(*tensor.Scope) error {
			return b.Do(outer, func(*tensor.Scope) error { return a.Do(outer, nothing) })
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			within(t, func() {
				if err := a.Do(outer, c.fn); !errors.Is(err, tensor.ErrNested) {
					t.Errorf("got %v, want ErrNested", err)
				}
				if err := a.Do(outer, func(*tensor.Scope) error { return b.Do(outer, nothing) }); err != nil {
					t.Errorf("another worker is not nested: %v", err)
				}
			})
		})
	}
}

func TestContextEndsBeforeTheTurn(t *testing.T) {
	w := newWorker(t, 1)
	busy, free := make(chan struct{}), make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		w.Do(context.Background(), func(*tensor.Scope) error {
			close(busy)
			<-free
			return nil
		})
	})
	<-busy
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := w.Do(ctx, func(*tensor.Scope) error { panic("it ran") }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	close(free)
	wait.Wait()
}

func TestClosedWorker(t *testing.T) {
	w := newWorker(t, 1)
	for range 2 {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := w.Do(t.Context(), nothing); !errors.Is(err, tensor.ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
}

// What waits for its turn when the worker closes is refused; what runs is finished.
func TestCloseWhileWaiting(t *testing.T) {
	w := newWorker(t, 1)
	busy, free := make(chan struct{}), make(chan struct{})
	var running, waiting error
	var wait sync.WaitGroup
	wait.Go(func() {
		running = w.Do(t.Context(), func(*tensor.Scope) error {
			close(busy)
			<-free
			return io.EOF
		})
	})
	<-busy
	wait.Go(func() { waiting = w.Do(t.Context(), nothing) })
	w.Close()
	close(free)
	wait.Wait()
	if running != io.EOF || !errors.Is(waiting, tensor.ErrClosed) {
		t.Errorf("running: %v, waiting: %v", running, waiting)
	}
}

func TestThreadsOutOfRange(t *testing.T) {
	for _, n := range []int{-1, runtime.NumCPU() + 1} {
		if _, err := tensor.NewWorker(n); err == nil {
			t.Errorf("no error for %d threads", n)
		}
	}
}

// Goexit is how FailNow of package testing leaves: it ends the caller of Do, and the worker serves the next.
func TestGoexitInsideDo(t *testing.T) {
	var failing testing.T
	for name, exit := range map[string]func(){"Goexit": runtime.Goexit, "FailNow": failing.FailNow} {
		t.Run(name, func(t *testing.T) {
			w := newWorker(t, runtime.NumCPU())
			within(t, func() {
				w.Do(context.Background(), func(s *tensor.Scope) error {
					vector(s, 1)
					exit()
					return nil
				})
				t.Error("Do returned")
			})
			threads := 0
			err := w.Do(t.Context(), func(*tensor.Scope) error {
				threads = libtorch.Threads()
				return nil
			})
			if err != nil || threads != w.Threads() {
				t.Errorf("next: %v with %d threads, want %d", err, threads, w.Threads())
			}
		})
	}
}

func explode() { panic(io.ErrUnexpectedEOF) }

func TestPanicReachesTheCaller(t *testing.T) {
	w := newWorker(t, 1)
	err := recovered(func() error {
		return w.Do(t.Context(), func(s *tensor.Scope) error {
			vector(s, 1)
			explode()
			return nil
		})
	})
	var p *tensor.PanicError
	if !errors.As(err, &p) || p.Value != io.ErrUnexpectedEOF || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("got %v", err)
	}
	if !strings.Contains(err.Error(), "tensor_test.explode") {
		t.Errorf("the stack does not name the function that panicked: %v", err)
	}
	if err := w.Do(t.Context(), nothing); err != nil {
		t.Errorf("next: %v", err)
	}
}

// libtorch keeps one number for the process beside that of each thread: workers must not see each other's.
func TestThreadCountsOfWorkers(t *testing.T) {
	one, half, all := newWorker(t, 1), newWorker(t, (runtime.NumCPU()+1)/2), newWorker(t, runtime.NumCPU())
	for range 3 {
		for _, w := range []*tensor.Worker{one, all, half} {
			err := w.Do(t.Context(), func(s *tensor.Scope) error {
				s.Exp(s.Zeros(tensor.Float32, tensor.CPU, 1<<20)) // a parallel loop
				if n := libtorch.Threads(); n != w.Threads() {
					t.Errorf("%d threads, want %d", n, w.Threads())
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if w := newWorker(t, 0); w.Threads() != runtime.GOMAXPROCS(0) {
		t.Errorf("0 means %d threads, want all %d", w.Threads(), runtime.GOMAXPROCS(0))
	}
}

func TestManyGoroutines(t *testing.T) {
	w := newWorker(t, 1)
	var inside atomic.Int32
	var wait sync.WaitGroup
	for g := range 8 {
		wait.Go(func() {
			for range 50 {
				err := w.Do(t.Context(), func(s *tensor.Scope) error {
					if inside.Add(1) != 1 {
						t.Error("two functions at once")
					}
					defer inside.Add(-1)
					if got := s.Item(s.MulScalar(vector(s, float32(g)), 2)); got != float64(2*g) {
						t.Errorf("got %v, want %d", got, 2*g)
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
}
