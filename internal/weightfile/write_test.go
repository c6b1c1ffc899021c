package weightfile

import (
	"bytes"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// writable are arrays of several element types, one of them a strided view.
func writable(t testing.TB) []Array {
	t.Helper()
	half, err := newArray("half", F16, []int{3}, []byte("\x00\x3c\x00\xc0\xff\x7b")) // 1, -2, 65504
	if err != nil {
		t.Fatal(err)
	}
	transposed, err := newView("transposed", F32, mustArray(t, "", 6).data, 0, []int{3, 2}, []int{1, 3})
	if err != nil {
		t.Fatal(err)
	}
	count, err := newArray("num_batches_tracked", I64, nil, []byte("\x07\x00\x00\x00\x00\x00\x00\x00"))
	if err != nil {
		t.Fatal(err)
	}
	return []Array{mustArray(t, "conv.weight", 4, 2, 3, 3), half, transposed, count}
}

func TestWriteThenOpen(t *testing.T) {
	dir, arrays := t.TempDir(), writable(t)
	metadata := map[string]string{"source": "a \"quoted\" name", "sha256": "00ff"}
	tests := []struct {
		name, key string
		write     func(path string) error
		format    Format
	}{
		{"a.safetensors", "", func(p string) error { return WriteSafetensors(p, arrays, metadata) }, Safetensors},
		{"a.pth", "params_ema", func(p string) error { return WritePth(p, StateDict{Key: "params_ema", Arrays: arrays}) }, PthZip},
		{"bare.pth", "", func(p string) error { return WritePth(p, StateDict{Key: "", Arrays: arrays}) }, PthZip},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(dir, tt.name)
			if err := tt.write(path); err != nil {
				t.Fatal(err)
			}
			f, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			if f.Format != tt.format || len(f.Dicts) != 1 || f.Dicts[0].Key != tt.key {
				t.Fatalf("%s with entries %q", f.Format, f.Keys())
			}
			if tt.format == Safetensors && f.Metadata["source"] != metadata["source"] {
				t.Errorf("metadata %v, want %v", f.Metadata, metadata)
			}
			for i, got := range f.Dicts[0].Arrays {
				want := arrays[i]
				if got.Name != want.Name || got.DType != want.DType || !slices.Equal(got.Shape, want.Shape) || !bytes.Equal(got.packed(), want.packed()) {
					t.Errorf("array %d came back as %s %s %v", i, got.Name, got.DType, got.Shape)
				}
			}
			again, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := tt.write(path); err != nil {
				t.Fatal(err)
			}
			if twice, _ := os.ReadFile(path); !bytes.Equal(again, twice) {
				t.Error("the same arrays were written differently: the file depends on the time or on map order")
			}
		})
	}
}

