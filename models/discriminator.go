package models

import (
	"fmt"
	"math"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/nn"
	"github.com/gopdd/gopdd/tensor"
)

// UNetDiscriminatorConfig are the sizes of a U-Net discriminator; Real-ESRGAN's is {3, 64, true}.
type UNetDiscriminatorConfig struct {
	NumInCh        int
	NumFeat        int
	SkipConnection bool // adds the features of the way down on the way up
}

// Validate reports sizes that no network has.
func (c UNetDiscriminatorConfig) Validate() error {
	if min(c.NumInCh, c.NumFeat) < 1 {
		return fmt.Errorf("models: UNetDiscriminator %+v: every size must be at least 1", c)
	}
	return nil
}

// UNetDiscriminator judges every pixel of an image (Real-ESRGAN, section 3.3; Schönfeld et al. 2020). The weights of
// conv_1 to conv_8 are divided by their largest singular value (spectral norm, Miyato et al. 2018), which a power
// iteration follows as in torch.nn.utils.spectral_norm.
type UNetDiscriminator struct {
	base
	cfg UNetDiscriminatorConfig

	first nn.Conv2D
	convs [8]spectralConv // conv_1 to conv_8
	last  nn.Conv2D
}

// NewUNetDiscriminator makes a discriminator with random weights, which depend on the seed and the sizes alone. The
// caller closes it.
func NewUNetDiscriminator(cfg UNetDiscriminatorConfig, seed int64, d tensor.Device) (*UNetDiscriminator, error) {
	return buildDiscriminator(cfg, nn.He(seed), onto(d))
}

func buildDiscriminator(cfg UNetDiscriminatorConfig, src nn.Source, place placement) (*UNetDiscriminator, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	d := &UNetDiscriminator{cfg: cfg}
	feat := int64(cfg.NumFeat)
	down := tensor.ConvOptions{Stride: 2, Padding: 1}
	same := tensor.ConvOptions{Padding: 1}
	var err error
	d.base, err = place.store(src, func(root nn.Path) {
		d.first = root.Sub("conv_0").Conv3x3(int64(cfg.NumInCh), feat)
		for i, c := range [len(d.convs)]struct {
			in, out, kernel int64
			o               tensor.ConvOptions
		}{
			{1, 2, 4, down}, {2, 4, 4, down}, {4, 8, 4, down},
			{8, 4, 3, same}, {4, 2, 3, same}, {2, 1, 3, same}, {1, 1, 3, same}, {1, 1, 3, same},
		} {
			d.convs[i] = newSpectralConv(root.Sub(fmt.Sprintf("conv_%d", i+1)), c.in*feat, c.out*feat, c.kernel, c.o)
		}
		d.last = root.Sub("conv_9").Conv3x3(feat, 1)
	})
	return d, err
}

// Forward gives logits [N,1,H,W] for x [N,C,H,W], with the stored vectors of the spectral norm (PyTorch's eval mode).
// H and W are multiples of 8.
func (d *UNetDiscriminator) Forward(s *tensor.Scope, x torch.Tensor) torch.Tensor {
	return d.forward(s, x, (*spectralConv).stored)
}

// ForwardTrain is Forward after one power iteration of every normalised layer, whose vectors stay changed (PyTorch's
// train mode). One goroutine at a time may call it, and none Forward meanwhile.
func (d *UNetDiscriminator) ForwardTrain(s *tensor.Scope, x torch.Tensor) torch.Tensor {
	return d.forward(s, x, (*spectralConv).iterate)
}

