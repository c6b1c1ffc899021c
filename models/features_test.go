package models

import (
	"maps"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gopdd/gopdd/internal/arch"
	"github.com/gopdd/gopdd/internal/golden"
	"github.com/gopdd/gopdd/internal/nn"
	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/tensor"
)

// byFormula serves weights by the golden cases' formula.
func byFormula(gain float64) nn.Source {
	return nn.Func(func(r nn.Request) ([]float32, error) {
		shape := make([]int, len(r.Shape))
		for i, d := range r.Shape {
			shape[i] = int(d)
		}
		return golden.Formula("", r.Name, shape, gain), nil
	})
}

type moments struct {
	shape     []int64
	mean, std float64
}

// Mean and population standard deviation of torchvision 0.29's networks in float64 (torch 2.15), with weights by
// formula under torchvision's keys (gain 1.4, no prefix), input "x" of 67x70 by formula, normalised as for ImageNet.
var classifiers = []struct {
	name  string
	spec  arch.Network
	build func(InputNorm, nn.Source, placement) (*Features, error)
	want  map[string]moments
}{
	{"VGG16", arch.VGG{Depth: 16, Width: 64}, vggBuilder(16), map[string]moments{
		"conv2_1": {[]int64{1, 128, 33, 35}, -0.322055483, 2.5115756},
		"conv3_3": {[]int64{1, 256, 16, 17}, -0.133641903, 2.80612471},
		"relu4_3": {[]int64{1, 512, 8, 8}, 1.151321, 1.6746103},
		"relu5_3": {[]int64{1, 512, 4, 4}, 0.844914787, 1.25686705},
		"pool5":   {[]int64{1, 512, 2, 2}, 1.60389578, 1.60314013},
	}},
	{"AlexNet", arch.AlexNet{}, buildAlexNet, map[string]moments{
		"conv1": {[]int64{1, 64, 16, 16}, 0.0517318874, 1.82359933},
		"relu2": {[]int64{1, 192, 7, 7}, 1.26242373, 1.96967035},
		"relu3": {[]int64{1, 384, 3, 3}, 1.59746212, 2.40923397},
		"relu4": {[]int64{1, 256, 3, 3}, 1.40493004, 1.94780818},
		"relu5": {[]int64{1, 256, 3, 3}, 0.995585408, 1.58762479},
		"pool5": {[]int64{1, 256, 1, 1}, 2.92999487, 2.2359698},
	}},
	{"SqueezeNet 1.1", arch.SqueezeNet11{}, buildSqueezeNet, map[string]moments{
		"relu1": {[]int64{1, 64, 33, 34}, 0.731032547, 1.0626782},
		"fire3": {[]int64{1, 128, 16, 17}, 0.887269379, 1.33620433},
		"pool3": {[]int64{1, 128, 8, 8}, 1.91208577, 1.83205133},
		"fire5": {[]int64{1, 256, 8, 8}, 0.778926255, 1.17916715},
		"fire7": {[]int64{1, 384, 4, 4}, 1.09055337, 1.63824859},
		"fire9": {[]int64{1, 512, 4, 4}, 0.854301771, 1.2795786},
	}},
}

func vggBuilder(depth int) func(InputNorm, nn.Source, placement) (*Features, error) {
	return func(norm InputNorm, src nn.Source, p placement) (*Features, error) {
		return buildVGG(arch.VGG{Depth: depth, Width: 64}, norm, src, p)
	}
}

func TestFeaturesAgainstTorchvision(t *testing.T) {
	for _, c := range classifiers {
		t.Run(c.name, func(t *testing.T) {
			f, err := c.build(InputNorm{ImageNet: true}, byFormula(1.4), onto(tensor.CPU))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			tensortest.Do(t, func(s *tensor.Scope) {
				x := s.FromFloat32s(golden.FormulaInput("x", []int{3, 67, 70}), 1, 3, 67, 70)
				for layer, y := range f.Forward(s.NoGrad(), x, slices.Collect(maps.Keys(c.want))...) {
					w := c.want[layer]
					if got := s.Shape(y); !slices.Equal(got, w.shape) {
						t.Errorf("%s: shape %v, want %v", layer, got, w.shape)
					}
					y = s.Cast(y, tensor.Float64)
					mean, std := s.Item(s.Mean(y, false)), s.Item(s.Std(y, false, false))
					if math.Abs(mean-w.mean) > 1e-5*w.std || math.Abs(std-w.std) > 1e-5*w.std {
						t.Errorf("%s: mean %.9g, deviation %.9g, want %.9g, %.9g", layer, mean, std, w.mean, w.std)
					}
				}
			})
		})
	}
}

