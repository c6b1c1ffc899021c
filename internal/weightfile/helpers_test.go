package weightfile

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// golden returns the content of a model file of the golden cases.
func golden(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../testdata/golden", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// mustArray makes an F32 array with the values 0, 1, 2, ..
func mustArray(t testing.TB, name string, shape ...int) Array {
	t.Helper()
	n := 1
	for _, d := range shape {
		n *= d
	}
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(i)
	}
	a, err := NewFloat32(name, shape, values)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// sample is a small valid file of each format, and the function that reads it from memory.
type sample struct {
	format  Format
	content []byte
	read    func(data []byte) (*File, error)
}

func samples(t testing.TB) []sample {
	t.Helper()
	graph, weights := tinyRRDB()
	var st bytes.Buffer
	if err := writeSafetensors(&st, []Array{mustArray(t, "conv.weight", 4, 3, 3, 3), mustArray(t, "conv.bias", 4)}, nil); err != nil {
		t.Fatal(err)
	}
	return []sample{
		{PthZip, golden(t, "loaders_shared_storage/model.pth"), func(b []byte) (*File, error) {
			return readPthZip(bytes.NewReader(b), int64(len(b)))
		}},
		{PthLegacy, golden(t, "loaders_bare_legacy/model.pth"), func(b []byte) (*File, error) {
			return readPthLegacy(bytes.NewReader(b), int64(len(b)))
		}},
		{Safetensors, st.Bytes(), func(b []byte) (*File, error) {
			return readSafetensors(bytes.NewReader(b), int64(len(b)))
		}},
		{NCNN, append([]byte(graph), weights...), func(b []byte) (*File, error) {
			cut := min(len(graph), len(b))
			return readNCNN(string(b[:cut]), b[cut:])
		}},
	}
}

// consume reads a file's values, as a loader does, and returns the first error. Values that pass must be finite.
func consume(t testing.TB, f *File) error {
	t.Helper()
	for _, d := range f.Dicts {
		for _, a := range d.Arrays {
			values, err := a.Float32s()
			if err != nil {
				return err
			}
			for _, v := range values {
				if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
					t.Fatalf("array %q passed with a value of %v", a.Name, v)
				}
			}
		}
	}
	return nil
}

// allocated returns the bytes that run allocates in all, freed ones included.
func allocated(run func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	run()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// tinyRRDB writes an RRDBNet of one block, 2 features and 1 growth channel as ncnn does, with float16 weights.
func tinyRRDB() (graph string, weights []byte) {
	g := graphWriter{}
	g.line("Input", nil, "data", "")
	const leaky = "9=2 -23310=1,2.000000e-01"
	g.conv("data", "first", 3, 2, "")
	g.line("Split", []string{"first"}, "first_0 first_1 first_2", "")
	x, block := "first_0", "first_1"
	for r := range 3 {
		dense := []string{x}
		for c := range 4 {
			in := x
			if c > 0 {
				in = fmt.Sprintf("cat%d_%d", r, c)
				g.line("Concat", dense, in, "")
			}
			out := fmt.Sprintf("c%d_%d", r, c)
			g.conv(in, out, 2+c, 1, leaky)
			dense = append(dense, out)
		}
		cat, last, next := fmt.Sprintf("cat%d", r), fmt.Sprintf("c%d", r), fmt.Sprintf("r%d", r)
		g.line("Concat", dense, cat, "")
		g.conv(cat, last, 6, 2, "")
		g.line("Eltwise", []string{last, x}, next, "0=1 -23301=2,2.000000e-01,1.000000e+00")
		x = next
	}
	g.line("Eltwise", []string{x, block}, "body", "0=1 -23301=2,2.000000e-01,1.000000e+00")
	g.conv("body", "trunk", 2, 2, "")
	g.line("BinaryOp", []string{"first_2", "trunk"}, "sum", "")
	g.line("Interp", []string{"sum"}, "up1", "0=1 1=2.000000e+00 2=2.000000e+00")
	g.conv("up1", "conv1", 2, 2, leaky)
	g.line("Interp", []string{"conv1"}, "up2", "0=1 1=2.000000e+00 2=2.000000e+00")
	g.conv("up2", "conv2", 2, 2, leaky)
	g.conv("conv2", "hr", 2, 2, leaky)
	g.conv("hr", "output", 2, 3, "")
	return g.text(), g.bin
}

// tinySRVGG writes an SRVGGNetCompact of one body convolution, 2 features and factor 2, with float32 weights, and
// with a resize by post behind it unless that is empty.
func tinySRVGG(post string) (graph string, weights []byte) {
	g := graphWriter{float32: true}
	g.line("Input", nil, "data", "")
	g.line("Split", []string{"data"}, "data_0 data_1", "")
	g.conv("data_0", "a", 3, 2, "")
	g.prelu("a", "b", 2)
	g.conv("b", "c", 2, 2, "")
	g.prelu("c", "d", 2)
	g.conv("d", "e", 2, 12, "")
	g.line("PixelShuffle", []string{"e"}, "f", "0=2")
	g.line("Interp", []string{"data_1"}, "g", "0=1 1=2.000000e+00 2=2.000000e+00")
	if post == "" {
		g.line("BinaryOp", []string{"f", "g"}, "output", "0=0")
		return g.text(), g.bin
	}
	g.line("BinaryOp", []string{"f", "g"}, "h", "0=0")
	g.line("Interp", []string{"h"}, "output", fmt.Sprintf("0=3 1=%s 2=%s", post, post))
	return g.text(), g.bin
}

// graphWriter collects the lines of a .param and the bytes of its .bin.
type graphWriter struct {
	lines   []string
	blobs   int
	bin     []byte
	float32 bool
}

func (g *graphWriter) line(kind string, in []string, out, params string) {
	outs := len(strings.Fields(out))
	g.blobs += outs
	g.lines = append(g.lines, strings.TrimSpace(fmt.Sprintf("%-12s l%d %d %d %s %s %s",
		kind, len(g.lines), len(in), outs, strings.Join(in, " "), out, params)))
}

func (g *graphWriter) conv(in, out string, inputs, outputs int, params string) {
	n := inputs * outputs * 9
	g.line("Convolution", []string{in}, out, fmt.Sprintf("0=%d 1=3 4=1 5=1 6=%d %s", outputs, n, params))
	tag, size := "\x47\x6b\x30\x01", 2
	if g.float32 {
		tag, size = "\x00\x00\x00\x00", 4
	}
	g.bin = append(g.bin, tag...)
	g.bin = append(g.bin, make([]byte, (n*size+3)&^3+4*outputs)...)
}

func (g *graphWriter) prelu(in, out string, slopes int) {
	g.line("PReLU", []string{in}, out, fmt.Sprintf("0=%d", slopes))
	g.bin = append(g.bin, make([]byte, 4*slopes)...)
}

func (g *graphWriter) text() string {
	return fmt.Sprintf("7767517\n%d %d\n%s\n", len(g.lines), g.blobs, strings.Join(g.lines, "\n"))
}
