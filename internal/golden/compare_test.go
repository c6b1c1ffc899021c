package golden

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/internal/weightfile"
)

func vector(values ...float64) Array { return Array{Shape: []int{len(values)}, Data: values} }

// newCase makes a case with these expected outputs, in memory.
func newCase(t *testing.T, want map[string][]float32, rtol, atol float64, tol map[string]tolerance) *Case {
	t.Helper()
	c := &Case{Name: "test", rtol: rtol, atol: atol, tol: tol, arrays: map[string]weightfile.Array{}}
	for name, values := range want {
		a, err := weightfile.NewFloat32(name, []int{len(values)}, values)
		if err != nil {
			t.Fatal(err)
		}
		c.Outputs = append(c.Outputs, name)
		c.arrays[name] = a
	}
	return c
}

func TestCompare(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	outliers := map[string]tolerance{"g.*": {Atol: 0.1, Outliers: 2, OutlierAtol: 1}}
	tests := []struct {
		label   string
		want    map[string][]float32
		got     map[string]Array
		tol     map[string]tolerance
		wantErr string // part of the error, "" for none
		reason  string
	}{{
		label:  "equal",
		want:   map[string][]float32{"y": {1, 2}},
		got:    map[string]Array{"y": vector(1, 2)},
		reason: "an exact result is right at any tolerance",
	}, {
		label:  "within rtol",
		want:   map[string][]float32{"y": {100}},
		got:    map[string]Array{"y": vector(100.9)},
		reason: "0.9 <= 0.01*100 + 0.001",
	}, {
		label:   "wrong value",
		want:    map[string][]float32{"y": {1, 100}},
		got:     map[string]Array{"y": vector(1.02, 100)},
		wantErr: "1 of 2 elements are wrong, the worst is number 0",
		reason:  "0.02 > 0.01*1 + 0.001; the large second element must not excuse the first",
	}, {
		label:   "NaN got",
		want:    map[string][]float32{"y": {0}},
		got:     map[string]Array{"y": vector(nan)},
		wantErr: "got NaN",
		reason:  "NaN compares false with everything, also with a bound",
	}, {
		label:   "NaN wanted",
		want:    map[string][]float32{"y": {float32(nan)}},
		got:     map[string]Array{"y": vector(nan)},
		wantErr: "wrong",
		reason:  "no operation is defined to give NaN",
	}, {
		label:  "+Inf wanted and got",
		want:   map[string][]float32{"y": {float32(inf)}},
		got:    map[string]Array{"y": vector(inf)},
		reason: "the PSNR of identical images",
	}, {
		label:   "+Inf wanted",
		want:    map[string][]float32{"y": {float32(inf)}},
		got:     map[string]Array{"y": vector(1e300)},
		wantErr: "wrong",
		reason:  "rtol*Inf would allow everything",
	}, {
		label:   "-Inf for +Inf",
		want:    map[string][]float32{"y": {float32(inf)}},
		got:     map[string]Array{"y": vector(-inf)},
		wantErr: "wrong",
		reason:  "the sign counts",
	}, {
		label:   "missing output",
		want:    map[string][]float32{"y": {1}, "z": {1}},
		got:     map[string]Array{"y": vector(1)},
		wantErr: `"z": missing`,
		reason:  "an operation must not skip what it finds hard",
	}, {
		label:   "unknown output",
		want:    map[string][]float32{"y": {1}},
		got:     map[string]Array{"y": vector(1), "Y": vector(1)},
		wantErr: `"Y": the case has no such output`,
		reason:  "it is a misspelt one",
	}, {
		label:   "shape",
		want:    map[string][]float32{"y": {1, 2}},
		got:     map[string]Array{"y": {Shape: []int{2, 1}, Data: []float64{1, 2}}},
		wantErr: "shape [2 1]",
		reason:  "the same values in another shape are another tensor",
	}, {
		label:   "own tolerance",
		want:    map[string][]float32{"y": {1}, "z": {1}},
		got:     map[string]Array{"y": vector(1.5), "z": vector(1.5)},
		tol:     map[string]tolerance{"z": {Atol: 1}},
		wantErr: `"y": 1 of 1`,
		reason:  "tol holds for z alone",
	}, {
		label:   "longest wildcard",
		want:    map[string][]float32{"g.a": {0}, "g.b.c": {0}},
		got:     map[string]Array{"g.a": vector(0.5), "g.b.c": vector(0.5)},
		tol:     map[string]tolerance{"g.*": {Atol: 1}, "g.b.*": {Atol: 0.1}},
		wantErr: `"g.b.c": 1 of 1`,
		reason:  "g.b.* says more about g.b.c than g.* does",
	}, {
		label:  "outliers within their number",
		want:   map[string][]float32{"g.a": {0, 0}, "g.b": {0, 0}},
		got:    map[string]Array{"g.a": vector(0.9, 0), "g.b": vector(0, 0.9)},
		tol:    outliers,
		reason: "two are allowed",
	}, {
		label:   "too many outliers",
		want:    map[string][]float32{"g.a": {0, 0}, "g.b": {0, 0}},
		got:     map[string]Array{"g.a": vector(0.9, 0.9), "g.b": vector(0, 0.9)},
		tol:     outliers,
		wantErr: `"g.*": 3 outliers, 2 are allowed`,
		reason:  "they are counted over all tensors of the entry together",
	}, {
		label:   "an outlier too far out",
		want:    map[string][]float32{"g.a": {0}},
		got:     map[string]Array{"g.a": vector(1.1)},
		tol:     outliers,
		wantErr: `"g.a": 1 of 1`,
		reason:  "outlier_atol is 1",
	}}
	for _, tt := range tests {
		t.Run(tt.label, func(t *testing.T) {
			_, err := newCase(t, tt.want, 0.01, 0.001, tt.tol).Compare(tt.got)
			switch {
			case tt.wantErr == "" && err != nil:
				t.Errorf("error %v, want none: %s", err, tt.reason)
			case tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)):
				t.Errorf("error %v, want one with %q: %s", err, tt.wantErr, tt.reason)
			}
		})
	}
}

