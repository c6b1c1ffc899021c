//go:build !cgo

package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// Without networks a row that needs one is refused at once.
func TestReproduceWithoutNetworks(t *testing.T) {
	dir := reproduceSets(t)
	file := filepath.Join(dir, "a.pth")
	writeReproducePicture(t, file+".png", 8, 0)
	code, _, stderr := reproduceRun(t.Context(), dir, t.TempDir(), "--rows", "realesrgan@realsr-canon", "--stand-in", "realesrgan-x4plus="+file+".png")
	if code != exitFailed || !strings.Contains(stderr, "built without cgo") {
		t.Errorf("code %d, stderr %q", code, stderr)
	}
}
