package models

import (
	"fmt"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/arch"
	"github.com/gopdd/gopdd/internal/nn"
	"github.com/gopdd/gopdd/tensor"
)

// buildVGG makes torchvision's VGG of depth 16 or 19 (Simonyan & Zisserman 2015, configurations D and E; without batch
// norm) at any width: five groups conv1_1, relu1_1, conv1_2, .., pool1, conv2_1, ..
func buildVGG(n arch.VGG, norm InputNorm, src nn.Source, place placement) (*Features, error) {
	convs := [5]int{2, 2, 3, 3, 3}
	if n.Depth == 19 {
		convs = [5]int{2, 2, 4, 4, 4}
	}
	return buildFeatures(n.Name(), norm, src, place, func(f *Features, root nn.Path) {
		in, out, widest := int64(3), int64(n.Width), 8*int64(n.Width)
		for group, count := range convs {
			for i := range count {
				f.addConv(fmt.Sprintf("%d_%d", group+1, i+1), root.Sub(len(f.stages)).Conv3x3(in, out))
				in = out
			}
			f.addPool(fmt.Sprintf("pool%d", group+1), 2, false)
			out = min(2*out, widest)
		}
	})
}

// NewVGG19 makes a VGG19 with random weights (He et al. 2015), which depend on the seed alone; width is the channels of
// its first group, 64 in torchvision's. Its features tell textures apart, but far less well than trained ones do: it is for
// trials where torchvision's file cannot be had, and to be trained. The caller closes it.
func NewVGG19(width int, norm InputNorm, seed int64, d tensor.Device) (*Features, error) {
	if width < 1 {
		return nil, fmt.Errorf("models: VGG19 of width %d: want at least 1", width)
	}
	return buildVGG(arch.VGG{Depth: 19, Width: width}, norm, nn.He(seed), onto(d))
}

// buildAlexNet makes torchvision's AlexNet (Krizhevsky 2014, one weird trick): conv1, relu1, pool1, conv2, relu2, pool2,
// conv3, relu3, conv4, relu4, conv5, relu5, pool5.
func buildAlexNet(norm InputNorm, src nn.Source, place placement) (*Features, error) {
	return buildFeatures("AlexNet", norm, src, place, func(f *Features, root nn.Path) {
		for i, c := range []struct {
			in, out, kernel int64
			o               tensor.ConvOptions
			pool            bool
		}{
			{3, 64, 11, tensor.ConvOptions{Stride: 4, Padding: 2}, true},
			{64, 192, 5, tensor.ConvOptions{Padding: 2}, true},
			{192, 384, 3, tensor.ConvOptions{Padding: 1}, false},
			{384, 256, 3, tensor.ConvOptions{Padding: 1}, false},
			{256, 256, 3, tensor.ConvOptions{Padding: 1}, true},
		} {
			f.addConv(fmt.Sprint(i+1), root.Sub(len(f.stages)).Conv2D(c.in, c.out, c.kernel, c.o))
			if c.pool {
				f.addPool(fmt.Sprintf("pool%d", i+1), 3, false)
			}
		}
	})
}

// buildSqueezeNet makes torchvision's SqueezeNet 1.1 (Iandola et al. 2016): conv1, relu1, pool1, fire2, fire3, pool3,
// fire4, fire5, pool5, fire6, .., fire9. A fire layer is taken behind its ReLU.
func buildSqueezeNet(norm InputNorm, src nn.Source, place placement) (*Features, error) {
	return buildFeatures("SqueezeNet 1.1", norm, src, place, func(f *Features, root nn.Path) {
		f.addConv("1", root.Sub(0).Conv2D(3, 64, 3, tensor.ConvOptions{Stride: 2}))
		f.addPool("pool1", 3, true)
		in := int64(64)
		for i, squeeze := range []int64{16, 16, 32, 32, 48, 48, 64, 64} {
			number, expand := i+2, 4*squeeze
			f.add(fmt.Sprintf("fire%d", number), newFire(root.Sub(len(f.stages)), in, squeeze, expand).forward)
			if number == 3 || number == 5 {
				f.addPool(fmt.Sprintf("pool%d", number), 3, true)
			}
			in = 2 * expand
		}
	})
}

// fire squeezes to few channels and expands them by 1x1 and by 3x3 convolutions.
type fire struct{ squeeze, expand1x1, expand3x3 nn.Conv2D }

func newFire(p nn.Path, in, squeeze, expand int64) fire {
	return fire{
		squeeze:   p.Sub("squeeze").Conv2D(in, squeeze, 1, tensor.ConvOptions{}),
		expand1x1: p.Sub("expand1x1").Conv2D(squeeze, expand, 1, tensor.ConvOptions{}),
		expand3x3: p.Sub("expand3x3").Conv3x3(squeeze, expand),
	}
}

// forward: (N, in, h, w) → (N, 2·expand, h, w).
func (f fire) forward(s *tensor.Scope, x torch.Tensor) torch.Tensor {
	return s.Local(func(s *tensor.Scope) torch.Tensor {
		y := f.squeeze.Leaky(s, x, 0) // (N, squeeze, h, w)
		return s.Cat(1, f.expand1x1.Leaky(s, y, 0), f.expand3x3.Leaky(s, y, 0))
	})
}
