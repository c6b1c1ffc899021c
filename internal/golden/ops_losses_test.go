//go:build cgo

package golden_test

import (
	"context"
	"fmt"
	"slices"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/arch"
	"github.com/gopdd/gopdd/internal/golden"
	"github.com/gopdd/gopdd/losses"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

var lossOps = map[string]opFunc{
	"losses.distillation": distillation,
	"losses.gan":          gan,
	"losses.gram":         gram,
	"losses.inter":        inter,
	"losses.intra":        intra,
	"losses.perceptual":   perceptual,
	"losses.wavelet":      wavelet,
}

func init() { register(lossOps) }

// only refuses a parameter that asks for something else than the one way there is.
func only(param, got, want string) error {
	if got != want {
		return fmt.Errorf("%s %q: want %q", param, got, want)
	}
	return nil
}

// choose reads the value of a choice from its text in the case.
func choose(v interface{ UnmarshalText([]byte) error }, text string) error {
	return v.UnmarshalText([]byte(text))
}

// norm reads the case's name for how Inter takes norms.
func norm(batchNorm string) (losses.Norm, error) {
	var n losses.Norm
	err := choose(&n, batchNorm)
	return n, err
}

// inScope runs fn on the tensors of the case's inputs and collects what fn puts out.
func inScope(c *golden.Case, fn func(s *tensor.Scope, in map[string]torch.Tensor, out map[string]golden.Array)) (map[string]golden.Array, error) {
	out := map[string]golden.Array{}
	err := tensor.Do(context.Background(), func(s *tensor.Scope) error {
		in := map[string]torch.Tensor{}
		for _, name := range c.Inputs {
			t, err := input(s, c, name)
			if err != nil {
				return err
			}
			in[name] = t
		}
		fn(s, in, out)
		return nil
	})
	return out, err
}

// scalar reads a loss, which the cases hold as a vector of one.
func scalar(s *tensor.Scope, loss torch.Tensor) golden.Array {
	return golden.Array{Shape: []int{1}, Data: []float64{s.Item(loss)}}
}

// featureLoss computes a weighted loss of the four features and its gradients for the specialist's.
func featureLoss(c *golden.Case, weight float64, loss func(s *tensor.Scope, sU, gU, sL, gL torch.Tensor) torch.Tensor) (map[string]golden.Array, error) {
	return inScope(c, func(s *tensor.Scope, in map[string]torch.Tensor, out map[string]golden.Array) {
		sU, sL := in["feat_s_u"], in["feat_s_l"]
		s.RequiresGrad(true, sU, sL)
		y := s.MulScalar(loss(s, sU, in["feat_g_u"], sL, in["feat_g_l"]), weight)
		grads := s.Grads(y, false, sU, sL)
		out["loss"], out["grad_feat_s_u"], out["grad_feat_s_l"] = scalar(s, y), read(s, grads[0]), read(s, grads[1])
	})
}

func intra(c *golden.Case) (map[string]golden.Array, error) {
	var p struct {
		Criterion string  `json:"criterion"`
		Delta     string  `json:"delta"`
		Weight    float64 `json:"weight"`
		Eps       float64 `json:"eps"`
	}
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	var criterion losses.Criterion
	if err := choose(&criterion, p.Criterion); err != nil {
		return nil, err
	}
	if err := only("delta", p.Delta, "l1"); err != nil {
		return nil, err
	}
	return featureLoss(c, p.Weight, func(s *tensor.Scope, sU, gU, sL, gL torch.Tensor) torch.Tensor {
		return losses.Intra(s, sU, gU, sL, gL, criterion, p.Eps)
	})
}

func inter(c *golden.Case) (map[string]golden.Array, error) {
	var p struct {
		Delta     string  `json:"delta"`
		Criterion string  `json:"criterion"`
		BatchNorm string  `json:"batch_norm"`
		Weight    float64 `json:"weight"`
	}
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	n, err := norm(p.BatchNorm)
	if err != nil {
		return nil, err
	}
	if p.Delta != "gram_change" || p.Criterion != "fro" {
		return nil, fmt.Errorf("delta %q, criterion %q", p.Delta, p.Criterion)
	}
	return featureLoss(c, p.Weight, func(s *tensor.Scope, sU, gU, sL, gL torch.Tensor) torch.Tensor {
		return losses.Inter(s, sU, gU, sL, gL, n)
	})
}

func gram(c *golden.Case) (map[string]golden.Array, error) {
	if err := c.DecodeParams(&struct{}{}); err != nil {
		return nil, err
	}
	return inScope(c, func(s *tensor.Scope, in map[string]torch.Tensor, out map[string]golden.Array) {
		f := in["feat"]
		s.RequiresGrad(true, f)
		g := losses.Gram(s, f)
		out["gram"] = read(s, g)
		out["grad_feat"] = read(s, s.Grads(s.Sum(s.Mul(g, in["r"]), false), false, f)[0])
	})
}

func wavelet(c *golden.Case) (map[string]golden.Array, error) {
	var p struct {
		Weights    [3]float64 `json:"weights"`
		LossWeight float64    `json:"loss_weight"`
		Reduction  string     `json:"reduction"`
	}
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	if err := only("reduction", p.Reduction, "mean"); err != nil {
		return nil, err
	}
	return inScope(c, func(s *tensor.Scope, in map[string]torch.Tensor, out map[string]golden.Array) {
		pred := in["pred"]
		s.RequiresGrad(true, pred)
		bands := losses.Bands{Low: p.Weights[0], Middle: p.Weights[1], High: p.Weights[2]}
		loss := s.MulScalar(losses.Wavelet(s, pred, in["gt"], bands), p.LossWeight)
		low, middle, high := losses.Haar(s, pred)
		out["L"], out["M"], out["H"] = read(s, low), read(s, middle), read(s, high)
		out["loss"], out["grad_pred"] = scalar(s, loss), read(s, s.Grads(loss, false, pred)[0])
	})
}

func gan(c *golden.Case) (map[string]golden.Array, error) {
	var p struct {
		Type       string  `json:"gan_type"`
		Real       float64 `json:"real_label_val"`
		Fake       float64 `json:"fake_label_val"`
		LossWeight float64 `json:"loss_weight"`
	}
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	var kind losses.GAN
	if err := choose(&kind, p.Type); err != nil {
		return nil, err
	}
	targets := losses.Targets{Real: p.Real, Fake: p.Fake}
	return inScope(c, func(s *tensor.Scope, in map[string]torch.Tensor, out map[string]golden.Array) {
		logits := in["pred"]
		s.RequiresGrad(true, logits)
		put := func(name string, loss torch.Tensor) {
			out["loss_"+name], out["grad_"+name] = scalar(s, loss), read(s, s.Grads(loss, false, logits)[0])
		}
		put("g", s.MulScalar(kind.GeneratorTo(s, logits, targets), p.LossWeight))
		put("d_real", kind.DiscriminatorTo(s, logits, true, targets))
		put("d_fake", kind.DiscriminatorTo(s, logits, false, targets))
	})
}

// vggParams say which VGG19 a loss looks through.
type vggParams struct {
	UseInputNorm bool    `json:"use_input_norm"`
	RangeNorm    bool    `json:"range_norm"`
	Weights      string  `json:"weights"`
	Prefix       string  `json:"vgg_weight_prefix"`
	Gain         float64 `json:"vgg_gain"`
}

// load makes it; the caller closes it.
func (p vggParams) load(c *golden.Case) (f *models.Features, err error) {
	w := weightParams{Weights: p.Weights, WeightPrefix: p.Prefix, Gain: p.Gain}
	norm := models.InputNorm{Range: p.RangeNorm, ImageNet: p.UseInputNorm}
	err = withWeights(c, arch.VGG{Depth: 19, Width: 64}, w, func(path string) (err error) {
		f, err = models.LoadVGG19(path, models.WithInputNorm(norm), models.WithDevice(device()))
		return err
	})
	return f, err
}

func perceptual(c *golden.Case) (map[string]golden.Array, error) {
	var p struct {
		Layers      losses.Layers `json:"layer_weights"`
		Criterion   string        `json:"criterion"`
		Weight      float64       `json:"perceptual_weight"`
		StyleWeight float64       `json:"style_weight"`
		vggParams
	}
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	var d losses.Distance
	if err := choose(&d, p.Criterion); err != nil {
		return nil, err
	}
	vgg, err := p.load(c)
	if err != nil {
		return nil, err
	}
	defer vgg.Close()
	return inScope(c, func(s *tensor.Scope, in map[string]torch.Tensor, out map[string]golden.Array) {
		s.RequiresGrad(true, in["x"])
		x, gt := vgg.Forward(s, in["x"], p.Layers.Names()...), vgg.Forward(s, in["gt"], p.Layers.Names()...)
		loss := s.MulScalar(losses.Perceptual(s, x, gt, p.Layers, d), p.Weight)
		if p.StyleWeight != 0 {
			loss = s.AddScaled(loss, losses.Style(s, x, gt, p.Layers, d), p.StyleWeight)
		}
		grad := s.Grads(loss, false, in["x"])[0]
		out["loss"], out["grad_x"], out["grad_norm"] = scalar(s, loss), read(s, grad), scalar(s, s.Norm(grad, false))
	})
}

type distillationParams struct {
	InterLayers losses.Layers `json:"layer_weights_inter"`
	IntraLayers losses.Layers `json:"layer_weights_intra"`
	InterWeight float64       `json:"rinter_weight"`
	IntraWeight float64       `json:"rintra_weight"`
	DeltaInter  string        `json:"delta_inter"`
	DeltaIntra  string        `json:"delta_intra"`
	CriInter    string        `json:"cri_inter"`
	CriIntra    string        `json:"cri_intra"`
	Eps         float64       `json:"eps"`
	BatchNorm   string        `json:"batch_norm"`
	Detach      bool          `json:"detach"`
	vggParams
}

func distillation(c *golden.Case) (map[string]golden.Array, error) {
	var p distillationParams
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	if p.DeltaInter != "gram_change" || p.DeltaIntra != "l1" || p.CriInter != "fro" {
		return nil, fmt.Errorf("delta_inter %q, delta_intra %q, cri_inter %q", p.DeltaInter, p.DeltaIntra, p.CriInter)
	}
	n, err := norm(p.BatchNorm)
	if err != nil {
		return nil, err
	}
	var criterion losses.Criterion
	if err := choose(&criterion, p.CriIntra); err != nil {
		return nil, err
	}
	vgg, err := p.load(c)
	if err != nil {
		return nil, err
	}
	defer vgg.Close()
	return inScope(c, func(s *tensor.Scope, in map[string]torch.Tensor, out map[string]golden.Array) {
		students, names := []torch.Tensor{in["x_u"]}, []string{"grad_x_u_"}
		if !p.Detach {
			students, names = append(students, in["x_l"]), append(names, "grad_x_l_")
		}
		s.RequiresGrad(true, students...)
		layers := slices.Concat(p.InterLayers.Names(), p.IntraLayers.Names())
		sU, sL := vgg.Forward(s, in["x_u"], layers...), vgg.Forward(s, in["x_l"], layers...)
		gU, gL := vgg.Forward(s, in["ref_u"], layers...), vgg.Forward(s, in["ref_l"], layers...)
		put := func(name string, loss torch.Tensor) {
			out["loss_"+name] = scalar(s, loss)
			for i, g := range s.Grads(loss, true, students...) {
				out[names[i]+name] = read(s, g)
			}
		}
		put("inter", s.MulScalar(p.InterLayers.Sum(s, func(layer string) torch.Tensor {
			return losses.Inter(s, sU[layer], gU[layer], sL[layer], gL[layer], n)
		}), p.InterWeight))
		put("intra", s.MulScalar(p.IntraLayers.Sum(s, func(layer string) torch.Tensor {
			return losses.Intra(s, sU[layer], gU[layer], sL[layer], gL[layer], criterion, p.Eps)
		}), p.IntraWeight))
	})
}
