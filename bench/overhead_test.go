package bench

import (
	"fmt"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/pdd"
	"github.com/gopdd/gopdd/tensor"
)

// repeater is a network that takes next to no time: it repeats pixels.
type repeater struct{}

func (repeater) Forward(s *tensor.Scope, x torch.Tensor) torch.Tensor {
	return s.Upsample(x, tensor.Nearest, 4)
}
func (repeater) Scale() int    { return 4 }
func (repeater) Multiple() int { return 1 }
func (repeater) Reach() int    { return 18 } // SRVGGNetCompact of 16 convolutions
func (repeater) Close() error  { return nil }

// BenchmarkOverhead is what an Upscaler does with a picture beside the network: cutting, copying, blending, rounding.
func BenchmarkOverhead(b *testing.B) {
	u, err := pdd.NewUpscaler(pdd.WithModel(repeater{}), pdd.WithDevice(tensortest.DeviceName()))
	if err != nil {
		b.Fatal(err)
	}
	defer u.Close()
	for _, size := range [][2]int{{640, 360}, {1280, 720}} {
		img, err := (&data.Image{C: 3, W: size[0], H: size[1], Pix: make([]float32, 3*size[0]*size[1])}).ToImage(8)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			for b.Loop() {
				if _, err := u.Upscale(b.Context(), img); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(16*size[0]*size[1])/1e6*float64(b.N)/b.Elapsed().Seconds(), "output-MP/s")
		})
	}
}
