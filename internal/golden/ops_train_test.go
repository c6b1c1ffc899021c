//go:build cgo

package golden_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/arch"
	"github.com/gopdd/gopdd/internal/golden"
	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/losses"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/pdd"
	"github.com/gopdd/gopdd/tensor"
)

func init() { register(map[string]opFunc{"train.trajectory": trajectory}) }

type trajectoryParams struct {
	NetG struct {
		Scale     int `json:"scale"`
		NumFeat   int `json:"num_feat"`
		NumBlock  int `json:"num_block"`
		NumGrowCh int `json:"num_grow_ch"`
	} `json:"net_g"`
	NetD struct {
		NumFeat        int  `json:"num_feat"`
		SkipConnection bool `json:"skip_connection"`
	} `json:"net_d"`
	Mode              string           `json:"mode"`
	Teacher           string           `json:"teacher"`
	EMADecay          float64          `json:"ema_decay"`
	LRG               float64          `json:"lr_g"`
	LRD               float64          `json:"lr_d"`
	Betas             []float64        `json:"betas"`
	AdamEps           float64          `json:"adam_eps"`
	WeightDecay       float64          `json:"weight_decay"`
	Milestones        []int            `json:"milestones"`
	Gamma             float64          `json:"gamma"`
	PixelWeight       float64          `json:"pixel_weight"`
	WaveletWeights    []float64        `json:"wavelet_weights"`
	PerceptualLayers  losses.Layers    `json:"perceptual_layers"`
	PerceptualWeight  float64          `json:"perceptual_weight"`
	LayerWeightsInter losses.Layers    `json:"layer_weights_inter"`
	LayerWeightsIntra losses.Layers    `json:"layer_weights_intra"`
	RInterWeight      float64          `json:"rinter_weight"`
	RIntraWeight      float64          `json:"rintra_weight"`
	CriIntra          losses.Criterion `json:"cri_intra"`
	BatchNorm         losses.Norm      `json:"batch_norm"`
	GANType           losses.GAN       `json:"gan_type"`
	GANWeight         float64          `json:"gan_weight"`
	UnlabelledGAN     bool             `json:"unlabelled_gan"`
	Detach            bool             `json:"detach"`
	NetDIters         int              `json:"net_d_iters"`
	NetDInitIters     int              `json:"net_d_init_iters"`
	DomainWarmup      int              `json:"domain_opt_warmup_iters"`
	NDLambda          *float64         `json:"nd_lambda"`
	GPrefix           string           `json:"g_weight_prefix"`
	GGain             float64          `json:"g_gain"`
	TeacherPrefix     string           `json:"teacher_weight_prefix"`
	TeacherGain       float64          `json:"teacher_gain"`
	DPrefix           string           `json:"d_weight_prefix"`
	DGain             float64          `json:"d_gain"`
	VGGPrefix         string           `json:"vgg_weight_prefix"`
	VGGGain           float64          `json:"vgg_gain"`
	Iterations        int              `json:"iterations"`
	Present           map[string][]int `json:"present"`
}

