package models

import (
	"fmt"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/nn"
	"github.com/gopdd/gopdd/tensor"
)

// RRDBNetConfig are the sizes of an RRDBNet; Real-ESRGAN x4plus is {3, 3, 64, 23, 32, 4}.
type RRDBNetConfig struct {
	NumInCh   int // channels of the input image
	NumOutCh  int // channels of the output image
	NumFeat   int // channels of the trunk
	NumBlock  int // residual-in-residual dense blocks
	NumGrowCh int // channels that each convolution adds inside a dense block
	Scale     int // output side / input side: 4, 2 or 1
}

// Validate reports sizes that no network has.
func (c RRDBNetConfig) Validate() error {
	if min(c.NumInCh, c.NumOutCh, c.NumFeat, c.NumBlock, c.NumGrowCh) < 1 {
		return fmt.Errorf("models: RRDBNet %+v: every size must be at least 1", c)
	}
	if c.Scale != 4 && c.Scale != 2 && c.Scale != 1 {
		return fmt.Errorf("models: RRDBNet %+v: scale must be 4, 2 or 1", c)
	}
	return nil
}

// unshuffle is the factor of the pixel-unshuffle in front: the network behind it always enlarges by 4.
func (c RRDBNetConfig) unshuffle() int { return 4 / c.Scale }

// unshuffled is how many channels the first convolution sees.
func (c RRDBNetConfig) unshuffled() int { return c.NumInCh * c.unshuffle() * c.unshuffle() }

// reach: up to conv_body every convolution reaches one feature pixel further; conv_up1 works at half their size,
// conv_up2, conv_hr and conv_last at a quarter: together they reach 2 more, and that only from the outermost output
// pixels of a feature pixel.
func (c RRDBNetConfig) reach() int {
	features := 1 + c.NumBlock*len(rrdb{})*len(denseBlock{}) + 1 + 2
	return features * c.unshuffle()
}

// RRDBNet is the generator of ESRGAN (Wang et al. 2018, arXiv 1809.00219) and Real-ESRGAN (arXiv 2107.10833).
// It implements [Trainable].
type RRDBNet struct {
	base
	cfg RRDBNetConfig

	first  nn.Conv2D
	blocks []rrdb
	body   nn.Conv2D
	up     [2]nn.Conv2D
	hr     nn.Conv2D
	last   nn.Conv2D
}

const (
	leakySlope    = 0.2 // of every LeakyReLU
	residualScale = 0.2 // of every residual branch
	denseGain     = 0.1 // of random weights in dense blocks (ESRGAN, section 3.1: smaller initialisation)
)

// NewRRDBNet makes a network with random weights, for training from scratch: the normal distribution of He et al.
// 2015, smaller in the dense blocks; they depend on the seed and the sizes alone. The caller closes it.
func NewRRDBNet(cfg RRDBNetConfig, seed int64, d tensor.Device) (*RRDBNet, error) {
	return buildRRDBNet(cfg, nn.He(seed), onto(d))
}

func buildRRDBNet(cfg RRDBNetConfig, src nn.Source, place placement) (*RRDBNet, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	n := &RRDBNet{cfg: cfg, blocks: make([]rrdb, cfg.NumBlock)}
	in, feat := int64(cfg.unshuffled()), int64(cfg.NumFeat)
	var err error
	n.base, err = place.store(src, func(root nn.Path) {
		n.first = root.Sub("conv_first").Conv3x3(in, feat)
		for i := range n.blocks {
			n.blocks[i] = newRRDB(root.As(place.dtype).Sub("body").Sub(i), feat, int64(cfg.NumGrowCh))
		}
		n.body = root.Sub("conv_body").Conv3x3(feat, feat)
		n.up[0] = root.As(place.dtype).Sub("conv_up1").Conv3x3(feat, feat)
		n.up[1] = root.As(place.dtype).Sub("conv_up2").Conv3x3(feat, feat)
		n.hr = root.As(place.dtype).Sub("conv_hr").Conv3x3(feat, feat)
		n.last = root.Sub("conv_last").Conv3x3(feat, int64(cfg.NumOutCh))
	})
	return n, err
}

// Forward implements [Generator]. With weights of a smaller type the first, the last and the body's convolution and
// the residual path between blocks stay in float32, which costs no time: for Real-ESRGAN x4plus in BFloat16 the output
// is 52 to 61 dB PSNR from float32's on three crops of two photos (docs/PRECISION.md has more).
func (n *RRDBNet) Forward(s *tensor.Scope, x torch.Tensor) torch.Tensor {
	checkImage(s, "rrdbnet", x, n.cfg.NumInCh, n.Multiple())
	return s.Local(func(s *tensor.Scope) torch.Tensor {
		feat := n.head(s, x)
		y := replace(s, feat, func(s *tensor.Scope) torch.Tensor {
			y := feat
			for _, block := range n.blocks {
				y = replace(s, y, func(s *tensor.Scope) torch.Tensor { return block.forward(s, y) })
			}
			return n.trunk(s, feat, y)
		})
		return n.enlarge(s, y)
	})
}

