package tensor_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/internal/libtorch"
	"github.com/gopdd/gopdd/tensor"
)

func TestCompatible(t *testing.T) {
	says := func(version string) func() (string, error) { return func() (string, error) { return version, nil } }
	for _, c := range []struct {
		name      string
		libraries []string
		running   func() (string, error)
		want      string // part of the error; "" for none
	}{
		{"one libtorch of the same version", []string{"/a/libc10.so", "/a/libtorch_cpu.so"}, says("2.1.0"), ""},
		{"names with a version", []string{"/a/libc10.so.2.1"}, says("2.1.0"), ""},
		{"its CUDA half is no second libtorch", []string{"/a/libc10.so", "/a/libc10_cuda.so"}, says("2.1.0"), ""},
		{"a library that does not say", []string{"/a/libc10.so"}, says(""), ""},
		{"a system without /proc", nil, says("2.1.0"), ""},
		{"two libtorches", []string{"/a/libc10.so", "/b/libc10.so.1.13"}, says("2.1.0"), "/a/libc10.so and /b/libc10.so.1.13"},
		{"another version than compiled for", []string{"/a/libc10.so"}, says("1.13.1"), "compiled for libtorch 2.1.0, running with 1.13.1"},
		{"a library that fails", nil, func() (string, error) { return "", errors.New("broken") }, "broken"},
	} {
		err := tensor.Compatible("2.1.0", c.libraries, c.running)
		if got := errorText(err); (c.want == "") != (err == nil) || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestInfo(t *testing.T) {
	info := tensor.Info()
	t.Logf("%+v", info)
	if info.RuntimeVersion != info.CompiledVersion {
		t.Errorf("compiled for %s, running with %q", info.CompiledVersion, info.RuntimeVersion)
	}
	var c10 []string
	for _, lib := range info.Libraries {
		if !filepath.IsAbs(lib) {
			t.Errorf("%q is no path", lib)
		}
		if strings.HasPrefix(filepath.Base(lib), "libc10.so") {
			c10 = append(c10, lib)
		}
	}
	if len(c10) != 1 {
		t.Errorf("%d libc10 are mapped, want one: %v", len(c10), c10)
	}
	if info.CUDA != (info.CUDADevices > 0) || info.Threads < 1 {
		t.Errorf("%+v", info)
	}
}

const coreChild = "GOPDD_TEST_ONE_CORE"

// gotorch's package init asks libtorch for half of the cores, none on one core, which ends the process unless the
// shim's definition of that function wins. So this test's own program is started on one core.
func TestOneCore(t *testing.T) {
	if os.Getenv(coreChild) != "" {
		in(t, func(s *tensor.Scope) {
			want(t, s, s.Abs(vector(s, -1)), of(1), 1)
			if n := libtorch.Threads(); n != 1 {
				t.Errorf("%d threads on one core", n)
			}
		})
		return
	}
	taskset, err := exec.LookPath("taskset")
	if err != nil {
		t.Skip("no taskset (package util-linux)")
	}
	cmd := exec.Command(taskset, "-c", "0", os.Args[0], "-test.run=^TestOneCore$", "-test.v")
	for _, v := range os.Environ() { // gotorch leaves the thread count alone where these are set
		if !strings.HasPrefix(v, "OMP_NUM_THREADS=") && !strings.HasPrefix(v, "MKL_NUM_THREADS=") && !strings.HasPrefix(v, "GOMAXPROCS=") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(cmd.Env, coreChild+"=1")
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestOneCore") {
		t.Errorf("%v\n%s", err, out)
	}
}
