package losses_test

import (
	"math"
	"testing"

	"github.com/gopdd/gopdd/losses"
	"github.com/gopdd/gopdd/tensor"
)

func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name     string
		do       func(s *tensor.Scope, x, wide, odd T) // [1,2,4,4], [1,2,4,6], [1,2,3,3]
		op, text string
	}{
		{"intra of other sizes", func(s *tensor.Scope, x, wide, _ T) {
			losses.Intra(s, x, x, wide, x, losses.CrossEntropy, 0)
		}, "intra", "sU is [1 2 4 4] and sL is [1 2 4 6]"},
		{"intra of no images", func(s *tensor.Scope, x, _, _ T) {
			v := s.Reshape(x, -1)
			losses.Intra(s, v, v, v, v, losses.CrossEntropy, 0)
		}, "intra", "sU: want [N,C,H,W]"},
		{"intra of an empty batch", func(s *tensor.Scope, _, _, _ T) {
			v := s.Zeros(tensor.Float32, tensor.CPU, 0, 2, 4, 4)
			losses.Intra(s, v, v, v, v, losses.CriterionL1, 0)
		}, "intra", "[0 2 4 4]"},
		{"intra, negative eps", func(s *tensor.Scope, x, _, _ T) {
			losses.Intra(s, x, x, x, x, losses.CrossEntropy, -1)
		}, "intra", "eps -1"},
		{"intra, eps NaN", func(s *tensor.Scope, x, _, _ T) {
			losses.Intra(s, x, x, x, x, losses.CrossEntropy, math.NaN())
		}, "intra", "eps NaN"},
		{"intra, infinite eps", func(s *tensor.Scope, x, _, _ T) {
			losses.Intra(s, x, x, x, x, losses.CrossEntropy, math.Inf(1))
		}, "intra", "eps +Inf"},
		{"no such criterion", func(s *tensor.Scope, x, _, _ T) { losses.Intra(s, x, x, x, x, 9, 0) }, "intra", "criterion 9"},
		{"inter, models", func(s *tensor.Scope, x, wide, _ T) {
			losses.Inter(s, x, wide, x, x, losses.WholeBatch)
		}, "inter", "sU is [1 2 4 4] and gU is [1 2 4 6]"},
		{"inter, pairs", func(s *tensor.Scope, x, _, _ T) {
			two := s.Cat(0, x, x)
			losses.Inter(s, x, x, two, two, losses.WholeBatch)
		}, "inter", "as many images and channels"},
		{"no such norm", func(s *tensor.Scope, x, _, _ T) { losses.Inter(s, x, x, x, x, 9) }, "inter", "norm 9"},
		{"gram of a matrix", func(s *tensor.Scope, x, _, _ T) { losses.Gram(s, s.Reshape(x, 4, 8)) }, "gram", "f: want [N,C,H,W]"},
		{"haar of odd sides", func(s *tensor.Scope, _, _, odd T) { losses.Haar(s, odd) }, "haar", "even sides; crop or pad"},
		{"wavelet of odd sides", func(s *tensor.Scope, _, _, odd T) { losses.Wavelet(s, odd, odd, all) }, "wavelet", "pred is [1 2 3 3]"},
		{"wavelet of other sizes", func(s *tensor.Scope, x, wide, _ T) { losses.Wavelet(s, x, wide, all) }, "wavelet", "the same shape"},
		{"l1 of other sizes", func(s *tensor.Scope, x, wide, _ T) { losses.L1(s, x, wide) }, "l1", "the same shape"},
		{"charbonnier of other sizes", func(s *tensor.Scope, x, wide, _ T) { losses.Charbonnier(s, x, wide, 1) }, "charbonnier", "the same shape"},
		{"charbonnier, negative eps", func(s *tensor.Scope, x, _, _ T) { losses.Charbonnier(s, x, x, -1) }, "charbonnier", "eps -1"},
		{"no layers", func(s *tensor.Scope, _, _, _ T) {
			losses.Perceptual(s, nil, nil, nil, losses.DistanceL1)
		}, "layers", "none"},
		{"features of another layer", func(s *tensor.Scope, x, _, _ T) {
			losses.Perceptual(s, map[string]T{"b": x, "a": x}, nil, losses.Layers{"c": 1}, losses.DistanceL1)
		}, "perceptual", `no features of layer "c": there are a, b of x and none of gt`},
		{"features of other sizes", func(s *tensor.Scope, x, wide, _ T) {
			losses.Perceptual(s, map[string]T{"a": x}, map[string]T{"a": wide}, losses.Layers{"a": 1}, losses.DistanceL1)
		}, "perceptual", "x at a is [1 2 4 4] and gt at a is [1 2 4 6]"},
		{"style of other channels", func(s *tensor.Scope, x, _, _ T) {
			losses.Style(s, map[string]T{"a": x}, map[string]T{"a": s.Reshape(x, 1, 4, 4, 2)}, losses.Layers{"a": 1}, losses.DistanceL1)
		}, "style", "as many images and channels"},
		{"no such distance", func(s *tensor.Scope, x, _, _ T) {
			losses.Perceptual(s, map[string]T{"a": x}, map[string]T{"a": x}, losses.Layers{"a": 1}, 9)
		}, "distance", "distance 9"},
		{"no logits", func(s *tensor.Scope, x, _, _ T) { losses.Vanilla.Generator(s, s.Narrow(x, 0, 0, 0)) }, "gan", "no logits"},
		{"no such gan", func(s *tensor.Scope, x, _, _ T) { losses.GAN(9).Generator(s, x) }, "gan", "gan 9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in(t, func(s *tensor.Scope) {
				image := func(h, w int64) T { return s.Zeros(tensor.Float32, tensor.CPU, 1, 2, h, w) }
				requireFailure(t, func() { c.do(s, image(4, 4), image(4, 6), image(3, 3)) }, c.op, c.text)
			})
		})
	}
}
