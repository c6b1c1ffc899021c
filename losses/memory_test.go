package losses_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/gopdd/gopdd/tensor"
)

// costs are the largest losses and how much memory they may take beside the features, in units of one of them: what a
// loss keeps until backward, and the peak of loss and gradients for two of the features.
var costs = []struct {
	name       string
	loss       func(s *tensor.Scope, f [4]T) T
	kept, peak float64
}{
	{"intra ce", every["intra ce"], 1, 5.1},
	{"inter", every["inter whole"], 0.1, 4.1},
	{"perceptual", every["perceptual l1"], 0, 4},
}

// The gradients themselves are a unit for each of the specialist's features. What is kept is what a training step has in memory at its peak.
func TestMemory(t *testing.T) {
	const n, c, h, w = 2, 16, 64, 64
	for _, cost := range costs {
		in(t, func(s *tensor.Scope) {
			f := trained(s, n, c, h, w)
			const unit = n * c * h * w * 4.
			var kept int64
			peak := s.Peak(tensor.CPU, func() {
				before := tensor.MemoryStats(tensor.CPU).LiveBytes
				y := cost.loss(s, f)
				kept = tensor.MemoryStats(tensor.CPU).LiveBytes - before
				s.Backward(y)
			})
			if k, p := float64(kept)/unit, float64(peak)/unit; k > cost.kept+0.01 || p > cost.peak+0.01 {
				t.Errorf("%s keeps %.2f features and takes %.2f, want at most %v and %v", cost.name, k, p, cost.kept, cost.peak)
			}
		})
	}
}

// trained are float32 features as models.Features gives them, of which the specialist's need gradients.
func trained(s *tensor.Scope, shape ...int64) [4]T {
	var f [4]T
	for i, x := range four(s, shape...) {
		f[i] = s.ChannelsLast(s.Cast(x, tensor.Float32))
		s.Free(x)
	}
	s.RequiresGrad(true, f[0], f[2])
	return f
}

// BenchmarkLosses measures loss and gradients at the sizes of the paper's training step: 8 pairs, VGG19 layers of
// images of 192 pixels. docs/LOSSES.md has the figures.
func BenchmarkLosses(b *testing.B) {
	for _, layer := range []struct {
		name  string
		shape []int64
	}{
		{"conv2 [8,128,96,96]", []int64{8, 128, 96, 96}},
		{"conv3 [8,256,48,48]", []int64{8, 256, 48, 48}},
		{"conv4 [8,512,24,24]", []int64{8, 512, 24, 24}},
	} {
		for _, cost := range costs {
			b.Run(cost.name+"/"+layer.name, func(b *testing.B) { benchmark(b, cost.loss, layer.shape) })
		}
	}
	b.Run("wavelet/[8,3,192,192]", func(b *testing.B) { benchmark(b, every["wavelet"], []int64{8, 3, 192, 192}) })
}

func benchmark(b *testing.B, loss func(s *tensor.Scope, f [4]T) T, shape []int64) {
	err := tensor.Do(b.Context(), func(s *tensor.Scope) error {
		f := trained(s, shape...)
		unit := float64(4 * s.Numel(f[0]))
		var kept, peak int64
		start := processorTime()
		for b.Loop() {
			peak = s.Peak(tensor.CPU, func() {
				before := tensor.MemoryStats(tensor.CPU).LiveBytes
				y := loss(s, f)
				kept = tensor.MemoryStats(tensor.CPU).LiveBytes - before
				s.Backward(y)
				s.ZeroGrad(f[0], f[2])
				s.Free(y)
			})
		}
		b.ReportMetric((processorTime()-start).Seconds()*1e3/float64(b.N), "cpu-ms/op")
		b.ReportMetric(float64(kept)/unit, "kept-features")
		b.ReportMetric(float64(peak)/unit, "peak-features")
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// processorTime is what all threads of the process have used, which on a busy machine says more than the clock.
func processorTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
