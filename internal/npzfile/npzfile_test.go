package npzfile_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/internal/npzfile"
)

const fixture = "testdata/kinds.npz" // testdata/make.py writes it and states the values

func TestArrays(t *testing.T) {
	arrays, err := npzfile.ReadFile(fixture, 0)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, reason string
		shape        []int
		want         []float64
	}{
		{"matrix", "row-major order", []int{2, 3}, []float64{1, 2, 3, 4, 5, 6}},
		{"single", "float32, one dimension with a trailing comma", []int{2}, []float64{0.5, -0.25}},
		{"big", "big-endian signed", []int{2}, []float64{-3, 300}},
		{"int64", "beyond 32 bits", []int{1}, []float64{-(1 << 40)}},
		{"flags", "booleans are bytes", []int{2}, []float64{1, 0}},
		{"scalar", "no dimensions, one sample", nil, []float64{7.5}},
		{"columns", "column-major in the file", []int{2, 3, 2}, []float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
		{"empty", "no samples", []int{0, 3}, []float64{}},
	}
	for _, tt := range tests {
		if got := arrays[tt.name]; !slices.Equal(got.Data, tt.want) || !slices.Equal(got.Shape, tt.shape) {
			t.Errorf("%s (%s) = %v %v, want %v %v", tt.name, tt.reason, got.Shape, got.Data, tt.shape, tt.want)
		}
	}
	if len(arrays) != len(tests) {
		t.Errorf("%d arrays, want %d", len(arrays), len(tests))
	}
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		reason, header, body string
		limit                int64
		want                 string
	}{
		{"pickled objects would run code", "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "", 0, "real numbers"},
		{"complex numbers", "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", "12345678", 0, "real numbers"},
		{"half precision", "{'descr': '<f2', 'fortran_order': False, 'shape': (1,), }", "12", 0, "not supported"},
		{"fewer samples than the shape says", "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", "12345678", 0, "8 bytes"},
		{"a shape that overflows", "{'descr': '<f8', 'fortran_order': False, 'shape': (65536, 65536), }", "", 0, "too large"},
		{"more than the limit", "{'descr': '|u1', 'fortran_order': False, 'shape': (99,), }", strings.Repeat("x", 99), 150, "limit"},
	}
	for _, tt := range tests {
		data := archive(t, tt.header, tt.body)
		if _, err := npzfile.Read(bytes.NewReader(data), int64(len(data)), tt.limit); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.reason, err, tt.want)
		}
	}
}

// archive is a zip with one .npy member.
func archive(t *testing.T, header, body string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create("a.npy")
	if err != nil {
		t.Fatal(err)
	}
	npy := append([]byte("\x93NUMPY\x01\x00"), binary.LittleEndian.AppendUint16(nil, uint16(len(header)))...)
	if _, err := w.Write(append(append(npy, header...), body...)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func FuzzRead(f *testing.F) {
	data, err := os.ReadFile(fixture)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		arrays, err := npzfile.Read(bytes.NewReader(data), int64(len(data)), 1<<16)
		if err != nil {
			return
		}
		for name, a := range arrays {
			if len(a.Data) > 1<<16 {
				t.Fatalf("%q has %d samples from a limit of 64 KiB", name, len(a.Data))
			}
		}
	})
}
