package pdd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/comm"
	"github.com/gopdd/gopdd/losses"
	"github.com/gopdd/gopdd/tensor"
)

// What several processes that train one model do together. In a single process t.group is nil.

// meet begins the group, so that the others learn of what goes wrong from here on.
func (t *Trainer) meet() (err error) {
	if err = t.dist.validate(); err != nil || !t.dist.several() {
		return err
	}
	if t.cfg.Compute.Device == "cuda" {
		t.cfg.Compute.Device = fmt.Sprintf("cuda:%d", t.dist.LocalRank)
	}
	if t.engine, err = comm.Engine(strings.HasPrefix(t.cfg.Compute.Device, "cuda")); err != nil {
		return err
	}
	t.group, err = comm.Open(backgroundContext, comm.Config{Rank: t.dist.Rank, Size: t.dist.WorldSize, Store: t.dist.Address,
		Interface: t.dist.Interface, Timeout: t.dist.Timeout})
	return err
}

// join waits for all ranks, checks that they are at the same work, and takes rank 0's weights.
func (t *Trainer) join() error {
	if t.group == nil {
		return nil
	}
	mine, err := t.introduce()
	if err != nil {
		return err
	}
	texts, err := t.group.Exchange(backgroundContext, "introduction", mine)
	if err != nil {
		return err
	}
	if err := agree(texts); err != nil {
		return err
	}
	if err := t.group.Connect(int(t.device)); err != nil {
		return err
	}
	list := t.slotTensors()
	if t.phi != nil {
		list = append(list, tensors(t.phi.Parameters())...)
	}
	return t.takeTensors(list)
}

// takeTensors makes tensors rank 0's.
func (t *Trainer) takeTensors(list []torch.Tensor) error {
	return t.background(func(*tensor.Scope) error { return t.group.Broadcast("weights of rank 0", list) })
}

func (t *Trainer) slotTensors() []torch.Tensor {
	slots := t.slots()
	list := make([]torch.Tensor, len(slots))
	for i, sl := range slots {
		list[i] = sl.tensor
	}
	return list
}

// takeState gives all ranks the tensors and the rest of a checkpoint that rank 0 has read.
func (t *Trainer) takeState(st state) (state, error) {
	if t.group == nil {
		return st, nil
	}
	text, err := json.Marshal(st)
	if err != nil {
		return st, err
	}
	shared, err := t.share("state of the checkpoint", string(text))
	if err != nil {
		return st, err
	}
	if !t.root() {
		if err := json.Unmarshal([]byte(shared), &st); err != nil {
			return st, err
		}
	}
	return st, t.takeTensors(t.slotTensors())
}

// ranks is the number of processes.
func (t *Trainer) ranks() int { return max(t.dist.WorldSize, 1) }

// root tells whether this process writes what a run leaves behind.
func (t *Trainer) root() bool { return t.dist.Rank == 0 }

// fail tells the others of an error. The result is the error that came first in the group.
func (t *Trainer) fail(err error) error {
	if err == nil || t.group == nil {
		return err
	}
	return t.group.Fail(err)
}

// GroupFailed is closed when the group of several processes has failed: Step and Run return its error as soon as they
// can, though they may hang in what caused it. It is nil in a single process.
func (t *Trainer) GroupFailed() <-chan struct{} {
	if t.group == nil {
		return nil
	}
	return t.group.Failed()
}

// GroupFailure is the rank that failed first and why, nil before.
func (t *Trainer) GroupFailure() error {
	if t.group == nil {
		return nil
	}
	return t.group.Failure()
}

// share gives rank 0's text to all.
func (t *Trainer) share(what, text string) (string, error) {
	if t.group == nil {
		return text, nil
	}
	return t.group.Share(backgroundContext, what, text)
}

// compare checks that every rank's tensors and counts are rank 0's, to the bit.
func (t *Trainer) compare() error {
	if t.group == nil {
		return nil
	}
	counts := []int64{int64(t.Done()), t.optG.Count, int64(t.skipped), int64(math.Float64bits(t.scaler.scale))}
	var sums []int64
	err := t.background(func(*tensor.Scope) (err error) {
		sums, err = comm.BitSums(t.slotTensors())
		return err
	})
	if err != nil {
		return err
	}
	rows, err := t.group.GatherInt64s(fmt.Sprintf("comparison after step %d", t.Done()), append(counts, sums...))
	if err != nil {
		return err
	}
	for rank, row := range rows {
		if slices.Equal(row, rows[0]) {
			continue
		}
		what := "its counts of steps"
		for i, sl := range t.slots() {
			if row[len(counts)+i] != rows[0][len(counts)+i] {
				what = "its " + sl.name
				break
			}
		}
		return &comm.RankError{Rank: rank, Reason: fmt.Sprintf("after step %d %s is no longer rank 0's", t.Done(), what)}
	}
	return nil
}