func TestWriteRefusals(t *testing.T) {
	dir := t.TempDir()
	a := mustArray(t, "a", 1)
	for label, arrays := range map[string][]Array{
		"none": {}, "twice": {a, a}, "unnamed": {mustArray(t, "", 1)}, "reserved": {mustArray(t, "__metadata__", 1)},
	} {
		if err := WriteSafetensors(filepath.Join(dir, "x"), arrays, nil); err == nil {
			t.Errorf("%s: safetensors were written", label)
		}
		if err := WritePth(filepath.Join(dir, "x"), StateDict{Key: "", Arrays: arrays}); err == nil {
			t.Errorf("%s: a .pth was written", label)
		}
	}
	if err := WritePth(filepath.Join(dir, "no", "folder.pth"), StateDict{Key: "", Arrays: []Array{a}}); err == nil || !strings.HasPrefix(err.Error(), "weightfile: write") {
		t.Errorf("error %v for a folder that is not there", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("%d files were left behind", len(left))
	}
}

// python returns the interpreter with torch and numpy that $GOPDD_PYTHON names, or skips the test.
func python(t *testing.T, modules string) string {
	t.Helper()
	interpreter := os.Getenv("GOPDD_PYTHON")
	if interpreter == "" {
		t.Skip("set GOPDD_PYTHON to a Python interpreter with torch to check the files against PyTorch")
	}
	if out, err := exec.Command(interpreter, "-c", "import "+modules).CombinedOutput(); err != nil {
		t.Skipf("%s cannot import %s: %s", interpreter, modules, bytes.TrimSpace(out))
	}
	return interpreter
}

func runPython(t *testing.T, interpreter, script string, args ...string) {
	t.Helper()
	if out, err := exec.Command(interpreter, append([]string{"-c", script}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestPyTorchReads writes the same arrays as .pth and as safetensors and lets PyTorch and the safetensors package
// read them: the .pth without running any pickled code, and memory-mapped too.
func TestPyTorchReads(t *testing.T) {
	interpreter := python(t, "torch, safetensors.torch")
	dir, arrays := t.TempDir(), writable(t)
	pth, st := filepath.Join(dir, "a.pth"), filepath.Join(dir, "a.safetensors")
	if err := WritePth(pth, StateDict{Key: "params_ema", Arrays: arrays}); err != nil {
		t.Fatal(err)
	}
	if err := WriteSafetensors(st, arrays, map[string]string{"source": "test"}); err != nil {
		t.Fatal(err)
	}
	runPython(t, interpreter, `
import sys, torch, safetensors, safetensors.torch
def check(d):
    assert list(sorted(d)) == ["conv.weight", "half", "num_batches_tracked", "transposed"], list(d)
    assert torch.equal(d["conv.weight"], torch.arange(72.).reshape(4, 2, 3, 3))
    assert d["half"].dtype == torch.float16 and d["half"].tolist() == [1, -2, 65504]
    assert torch.equal(d["transposed"], torch.arange(6.).reshape(2, 3).T)
    assert d["num_batches_tracked"].shape == () and d["num_batches_tracked"] == 7
for mmap in (False, True):
    check(torch.load(sys.argv[1], weights_only=True, mmap=mmap, map_location="cpu")["params_ema"])
check(safetensors.torch.load_file(sys.argv[2]))
assert safetensors.safe_open(sys.argv[2], "pt").metadata() == {"source": "test"}
`, pth, st)
}

// TestReadsWhatPyTorchWrites has PyTorch write every variant this package reads, with the same values.
func TestReadsWhatPyTorchWrites(t *testing.T) {
	interpreter := python(t, "torch")
	dir := t.TempDir()
	runPython(t, interpreter, `
import sys, os, collections, torch
os.chdir(sys.argv[1])
base = torch.arange(24.)
d = collections.OrderedDict(a=base[:6].reshape(2, 3).T, b=base[6:].reshape(3, 6)[:, ::2], c=torch.nn.Parameter(torch.ones(2)))
d["a"].requires_grad_(False)
module = torch.nn.Conv2d(1, 1, 1)
d2 = module.state_dict()  # carries _metadata
for name, legacy in (("zip", False), ("legacy", True)):
    save = lambda x, n, **kw: torch.save(x, name + "-" + n, _use_new_zipfile_serialization=not legacy, **kw)
    save(d, "bare"); save({"params": d, "epoch": 3, "lr": 1e-4, "note": "text", "n": None, "big": 2**70}, "entry")
    save({"state_dict": d2, "optimizer": {"state": {0: {"step": torch.tensor(1.)}}, "groups": [{"betas": (.9, .99)}]}}, "training")
    for protocol in (2, 3, 4, 5):
        save(d, "protocol%d" % protocol, pickle_protocol=protocol)
    for dtype in (torch.float16, torch.bfloat16, torch.float64, torch.int64):
        save({"a": torch.arange(6).reshape(2, 3).T.to(dtype)}, str(dtype))
torch.serialization.set_crc32_options(False)
torch.save(d, "zip-nocrc")
`, dir)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 23 {
		t.Fatalf("%d files, %v; want 11 of each kind and one without CRC", len(entries), err)
	}
	for _, e := range entries {
		f, err := Open(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Error(err)
			continue
		}
		if err := consume(t, f); err != nil {
			t.Errorf("%s: %v", e.Name(), err)
		}
		d, err := f.Select("")
		if err != nil {
			t.Error(err)
			continue
		}
		if a := d.Arrays[0]; a.Name == "a" && !slices.Equal(a.Float64s(), []float64{0, 3, 1, 4, 2, 5}) {
			t.Errorf("%s: a is %v, want the transposed 0..5", e.Name(), a.Float64s())
		}
		if len(d.Arrays) == 3 && !slices.Equal(d.Arrays[1].Float64s(), []float64{6, 8, 10, 12, 14, 16, 18, 20, 22}) {
			t.Errorf("%s: b is %v, want every other of 6..23", e.Name(), d.Arrays[1].Float64s())
		}
	}
}

func TestHalfPrecisionRoundTrip(t *testing.T) {
	for h := range 1 << 16 {
		if h>>10&31 == 31 {
			continue // infinities and NaN
		}
		got := float64(halfToFloat(uint16(h)))
		exp := h >> 10 & 31
		want := math.Ldexp(float64(h&1023|min(exp, 1)<<10), max(exp, 1)-25) // IEEE 754: significand * 2^(e-15-10)
		if h>>15 == 1 {
			want = -want
		}
		if got != want {
			t.Fatalf("half %#04x is %v, want %v", h, got, want)
		}
	}
}

// A .pth file with several entries gives each of them back; entries without a name or with one name are refused.
func TestWritePthEntries(t *testing.T) {
	path := filepath.Join(t.TempDir(), "both.pth")
	raw, average := mustArray(t, "w", 2, 3), mustArray(t, "v", 5)
	if err := WritePth(path, StateDict{"params", []Array{raw}}, StateDict{"params_ema", []Array{average}}); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]Array{"params": raw, "params_ema": average, "": average} {
		d, err := f.Select(key)
		if err != nil || len(d.Arrays) != 1 || d.Arrays[0].Name != want.Name || !slices.Equal(d.Arrays[0].Float64s(), want.Float64s()) {
			t.Errorf("entry %q: %v, error %v", key, d, err)
		}
	}
	for _, bad := range [][]StateDict{nil, {{"", []Array{raw}}, {"params", []Array{raw}}}, {{"params", []Array{raw}}, {"params", []Array{raw}}}} {
		if err := WritePth(filepath.Join(t.TempDir(), "bad.pth"), bad...); err == nil {
			t.Errorf("%d entries %v are written", len(bad), bad)
		}
	}
}
