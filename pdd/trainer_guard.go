package pdd

import (
	"errors"
	"fmt"
	"math"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/tensor"
)

// This file keeps bad batches and values that are not finite from spoiling what was trained.

// checkBatch compares a batch's sizes with what the step needs.
func (t *Trainer) checkBatch(b data.Batch) error {
	lr, hr, un := b.LabelledLR, b.LabelledHR, b.UnlabelledLR
	for _, st := range stacks(b) {
		if st.N != 0 && (min(st.N, st.C, st.H, st.W) < 1 || len(st.Pix) != st.N*st.C*st.H*st.W) {
			return fmt.Errorf("batch whose stack of %s images is %d×%d×%d×%d and has %d values: want as many as the product",
				st.name, st.N, st.C, st.H, st.W, len(st.Pix))
		}
	}
	switch {
	case lr.N == 0 || lr.N != hr.N || lr.C != 3 || hr.C != 3:
		return fmt.Errorf("batch of %d labelled LR and %d HR images of %d and %d planes: want as many of each, of 3 planes", lr.N, hr.N, lr.C, hr.C)
	case hr.H != lr.H*t.scale || hr.W != lr.W*t.scale:
		return fmt.Errorf("batch of %d×%d LR and %d×%d HR patches: want HR %d times as large", lr.H, lr.W, hr.H, hr.W, t.scale)
	case t.cfg.Method != SupervisedOnly && (un.N != lr.N || un.C != 3 || un.H != lr.H || un.W != lr.W):
		return fmt.Errorf("batch of %d unlabelled %d×%d×%d and %d labelled %d×%d×%d patches: want as many of one size",
			un.N, un.C, un.H, un.W, lr.N, lr.C, lr.H, lr.W)
	case lr.N%t.cfg.Optimizer.Accumulate != 0:
		return fmt.Errorf("batch of %d patches in %d parts: want a multiple", lr.N, t.cfg.Optimizer.Accumulate)
	}
	return nil
}

// namedStack is a part of a batch.
type namedStack struct {
	data.Stack
	name    string
	origins []data.Origin
}

func stacks(b data.Batch) []namedStack {
	return []namedStack{{b.LabelledLR, "labelled LR", b.Labelled}, {b.LabelledHR, "labelled HR", b.Labelled},
		{b.UnlabelledLR, "unlabelled LR", b.Unlabelled}}
}

// attempt makes the step. Where it changes no weight, u and v of the spectral norm, which every pass of the
// discriminator moves on, are put back too.
func (t *Trainer) attempt(s *tensor.Scope, b data.Batch, r *StepReport) (err error) {
	vectors := t.spectral()
	before := make([]torch.Tensor, len(vectors))
	for i, x := range vectors {
		before[i] = s.NoGrad().Clone(x)
	}
	stepped := false
	defer func() { // after a panic of tensor mathematics too
		if !stepped {
			for i, x := range vectors {
				s.NoGrad().Copy(x, before[i])
			}
		}
	}()
	err = t.step(s, b, r)
	if r.Skipped != "" {
		r.Skipped += t.cause(s, b)
	}
	if errors.Is(err, errNotFinite) {
		err = t.refusal(r)
	}
	stepped = err == nil && r.Skipped == ""
	return err
}

// spectral lists u and v of the discriminator's spectral norm: its state beside the parameters.
func (t *Trainer) spectral() (list []torch.Tensor) {
	if t.disc == nil {
		return nil
	}
	params := map[string]bool{}
	for _, p := range t.disc.Parameters() {
		params[p.Name] = true
	}
	for _, n := range t.disc.State() {
		if !params[n.Name] {
			list = append(list, n.Tensor)
		}
	}
	return list
}

// errNotFinite ends a step whose values are not finite when no more may be skipped.
var errNotFinite = errors.New("not finite")

// refusal is the error of such a step.
func (t *Trainer) refusal(r *StepReport) error {
	after := ""
	if n := t.cfg.Optimizer.SkipNonFinite; n > 0 {
		after = fmt.Sprintf(", after %d skipped steps in a row", n)
	}
	return fmt.Errorf("%s%s: lower the learning rate or the term's weight, mend the data, or let optimizer.skip_nonfinite steps be skipped", r.Skipped, after)
}

// cause tells in brackets whether the batch or a weight was not finite before the step.
func (t *Trainer) cause(s *tensor.Scope, b data.Batch) string {
	for _, st := range stacks(b) {
		for i, v := range st.Pix {
			if v-v != 0 { // NaN and the infinities, nothing else
				n := i / (st.C * st.H * st.W)
				name := ""
				if n < len(st.origins) {
					name = fmt.Sprintf(" (%s)", st.origins[n].Name)
				}
				return fmt.Sprintf(" (%s image %d of the batch%s has the value %v)", st.name, n, name, v)
			}
		}
	}
	for _, sl := range t.slots() {
		if !s.AllFinite(sl.tensor) {
			return fmt.Sprintf(" (%s was not finite before)", sl.name)
		}
	}
	return ""
}

// accept completes the step's gradients and decides whether weights may change by them.
func (t *Trainer) accept(s *tensor.Scope, sums *gradients, r *StepReport) (ok bool, err error) {
	parts := t.cfg.Optimizer.Accumulate
	r.Losses = sums.terms.read(s, parts)
	if err := t.together(sums, r); err != nil {
		return false, err
	}
	factor := 1 / (t.scaler.scale * float64(parts*t.ranks()))
	r.GradNormG = finish(s, sums.g, factor, t.cfg.Optimizer.ClipNorm)
	r.GradNormD = finish(s, sums.d, factor, 0)
	r.Skipped = r.notFinite()
	switch {
	case t.scaler.update(r): // overflow
		return false, nil
	case r.Skipped == "":
		t.skipped = 0
		return true, nil
	case t.skipped >= t.cfg.Optimizer.SkipNonFinite:
		return false, errNotFinite
	}
	t.skipped++
	return false, nil
}

// notFinite names the first value of the step that is NaN or infinite.
func (r *StepReport) notFinite() string {
	values := append(append([]Term(nil), r.Losses...), Term{"gradient norm of the specialist", r.GradNormG}, Term{"gradient norm of the discriminator", r.GradNormD})
	for i, v := range values {
		if math.IsNaN(v.Value) || math.IsInf(v.Value, 0) {
			kind := ""
			if i < len(r.Losses) {
				kind = lossPrefix
			}
			return fmt.Sprintf("%s%s is %v", kind, v.Name, v.Value)
		}
	}
	return ""
}

const lossPrefix = "loss "
