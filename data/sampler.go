package data

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
)

// The halves of a batch.
const (
	labelled = iota
	unlabelled
	halves
)

// sampler makes samples of one dataset, which is one half of the batches.
type sampler struct {
	half    int
	dataset Dataset
	seed    uint64
}

// samplers are those of the loader's datasets, with seeds of their own.
func (l *Loader) samplers() []*sampler {
	var list []*sampler
	for i, d := range [halves]Dataset{labelled: l.cfg.Labelled, unlabelled: l.cfg.Unlabelled} {
		if d != nil {
			list = append(list, &sampler{i, d, hash64(l.cfg.Seed) + uint64(i)})
		}
	}
	return list
}

// place is a sample's epoch and its number in the dataset.
type place struct{ epoch, index int }

// sequence is the endless sequence of a dataset's shuffled epochs; it remembers the order of one epoch.
type sequence struct {
	*sampler
	epoch int
	order []int
}

// at finds position n. The generator of an epoch's order is that of index -1, which no sample has.
func (s *sequence) at(n int) place {
	size := s.dataset.Len()
	if epoch := n / size; s.order == nil || epoch != s.epoch {
		s.epoch, s.order = epoch, Rand(s.seed, epoch, -1).Perm(size)
	}
	return place{s.epoch, s.order[n%size]}
}

// maxReplacements bounds how many bad files are tried in place of one.
const maxReplacements = 100

// sample makes the sample of a place. A file that fails and may be skipped is replaced by one that the place's own
// generator chooses; it is not read again.
func (s *sampler) sample(at place, bad *badFiles) (out Sample, err error) {
	index := at.index
	var replace *rand.Rand
	for range maxReplacements {
		name := s.dataset.Name(index)
		if err = bad.known(name); err == nil {
			out, err = s.dataset.Sample(Rand(s.seed, at.epoch, index), index)
			if err == nil {
				return out, nil
			}
			if err := bad.add(name, err); err != nil {
				return Sample{}, err
			}
		}
		if replace == nil {
			replace = Rand(^s.seed, at.epoch, at.index)
		}
		index = replace.IntN(s.dataset.Len())
	}
	return Sample{}, err
}

// job is one sample of a batch to make.
type job struct {
	batch *pending
	from  *sampler
	slot  int
	at    place
}

func (j job) run(bad *badFiles) {
	s, err := j.from.sample(j.at, bad)
	if err != nil {
		j.batch.fail(err)
		return
	}
	j.batch.put(j, s)
}

// pending is a batch that workers are filling.
type pending struct {
	step    int
	left    atomic.Int64
	done    chan struct{} // closed when nothing is left
	failed  chan error    // holds the first error
	samples [halves][]Sample
	origins [halves][]Origin
}

func newPending(step, size int, samplers []*sampler) *pending {
	p := &pending{step: step, done: make(chan struct{}), failed: make(chan error, 1)}
	for _, s := range samplers {
		p.samples[s.half], p.origins[s.half] = make([]Sample, size), make([]Origin, size)
	}
	p.left.Store(int64(len(samplers) * size))
	return p
}

// put stores a sample; slots are distinct, so no lock is needed.
func (p *pending) put(j job, s Sample) {
	p.samples[j.from.half][j.slot] = s
	p.origins[j.from.half][j.slot] = Origin{Name: s.Name, Epoch: j.at.epoch, Recipe: s.Recipe}
	if p.left.Add(-1) == 0 {
		close(p.done)
	}
}

func (p *pending) fail(err error) {
	select {
	case p.failed <- err:
	default: // an earlier one is there
	}
}

// wait returns the batch when it is complete.
func (p *pending) wait(ctx context.Context) (Batch, error) {
	select {
	case <-ctx.Done():
		return Batch{}, context.Cause(ctx)
	case err := <-p.failed:
		return Batch{}, err
	case <-p.done:
		return p.collect()
	}
}

func (p *pending) collect() (Batch, error) {
	b := Batch{Step: p.step, Labelled: p.origins[labelled], Unlabelled: p.origins[unlabelled]}
	var errs [3]error
	b.LabelledLR, errs[0] = stackImages(p.samples[labelled], func(s Sample) *Image { return s.LR })
	b.LabelledHR, errs[1] = stackImages(p.samples[labelled], func(s Sample) *Image { return s.HR })
	b.UnlabelledLR, errs[2] = stackImages(p.samples[unlabelled], func(s Sample) *Image { return s.LR })
	if err := firstError(errs[:]...); err != nil {
		return Batch{}, err
	}
	return b, nil
}