func TestFeatureKeys(t *testing.T) {
	tensortest.Check(t)
	for _, c := range classifiers {
		f, err := c.build(InputNorm{}, nn.He(1), onto(tensor.CPU))
		if err != nil {
			t.Fatal(err)
		}
		got := f.Parameters()
		for i, p := range c.spec.Spec() {
			if i >= len(got) || got[i].Name != p.Name {
				t.Fatalf("%s: parameter %d is not %s", c.name, i, p.Name)
			}
		}
		f.Close()
	}
}

// TestFeaturesOfAnyWidth: a VGG19 of another width than torchvision's is saved, found by its shapes, and computes the same.
func TestFeaturesOfAnyWidth(t *testing.T) {
	tensortest.Check(t)
	made, err := NewVGG19(8, InputNorm{ImageNet: true}, 1, tensor.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	path := filepath.Join(t.TempDir(), "phi.safetensors")
	if err := made.Save(path, nil); err != nil {
		t.Fatal(err)
	}
	read, err := LoadVGG19(path)
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	tensortest.Do(t, func(s *tensor.Scope) {
		x := s.Rand(1, tensor.Float32, tensor.CPU, 1, 3, 32, 32)
		a, b := made.Forward(s, x, "conv5_4")["conv5_4"], read.Forward(s, x, "conv5_4")["conv5_4"]
		if got := s.Shape(a); !slices.Equal(got, []int64{1, 64, 2, 2}) {
			t.Errorf("conv5_4 of width 8 has shape %v", got)
		}
		if !slices.Equal(s.Float32s(a), s.Float32s(b)) {
			t.Error("the saved network computes other features")
		}
	})
	if _, err := NewVGG19(0, InputNorm{}, 1, tensor.CPU); err == nil {
		t.Error("a VGG19 without channels was made")
	}
}

// A layer's features do not depend on which others are asked for: a convolution and its ReLU run as one step if only
// the ReLU is wanted, and as two otherwise.
func TestFeaturesUnion(t *testing.T) {
	f, err := buildAlexNet(InputNorm{Range: true}, nn.He(1), onto(tensor.CPU))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tensortest.Do(t, func(s *tensor.Scope) {
		x := s.Rand(1, tensor.Float32, tensor.CPU, 1, 3, 64, 64)
		union := f.Forward(s, x, "relu2", "conv2", "relu1", "relu2")
		if len(union) != 3 {
			t.Errorf("%d layers, want 3", len(union))
		}
		for layer, y := range union {
			if d := maxDifference(t, s.Float64s(y), s.Float64s(f.Forward(s, x, layer)[layer])); d > 1e-6 {
				t.Errorf("%s alone differs by %g", layer, d)
			}
		}
		relu := s.ReLU(union["conv2"])
		if !slices.Equal(s.Float32s(relu), s.Float32s(union["relu2"])) {
			t.Error("relu2 is not the ReLU of conv2")
		}
	})
}

// Deeper layers need larger images: 16 pixels are too few for AlexNet's pool2, enough for its relu1.
func TestFeaturesStopAtTheDeepest(t *testing.T) {
	f, err := buildAlexNet(InputNorm{}, nn.He(1), onto(tensor.CPU))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tensortest.Check(t)
	for _, c := range []struct {
		layers []string
		fails  bool
		reason string
	}{
		{[]string{"relu1"}, false, "nothing behind relu1 is computed"},
		{[]string{"relu1", "pool2"}, true, "the image is too small for pool2"},
		{[]string{"relu9"}, true, "no such layer"},
		{nil, true, "no layer asked for"},
	} {
		err := tensor.Do(t.Context(), func(s *tensor.Scope) error {
			f.Forward(s, s.Zeros(tensor.Float32, tensor.CPU, 1, 3, 16, 16), c.layers...)
			return nil
		})
		if (err != nil) != c.fails {
			t.Errorf("%v: %v, but %s", c.layers, err, c.reason)
		}
	}
}
