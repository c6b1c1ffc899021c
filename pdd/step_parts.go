package pdd

import (
	"math"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/comm"
	"github.com/gopdd/gopdd/losses"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

// What step.go is made of.

// rate is the factor of the learning rates in a step: a milestone is the last step of its rate.
func (o OptimizerConfig) rate(step int) float64 {
	rate := 1.0
	for _, m := range o.Milestones {
		if m < step {
			rate *= o.Gamma
		}
	}
	return rate
}

// parts brings a batch to the device, cut into the parts to accumulate over.
func (t *Trainer) parts(s *tensor.Scope, b data.Batch) []part {
	list := make([]part, t.cfg.Optimizer.Accumulate)
	for i := range list {
		list[i] = part{t.load(s, b.LabelledLR, i), t.load(s, b.LabelledHR, i), t.load(s, b.UnlabelledLR, i)}
	}
	return list
}

// load is part i of a stack (n,3,h,w) on the device, or the zero Tensor for an empty one.
func (t *Trainer) load(s *tensor.Scope, b data.Stack, i int) torch.Tensor {
	if b.N == 0 {
		return torch.Tensor{}
	}
	n := b.N / t.cfg.Optimizer.Accumulate
	size := n * b.C * b.H * b.W
	return s.Upload(t.device, b.Pix[i*size:(i+1)*size], int64(n), int64(b.C), int64(b.H), int64(b.W))
}

// autocast runs a network in the run's precision; images are float32 on both sides.
func (t *Trainer) autocast(s *tensor.Scope, forward func(*tensor.Scope, torch.Tensor) torch.Tensor, x torch.Tensor) torch.Tensor {
	if p := t.cfg.Compute.Precision; p == BFloat16 || p == Float16 {
		s = s.Autocast(p.dtype())
	}
	return forward(s, x)
}

// judge gives the discriminator's logits in float32, after a power iteration.
func (t *Trainer) judge(s *tensor.Scope, x torch.Tensor) torch.Tensor {
	return s.Local(func(s *tensor.Scope) torch.Tensor {
		return s.Cast(t.autocast(s, t.disc.ForwardTrain, x), tensor.Float32)
	})
}

// features runs Φ once over all images of a network, up to the deepest layer needed.
func (t *Trainer) features(s *tensor.Scope, ph phase, p part, y predictions) (f features) {
	if t.phi == nil {
		return f
	}
	at := func(s *tensor.Scope, x torch.Tensor, layers []string) (out map[string]torch.Tensor) {
		t.autocast(s, func(s *tensor.Scope, x torch.Tensor) torch.Tensor {
			out = t.phi.Forward(s, x, layers...)
			return torch.Tensor{}
		}, x)
		return out
	}
	if layers := t.cfg.perceptualLayers(); len(layers) > 0 {
		f.hrL = at(s.NoGrad(), p.hrL, layers)
	}
	if !ph.unlabelled {
		if layers := t.cfg.perceptualLayers(); len(layers) > 0 {
			f.sL = at(s, y.sL, layers)
		}
		return f
	}
	if layers := t.cfg.guidingLayers(); len(layers) > 0 {
		f.gL, f.gU = halvesOf(s, at(s.NoGrad(), s.Cat(0, y.gL, y.gU), layers))
	}
	f.sL, f.sU = halvesOf(s, at(s, s.Cat(0, y.sL, y.sU), t.cfg.allLayers()))
	return f
}

// perceptualLayers, guidingLayers and allLayers are those of Φ that Y_L, the generalist and the specialist need.
func (c *Config) perceptualLayers() []string {
	if c.Loss.Perceptual.Weight == 0 && c.Loss.Perceptual.Style == 0 {
		return nil
	}
	return c.Loss.Perceptual.Layers.Names()
}

func (c *Config) guidingLayers() []string {
	switch c.Method {
	case Distillation:
		var names []string
		if c.Loss.Inter.Weight != 0 {
			names = c.Loss.Inter.Layers.Names()
		}
		if c.Loss.Intra.Weight != 0 {
			names = append(names, c.Loss.Intra.Layers.Names()...)
		}
		return names
	case Imitation:
		return c.perceptualLayers()
	}
	return nil
}

func (c *Config) allLayers() []string { return append(c.guidingLayers(), c.perceptualLayers()...) }

// lambda weighs the labelled terms.
func (t *Trainer) lambda() float64 {
	if t.cfg.Method == Imitation {
		return t.cfg.Loss.Lambda
	}
	return 1
}

// of is Eq. 10 without its weight, for x being the share of one of so many processes.
func (c WaveletConfig) of(s *tensor.Scope, x, target torch.Tensor, ranks int) torch.Tensor {
	bands := c.Bands
	if c.Sum { // each band's mean times the number of its coefficients
		n := float64(s.Numel(x)) / 4 * float64(ranks)
		bands = losses.Bands{Low: n * bands.Low, Middle: 2 * n * bands.Middle, High: n * bands.High}
	}
	return losses.Wavelet(s, x, target, bands)
}

func (c PerceptualConfig) of(s *tensor.Scope, x, target map[string]torch.Tensor) torch.Tensor {
	return losses.Perceptual(s, x, target, c.Layers, c.Distance)
}

func (c PerceptualConfig) style(s *tensor.Scope, x, target map[string]torch.Tensor) torch.Tensor {
	return losses.Style(s, x, target, c.Layers, c.Distance)
}

// backward gives the gradients of a loss, scaled up where the precision needs it.
func (t *Trainer) backward(s *tensor.Scope, loss torch.Tensor, params []torch.Tensor) []torch.Tensor {
	if t.scaler.scale != 1 {
		loss = s.MulScalar(loss, t.scaler.scale)
	}
	return s.Grads(loss, false, params...)
}

// sum adds weighted terms up and notes them.
type sum struct {
	s     *tensor.Scope
	terms *terms
	total torch.Tensor
}

// add computes a term and adds it, unless its weight is 0.
func (l *sum) add(name string, weight float64, loss func() torch.Tensor) {
	if weight == 0 {
		return
	}
	term := l.s.MulScalar(loss(), weight)
	l.terms.add(l.s, name, term)
	if l.total.T == nil {
		l.total = term
		return
	}
	l.total = l.s.Add(l.total, term)
}

// terms keeps the values of a step's losses, summed over parts, in the step's scope. They are read from the device
// together, when the step's gradients are complete.
type terms struct {
	names  []string
	scope  *tensor.Scope
	values map[string]torch.Tensor
}

func newTerms(s *tensor.Scope) *terms { return &terms{scope: s, values: map[string]torch.Tensor{}} }

func (t *terms) add(s *tensor.Scope, name string, value torch.Tensor) {
	if sum, there := t.values[name]; there {
		s.NoGrad().AddInPlace(sum, value, 1)
		return
	}
	t.names = append(t.names, name)
	t.values[name] = t.scope.NoGrad().Local(func(s *tensor.Scope) torch.Tensor {
		return s.Clone(s.Reshape(s.Detach(value), 1))
	})
}

// read gives the means over n parts.
func (t *terms) read(s *tensor.Scope, n int) []Term {
	all := make([]torch.Tensor, len(t.names))
	for i, name := range t.names {
		all[i] = t.values[name]
	}
	out := make([]Term, len(all))
	if len(all) == 0 {
		return out
	}
	for i, v := range s.Float64s(s.Cat(0, all...)) {
		out[i] = Term{t.names[i], v / float64(n)}
	}
	return out
}

// gradients are a step's, summed over its parts.
type gradients struct {
	terms   *terms
	g, d    []torch.Tensor
	reducer *comm.Reducer // sums them over several processes; nil in one
}

func (a *gradients) addG(s *tensor.Scope, grads []torch.Tensor) { a.g = accumulate(s, a.g, grads) }
func (a *gradients) addD(s *tensor.Scope, grads []torch.Tensor) { a.d = accumulate(s, a.d, grads) }

func accumulate(s *tensor.Scope, to, grads []torch.Tensor) []torch.Tensor {
	if to == nil {
		return grads
	}
	for i, g := range grads {
		s.NoGrad().AddInPlace(to[i], g, 1)
		s.Free(g)
	}
	return to
}

// finish makes means of the sums, takes the scale of the loss out, and returns the norm over all gradients.
func finish(s *tensor.Scope, grads []torch.Tensor, factor, clip float64) float64 {
	if len(grads) == 0 {
		return 0
	}
	s = s.NoGrad()
	norm := factor * s.Item(s.NormAll(grads...))
	if clip > 0 && norm > clip {
		factor *= clip / norm
	}
	if factor != 1 && !math.IsNaN(norm) {
		for _, g := range grads {
			s.ScaleInPlace(g, factor)
		}
	}
	return norm
}

// halves cuts (2n,…) into the labelled and the unlabelled half.
func halves(s *tensor.Scope, x torch.Tensor) (l, u torch.Tensor) {
	n := s.Shape(x)[0] / 2
	return s.Narrow(x, 0, 0, n), s.Narrow(x, 0, n, n)
}

func halvesOf(s *tensor.Scope, f map[string]torch.Tensor) (l, u map[string]torch.Tensor) {
	l, u = make(map[string]torch.Tensor, len(f)), make(map[string]torch.Tensor, len(f))
	for layer, x := range f {
		l[layer], u[layer] = halves(s, x)
	}
	return l, u
}

func detached(s *tensor.Scope, f map[string]torch.Tensor) map[string]torch.Tensor {
	out := make(map[string]torch.Tensor, len(f))
	for layer, x := range f {
		out[layer] = s.Detach(x)
	}
	return out
}

func tensors(list []models.Named) []torch.Tensor {
	out := make([]torch.Tensor, len(list))
	for i, n := range list {
		out[i] = n.Tensor
	}
	return out
}
