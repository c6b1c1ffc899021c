package models

import (
	"fmt"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/nn"
	"github.com/gopdd/gopdd/tensor"
)

// SRVGGNetCompactConfig are the sizes of an SRVGGNetCompact; realesr-general-x4v3 is {3, 3, 64, 32, 4}.
type SRVGGNetCompactConfig struct {
	NumInCh  int // channels of the input image
	NumOutCh int // channels of the output image: as many, for the enlarged input is added
	NumFeat  int // channels of the body
	NumConv  int // convolutions in the body, without the first and the last
	Upscale  int // output side / input side
}

// Validate reports sizes that no network has.
func (c SRVGGNetCompactConfig) Validate() error {
	if min(c.NumInCh, c.NumFeat, c.Upscale) < 1 || c.NumConv < 0 || c.NumOutCh != c.NumInCh {
		return fmt.Errorf("models: SRVGGNetCompact %+v: sizes must be at least 1 (num_conv 0), and outputs as many as inputs", c)
	}
	return nil
}

// reach is one pixel for each convolution.
func (c SRVGGNetCompactConfig) reach() int { return c.NumConv + 2 }

// SRVGGNetCompact is Real-ESRGAN's small generator: plain convolutions with PReLU, the pixel shuffle at the end.
// It implements [Trainable].
type SRVGGNetCompact struct {
	base
	cfg SRVGGNetCompactConfig

	convs  []nn.Conv2D    // the first, the body's, the last
	slopes []torch.Tensor // of the PReLU behind each but the last
}

// NewSRVGGNetCompact makes a network that enlarges by interpolation, for training: see interpolation. What is random in
// its weights depends on the seed and the sizes alone. The caller closes it.
func NewSRVGGNetCompact(cfg SRVGGNetCompactConfig, seed int64, d tensor.Device) (*SRVGGNetCompact, error) {
	return buildSRVGG(cfg, interpolation{nn.He(seed), cfg}, onto(d))
}

func buildSRVGG(cfg SRVGGNetCompactConfig, src nn.Source, place placement) (*SRVGGNetCompact, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	n := &SRVGGNetCompact{cfg: cfg}
	var err error
	n.base, err = place.store(src, func(root nn.Path) {
		body := root.Sub("body")
		in, feat := int64(cfg.NumInCh), int64(cfg.NumFeat)
		for i := range cfg.NumConv + 1 {
			p := body
			if i > 0 {
				p = body.As(place.dtype)
			}
			n.convs = append(n.convs, p.Sub(2*i).Conv3x3(in, feat))
			n.slopes = append(n.slopes, p.Sub(2*i+1).Param("weight", feat))
			in = feat
		}
		maps := int64(cfg.NumOutCh * cfg.Upscale * cfg.Upscale)
		n.convs = append(n.convs, body.Sub(2*cfg.NumConv+2).Conv3x3(in, maps))
	})
	return n, err
}

// Forward implements [Generator]. With weights of a smaller type all convolutions but the first and the last compute
// in it.
func (n *SRVGGNetCompact) Forward(s *tensor.Scope, x torch.Tensor) torch.Tensor {
	checkImage(s, "srvggnetcompact", x, n.cfg.NumInCh, 1)
	return s.Local(func(s *tensor.Scope) torch.Tensor {
		y := s.ChannelsLast(s.Cast(x, n.store.Options().DType))
		for i := range n.slopes {
			y = replace(s, y, func(s *tensor.Scope) torch.Tensor { return n.layer(s, i, y) })
		}
		return n.enlarge(s, x, y)
	})
}

// Segments implements [Segmented]: a segment for each convolution.
func (n *SRVGGNetCompact) Segments() Segments {
	layer := func(i int) Segment {
		forward := func(s *tensor.Scope, y torch.Tensor) torch.Tensor { return n.layer(s, i, y) }
		return Segment{forward, n.of(fmt.Sprintf("body.%d.", 2*i), fmt.Sprintf("body.%d.", 2*i+1))}
	}
	g := Segments{Head: layer(0)}
	first := g.Head.Forward
	g.Head.Forward = func(s *tensor.Scope, x torch.Tensor) torch.Tensor {
		return first(s, s.ChannelsLast(s.Cast(x, n.store.Options().DType)))
	}
	for i := 1; i < len(n.slopes); i++ {
		g.Blocks = append(g.Blocks, layer(i))
	}
	g.Tail.Params = n.of(fmt.Sprintf("body.%d.", 2*len(n.slopes)))
	g.Tail.Forward = func(s *tensor.Scope, x, _, y torch.Tensor) torch.Tensor { return n.enlarge(s, x, y) }
	return g
}

// layer is convolution i with its PReLU, to (N, F, H, W).
func (n *SRVGGNetCompact) layer(s *tensor.Scope, i int, y torch.Tensor) torch.Tensor {
	y = n.convs[i].Forward(s, s.Cast(y, s.TypeOf(n.convs[i].Weight)))
	return s.PReLU(y, s.Cast(n.slopes[i], s.TypeOf(y))) // under autocast y has a smaller type
}

// enlarge adds what the features y (N, F, H, W) say to the enlarged image x (N, C, H, W): (N, C, rH, rW).
func (n *SRVGGNetCompact) enlarge(s *tensor.Scope, x, y torch.Tensor) torch.Tensor {
	dtype, r := n.store.Options().DType, int64(n.cfg.Upscale)
	maps := n.convs[len(n.convs)-1].Forward(s, s.Cast(y, dtype)) // (N, C·r², H, W)
	enlarged := s.PixelShuffle(s.Contiguous(maps), r)
	return s.Add(s.Upsample(s.Cast(x, dtype), tensor.Nearest, r), enlarged)
}

// Config are the network's sizes.
func (n *SRVGGNetCompact) Config() SRVGGNetCompactConfig { return n.cfg }

// Scale implements [Generator].
func (n *SRVGGNetCompact) Scale() int { return n.cfg.Upscale }

// Multiple implements [Generator]: any size will do.
func (n *SRVGGNetCompact) Multiple() int { return 1 }

// Reach implements [Generator].
func (n *SRVGGNetCompact) Reach() int { return n.cfg.reach() }

// Clone implements [Trainable].
func (n *SRVGGNetCompact) Clone() (Trainable, error) {
	return cloned(buildSRVGG(n.cfg, n.copies(), n.place))
}
