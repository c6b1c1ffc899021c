package bench

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/pdd"
	"github.com/gopdd/gopdd/tensor"
)

// BenchmarkStep makes whole training steps after the warm-up, all terms on: RRDBNet of 23 blocks, its moving average as
// generalist, VGG19, U-Net discriminator of 64 channels, all with random weights; 2 + 2 patches of 24×24 LR pixels, or
// $GOPDD_BENCH_BATCH and $GOPDD_BENCH_PATCH. $GOPDD_BENCH_RECOMPUTE turns recomputation on, $GOPDD_BENCH_THREADS sets
// the threads. It reports seconds a step (the median) and seconds of processor time (with one thread: a measure that
// other work on the machine disturbs less), by how much the CPU's tensors rose in a step at most, and by how much resident memory rose at most
// since before the networks were made. bench/step_torch.py is the same work in PyTorch; bench/step.sh compares.
//
//	go test ./bench -run NONE -bench 'Step/float32' -benchtime 5x
func BenchmarkStep(b *testing.B) {
	precisions := []pdd.Precision{pdd.Float32, pdd.BFloat16}
	if tensortest.Device() != tensor.CPU {
		precisions = append(precisions, pdd.TF32)
	}
	for _, p := range precisions {
		b.Run(p.String(), func(b *testing.B) {
			c := pdd.EMA()
			c.Warmup = pdd.WarmupConfig{}
			c.Data.Batch, c.Data.Patch = setting("BATCH", 2), setting("PATCH", 24)
			c.Compute.Precision = p
			c.Compute.Recompute = setting("RECOMPUTE", 0) != 0
			c.Compute.Threads, c.Compute.Device = setting("THREADS", 0), tensortest.DeviceName()
			benchmarkSteps(b, c)
		})
	}
}

// setting is a number of the environment.
func setting(name string, preset int) int {
	if v, err := strconv.Atoi(os.Getenv("GOPDD_BENCH_" + name)); err == nil {
		return v
	}
	return preset
}

func benchmarkSteps(b *testing.B, c pdd.Config) {
	before := highWater(b)
	nets, closeAll := stepNetworks(b)
	defer closeAll()
	t, err := pdd.NewTrainer(c, pdd.WithNetworks(nets))
	if err != nil {
		b.Fatal(err)
	}
	defer t.Close()
	batch := randomBatch(c.Data.Batch, c.Data.Patch)
	step := func() pdd.StepReport {
		r, err := t.Step(b.Context(), batch)
		if err != nil {
			b.Fatal(err)
		}
		return r
	}
	step() // builds the kernels
	step()
	var seconds []float64
	var peak int64
	begin := processorTime(b)
	for b.Loop() {
		r := step()
		seconds, peak = append(seconds, r.Duration.Seconds()), max(peak, r.PeakBytes)
	}
	b.ReportMetric((processorTime(b)-begin)/float64(len(seconds)), "cpu-s/step")
	slices.Sort(seconds)
	b.ReportMetric(seconds[len(seconds)/2], "s/step")
	b.ReportMetric(float64(peak)/(1<<20), "tensors-MiB")
	b.ReportMetric((highWater(b)-before)/(1<<20), "resident-MiB")
}

// stepNetworks are those of the paper with random weights.
func stepNetworks(b *testing.B) (n pdd.Networks, closeAll func()) {
	g, err := models.NewRRDBNet(models.RRDBNetConfig{NumInCh: 3, NumOutCh: 3, NumFeat: 64, NumBlock: 23, NumGrowCh: 32, Scale: 4}, 1, tensortest.Device())
	if err != nil {
		b.Fatal(err)
	}
	d, err := models.NewUNetDiscriminator(models.UNetDiscriminatorConfig{NumInCh: 3, NumFeat: 64, SkipConnection: true}, 1, tensortest.Device())
	if err != nil {
		b.Fatal(err)
	}
	phi, err := models.NewVGG19(64, models.InputNorm{ImageNet: true}, 1, tensortest.Device())
	if err != nil {
		b.Fatal(err)
	}
	return pdd.Networks{Specialist: g, Discriminator: d, Features: phi}, func() { g.Close(); d.Close(); phi.Close() }
}

// randomBatch is noise: a step takes as long on it as on pictures.
func randomBatch(n, side int) data.Batch {
	r := rand.New(rand.NewPCG(1, 1))
	stack := func(side int) data.Stack {
		st := data.Stack{N: n, C: 3, H: side, W: side, Pix: make([]float32, n*3*side*side)}
		for i := range st.Pix {
			st.Pix[i] = r.Float32()
		}
		return st
	}
	return data.Batch{LabelledLR: stack(side), LabelledHR: stack(4 * side), UnlabelledLR: stack(side)}
}

// processorTime is what the process has used of all cores so far, in seconds.
func processorTime(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// highWater is the most memory that was resident in the process so far, in bytes.
func highWater(b *testing.B) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip(err)
	}
	for line := range bytes.Lines(text) {
		var kib float64
		if n, _ := fmt.Sscanf(string(line), "VmHWM: %f kB", &kib); n == 1 {
			return kib * 1024
		}
	}
	b.Skip("no VmHWM")
	return 0
}
