package losses

import (
	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/tensor"
)

// Distance says how [Perceptual] and [Style] compare.
type Distance uint8

const (
	DistanceL1          Distance = iota // mean absolute difference
	DistanceL2                          // mean square of the difference
	DistanceCharbonnier                 // see [Charbonnier], with the eps BasicSR has, 1e-12
)

var distances = choices{"distance", []string{"l1", "l2", "charbonnier"}}

// String gives "l1", "l2" or "charbonnier".
func (d Distance) String() string { return distances.text(uint8(d)) }

// MarshalText gives String; a value without a name is an error.
func (d Distance) MarshalText() ([]byte, error) { return distances.marshal(uint8(d)) }

// UnmarshalText reads what String gives.
func (d *Distance) UnmarshalText(text []byte) error { return unmarshal(distances, text, d) }

// between compares tensors of one shape.
func (d Distance) between(s *tensor.Scope, a, b torch.Tensor) torch.Tensor {
	switch d {
	case DistanceL1:
		return absolute(s, a, b)
	case DistanceL2:
		return s.Local(func(s *tensor.Scope) torch.Tensor { return s.MSE(wide(s, a), wide(s, b)) })
	case DistanceCharbonnier:
		return charbonnier(s, a, b, 1e-12)
	}
	distances.refuse("distance", uint8(d))
	return torch.Tensor{}
}

// Perceptual is Σ weight·distance(x, gt) over the layers' features (Johnson et al. 2016; L_vgg of Eq. 9). x and gt hold
// features of the same shape for every layer, and may hold others.
//
// The paper takes the term from Real-ESRGAN, whose layers are conv1_2 and conv2_2 with 0.1 and conv3_4, conv4_4 and
// conv5_4 with 1 of VGG19 before its ReLU, with [DistanceL1]. BasicSR's criterion l2 names a class that does not exist;
// here it is the mean square.
func Perceptual(s *tensor.Scope, x, gt map[string]torch.Tensor, layers Layers, d Distance) torch.Tensor {
	return local(s, func(s *tensor.Scope) torch.Tensor {
		return layers.Sum(s, func(layer string) torch.Tensor {
			a, b := pair("perceptual", layer, x, gt)
			same(s, "perceptual", named{"x at " + layer, a}, named{"gt at " + layer, b})
			return d.between(s, a, b)
		})
	})
}

// Style is Σ weight·distance(Gram(x), Gram(gt)) over the layers' features (Gatys et al. 2016), an option of the authors'
// perceptual loss that they leave at weight 0. The features at a layer may differ in height and width.
func Style(s *tensor.Scope, x, gt map[string]torch.Tensor, layers Layers, d Distance) torch.Tensor {
	return local(s, func(s *tensor.Scope) torch.Tensor {
		return layers.Sum(s, func(layer string) torch.Tensor {
			a, b := pair("style", layer, x, gt)
			p, q := batch(s, "style", named{"x at " + layer, a}), batch(s, "style", named{"gt at " + layer, b})
			if p[0] != q[0] || p[1] != q[1] {
				tensor.Failf("style", "x at %s is %v and gt is %v: want as many images and channels", layer, p, q)
			}
			return d.between(s, s.Gram(a), s.Gram(b))
		})
	})
}