// newReducer sums the gradients of a step over all ranks; nil in a single process.
func (t *Trainer) newReducer(step int) *comm.Reducer {
	if t.group == nil {
		return nil
	}
	return t.group.NewReducer(fmt.Sprintf("gradients of step %d", step))
}

// reduce begins to sum gradients over the ranks when the last part of the batch has made them complete.
func (a *gradients) reduce(last bool, grads []torch.Tensor) {
	if !last || a.reducer == nil {
		return
	}
	if err := a.reducer.Start(grads...); err != nil {
		tensor.Failf("gradients", "%w", err)
	}
}

// together makes the sums of gradients and the means of losses, over all ranks. It also tells all whether one of them
// wants to stop.
func (t *Trainer) together(sums *gradients, r *StepReport) error {
	if t.group == nil {
		return nil
	}
	values := make([]float64, len(r.Losses)+1)
	for i, l := range r.Losses {
		values[i] = l.Value / float64(t.ranks())
	}
	if t.stopWanted.Load() {
		values[len(r.Losses)] = 1
	}
	start := time.Now()
	if err := sums.reducer.Wait(); err != nil {
		return err
	}
	if err := t.group.SumFloat64s(fmt.Sprintf("losses of step %d", r.Step), values); err != nil {
		return err
	}
	for i := range r.Losses {
		r.Losses[i].Value = values[i]
	}
	r.Waited = time.Since(start)
	t.stopAgreed = values[len(r.Losses)] > 0
	return nil
}

// overRanks is how R_inter's layers are added up.
func (t *Trainer) overRanks(c InterConfig) func(*tensor.Scope, losses.Layers, func(string) torch.Tensor) torch.Tensor {
	if t.group == nil || c.Norm != losses.WholeBatch || c.PerProcess {
		return func(s *tensor.Scope, l losses.Layers, norm func(string) torch.Tensor) torch.Tensor {
			return l.Sum(s, norm)
		}
	}
	return t.wholeNorm
}

// wholeNorm is R_inter with one Frobenius norm over all ranks' batches, from the norms of each: ‖(D_1, …, D_n)‖ is
// L = √Σ‖D_r‖², its derivative for D_r is D_r/L. A rank's loss n·‖D_r‖²/L, with ‖D_r‖/L held constant, has n times that
// derivative, and L is the mean of the ranks' losses, as gradients are means of theirs.
func (t *Trainer) wholeNorm(s *tensor.Scope, layers losses.Layers, norm func(layer string) torch.Tensor) torch.Tensor {
	norms := map[string]torch.Tensor{}
	var own, all []float64
	for _, layer := range layers.Names() {
		norms[layer] = norm(layer)
		n := s.Item(norms[layer])
		own, all = append(own, n), append(all, n*n)
	}
	if err := t.group.SumFloat64s("norms of R_inter", all); err != nil {
		tensor.Failf("inter", "%w", err)
	}
	weights := maps.Clone(layers)
	for i, layer := range layers.Names() {
		if all[i] == 0 {
			weights[layer] = 0
			continue
		}
		weights[layer] *= float64(t.ranks()) * own[i] / math.Sqrt(all[i])
	}
	return weights.Sum(s, func(layer string) torch.Tensor { return norms[layer] })
}

// runContext ends when all ranks have agreed to stop or the group has failed, not when ctx, of this rank alone, ends.
func (t *Trainer) runContext(ctx context.Context) (_ context.Context, stop context.CancelCauseFunc) {
	if t.group == nil {
		return context.WithCancelCause(ctx)
	}
	all, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	t.stopWanted.Store(false)
	t.stopAgreed = false
	unwatch := context.AfterFunc(ctx, func() { t.stopWanted.Store(true) })
	go func() {
		select {
		case <-all.Done():
		case <-t.group.Failed():
			cancel(t.group.Failure())
		}
		unwatch()
	}()
	return all, cancel
}

// stopCause is why a run stops after a step, nil where it goes on.
func (t *Trainer) stopCause(ctx context.Context) error {
	switch {
	case !t.stopAgreed:
		return nil
	case t.stopWanted.Load():
		return context.Cause(ctx)
	}
	return errors.Join(context.Canceled, errOtherStopped)
}
