package libtorch_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// goLines calls fn with each line of each Go file of the module.
func goLines(t *testing.T, fn func(path string, number int, lines []string)) {
	t.Helper()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		lines := strings.Split(string(text), "\n")
		for i := range lines {
			fn(filepath.ToSlash(rel), i, lines)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Native calls live in two packages: this one, and the kernels, which know no libtorch.
func TestOnlyNativePackagesImportC(t *testing.T) {
	native := []string{"internal/libtorch", "internal/conv"}
	seen := 0
	goLines(t, func(path string, i int, lines []string) {
		if strings.TrimSpace(lines[i]) != `import "C"` {
			return
		}
		seen++
		if !slices.Contains(native, filepath.ToSlash(filepath.Dir(path))) {
			t.Errorf(`%s:%d: import "C"; native calls belong to %s`, path, i+1, strings.Join(native, " or "))
		}
	})
	if seen == 0 {
		t.Error("nothing was looked at")
	}
}

var cstring = regexp.MustCompile(`^\s*(\w+) :?= C\.CString\(`)

// A C string and its free are neighbours.
func TestEachCStringIsFreedOnTheNextLine(t *testing.T) {
	seen := 0
	goLines(t, func(path string, i int, lines []string) {
		if !strings.Contains(lines[i], "C.CString(") || strings.HasSuffix(path, "source_test.go") {
			return
		}
		seen++
		m := cstring.FindStringSubmatch(lines[i])
		if m == nil || strings.TrimSpace(lines[i+1]) != "defer C.free(unsafe.Pointer("+m[1]+"))" {
			t.Errorf("%s:%d: %s: want `p := C.CString(…)` and `defer C.free(unsafe.Pointer(p))` on the next line",
				path, i+1, strings.TrimSpace(lines[i]))
		}
	})
	if seen == 0 {
		t.Error("nothing was looked at")
	}
}