// config is the case's configuration in the trainer's words.
func (p *trajectoryParams) config() (pdd.Config, error) {
	c := pdd.EMA()
	if p.Mode == "naive" {
		c = pdd.Naive()
	}
	switch p.Teacher {
	case "ema":
	case "fixed":
		c.Generalist.Kind = pdd.Frozen
	default:
		return c, fmt.Errorf("teacher %q", p.Teacher)
	}
	c.Steps, c.EMADecay = p.Iterations, p.EMADecay
	c.Compute.Device = tensortest.DeviceName()
	c.Optimizer = pdd.OptimizerConfig{LR: p.LRG, LRD: p.LRD, Beta1: p.Betas[0], Beta2: p.Betas[1], Eps: p.AdamEps,
		WeightDecay: p.WeightDecay, Milestones: p.Milestones, Gamma: p.Gamma, Accumulate: 1}
	l := &c.Loss
	l.Wavelet = pdd.WaveletConfig{Weight: p.PixelWeight,
		Bands: losses.Bands{Low: p.WaveletWeights[0], Middle: p.WaveletWeights[1], High: p.WaveletWeights[2]}}
	l.Perceptual = pdd.PerceptualConfig{Weight: p.PerceptualWeight, Layers: p.PerceptualLayers}
	l.Inter = pdd.InterConfig{Weight: p.RInterWeight, Layers: p.LayerWeightsInter, Norm: p.BatchNorm}
	l.Intra = pdd.IntraConfig{Weight: p.RIntraWeight, Layers: p.LayerWeightsIntra, Criterion: p.CriIntra, Eps: 1e-6}
	l.GAN = pdd.GANConfig{Kind: p.GANType, Weight: p.GANWeight, Unlabelled: pdd.GANNone}
	if p.UnlabelledGAN {
		l.GAN.Unlabelled = pdd.GANJoint
		if p.Mode == "naive" {
			l.GAN.Unlabelled, l.GAN.UnlabelledWeight = pdd.GANSeparate, p.GANWeight
		}
	}
	if p.NDLambda != nil {
		l.Lambda = *p.NDLambda
	}
	l.DetachLabelled = p.Detach
	c.Discriminator.GeneratorEvery = p.NetDIters
	c.Warmup = pdd.WarmupConfig{Discriminator: p.NetDInitIters, Distillation: p.DomainWarmup}
	return c, nil
}

// networks builds the case's networks; the discriminator's u and v are inputs.
func (p *trajectoryParams) networks(c *golden.Case) (n pdd.Networks, closeAll func(), err error) {
	var opened []interface{ Close() error }
	closeAll = func() {
		for _, o := range opened {
			o.Close()
		}
	}
	gen := arch.RRDBNet{NumInCh: 3, NumOutCh: 3, NumFeat: p.NetG.NumFeat, NumBlock: p.NetG.NumBlock, NumGrowCh: p.NetG.NumGrowCh, Scale: p.NetG.Scale}
	generator := func(prefix string, gain float64) (models.Trainable, error) {
		var g models.Generator
		err := withWeights(c, gen, weightParams{WeightPrefix: prefix, Gain: gain}, func(path string) (err error) {
			g, err = models.Load(path, models.WithDevice(device()))
			return err
		})
		if err != nil {
			return nil, err
		}
		opened = append(opened, g)
		return g.(models.Trainable), nil
	}
	if n.Specialist, err = generator(p.GPrefix, p.GGain); err != nil {
		return n, closeAll, err
	}
	if p.Teacher == "fixed" {
		if n.Generalist, err = generator(p.TeacherPrefix, p.TeacherGain); err != nil {
			return n, closeAll, err
		}
	}
	vgg := weightParams{WeightPrefix: p.VGGPrefix, Gain: p.VGGGain}
	err = withWeights(c, arch.VGG{Depth: 19, Width: 64}, vgg, func(path string) (err error) {
		n.Features, err = models.LoadVGG19(path, models.WithDevice(device()))
		return err
	})
	if err != nil {
		return n, closeAll, err
	}
	opened = append(opened, n.Features)
	opts := []models.LoadOption{models.WithDevice(device())}
	if !p.NetD.SkipConnection {
		opts = append(opts, models.WithoutSkipConnections())
	}
	err = withWeights(c, arch.UNetDiscriminator{NumInCh: 3, NumFeat: p.NetD.NumFeat}, weightParams{WeightPrefix: p.DPrefix, Gain: p.DGain},
		func(path string) (err error) {
			n.Discriminator, err = models.LoadDiscriminator(path, opts...)
			return err
		})
	if err != nil {
		return n, closeAll, err
	}
	opened = append(opened, n.Discriminator)
	return n, closeAll, tensor.Do(context.Background(), func(s *tensor.Scope) error {
		for _, v := range n.Discriminator.State() {
			if !strings.HasSuffix(v.Name, "_u") && !strings.HasSuffix(v.Name, "_v") {
				continue
			}
			start, err := input(s, c, "init.d."+v.Name)
			if err != nil {
				return err
			}
			s.NoGrad().Copy(v.Tensor, start)
		}
		return nil
	})
}

