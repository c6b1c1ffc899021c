package tensor

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/gopdd/gopdd/internal/libtorch"
)

// Worker is one pinned OS thread that runs tensor work, one function at a time, first come first served. Any number
// of goroutines may call [Worker.Do].
type Worker struct {
	jobs    chan *job
	quit    chan struct{}
	close   sync.Once
	threads int
	inside  atomic.Uintptr // the OS thread while it runs a function, else 0
}

// ErrClosed is returned by work for a closed Worker.
var ErrClosed = errors.New("tensor: the worker is closed")

// ErrNested is returned by a Do inside the Do of the same worker: pass the scope on instead.
var ErrNested = errors.New("tensor: Do inside Do of the same worker: pass its scope on instead")

type job struct {
	ctx      context.Context
	fn       func(*Scope) error
	err      error
	panicked any  // what fn panicked with, if not an *Error
	exited   bool // fn called runtime.Goexit, as testing's FailNow does
	done     chan struct{}
}

type workerKey struct{}

// NewWorker starts a worker whose operations use the given number of threads; 0 means all cores
// ([runtime.GOMAXPROCS]). The caller closes it.
func NewWorker(threads int) (*Worker, error) {
	if threads < 0 {
		return nil, fmt.Errorf("tensor: new worker: %d threads; want 0 (all cores) or more", threads)
	}
	if err := checkLibraries(); err != nil {
		return nil, err
	}
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	w := &Worker{jobs: make(chan *job), quit: make(chan struct{}), threads: threads}
	ready := make(chan error)
	go w.loop(ready)
	if err := <-ready; err != nil {
		return nil, fmt.Errorf("tensor: new worker with %d threads: %w", threads, err)
	}
	return w, nil
}

// Threads is how many cores one operation uses.
func (w *Worker) Threads() int { return w.threads }

// Close stops the worker after the function it runs now. It may be called twice.
func (w *Worker) Close() error {
	w.close.Do(func() { close(w.quit) })
	return nil
}

// Do runs fn on the worker's thread in a new scope with ctx, waiting for its turn until ctx ends. It returns fn's
// error, or the [*Error] fn panicked with. A function that has begun is waited for: fn looks at s.Context() itself.
func (w *Worker) Do(ctx context.Context, fn func(s *Scope) error) error {
	if ctx.Value(workerKey{}) == w || libtorch.ThreadID() == w.inside.Load() {
		return ErrNested
	}
	j := &job{ctx: context.WithValue(ctx, workerKey{}, w), fn: fn, done: make(chan struct{})}
	select { // an ended ctx or a closed worker wins over a free worker
	case <-w.quit:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	default:
	}
	select {
	case w.jobs <- j:
	case <-w.quit:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	<-j.done
	if j.exited {
		runtime.Goexit()
	}
	if j.panicked != nil {
		panic(j.panicked)
	}
	return j.err
}

// loop owns the OS thread. It never unlocks it, so the thread and its OpenMP team end with the goroutine.
func (w *Worker) loop(ready chan<- error) {
	runtime.LockOSThread()
	err := libtorch.SetThreads(w.threads)
	if ready != nil {
		ready <- err
	}
	for {
		select {
		case <-w.quit:
			return
		case j := <-w.jobs:
			w.run(j)
		}
	}
}

func (w *Worker) run(j *job) {
	s := &Scope{ctx: j.ctx, mode: libtorch.ThreadMode, owner: newOwner()}
	w.inside.Store(libtorch.ThreadID())
	returned := false
	defer func() {
		s.end()
		w.inside.Store(0)
		if !returned {
			j.recovered(recover())
		}
		if j.exited {
			go w.loop(nil) // Goexit ends this goroutine, and its thread with it
		}
		close(j.done)
	}()
	j.err = j.fn(s)
	returned = true
}

// recovered sorts what ended fn: an *Error is fn's error, nothing is Goexit, the rest is the caller's panic.
func (j *job) recovered(r any) {
	switch r := r.(type) {
	case nil:
		j.exited = true
	case *Error:
		j.err = r
	default:
		j.panicked = fmt.Sprintf("%v\n\nin tensor.Do, on the worker's stack:\n%s", r, debug.Stack())
	}
}

var defaultWorker = sync.OnceValues(func() (*Worker, error) { return NewWorker(0) })

// Do runs fn like [Worker.Do] on a worker shared by the whole process, which uses all cores.
func Do(ctx context.Context, fn func(s *Scope) error) error {
	w, err := defaultWorker()
	if err != nil {
		return err
	}
	return w.Do(ctx, fn)
}
