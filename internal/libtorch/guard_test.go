package libtorch_test

import (
	"strings"
	"testing"

	"github.com/gopdd/gopdd/internal/libtorch"
)

// Of the advice that ends CUDA's errors one line stays. What no device is needed for is an error that names such a file.
func TestAdviceIsShort(t *testing.T) {
	const asynchronous = "\nCUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace below might be incorrect." +
		"\nFor debugging consider passing CUDA_LAUNCH_BLOCKING=1"
	for _, tt := range []struct{ name, tail, want string }{
		{"a file", "", ""},
		{"libtorch 1.13", asynchronous, " (may stem from an earlier operation on the device; CUDA_LAUNCH_BLOCKING=1 tells which)"},
		{"libtorch 2.11", "\nSearch for `cudaError' in …" + asynchronous + "\nCompile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.",
			" (may stem from an earlier operation on the device; CUDA_LAUNCH_BLOCKING=1 tells which)"},
		{"launches block", "\nCompile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.", ""},
	} {
		_, err := libtorch.LoadModule("/absent/CUDA error: it is lost"+tt.tail, -1)
		if err == nil || !strings.Contains(err.Error(), "CUDA error: it is lost"+tt.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %q", tt.name, err)
		}
	}
}
