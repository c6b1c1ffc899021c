package models

import (
	"slices"
	"strings"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/nn"
	"github.com/gopdd/gopdd/tensor"
)

// InputNorm is what a feature extractor does to its input first. The zero value leaves it as it is.
type InputNorm struct {
	Range    bool // x becomes (x+1)/2: for images in [-1,1]
	ImageNet bool // then the mean of ImageNet is subtracted and its standard deviation divided by, per channel
}

var (
	imageNetMean = []float32{0.485, 0.456, 0.406}
	imageNetStd  = []float32{0.229, 0.224, 0.225}
)

// Features is the convolutional part of a classification network, up to any of its named layers. conv4_4 is a
// convolution's output before its ReLU, relu4_4 after it; pool4 is the pooling behind a group.
type Features struct {
	base
	name      string
	norm      InputNorm
	mean, std torch.Tensor // [1,3,1,1]
	stages    []stage
}

// stage is one layer: a convolution, or any other operation.
type stage struct {
	name string
	conv *nn.Conv2D
	op   func(s *tensor.Scope, x torch.Tensor) torch.Tensor
}

func (st *stage) isReLU() bool { return strings.HasPrefix(st.name, "relu") }

// buildFeatures makes a network whose layers construct adds; all its paths begin with "features".
func buildFeatures(name string, norm InputNorm, src nn.Source, place placement, construct func(f *Features, root nn.Path)) (*Features, error) {
	f := &Features{name: name, norm: norm}
	var err error
	f.base, err = place.store(src, func(root nn.Path) {
		f.mean = root.Const(imageNetMean, 1, 3, 1, 1)
		f.std = root.Const(imageNetStd, 1, 3, 1, 1)
		construct(f, root.Sub("features"))
	})
	return f, err
}

func (f *Features) add(name string, op func(s *tensor.Scope, x torch.Tensor) torch.Tensor) {
	f.stages = append(f.stages, stage{name: name, op: op})
}

// addConv adds a convolution and its ReLU: layers conv+suffix and relu+suffix.
func (f *Features) addConv(suffix string, c nn.Conv2D) {
	f.stages = append(f.stages, stage{name: "conv" + suffix, conv: &c, op: c.Forward})
	f.add("relu"+suffix, func(s *tensor.Scope, x torch.Tensor) torch.Tensor { return s.ReLU(x) })
}

// addPool adds a maximum over kernel×kernel windows every 2 pixels.
func (f *Features) addPool(name string, kernel int64, ceil bool) {
	f.add(name, func(s *tensor.Scope, x torch.Tensor) torch.Tensor { return s.MaxPool2D(x, kernel, 2, ceil) })
}

// Name is "VGG19", "VGG16", "AlexNet" or "SqueezeNet 1.1".
func (f *Features) Name() string { return f.name }

// Layers names all layers, from the input to the deepest.
func (f *Features) Layers() []string {
	names := make([]string, len(f.stages))
	for i := range f.stages {
		names[i] = f.stages[i].name
	}
	return names
}

// Forward gives the features of x [N,3,H,W] at the layers asked for, by their names; a layer may be asked for more than
// once. It stops at the deepest of them. Every pooling halves the sizes, rounding down (SqueezeNet's: up).
func (f *Features) Forward(s *tensor.Scope, x torch.Tensor, layers ...string) map[string]torch.Tensor {
	checkImage(s, f.name, x, 3, 1)
	wanted, deepest := f.find(layers)
	out := make(map[string]torch.Tensor, len(wanted))
	x = s.Local(func(s *tensor.Scope) torch.Tensor { return s.ChannelsLast(f.normalise(s, x)) })
	keep := false
	for i := 0; i <= deepest; i++ {
		st := &f.stages[i]
		op := st.op
		if st.conv != nil && i < deepest && f.stages[i+1].isReLU() && !wanted[st.name] { // both in one step
			op = func(s *tensor.Scope, x torch.Tensor) torch.Tensor { return st.conv.Leaky(s, x, 0) }
			i++
		}
		y := op(s, x)
		if !keep {
			s.Free(x)
		}
		name := f.stages[i].name
		if x, keep = y, wanted[name]; keep {
			out[name] = x
		}
	}
	return out
}

// find returns the set of layers and the index of the deepest.
func (f *Features) find(layers []string) (wanted map[string]bool, deepest int) {
	names := f.Layers()
	wanted, deepest = map[string]bool{}, -1
	for _, layer := range layers {
		i := slices.Index(names, layer)
		if i < 0 {
			tensor.Failf(f.name, "no layer %q: choose from %s", layer, strings.Join(names, ", "))
		}
		wanted[layer], deepest = true, max(deepest, i)
	}
	if deepest < 0 {
		tensor.Failf(f.name, "no layer asked for: choose from %s", strings.Join(names, ", "))
	}
	return wanted, deepest
}

func (f *Features) normalise(s *tensor.Scope, x torch.Tensor) torch.Tensor {
	x = s.Cast(x, f.store.Options().DType)
	if f.norm.Range {
		x = s.MulScalar(s.AddScalar(x, 1), 0.5)
	}
	if f.norm.ImageNet {
		x = s.Div(s.Sub(x, f.mean), f.std)
	}
	return x
}
