package models

import (
	"errors"
	"fmt"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/nn"
	"github.com/gopdd/gopdd/tensor"
)

// TorchScriptReach is what Reach answers for TorchScript networks, whose real reach is unknown: enough for networks
// that look at windows or have some thirty convolutions.
const TorchScriptReach = 64

// ErrOwnType is in the chain of Load's error when WithDType is asked of a TorchScript program.
var ErrOwnType = errors.New("a TorchScript program computes in its own type: WithDType does not apply")

// scripted is a generator over a TorchScript module.
type scripted struct {
	script          *tensor.Script
	scale, multiple int
}

// loadTorchScript loads the module and finds scale and multiple by running it on small images.
func loadTorchScript(path string, o *loadOptions) (Generator, error) {
	if !o.torchScript {
		return nil, errors.New("this is a TorchScript program, which loading would run: " +
			"if you trust its source, say models.AllowTorchScript() or --allow-torchscript")
	}
	if o.dtype != tensor.Float32 {
		return nil, ErrOwnType
	}
	script, err := tensor.LoadScript(path, o.device)
	if err != nil {
		return nil, err
	}
	g := &scripted{script: script}
	if err := g.probe(o); err != nil {
		return nil, errors.Join(err, script.Close())
	}
	if o.report != nil {
		*o.report = Report{
			Path: path, Format: "torchscript", Network: "TorchScript", PostScale: 1,
			Sizes: fmt.Sprintf("{Scale:%d Multiple:%d}", g.scale, g.multiple),
		}
	}
	return g, nil
}

// Sides of the trial images: the multiple that is tried, times an odd number, so that no larger one fits too.
const (
	largestMultiple = 64
	smallestTrial   = 24 // fewer pixels are too few for some windows and paddings
)

// probe tries multiples 1, 2, 4, .. 64, or the one given, until the module accepts an image.
func (g *scripted) probe(o *loadOptions) error {
	multiples := []int{o.multiple}
	if o.multiple == 0 {
		multiples = nil
		for m := 1; m <= largestMultiple; m *= 2 {
			multiples = append(multiples, m)
		}
	}
	var first error
	for _, m := range multiples {
		scale, err := g.try(m, o.device)
		if err == nil {
			g.scale, g.multiple = scale, m
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return fmt.Errorf("the TorchScript program accepts no image whose sides are multiples of %v: %w", multiples, first)
}

func (g *scripted) try(m int, d tensor.Device) (scale int, err error) {
	if m < 1 {
		return 0, fmt.Errorf("multiple %d: want 1 or more", m)
	}
	h := int64(m * ((smallestTrial/m)/2*2 + 1))
	w := h + int64(2*m)
	err = nn.OnWorker(func(s *tensor.Scope) error {
		y := g.script.Forward(s.NoGrad(), s.Full(0.5, tensor.Float32, d, 1, 3, h, w))
		shape := s.Shape(y)
		if len(shape) != 4 || shape[0] != 1 || shape[1] != 3 || shape[2]%h != 0 || shape[2] == 0 || shape[2]/h*w != shape[3] {
			return fmt.Errorf("it maps [1,3,%d,%d] to %v, want [1,3,r·%d,r·%d] for a whole r", h, w, shape, h, w)
		}
		scale = int(shape[2] / h)
		return nil
	})
	return scale, err
}

// Forward implements [Generator].
func (g *scripted) Forward(s *tensor.Scope, x torch.Tensor) torch.Tensor {
	checkImage(s, "torchscript", x, 3, g.multiple)
	return s.Local(func(s *tensor.Scope) torch.Tensor {
		return s.Contiguous(s.Cast(g.script.Forward(s, x), tensor.Float32))
	})
}

func (g *scripted) Scale() int    { return g.scale }
func (g *scripted) Multiple() int { return g.multiple }
func (g *scripted) Reach() int    { return TorchScriptReach }
func (g *scripted) Close() error  { return g.script.Close() }