// trajectoryLosses are the trainer's names of the case's terms.
var trajectoryLosses = map[string]string{
	"l_inter": "inter", "l_intra": "intra", "l_g_pix": "wavelet", "l_g_percep": "perceptual", "l_g_gan": "gan",
	"l_nd_pix": "imitate_wavelet", "l_nd_percep": "imitate_perceptual", "l_nd_gan": "gan_unlabelled",
	"l_d_real": "d_real", "l_d_fake": "d_fake", "out_d_real": "logit_real", "out_d_fake": "logit_fake",
}

func trajectory(c *golden.Case) (map[string]golden.Array, error) {
	var p trajectoryParams
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	cfg, err := p.config()
	if err != nil {
		return nil, err
	}
	nets, closeAll, err := p.networks(c)
	defer closeAll()
	if err != nil {
		return nil, err
	}
	t, err := pdd.NewTrainer(cfg, pdd.WithNetworks(nets))
	if err != nil {
		return nil, err
	}
	defer t.Close()
	batch, err := trajectoryBatch(c)
	if err != nil {
		return nil, err
	}
	var before []float64
	if nets.Generalist != nil {
		before = weightsOf(nets.Generalist.(models.Trainable).Parameters())
	}
	out := map[string]golden.Array{}
	for range p.Iterations {
		r, err := t.Step(context.Background(), batch)
		if err != nil {
			return nil, err
		}
		for _, name := range c.Outputs {
			if value, ok := reported(r, name); ok {
				a := out[name]
				out[name] = golden.Array{Shape: []int{len(a.Data) + 1}, Data: append(a.Data, value)}
			}
		}
	}
	change := 0.0
	for i, v := range before {
		change = max(change, math.Abs(v-weightsOf(nets.Generalist.(models.Trainable).Parameters())[i]))
	}
	out["teacher_change"] = golden.Array{Shape: []int{1}, Data: []float64{change}}
	return wanted(c, out), tensor.Do(context.Background(), func(s *tensor.Scope) error {
		final := func(prefix string, list []models.Named) {
			for _, n := range list {
				if slices.Contains(c.Outputs, prefix+n.Name) {
					out[prefix+n.Name] = read(s, n.Tensor)
				}
			}
		}
		final("g.", t.Specialist().Parameters())
		if t.Average() != nil {
			final("ema.", t.Average().Parameters())
			final("teacher.", t.Average().Parameters())
		}
		final("d.", nets.Discriminator.State())
		return nil
	})
}

// reported is the value of a step that an output of the case is made of.
func reported(r pdd.StepReport, output string) (float64, bool) {
	switch output {
	case "grad_norm_g":
		return r.GradNormG, true
	case "grad_norm_d":
		return r.GradNormD, true
	case "lr":
		return r.LR, true
	}
	name, ok := trajectoryLosses[output]
	return r.Loss(name), ok
}

// wanted drops what the case has no output for; a missing one is the comparison's to find.
func wanted(c *golden.Case, out map[string]golden.Array) map[string]golden.Array {
	for name := range out {
		if !slices.Contains(c.Outputs, name) {
			delete(out, name)
		}
	}
	return out
}

func weightsOf(list []models.Named) (all []float64) {
	err := tensor.Do(context.Background(), func(s *tensor.Scope) error {
		for _, n := range list {
			all = append(all, s.Float64s(n.Tensor)...)
		}
		return nil
	})
	if err != nil {
		return []float64{math.NaN()}
	}
	return all
}

func trajectoryBatch(c *golden.Case) (b data.Batch, err error) {
	for name, to := range map[string]*data.Stack{"lq_l": &b.LabelledLR, "gt_l": &b.LabelledHR, "lq_u": &b.UnlabelledLR} {
		a, err := c.Array(name)
		if err != nil {
			return b, err
		}
		*to = data.Stack{N: a.Shape[0], C: a.Shape[1], H: a.Shape[2], W: a.Shape[3], Pix: narrow(a)}
	}
	return b, nil
}