func (d *UNetDiscriminator) forward(s *tensor.Scope, x torch.Tensor, vectors func(*spectralConv, *tensor.Scope) (u, v torch.Tensor)) torch.Tensor {
	checkImage(s, "unet discriminator", x, d.cfg.NumInCh, 8)
	conv := func(s *tensor.Scope, i int, x torch.Tensor) torch.Tensor { // conv_i and LeakyReLU
		c := &d.convs[i-1]
		u, v := vectors(c, s)
		return s.Conv2DLeaky(x, c.normalised(s, u, v), torch.Tensor{}, c.opts, leakySlope)
	}
	up := func(s *tensor.Scope, i int, x, skip torch.Tensor) torch.Tensor {
		return s.Local(func(s *tensor.Scope) torch.Tensor {
			y := conv(s, i, s.Upsample(x, tensor.Bilinear, 2))
			if d.cfg.SkipConnection {
				y = s.Add(y, skip)
			}
			return y
		})
	}
	return s.Local(func(s *tensor.Scope) torch.Tensor {
		x0 := d.first.Leaky(s, s.ChannelsLast(s.Cast(x, d.store.Options().DType)), leakySlope) // (N, n, H, W)
		x1 := conv(s, 1, x0)                                                                   // (N, 2n, H/2, W/2)
		x2 := conv(s, 2, x1)                                                                   // (N, 4n, H/4, W/4)
		x3 := conv(s, 3, x2)                                                                   // (N, 8n, H/8, W/8)
		x4 := up(s, 4, x3, x2)                                                                 // (N, 4n, H/4, W/4)
		x5 := up(s, 5, x4, x1)                                                                 // (N, 2n, H/2, W/2)
		x6 := up(s, 6, x5, x0)                                                                 // (N, n, H, W)
		y := conv(s, 8, conv(s, 7, x6))                                                        // (N, n, H, W)
		return d.last.Forward(s, y)                                                            // (N, 1, H, W)
	})
}

// Config are the network's sizes.
func (d *UNetDiscriminator) Config() UNetDiscriminatorConfig { return d.cfg }

// State lists parameters and the vectors of the spectral norm, in order of creation: what a checkpoint holds.
func (d *UNetDiscriminator) State() []Named { return named(d.store.State()) }

// spectralConv is a convolution without bias, whose weight is divided by its largest singular value.
type spectralConv struct {
	weight torch.Tensor // weight_orig [out,in,k,k]
	u, v   torch.Tensor // the singular vectors as followed so far, [out] and [in·k·k]
	opts   tensor.ConvOptions
}

func newSpectralConv(p nn.Path, in, out, kernel int64, o tensor.ConvOptions) spectralConv {
	return spectralConv{
		weight: p.Param("weight_orig", out, in, kernel, kernel),
		u:      p.Buffer("weight_u", out),
		v:      p.Buffer("weight_v", in*kernel*kernel),
		opts:   o,
	}
}

// matrix is the weight as [out, in·k·k].
func (c *spectralConv) matrix(s *tensor.Scope) torch.Tensor {
	return s.Reshape(c.weight, s.Shape(c.u)[0], -1)
}

// stored returns u and v, as copies: a later iteration must not change what backward needs.
func (c *spectralConv) stored(s *tensor.Scope) (u, v torch.Tensor) { return s.Clone(c.u), s.Clone(c.v) }

// iterate makes one power iteration, v = Mᵀu/|Mᵀu|, u = Mv/|Mv|, and stores it.
func (c *spectralConv) iterate(s *tensor.Scope) (u, v torch.Tensor) {
	s = s.NoGrad().Autocast(0)
	m := s.Detach(c.matrix(s))
	v = unit(s, s.MatMul(c.u, m))
	u = unit(s, s.MatMul(m, v))
	s.Copy(c.u, u)
	s.Copy(c.v, v)
	return u, v
}

// tiny keeps the length of a zero vector from being a divisor (PyTorch's eps).
const tiny = 1e-12

func unit(s *tensor.Scope, x torch.Tensor) torch.Tensor {
	return s.Div(x, s.Clamp(s.Norm(x, false), tiny, math.Inf(1)))
}

// normalised is weight/σ with σ = u·(Mv): u and v are constants for the gradient, σ is not.
func (c *spectralConv) normalised(s *tensor.Scope, u, v torch.Tensor) torch.Tensor {
	s = s.Autocast(0)
	return s.Local(func(s *tensor.Scope) torch.Tensor {
		sigma := s.MatMul(u, s.MatMul(c.matrix(s), v))
		return s.Div(c.weight, sigma)
	})
}
