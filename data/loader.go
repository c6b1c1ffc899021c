package data

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync"
)

// LoaderConfig says what a [Loader] yields.
type LoaderConfig struct {
	Labelled   Dataset // with HR; nil: no labelled half
	Unlabelled Dataset // nil: no unlabelled half
	BatchSize  int     // samples of each half in a batch
	Seed       uint64
	Workers    int // goroutines that make samples; 0: one per processor
	Prefetch   int // batches made ahead; 0: 4
	// Rank and Ranks give each of several processes its share: together they see what one process with
	// BatchSize·Ranks samples would. 0 and 0: a single process.
	Rank, Ranks int
	// Parts is the number of equal parts in which a batch is worked through, 0 for one. The ranks' first parts are
	// together the first part of what one process would see, and so on.
	Parts int
	// MaxBad is how many different files may fail before the loader gives up. A bad file is reported once to OnBad and
	// replaced by another file of its dataset, the same one in every run as long as the files stay as they are.
	MaxBad int
	OnBad  func(error) // may be nil; called from one goroutine at a time
}

// Loader yields batches whose content depends on the configuration and the number of the batch alone, whatever the
// number of workers and however often loading was interrupted. Each dataset is gone through epoch by epoch, in an
// order shuffled for each; batches run across the end of an epoch.
//
// Workers are plain goroutines that decode, crop and degrade; they know nothing of tensors or devices. A Loader is
// safe for concurrent use; each iteration has its own workers.
type Loader struct {
	cfg LoaderConfig
	bad badFiles
}

// NewLoader checks the configuration. It reads no file.
func NewLoader(cfg LoaderConfig) (*Loader, error) {
	if cfg.Workers == 0 {
		cfg.Workers = runtime.GOMAXPROCS(0)
	}
	if cfg.Prefetch == 0 {
		cfg.Prefetch = 4
	}
	cfg.Ranks, cfg.Parts = max(cfg.Ranks, 1), max(cfg.Parts, 1)
	for _, d := range []Dataset{cfg.Labelled, cfg.Unlabelled} {
		if d != nil && d.Len() == 0 {
			return nil, errors.New("data: loader: a dataset is empty")
		}
	}
	switch {
	case cfg.Labelled == nil && cfg.Unlabelled == nil:
		return nil, errors.New("data: loader: no dataset")
	case cfg.BatchSize < 1:
		return nil, fmt.Errorf("data: loader: batch size %d: want at least 1", cfg.BatchSize)
	case cfg.BatchSize%cfg.Parts != 0:
		return nil, fmt.Errorf("data: loader: batch of %d samples in %d parts: want a multiple", cfg.BatchSize, cfg.Parts)
	case cfg.Workers < 0 || cfg.Prefetch < 0 || cfg.MaxBad < 0:
		return nil, fmt.Errorf("data: loader: %d workers, %d batches ahead, %d bad files: none may be negative", cfg.Workers, cfg.Prefetch, cfg.MaxBad)
	case cfg.Rank < 0 || cfg.Rank >= cfg.Ranks:
		return nil, fmt.Errorf("data: loader: rank %d of %d: want 0 to %d", cfg.Rank, cfg.Ranks, cfg.Ranks-1)
	}
	return &Loader{cfg: cfg, bad: badFiles{limit: cfg.MaxBad, report: cfg.OnBad, seen: map[string]error{}}}, nil
}

// Batches yields batch from, from+1, and so on without end, made by the configured workers and at most Prefetch of
// them ahead. To stop and resume, store the Step of the last batch that was used and begin with the next.
//
// The first error ends the iteration: that of a sample, which names its file, or ctx's when it is cancelled. When the
// loop is left, all workers have stopped.
func (l *Loader) Batches(ctx context.Context, from int) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		if from < 0 {
			yield(Batch{}, fmt.Errorf("data: loader: batch %d: want 0 or more", from))
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		var workers sync.WaitGroup
		defer workers.Wait()
		defer cancel()
		for p := range l.start(ctx, &workers, from) {
			b, err := p.wait(ctx)
			if err != nil {
				yield(Batch{}, err)
				return
			}
			if !yield(b, nil) {
				return
			}
		}
		yield(Batch{}, context.Cause(ctx)) // the plan ends only with the context
	}
}

// start runs the workers and the goroutine that plans their work, and returns the batches in their order; they are
// complete when [pending.wait] says so.
func (l *Loader) start(ctx context.Context, wg *sync.WaitGroup, from int) <-chan *pending {
	ordered := make(chan *pending, l.cfg.Prefetch)
	jobs := make(chan job)
	for range l.cfg.Workers {
		wg.Go(func() {
			for j := range jobs {
				j.run(&l.bad)
			}
		})
	}
	wg.Go(func() {
		defer close(jobs)
		defer close(ordered)
		l.plan(ctx, from, ordered, jobs)
	})
	return ordered
}

// plan hands out batch after batch, sample by sample, until ctx ends.
func (l *Loader) plan(ctx context.Context, from int, ordered chan<- *pending, jobs chan<- job) {
	samplers := l.samplers()
	var sequences [halves]sequence
	for _, s := range samplers {
		sequences[s.half].sampler = s
	}
	for step := from; ; step++ {
		p := newPending(step, l.cfg.BatchSize, samplers)
		select {
		case ordered <- p:
		case <-ctx.Done():
			return
		}
		for _, s := range samplers {
			for slot := range l.cfg.BatchSize {
				select {
				case jobs <- job{p, s, slot, sequences[s.half].at(l.position(step, slot))}:
				case <-ctx.Done():
					return
				}
			}
		}
	}
}

// position is the running number of sample i of a batch within its dataset's endless sequence.
func (l *Loader) position(step, i int) int {
	size := l.cfg.BatchSize / l.cfg.Parts
	part := step*l.cfg.Parts + i/size
	return (part*l.cfg.Ranks+l.cfg.Rank)*size + i%size
}

// badFiles counts the files that failed, over all iterations of a loader.
type badFiles struct {
	limit  int
	report func(error)

	mu   sync.Mutex
	seen map[string]error
}

// add records that name failed with err. It fails, with err as the cause, if loading may not go on.
func (b *badFiles) add(name string, err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.seen[name] != nil {
		return nil
	}
	if len(b.seen) >= b.limit {
		return fmt.Errorf("data: more than %d bad files (data.max_bad): %w", b.limit, err)
	}
	b.seen[name] = err
	if b.report != nil {
		b.report(err)
	}
	return nil
}

// known is the error of a file that failed before, or nil.
func (b *badFiles) known(name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen[name]
}
