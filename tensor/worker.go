package tensor

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gopdd/gopdd/internal/libtorch"
)

// Worker is one pinned OS thread that runs tensor work, one function at a time, first come first served. Any number
// of goroutines may call [Worker.Do].
type Worker struct {
	jobs    chan *job
	quit    chan struct{}
	close   sync.Once
	threads int
	stream  Device  // where the thread has a stream of its own; CPU: nowhere
	caller  *Worker // the worker whose function waits for the one that runs now, if any
}

// onThread finds the Worker of an OS thread.
var onThread sync.Map // libtorch.ThreadID → *Worker

// ErrClosed is returned by work for a closed Worker.
var ErrClosed = errors.New("tensor: the worker is closed")

// ErrNested is returned by a Do inside a Do of the same worker, which would wait for itself: pass the scope on instead.
var ErrNested = errors.New("tensor: Do inside Do of the same worker: pass its scope on instead")

// PanicError is what [Worker.Do] panics with when its function panicked with anything but an [*Error].
type PanicError struct {
	Value any    // of the function's panic
	Stack []byte // of the worker, where it happened
}

// Error gives the value and the worker's stack.
func (p *PanicError) Error() string {
	return fmt.Sprintf("%v\n\nin tensor.Do, on the worker's stack:\n%s", p.Value, p.Stack)
}

// Unwrap gives the value where it is an error.
func (p *PanicError) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

type job struct {
	ctx      context.Context
	fn       func(*Scope) error
	caller   *Worker
	err      error
	panicked *PanicError
	exited   bool // fn called runtime.Goexit, as testing's FailNow does
	done     chan struct{}
}

// workerKey marks the contexts of the scopes of one worker.
type workerKey struct{ w *Worker }

// WorkerOption is for [NewWorker].
type WorkerOption func(*Worker)

// WithStream gives the worker's thread a CUDA stream of its own on d, so that its work and other workers' go on side by
// side there. Tensors that other threads made on d are fit for use after [Device.Wait]. With the CPU it does nothing.
func WithStream(d Device) WorkerOption { return func(w *Worker) { w.stream = d } }

// NewWorker starts a worker whose operations use the given number of threads; 0 means all cores
// ([runtime.GOMAXPROCS]). The caller closes it.
func NewWorker(threads int, opts ...WorkerOption) (*Worker, error) {
	if threads < 0 || threads > runtime.NumCPU() {
		return nil, fmt.Errorf("tensor: new worker: %d threads: want 0 (all cores) to %d, the cores there are", threads, runtime.NumCPU())
	}
	if err := checkLibraries(); err != nil {
		return nil, err
	}
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	w := &Worker{jobs: make(chan *job), quit: make(chan struct{}), threads: threads, stream: CPU}
	for _, o := range opts {
		o(w)
	}
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
	caller := currentWorker()
	if ctx.Value(workerKey{w}) != nil || caller.waitsFor(w) {
		return ErrNested
	}
	j := &job{ctx: context.WithValue(ctx, workerKey{w}, true), fn: fn, caller: caller, done: make(chan struct{})}
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

// currentWorker is the one whose function is running on this OS thread; nil outside of workers.
func currentWorker() *Worker {
	w, _ := onThread.Load(libtorch.ThreadID())
	found, _ := w.(*Worker)
	return found
}

// waitsFor tells whether w is target or was called, through any number of workers, by target.
func (w *Worker) waitsFor(target *Worker) bool {
	for ; w != nil; w = w.caller {
		if w == target {
			return true
		}
	}
	return false
}

// idleTrim is how long a worker waits before it gives cached memory back to the system.
const idleTrim = time.Second

// loop owns the OS thread. It never unlocks it, so the thread and its OpenMP team end with the goroutine.
func (w *Worker) loop(ready chan<- error) {
	runtime.LockOSThread()
	err := libtorch.SetThreads(w.threads)
	if err == nil && w.stream != CPU {
		err = libtorch.OwnStream(int(w.stream))
	}
	if ready != nil {
		ready <- err
	}
	if err != nil {
		return
	}
	onThread.Store(libtorch.ThreadID(), w)
	defer onThread.Delete(libtorch.ThreadID())
	var idle <-chan time.Time
	for {
		select {
		case <-w.quit:
			return
		case j := <-w.jobs:
			w.run(j)
			idle = time.After(idleTrim)
		case <-idle:
			libtorch.Trim()
		}
	}
}

func (w *Worker) run(j *job) {
	s := &Scope{ctx: j.ctx, mode: libtorch.ThreadMode, owner: newOwner()}
	w.caller = j.caller
	returned := false
	defer func() {
		s.end()
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
		j.panicked = &PanicError{Value: r, Stack: debug.Stack()}
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
