package pdd_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/pdd"
	"github.com/gopdd/gopdd/tensor"
)

// longMemoryTest asks TestMemoryIsFlat for 2,000 steps; they take minutes.
const longMemoryTest = "GOPDD_LONG_TESTS"

// TestMemoryIsFlat: after some steps a run needs no more memory, with checkpoints, validations and log as in real runs.
// What a step makes is freed when it ends.
func TestMemoryIsFlat(t *testing.T) {
	if _, err := vgg(); err != nil {
		t.Fatal(err)
	}
	tensortest.Check(t)
	const bound = 16 // MiB; garbage of the Go heap comes and goes
	steps := 120
	if os.Getenv(longMemoryTest) != "" {
		steps = 2000
	}
	c := validated(t, withPictures(t, small(pdd.EMA())))
	c.Steps, c.Data.Workers = steps, 2
	c.Validation.Every, c.Output.SaveEvery, c.Output.TensorBoard = steps/8, steps/8, true
	var live, liveBytes int64
	var warm, most float64 // in the second quarter, in the second half
	run(t, newTrainer(t, c, pdd.OnStep(func(r pdd.StepReport) {
		m := tensor.MemoryStats(tensor.CPU)
		rss := resident(t)
		switch {
		case r.Step == 3: // all phases have been
			live, liveBytes = m.LiveTensors, m.LiveBytes
		case r.Step > 3 && (m.LiveTensors != live || m.LiveBytes != liveBytes):
			t.Errorf("after step %d %d tensors of %d bytes are alive, %d of %d after step 3", r.Step, m.LiveTensors, m.LiveBytes, live, liveBytes)
		case r.Step > steps/2:
			most = max(most, rss)
		case r.Step > steps/4:
			warm = max(warm, rss)
		}
		if r.Step%(steps/8) == 0 {
			t.Logf("after step %4d: %.1f MiB resident, %d tensors of %.2f MiB", r.Step, rss, m.LiveTensors, float64(m.LiveBytes)/(1<<20))
		}
	})))
	t.Logf("at most %.1f MiB in the second quarter, %.1f in the second half", warm, most)
	if most-warm > bound {
		t.Errorf("resident memory rose by %.1f MiB, more than %d", most-warm, bound)
	}
}

// resident is the process's memory in MiB.
func resident(t *testing.T) float64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		t.Fatal(err)
	}
	return float64(pages*os.Getpagesize()) / (1 << 20)
}
