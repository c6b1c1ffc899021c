package arch

import (
	"errors"
	"fmt"
)

// VGG is the feature part of torchvision's VGG16 or VGG19 (without batch norm), the latter of any width.
type VGG struct {
	Depth int `json:"depth"` // 16 or 19
	Width int `json:"width"` // channels of the first group: 64 in torchvision's; the others have 2, 4, 8 and 8 times as many
}

// Name is "VGG16" or "VGG19".
func (n VGG) Name() string { return fmt.Sprintf("VGG%d", n.Depth) }

// Spec implements Network: five groups of 3x3 convolutions, each followed by a ReLU, each group by a pooling layer,
// all of which have numbers.
func (n VGG) Spec() Spec {
	groups := [5]int{2, 2, 3, 3, 3}
	if n.Depth == 19 {
		groups = [5]int{2, 2, 4, 4, 4}
	}
	var s Spec
	index, in := 0, 3
	for g, count := range groups {
		out := n.Width * min(1<<g, 8)
		for range count {
			s.conv(fmt.Sprintf("features.%d", index), in, out, 3)
			index += 2 // with its ReLU
			in = out
		}
		index++ // the pooling
	}
	return s
}

// AlexNet is the feature part of torchvision's AlexNet.
type AlexNet struct{}

// Name is "AlexNet".
func (AlexNet) Name() string { return "AlexNet" }

// Spec implements Network.
func (AlexNet) Spec() Spec {
	var s Spec
	s.conv("features.0", 3, 64, 11)
	s.conv("features.3", 64, 192, 5)
	s.conv("features.6", 192, 384, 3)
	s.conv("features.8", 384, 256, 3)
	s.conv("features.10", 256, 256, 3)
	return s
}

// SqueezeNet11 is the feature part of torchvision's SqueezeNet 1.1.
type SqueezeNet11 struct{}

// Name is "SqueezeNet 1.1".
func (SqueezeNet11) Name() string { return "SqueezeNet 1.1" }

// Spec implements Network: a convolution and eight fire modules, which squeeze to few maps and expand by 1x1 and 3x3.
func (SqueezeNet11) Spec() Spec {
	var s Spec
	s.conv("features.0", 3, 64, 3)
	in := 64
	for _, fire := range []struct{ index, squeeze, expand int }{
		{3, 16, 64}, {4, 16, 64}, {6, 32, 128}, {7, 32, 128}, {9, 48, 192}, {10, 48, 192}, {11, 64, 256}, {12, 64, 256},
	} {
		name := fmt.Sprintf("features.%d.", fire.index)
		s.conv(name+"squeeze", in, fire.squeeze, 1)
		s.conv(name+"expand1x1", fire.squeeze, fire.expand, 1)
		s.conv(name+"expand3x3", fire.squeeze, fire.expand, 3)
		in = 2 * fire.expand
	}
	return s
}

// detectTorchvision tells torchvision's networks apart by what only one of them has.
func detectTorchvision(f *folded) (Network, error) {
	switch {
	case f.has("features.1.running_mean"):
		return nil, errors.New("a VGG with batch norm (features.1.running_mean): only the ones without are supported")
	case f.has("features.3.squeeze."):
		if k := f.dim("features.0.weight", 2, 3); k != 3 {
			return nil, fmt.Errorf("a SqueezeNet whose first convolution is %dx%d: only 1.1, with 3x3, is supported", k, k)
		}
		return SqueezeNet11{}, nil
	case f.dim("features.0.weight", 2, 3) == 11:
		return AlexNet{}, nil
	case f.has("features.16.weight"):
		return VGG{19, f.dim("features.0.weight", 0, 64)}, nil
	case f.has("features.17.weight"):
		if width := f.dim("features.0.weight", 0, 64); width != 64 {
			return nil, fmt.Errorf("a VGG16 whose first convolution has %d maps: only VGG19 is supported in other widths than 64", width)
		}
		return VGG{16, 64}, nil
	}
	return nil, fmt.Errorf("unknown torchvision network: known are VGG16, VGG19, AlexNet and SqueezeNet 1.1; the first names are %v",
		f.firstNames(6))
}
