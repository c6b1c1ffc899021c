package matfile_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/internal/matfile"
)

// testdata/make.py writes the fixtures and states the values.
var fixtures = []string{"testdata/kinds.mat", "testdata/kinds_v6.mat"}

func TestNumericArrays(t *testing.T) {
	cube := make([]float64, 24) // numpy's C order 12 i + 4 j + k, read in MATLAB's order i fastest
	for n := range cube {
		cube[n] = float64(12*(n%2) + 4*(n/2%3) + n/6)
	}
	tests := []struct {
		name, reason string
		dims         []int
		want         []float64
	}{
		{"double", "column-major order", []int{2, 3}, []float64{1, 4, 2, 5, 3, 6}},
		{"single", "float32 samples", []int{1, 2}, []float64{0.5, -0.25}},
		{"int16", "signed integers in a small element", []int{2, 1}, []float64{-3, 300}},
		{"uint8", "nine bytes, padded to sixteen", []int{3, 3}, []float64{0, 3, 6, 1, 4, 7, 2, 5, 8}},
		{"int64", "beyond 32 bits", []int{1, 1}, []float64{-(1 << 40)}},
		{"logical", "logical is uint8", []int{1, 2}, []float64{1, 0}},
		{"complex", "the imaginary part is passed over", []int{1, 1}, []float64{1}},
		{"cube", "three dimensions", []int{2, 3, 4}, cube},
	}
	for _, path := range fixtures {
		vars := mustRead(t, path)
		for _, tt := range tests {
			got, err := vars[tt.name].Float64s()
			if err != nil {
				t.Errorf("%s: %s: %v", path, tt.name, err)
				continue
			}
			if !slices.Equal(got, tt.want) || !slices.Equal(vars[tt.name].Dims, tt.dims) {
				t.Errorf("%s: %s (%s) = %v %v, want %v %v", path, tt.name, tt.reason, vars[tt.name].Dims, got, tt.dims, tt.want)
			}
		}
	}
}

func TestCellsAndStructs(t *testing.T) {
	for _, path := range fixtures {
		vars := mustRead(t, path)
		cell := vars["cell"]
		if cell.Class != matfile.Cell || len(cell.Elems) != 3 || cell.Elems[1].Class != matfile.Char || cell.Elems[2].Len() != 0 {
			t.Fatalf("%s: cell = %+v", path, cell)
		}
		if got, err := cell.Elems[0].Float64s(); err != nil || !slices.Equal(got, []float64{1.5, 2.5}) {
			t.Errorf("%s: cell{1} = %v, %v", path, got, err)
		}
		if got, err := vars["struct"].Field("inner").Field("y").Float64s(); err != nil || !slices.Equal(got, []float64{8}) {
			t.Errorf("%s: struct.inner.y = %v, %v", path, got, err)
		}
		for name, a := range map[string]*matfile.Array{"text": vars["text"], "absent": vars["absent"], "no field": vars["struct"].Field("z")} {
			if got, err := a.Float64s(); err == nil {
				t.Errorf("%s: %s gave numbers %v", path, name, got)
			}
		}
	}
}

// Big-endian files differ in every word; no writer for them is at hand, so the bytes are spelt out.
func TestBigEndian(t *testing.T) {
	var b bytes.Buffer
	b.Write(make([]byte, 124))
	b.WriteString("\x01\x00MI")
	words := func(v ...uint32) { _ = binary.Write(&b, binary.BigEndian, v) }
	words(14, 64)                                           // miMATRIX of 64 bytes
	words(6, 8, 6, 0)                                       // flags: double
	words(5, 8, 1, 2)                                       // 1×2
	words(1<<16|1, 'v'<<24)                                 // small element: name "v"
	words(9, 16)                                            // two doubles
	_ = binary.Write(&b, binary.BigEndian, []float64{3, 4}) //
	vars, err := matfile.Read(&b, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := vars["v"].Float64s(); err != nil || !slices.Equal(got, []float64{3, 4}) {
		t.Errorf("v = %v, %v, want [3 4]", got, err)
	}
}

// MATLAB stores whole numbers of any class in the smallest type that holds them; scipy, which wrote the fixtures, does not.
func TestCompactStorage(t *testing.T) {
	var b bytes.Buffer
	b.Write(make([]byte, 124))
	b.WriteString("\x00\x01IM")
	words := func(v ...uint32) { _ = binary.Write(&b, binary.LittleEndian, v) }
	words(14, 48)              // miMATRIX of 48 bytes
	words(6, 8, 6, 0)          // flags: double
	words(5, 8, 1, 2)          // 1×2
	words(1<<16|1, 'v')        // small element: name "v"
	words(4<<16|4, 300<<16|40) // small element: two uint16
	vars, err := matfile.Read(&b, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := vars["v"].Float64s(); err != nil || !slices.Equal(got, []float64{40, 300}) {
		t.Errorf("v = %v, %v, want [40 300]", got, err)
	}
}

func TestRefusals(t *testing.T) {
	good, err := os.ReadFile("testdata/kinds.mat")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		reason string
		data   []byte
		limit  int64
		want   string
	}{
		{"an empty file", nil, 0, "no level 5"},
		{"HDF5, from save -v7.3", []byte("\x89HDF\r\n"), 0, "-v7"},
		{"cut inside a variable", good[:len(good)-20], 0, "ends inside"},
		{"larger than allowed", good, 100, "limit"},
		{"small but decompresses beyond the limit", good, int64(len(good)) + 10, "limit"},
	}
	for _, tt := range tests {
		if _, err := matfile.Read(bytes.NewReader(tt.data), tt.limit); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.reason, err, tt.want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, path := range fixtures {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		vars, err := matfile.Read(bytes.NewReader(data), 1<<20)
		if err != nil {
			return
		}
		for _, a := range vars {
			if v, err := a.Float64s(); err == nil && len(v) > 1<<20 {
				t.Fatalf("%d samples from a limit of 1 MiB", len(v))
			}
		}
	})
}

func mustRead(t *testing.T, path string) map[string]*matfile.Array {
	t.Helper()
	vars, err := matfile.ReadFile(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	return vars
}
