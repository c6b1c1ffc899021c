package pdd_test

import (
	"path/filepath"
	"testing"

	"github.com/gopdd/gopdd/pdd"
)

// TestRecompute: recomputing activations changes no bit of a run in float32.
func TestRecompute(t *testing.T) {
	rrdb := func(depth int) *pdd.Sizes {
		return &pdd.Sizes{Kind: "rrdbnet", Scale: 4, Feat: 8, Depth: depth, Grow: 4}
	}
	for _, tt := range []struct {
		name   string
		config pdd.Config
		net    *pdd.Sizes
	}{
		{"rrdbnet, ema: both halves in one pass, a skip over all blocks", pdd.EMA(), rrdb(3)},
		{"rrdbnet of one block: the skip's gradient joins at once", pdd.Supervised(), rrdb(1)},
		{"rrdbnet at scale 2: the input is unshuffled", pdd.Naive(), &pdd.Sizes{Kind: "rrdbnet", Scale: 2, Feat: 8, Depth: 2, Grow: 4}},
		{"srvgg, accumulated", pdd.EMAAsReleased(), &pdd.Sizes{Kind: "srvgg", Scale: 4, Feat: 8, Depth: 3}},
		{"srvgg without blocks", pdd.SingleFixed(), &pdd.Sizes{Kind: "srvgg", Scale: 2, Feat: 8, Depth: 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			whole := withPictures(t, small(tt.config))
			whole.Specialist.New = tt.net
			run(t, newTrainer(t, whole))

			again := whole
			again.Compute.Recompute = true
			again.Output.Dir = filepath.Join(t.TempDir(), "recomputed")
			run(t, newTrainer(t, again))
			checkSame(t, "recomputed", readSnapshot(t, checkpointPath(again, again.Steps)), readSnapshot(t, checkpointPath(whole, whole.Steps)))
		})
	}
}
