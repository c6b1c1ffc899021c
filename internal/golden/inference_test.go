//go:build cgo

package golden_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/gopdd/gopdd/internal/winograd"
	"github.com/gopdd/gopdd/models"
)

// TestGoldenForInference runs the cases of generators in the kernels for inference, which know no gradients.
func TestGoldenForInference(t *testing.T) {
	if !winograd.Available() {
		t.Skip("no kernels for this CPU")
	}
	loadOptions = []models.LoadOption{models.InferenceOnly()}
	defer func() { loadOptions = nil }()
	for _, c := range loadCases(t) {
		if !slices.Contains([]string{"models.rrdbnet", "models.srvgg", "upscale.realesrgan_x4plus", "upscale.tiled"}, c.Op) {
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
			c.Outputs = slices.DeleteFunc(c.Outputs, func(name string) bool { return name == "grad_x" || name == "grad_w" })
			report, err := c.Compare(got)
			if err != nil {
				t.Error(err)
			}
			t.Logf("%s: %v", c.Op, report)
		})
	}
}