func TestReportNamesTheWorstOutput(t *testing.T) {
	c := newCase(t, map[string][]float32{"a": {1}, "b": {1}, "c": {1}}, 0, 0.1, nil)
	r, err := c.Compare(map[string]Array{"a": vector(1), "b": vector(1.05), "c": vector(1.01)})
	if err != nil || r.Worst != "b" || math.Abs(r.MaxError-0.05) > 1e-12 || math.Abs(r.Share-0.5) > 1e-12 {
		t.Errorf("report %+v, %v; want b with error 0.05, half of the allowed 0.1", r, err)
	}
}

func TestDecodeParamsRefusesUnknownFields(t *testing.T) {
	c := &Case{Name: "test", Params: []byte(`{"gain": 2, "gian": 3}`)}
	var p struct {
		Gain float64 `json:"gain"`
	}
	if err := c.DecodeParams(&p); err == nil || !strings.Contains(err.Error(), "gian") {
		t.Errorf("error %v, want one that names gian: a parameter must not be overlooked", err)
	}
}

func TestLoadRefusesDamagedCases(t *testing.T) {
	tests := []struct{ label, caseJSON, want string }{
		{"no op", `{"params": {}, "outputs": []}`, "op"},
		{"unknown field", `{"op": "x", "tolerance": 1}`, "tolerance"},
		{"unknown expectation", `{"op": "x", "expect": "panic"}`, "panic"},
		{"tensor not in the file", `{"op": "x", "outputs": ["y"]}`, `no tensor "y"`},
	}
	for _, tt := range tests {
		t.Run(tt.label, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "case")
			header := "\x02\x00\x00\x00\x00\x00\x00\x00{}" // a safetensors file without tensors
			for name, text := range map[string]string{"case.json": tt.caseJSON, "tensors.safetensors": header} {
				if err := os.MkdirAll(dir, 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := Load(filepath.Dir(dir)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// The expected numbers are published ones: FNV-1a's offset basis, and the first output of the reference splitmix64.c
// with seed 0.
func TestUniform(t *testing.T) {
	seed := fnv1a64("")
	if seed != 0xCBF29CE484222325 {
		t.Fatalf("FNV-1a of the empty string is %#x, want its offset basis", seed)
	}
	if got, want := uniform(0), float64(0xE220A8397B1DCDAF>>40)/(1<<24); got != want {
		t.Errorf("uniform(0) = %v, want %v: the first output of splitmix64 seeded with 0 is 0xE220A8397B1DCDAF", got, want)
	}
}

// The relative error is an output's own: small outputs are not excused by large ones, nor small elements blamed.
func TestCompareRelative(t *testing.T) {
	c := newCase(t, map[string][]float32{"small": {0.5, 1}, "large": {1000}, "zero": {0}}, 1, 1, nil)
	report, err := c.Compare(map[string]Array{"small": vector(0.5, 1.25), "large": vector(1001), "zero": vector(0.5)})
	if err != nil || report.Relative != 0.25 {
		t.Errorf("relative %v (%v), want 0.25: of small", report.Relative, err)
	}
}
