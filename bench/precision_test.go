package bench

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

// TestPrecision compares $GOPDD_PRECISION (bfloat16, the default, or float16) with float32 on a crop of each photo, on
// $GOPDD_DEVICE; docs/PRECISION.md has its tables. It needs $GOPDD_WEIGHTS (a weight file) and $GOPDD_PHOTOS (a folder
// of large photos).
func TestPrecision(t *testing.T) {
	weights, files := weightsAndPhotos(t, 1)
	device, dtype := models.WithDevice(tensortest.Device()), tensor.BFloat16
	if os.Getenv("GOPDD_PRECISION") == "float16" {
		dtype = tensor.Float16
	}
	exact, err := models.Load(weights, device)
	if err != nil {
		t.Fatal(err)
	}
	defer exact.Close()
	short, err := models.Load(weights, device, models.WithDType(dtype), models.InferenceOnly()) // in the kernels that an Upscaler takes
	if err != nil {
		t.Fatal(err)
	}
	defer short.Close()
	sum, worst := 0.0, math.Inf(1)
	for _, file := range files {
		lr := lowResolution(t, file, 128, 128)
		want, got := run(t, exact, lr, 0, lr.W).Clamp(), run(t, short, lr, 0, lr.W).Clamp()
		var square, mean, largest float64
		for i := range want.Pix {
			d := math.Abs(float64(want.Pix[i] - got.Pix[i]))
			square, mean, largest = square+d*d, mean+d, max(largest, d)
		}
		n := float64(len(want.Pix))
		psnr := -10 * math.Log10(square/n)
		sum, worst = sum+psnr, min(worst, psnr)
		fmt.Printf("| %s | %.1f | %.5f | %.3f |\n", filepath.Base(file), psnr, mean/n, largest)
	}
	mean := sum / float64(len(files))
	fmt.Printf("| mean | %.1f | | |\n", mean)
	if mean < 50 || worst < 47 {
		t.Errorf("mean %.1f dB, worst %.1f dB: want 50 and 47", mean, worst)
	}
}
