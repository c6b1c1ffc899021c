// Package bench holds benchmarks of whole forward passes and the scripts that run the peers on the same work.
// See docs/PERFORMANCE.md for how to run them and what came out.
package bench

import (
	"fmt"
	"testing"

	"github.com/gopdd/gopdd/internal/arch"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

// x4plus are the sizes of Real-ESRGAN x4plus.
var x4plus = models.RRDBNetConfig{NumInCh: 3, NumOutCh: 3, NumFeat: 64, NumBlock: 23, NumGrowCh: 32, Scale: 4}

// BenchmarkRRDBNet runs Real-ESRGAN x4plus's network (random weights) on one LR picture, all cores.
func BenchmarkRRDBNet(b *testing.B) {
	net, err := models.NewRRDBNet(x4plus, 1, tensor.CPU)
	if err != nil {
		b.Fatal(err)
	}
	defer net.Close()
	path := b.TempDir() + "/net.safetensors"
	if err := models.Save(path, net, nil); err != nil {
		b.Fatal(err)
	}
	for _, engine := range []struct {
		name string
		opts []models.LoadOption
	}{
		{"kernels", []models.LoadOption{models.InferenceOnly()}},
		{"libtorch/float32", nil},
		{"libtorch/bfloat16", []models.LoadOption{models.WithDType(tensor.BFloat16)}},
	} {
		for _, side := range []int64{64, 128, 256} {
			b.Run(fmt.Sprintf("%s/%d", engine.name, side), func(b *testing.B) { forward(b, path, side, engine.opts) })
		}
	}
}

func forward(b *testing.B, path string, side int64, opts []models.LoadOption) {
	net, err := models.Load(path, opts...)
	if err != nil {
		b.Fatal(err)
	}
	defer net.Close()
	err = tensor.Do(b.Context(), func(s *tensor.Scope) error {
		x := s.Rand(1, tensor.Float32, tensor.CPU, 1, 3, side, side)
		run := func() { s.Free(net.Forward(s.NoGrad(), x)) }
		run() // builds the kernels
		for b.Loop() {
			run()
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	gflop := float64(arch.RRDBNet(x4plus).Operations(int(side), int(side))) / 1e9
	b.ReportMetric(gflop*float64(b.N)/b.Elapsed().Seconds(), "GFLOP/s")
}
