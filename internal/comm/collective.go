package comm

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/libtorch"
)

// bucketBytes is how much travels in one operation: enough to make little of its latency, little enough to begin early.
const bucketBytes = 25 << 20

// Pending is a collective operation under way.
type Pending struct {
	g    *Group
	name string
	work libtorch.Work
	done chan error
	kept []torch.Tensor
}

// AllReduce begins to replace tensors by their sums over all ranks. They must not be touched before [Pending.Wait].
// name is what the operation is called in errors.
func (g *Group) AllReduce(name string, ts []torch.Tensor) (*Pending, error) {
	return g.start(name, ts, func(h []libtorch.Handle) (libtorch.Work, error) {
		return libtorch.AllReduce(g.native, h, bucketBytes)
	})
}

// Broadcast replaces tensors by those of rank 0.
func (g *Group) Broadcast(name string, ts []torch.Tensor) error {
	p, err := g.start(name, ts, func(h []libtorch.Handle) (libtorch.Work, error) {
		return libtorch.Broadcast(g.native, 0, h, bucketBytes)
	})
	if err != nil {
		return err
	}
	return p.Wait()
}

func (g *Group) start(name string, ts []torch.Tensor, begin func([]libtorch.Handle) (libtorch.Work, error)) (*Pending, error) {
	g.Note(name)
	if f := g.Failure(); f != nil {
		return nil, f
	}
	w, err := begin(handles(ts))
	if err != nil {
		return nil, g.blame(fmt.Errorf("%s: %w", name, err))
	}
	return g.pending(name, w, ts), nil
}

func (g *Group) pending(name string, w libtorch.Work, kept []torch.Tensor) *Pending {
	p := &Pending{g: g, name: name, work: w, done: make(chan error, 1), kept: kept}
	go func() { p.done <- libtorch.WaitWork(w) }()
	return p
}

// Wait ends when the tensors hold the result. Its error names the rank that caused it.
func (p *Pending) Wait() error {
	if err := p.g.await(p.done); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	defer libtorch.FreeWork(p.work)
	err := libtorch.FinishWork(p.work)
	runtime.KeepAlive(p.kept)
	return err
}

// SumFloat64s replaces numbers by their sums over all ranks, which are the same bits on each.
func (g *Group) SumFloat64s(name string, values []float64) error {
	n := int64(8 * len(values))
	at := unsafe.Pointer(unsafe.SliceData(values))
	h, err := libtorch.FromMemory(at, n, libtorch.Float64, []int64{int64(len(values))}, -1)
	if err != nil {
		return err
	}
	defer libtorch.Free(h)
	p, err := g.start(name, nil, func([]libtorch.Handle) (libtorch.Work, error) {
		return libtorch.AllReduce(g.native, []libtorch.Handle{h}, bucketBytes)
	})
	if err != nil {
		return err
	}
	if err := p.Wait(); err != nil {
		return err
	}
	return libtorch.ToMemory(h, at, n, libtorch.Float64)
}

// Barrier waits until all ranks have come to it.
func (g *Group) Barrier(name string) error { return g.SumFloat64s(name, make([]float64, 1)) }

// GatherInt64s gives the numbers of every rank, as many on each, by rank.
func (g *Group) GatherInt64s(name string, values []int64) ([][]int64, error) {
	n := int64(8 * len(values))
	h, err := libtorch.FromMemory(unsafe.Pointer(unsafe.SliceData(values)), n, libtorch.Int64, []int64{int64(len(values))}, -1)
	if err != nil {
		return nil, err
	}
	defer libtorch.Free(h)
	var got []libtorch.Handle
	p, err := g.start(name, nil, func([]libtorch.Handle) (w libtorch.Work, err error) {
		got, w, err = libtorch.AllGather(g.native, h, g.cfg.Size)
		return w, err
	})
	if err != nil {
		return nil, err
	}
	if err := g.await(p.done); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	libtorch.FreeWork(p.work)
	out := make([][]int64, len(got))
	for i, t := range got {
		out[i] = make([]int64, len(values))
		if e := libtorch.ToMemory(t, unsafe.Pointer(unsafe.SliceData(out[i])), n, libtorch.Int64); e != nil {
			err = e
		}
		libtorch.Free(t)
	}
	return out, err
}

// Share gives rank 0's text to every rank.
func (g *Group) Share(ctx context.Context, name, text string) (string, error) {
	g.Note(name)
	g.mu.Lock()
	g.shared++
	key := fmt.Sprintf("text/%d", g.shared)
	g.mu.Unlock()
	if g.cfg.Rank == 0 {
		if err := g.store.set(key, text); err != nil {
			return "", g.blame(err)
		}
		return text, nil
	}
	for {
		text, there, err := g.store.get(key)
		if err != nil {
			return "", g.blame(err)
		}
		if there {
			return text, nil
		}
		if err := g.pause(ctx); err != nil {
			return "", err
		}
	}
}

// BitSums are sums of the tensors' bits as integers: tensors that are equal have equal ones.
func BitSums(ts []torch.Tensor) ([]int64, error) {
	sums, err := libtorch.BitSums(handles(ts))
	runtime.KeepAlive(ts)
	return sums, err
}

func handles(ts []torch.Tensor) []libtorch.Handle {
	out := make([]libtorch.Handle, len(ts))
	for i, t := range ts {
		out[i] = *t.T
	}
	return out
}

// Reducer sums tensors over all ranks as they become complete: it begins whenever a bucket is full.
type Reducer struct {
	g       *Group
	name    string
	waiting []torch.Tensor
	bytes   int64
	pending []*Pending
}

// NewReducer returns one whose operations are called name in errors.
func (g *Group) NewReducer(name string) *Reducer { return &Reducer{g: g, name: name} }

// Add takes tensors that will not be touched before [Reducer.Wait].
func (r *Reducer) Add(ts ...torch.Tensor) error {
	for _, t := range ts {
		info, err := libtorch.Inspect(*t.T)
		if err != nil {
			return err
		}
		n := int64(4)
		for _, d := range info.Shape {
			n *= d
		}
		r.waiting, r.bytes = append(r.waiting, t), r.bytes+n
		if r.bytes >= bucketBytes {
			if err := r.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// Start is Add for the last tensors of several: nothing waits for its bucket to be full.
func (r *Reducer) Start(ts ...torch.Tensor) error {
	return errors.Join(r.Add(ts...), r.flush())
}

func (r *Reducer) flush() error {
	if len(r.waiting) == 0 {
		return nil
	}
	p, err := r.g.AllReduce(r.name, r.waiting)
	if err != nil {
		return err
	}
	r.pending, r.waiting, r.bytes = append(r.pending, p), nil, 0
	return nil
}

// Wait ends when all tensors hold their sums.
func (r *Reducer) Wait() error {
	if err := r.flush(); err != nil {
		return err
	}
	for _, p := range r.pending {
		if err := p.Wait(); err != nil {
			return err
		}
	}
	return nil
}
