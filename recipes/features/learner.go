package main

import (
	"fmt"
	"slices"
	"strings"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/optim"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

// taps are the layers whose contrast (the logarithm of each channel's deviation over a crop, which the mean light does not
// drown) has to tell kinds and photographs: the last convolution of each group but the first, so that no layer is far from
// what it learns from. channels is how many times the first group's they have.
var taps = [4]struct {
	layer    string
	channels int64
}{{"conv2_2", 2}, {"conv3_4", 4}, {"conv4_4", 8}, {"conv5_4", 8}}

// learner trains a feature network with a linear classifier behind each of taps. One goroutine at a time may use it.
type learner struct {
	phi   *models.Features
	kinds int64 // classes; the others are photographs
	heads []torch.Tensor
	adam  *optim.Adam
	scope *tensor.Scope // the classifiers', weight [channels,classes] and bias [classes] of each tap
}

func newLearner(phi *models.Features, width, kinds, photos int) (*learner, error) {
	l := &learner{phi: phi, kinds: int64(kinds), scope: tensor.NewScope()}
	var params []torch.Tensor
	for _, p := range phi.Parameters() {
		params = append(params, p.Tensor)
	}
	err := tensor.Catch(func() {
		classes := int64(kinds + photos)
		for _, t := range taps {
			l.heads = append(l.heads, l.scope.Zeros(tensor.Float32, tensor.CPU, t.channels*int64(width), classes),
				l.scope.Zeros(tensor.Float32, tensor.CPU, classes))
		}
		params = append(params, l.heads...)
		l.scope.RequiresGrad(true, params...)
	})
	if err == nil {
		l.adam, err = optim.NewAdam(params)
	}
	if err != nil {
		l.scope.Close()
		return nil, err
	}
	l.adam.Beta1, l.adam.Beta2, l.adam.Eps = 0.9, 0.999, 1e-8
	return l, nil
}

// begin gives the network weights that training can begin from: random filters see what is large in pictures, light and
// shadow, and would long learn of nothing else. Every other filter of the first layer is made blind to flat areas; then,
// layer by layer, each channel gets mean 0 and deviation 1 over the crops x (as Krähenbühl et al. 2016).
func begin(s *tensor.Scope, phi *models.Features, x torch.Tensor) {
	s = s.NoGrad()
	params := phi.Parameters()
	first := params[0].Tensor // (width, 3, 3, 3)
	for out := int64(0); out < s.Shape(first)[0]; out += 2 {
		filter := s.Narrow(first, 0, out, 1)
		s.Copy(filter, s.Sub(filter, s.Mean(filter, true, 2, 3)))
	}
	for i, layer := range convolutions(phi) {
		weight, bias := params[2*i].Tensor, params[2*i+1].Tensor
		y := phi.Forward(s, x, layer)[layer]
		mean, std := s.Mean(y, false, 0, 2, 3), s.AddScalar(s.Std(y, false, false, 0, 2, 3), 1e-6) // (channels)
		s.Copy(weight, s.Div(weight, s.Reshape(std, -1, 1, 1, 1)))
		s.Copy(bias, s.Div(s.Sub(bias, mean), std))
	}
}

// scale multiplies the features of each convolution by one number, so that their deviation over the crops x is as asked for.
func scale(s *tensor.Scope, phi *models.Features, x torch.Tensor, deviation float64) {
	s = s.NoGrad()
	params, layers := phi.Parameters(), convolutions(phi)
	features, before := phi.Forward(s, x, layers...), 1.0
	for i, layer := range layers {
		factor := deviation / s.Item(s.Std(features[layer], false, false))
		s.ScaleInPlace(params[2*i].Tensor, factor/before)
		s.ScaleInPlace(params[2*i+1].Tensor, factor)
		before = factor
	}
}

// convolutions names the layers that have filters and a bias, in their order.
func convolutions(phi *models.Features) []string {
	return slices.DeleteFunc(phi.Layers(), func(layer string) bool { return !strings.HasPrefix(layer, "conv") })
}

// Close frees the classifiers; the network stays.
func (l *learner) Close() {
	l.adam.Close()
	l.scope.Close()
}

// result is what a step measured, or the sum of several.
type result struct {
	steps, loss   float64
	kinds, photos [4]float64 // shares that each of taps tells right
}

func (r *result) add(o result) {
	r.steps, r.loss = r.steps+o.steps, r.loss+o.loss
	for i := range taps {
		r.kinds[i], r.photos[i] = r.kinds[i]+o.kinds[i], r.photos[i]+o.photos[i]
	}
}

// String gives means.
func (r result) String() string {
	for i := range taps {
		r.kinds[i], r.photos[i] = 100*r.kinds[i]/r.steps, 100*r.photos[i]/r.steps
	}
	return fmt.Sprintf("loss %.3f, right: kinds %2.0f %%, photographs %2.0f %%", r.loss/r.steps, r.kinds, r.photos)
}

// step learns from one batch: the mean cross-entropy of both classes at all taps.
func (l *learner) step(s *tensor.Scope, b batch, rate float64) (r result) {
	layers := make([]string, len(taps))
	for i, t := range taps {
		layers[i] = t.layer
	}
	features := l.phi.Forward(s, b.pixels(s), layers...)
	loss := s.Full(0, tensor.Float32, tensor.CPU)
	for i, t := range taps {
		contrast := s.Log(s.AddScalar(s.Std(features[t.layer], false, false, 2, 3), 1e-3)) // (N, C)
		logits := s.Add(s.MatMul(contrast, l.heads[2*i]), l.heads[2*i+1])                  // (N, kinds+photos)
		kinds := s.Narrow(logits, 1, 0, l.kinds)                                           // (N, kinds)
		photos := s.Narrow(logits, 1, l.kinds, s.Shape(logits)[1]-l.kinds)                 // (N, photos)
		loss = s.Add(loss, s.AddScaled(crossEntropy(s, kinds, b.kind), crossEntropy(s, photos, b.photo), 0.3))
		r.kinds[i], r.photos[i] = right(s, kinds, b.kind), right(s, photos, b.photo)
	}
	loss = s.MulScalar(loss, 1/float64(len(taps)))
	l.adam.Step(s, rate, s.Grads(loss, false, l.adam.Params()...))
	r.steps, r.loss = 1, s.Item(loss)
	return r
}

// pixels are the crops as a tensor.
func (b batch) pixels(s *tensor.Scope) torch.Tensor {
	return s.FromFloat32s(b.pix, int64(len(b.kind)), 3, side, side)
}

// crossEntropy is the mean of −log softmax(logits) [N,classes] at the right classes.
func crossEntropy(s *tensor.Scope, logits torch.Tensor, class []int) torch.Tensor {
	classes := s.Shape(logits)[1]
	hot := make([]float32, int64(len(class))*classes)
	for i, c := range class {
		hot[int64(i)*classes+int64(c)] = -1 / float32(len(class))
	}
	return s.Sum(s.Mul(s.LogSoftmax(logits, 1), s.FromFloat32s(hot, int64(len(class)), classes)), false)
}

// right is the share of rows of logits [N,classes] whose largest value is at the right class.
func right(s *tensor.Scope, logits torch.Tensor, class []int) (share float64) {
	v, classes := s.Float32s(logits), int(s.Shape(logits)[1])
	for i, c := range class {
		row := v[i*classes : (i+1)*classes]
		if slices.Index(row, slices.Max(row)) == c {
			share += 1 / float64(len(class))
		}
	}
	return share
}
