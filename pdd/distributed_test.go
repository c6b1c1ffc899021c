package pdd_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gopdd/gopdd/internal/comm"
	"github.com/gopdd/gopdd/pdd"
)

func needGroups(t testing.TB) {
	t.Helper()
	if _, err := comm.Engine(false); err != nil {
		t.Skip(err)
	}
}

// freeAddress is one that nobody listens at.
func freeAddress(t testing.TB) string {
	t.Helper()
	address, err := comm.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// together runs fn as each of n ranks, with a trainer for its share of c's batch, and returns their errors.
func together(t testing.TB, n int, c pdd.Config, fn func(rank int, tr *pdd.Trainer) error, opts ...pdd.TrainerOption) []error {
	t.Helper()
	needGroups(t)
	phi, err := vgg()
	if err != nil {
		t.Fatal(err)
	}
	c.Data.Batch /= n
	address := freeAddress(t)
	errs := make([]error, n)
	var all sync.WaitGroup
	for rank := range n {
		all.Go(func() {
			d := pdd.Distributed{Rank: rank, WorldSize: n, Address: address, Timeout: 30 * time.Second, CheckEvery: 3}
			tr, err := pdd.NewTrainer(c, append([]pdd.TrainerOption{pdd.WithNetworks(pdd.Networks{Features: phi}), pdd.WithDistributed(d)}, opts...)...)
			if err != nil {
				errs[rank] = err
				return
			}
			errs[rank] = errors.Join(fn(rank, tr), tr.Close())
		})
	}
	all.Wait()
	return errs
}

// steps makes n steps on the trainer's own data and calls see after each.
func steps(t testing.TB, tr *pdd.Trainer, n int, see func(r pdd.StepReport) error) error {
	for b, err := range tr.Batches(t.Context()) {
		if err != nil {
			return err
		}
		r, err := tr.Step(t.Context(), b)
		if err != nil {
			return err
		}
		if err := see(r); err != nil || tr.Done() >= n {
			return err
		}
	}
	return nil
}

// course is what a training went through: all tensors at the start, after one step and at the end, and the losses.
type course struct {
	start, first, last snapshot
	reports            []pdd.StepReport
}

const courseSteps = 20

func (c *course) follow(t testing.TB, tr *pdd.Trainer) error {
	c.start = snap(t, tr)
	err := steps(t, tr, courseSteps, func(r pdd.StepReport) error {
		c.reports = append(c.reports, r)
		if r.Step == 1 {
			c.first = snap(t, tr)
		}
		return nil
	})
	c.last = snap(t, tr)
	return err
}

// TestProcessesEqualOne: n processes with batch 8/n train as one with batch 8 does, in every preset: the same averaged
// gradients after a step, the same losses, and the same tensors after 20 steps but for what rounding becomes in Adam.
func TestProcessesEqualOne(t *testing.T) {
	for i, name := range pdd.PresetNames() {
		ranks := []int{2, 4}
		if i > 1 {
			ranks = ranks[:1]
		}
		t.Run(name, func(t *testing.T) {
			c, err := pdd.PresetByName(name)
			if err != nil {
				t.Fatal(err)
			}
			c = withPictures(t, small(c))
			c.Data.Batch, c.Warmup = 8, pdd.WarmupConfig{}
			if c.Method == pdd.SupervisedOnly { // all supervised terms
				c.Loss.Wavelet.Weight, c.Loss.Wavelet.Sum, c.Loss.Perceptual.Style, c.Loss.GAN.Weight = 1e-4, true, 1, 0.1
				c.Optimizer.ClipNorm = 0.5
			}
			if name == "single-fixed" { // segments with a skip over all blocks
				c.Specialist.New = &pdd.Sizes{Kind: "rrdbnet", Scale: 2, Feat: 8, Depth: 2, Grow: 4}
			}
			var one course
			if err := one.follow(t, newTrainer(t, c)); err != nil {
				t.Fatal(err)
			}
			for _, n := range ranks {
				courses := make([]course, n)
				errs := together(t, n, c, func(rank int, tr *pdd.Trainer) error { return courses[rank].follow(t, tr) })
				if err := errors.Join(errs...); err != nil {
					t.Fatal(err)
				}
				for rank := 1; rank < n; rank++ {
					if names := courses[0].last.differences(courses[rank].last); len(names) > 0 {
						t.Errorf("%d ranks: rank %d differs from rank 0 in %v", n, rank, names[:min(3, len(names))])
					}
				}
				compareCourses(t, fmt.Sprintf("%d ranks", n), courses[0], one)
			}
		})
	}
}

func compareCourses(t *testing.T, what string, got, want course) {
	t.Helper()
	for name, w := range want.first.tensors {
		if !strings.Contains(name, ".mean/") { // (1-β1) times the first step's gradients
			continue
		}
		off, norm := rms(got.first.tensors[name], w), rms(w, make([]float64, len(w)))
		if name == "discriminator.mean/conv_9.bias" { // the sum of two means that are −½ and ½ while nothing is learnt
			norm = 0.1 * 0.5
		}
		if !(off <= 1e-5*norm) {
			t.Errorf("%s: gradient %s is off by %.2g of its norm", what, name, off/norm)
		}
	}
	for i, r := range want.reports {
		for _, term := range r.Losses {
			// a logit is a mean around 0; R_inter a difference of nearly equal networks
			if g := got.reports[i].Loss(term.Name); math.Abs(g-term.Value) > 2e-3*math.Abs(term.Value)+1e-4 {
				t.Errorf("%s: step %d: %s is %v, want %v", what, r.Step, term.Name, g, term.Value)
			}
		}
	}
	compareTensors(t, what, got.last, want.last, want.start)
}

// compareTensors allows 0.3 % of a tensor's elements to be off by more than 6 % of the way it came from its start.
func compareTensors(t *testing.T, what string, got, want, start snapshot) {
	t.Helper()
	for name, w := range want.tensors {
		travelled, off := rms(w, start.tensors[name]), 0
		for i, v := range got.tensors[name] {
			if math.Abs(v-w[i]) > 0.06*travelled {
				off++
			}
		}
		if float64(off) > 0.003*float64(len(w)) {
			t.Errorf("%s: %d of %d elements of %s are off by more than 6 %% of the way it came", what, off, len(w), name)
		}
	}
}

func rms(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += (a[i] - b[i]) * (a[i] - b[i])
	}
	return math.Sqrt(sum / float64(len(a)))
}

// TestPerProcessNorm: two processes of which each takes its own norm are one process that takes two parts' norms: the
// authors' option files are for two GPUs. There is no discriminator, for its power iterations count parts.
func TestPerProcessNorm(t *testing.T) {
	c := withPictures(t, small(pdd.StaticAsReleased()))
	c.Data.Batch, c.Warmup, c.Loss.GAN.Weight = 8, pdd.WarmupConfig{}, 0
	var parts course
	if err := parts.follow(t, newTrainer(t, c)); err != nil {
		t.Fatal(err)
	}
	c.Optimizer.Accumulate, c.Loss.Inter.PerProcess = 1, true
	courses := make([]course, 2)
	errs := together(t, 2, c, func(rank int, tr *pdd.Trainer) error { return courses[rank].follow(t, tr) })
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	compareCourses(t, "own norms", courses[0], parts)
	if slices.Equal(parts.first.tensors["specialist/body.0.weight"], parts.start.tensors["specialist/body.0.weight"]) {
		t.Error("nothing was trained")
	}
}