// Segments implements [Segmented]: a segment for each RRDB.
func (n *RRDBNet) Segments() Segments {
	g := Segments{
		Head: Segment{n.head, n.of("conv_first.")},
		Tail: Tail{Skip: true, Params: n.of("conv_body.", "conv_up", "conv_hr.", "conv_last.")},
	}
	for i := range n.blocks {
		g.Blocks = append(g.Blocks, Segment{n.blocks[i].forward, n.of(fmt.Sprintf("body.%d.", i))})
	}
	g.Tail.Forward = func(s *tensor.Scope, _, feat, y torch.Tensor) torch.Tensor { return n.enlarge(s, n.trunk(s, feat, y)) }
	return g
}

// head maps the image to features, (N, F, h, w).
func (n *RRDBNet) head(s *tensor.Scope, x torch.Tensor) torch.Tensor {
	x = s.Cast(x, n.store.Options().DType)
	if u := n.cfg.unshuffle(); u > 1 {
		x = s.PixelUnshuffle(x, int64(u)) // (N, C·u², h, w)
	}
	return n.first.Forward(s, s.ChannelsLast(x))
}

// trunk ends the trunk whose blocks gave y, (N, F, h, w) → (N, F, h, w).
func (n *RRDBNet) trunk(s *tensor.Scope, feat, y torch.Tensor) torch.Tensor {
	return s.Cast(s.Add(feat, n.body.Forward(s, y)), s.TypeOf(n.hr.Weight))
}

// enlarge maps features to the image, (N, F, h, w) → (N, C, 4h, 4w).
func (n *RRDBNet) enlarge(s *tensor.Scope, y torch.Tensor) torch.Tensor {
	dtype := n.store.Options().DType
	for _, conv := range n.up { // (N, F, 2h, 2w), then (N, F, 4h, 4w)
		y = replace(s, y, func(s *tensor.Scope) torch.Tensor {
			return conv.Leaky(s, s.Upsample(y, tensor.Nearest, 2), leakySlope)
		})
	}
	y = replace(s, y, func(s *tensor.Scope) torch.Tensor { return s.Cast(n.hr.Leaky(s, y, leakySlope), dtype) })
	return s.Cast(s.Contiguous(n.last.Forward(s, y)), dtype)
}

// Config are the network's sizes.
func (n *RRDBNet) Config() RRDBNetConfig { return n.cfg }

// Scale implements [Generator].
func (n *RRDBNet) Scale() int { return n.cfg.Scale }

// Multiple implements [Generator]: 1 for scale 4, 2 and 4 for scales 2 and 1, whose input is unshuffled.
func (n *RRDBNet) Multiple() int { return n.cfg.unshuffle() }

// Reach implements [Generator].
func (n *RRDBNet) Reach() int { return n.cfg.reach() }

// Clone implements [Trainable].
func (n *RRDBNet) Clone() (Trainable, error) {
	return cloned(buildRRDBNet(n.cfg, n.copies(), n.place))
}

// rrdb is a residual-in-residual dense block.
type rrdb [3]denseBlock

func newRRDB(p nn.Path, feat, grow int64) (b rrdb) {
	for i := range b {
		b[i] = newDenseBlock(p.Sub(fmt.Sprintf("rdb%d", i+1)).Gain(denseGain), feat, grow)
	}
	return b
}

// forward keeps the residual path in x's type, whatever the convolutions compute in: (N, F, h, w) → (N, F, h, w).
func (b *rrdb) forward(s *tensor.Scope, x torch.Tensor) torch.Tensor {
	y := s.Cast(x, s.TypeOf(b[0][0].Weight))
	for i := range b {
		y = replace(s, y, func(s *tensor.Scope) torch.Tensor { return b[i].forward(s, y) })
	}
	return s.AddScaled(x, y, residualScale)
}

// denseBlock is five convolutions, each of which sees the block's input and the outputs of those before it.
type denseBlock [5]nn.Conv2D

func newDenseBlock(p nn.Path, feat, grow int64) (b denseBlock) {
	for i := range b {
		out := grow
		if i == len(b)-1 {
			out = feat
		}
		b[i] = p.Sub(fmt.Sprintf("conv%d", i+1)).Conv3x3(feat+int64(i)*grow, out)
	}
	return b
}

// forward maps (N, F, h, w) → (N, F, h, w).
func (b *denseBlock) forward(s *tensor.Scope, x torch.Tensor) torch.Tensor {
	var weights, biases [len(b)]torch.Tensor
	for i, conv := range b {
		weights[i], biases[i] = conv.Weight, conv.Bias
	}
	return s.DenseBlock(x, weights[:], biases[:], leakySlope, residualScale)
}
