//go:build cgo

package golden_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/gopdd/gopdd/internal/conv"
	"github.com/gopdd/gopdd/internal/libtorch"
)

var generators = []string{"models.rrdbnet", "models.srvgg", "upscale.realesrgan_x4plus", "upscale.tiled"}

// TestGoldenForInference runs the cases of generators in the kernels for inference, which know no gradients.
func TestGoldenForInference(t *testing.T) {
	inference = true
	defer func() { inference = false }()
	runAgain(t, generators, "grad_x", "grad_w")
}

// TestGoldenByLibtorch runs the cases of networks without kernels of our own.
func TestGoldenByLibtorch(t *testing.T) {
	libtorch.SetConvKernels(0)
	defer libtorch.SetConvKernels(math.MaxInt)
	runAgain(t, slices.Concat(generators, []string{"losses.perceptual", "metrics.lpips", "models.unet_discriminator", "models.vgg19",
		"train.trajectory"}))
}

// runAgain runs the cases of operations which TestGolden runs in our own kernels, as far as networks have them, but for
// some outputs.
func runAgain(t *testing.T, ops []string, without ...string) {
	if !conv.Float32.Available() {
		t.Skip("no kernels for this CPU")
	}
	for _, c := range loadCases(t) {
		if !slices.Contains(ops, c.Op) {
			continue
		}
		t.Run(c.Name, func(t *testing.T) {
			got, err := guard(c, lookUp(t, c.Op))
			if errors.Is(err, errAbsent) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			c.Outputs = slices.DeleteFunc(c.Outputs, func(name string) bool { return slices.Contains(without, name) })
			report, err := c.Compare(got)
			if err != nil {
				t.Error(err)
			}
			t.Logf("%s: %v", c.Op, report)
		})
	}
}
