// Package bench holds benchmarks of whole forward passes and the scripts that run the peers on the same work.
// See docs/PERFORMANCE.md for how to run them and what came out.
package bench

import (
	"fmt"
	"testing"

	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

// gflop counts multiplications and additions of the convolutions for one LR pixel, in 1e9.
const rrdbGflop = 587.0 / (128 * 128)

// BenchmarkRRDBNet runs Real-ESRGAN x4plus's network (random weights) on one LR picture, all cores.
func BenchmarkRRDBNet(b *testing.B) {
	cfg := models.RRDBNetConfig{NumInCh: 3, NumOutCh: 3, NumFeat: 64, NumBlock: 23, NumGrowCh: 32, Scale: 4}
	net, err := models.NewRRDBNet(cfg, 1, tensor.CPU)
	if err != nil {
		b.Fatal(err)
	}
	defer net.Close()
	path := b.TempDir() + "/net.safetensors"
	if err := models.Save(path, net, nil); err != nil {
		b.Fatal(err)
	}
	for _, dt := range []tensor.DType{tensor.Float32, tensor.BFloat16} {
		for _, side := range []int64{64, 128, 256} {
			name := map[tensor.DType]string{tensor.Float32: "float32", tensor.BFloat16: "bfloat16"}[dt]
			b.Run(fmt.Sprintf("%s/%d", name, side), func(b *testing.B) { forward(b, path, dt, side) })
		}
	}
}

func forward(b *testing.B, path string, dt tensor.DType, side int64) {
	net, err := models.Load(path, models.WithDType(dt))
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
	b.ReportMetric(rrdbGflop*float64(side*side)*float64(b.N)/b.Elapsed().Seconds(), "GFLOP/s")
}
