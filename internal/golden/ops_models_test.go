//go:build cgo

package golden_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/arch"
	"github.com/gopdd/gopdd/internal/golden"
	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/internal/weightfile"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

var modelOps = map[string]opFunc{
	"models.rrdbnet":            rrdbnet,
	"models.srvgg":              srvgg,
	"models.unet_discriminator": unetDiscriminator,
	"models.vgg19":              vgg19,
	"loaders.load":              loadersLoad,
}

func init() { register(modelOps) }

// weightParams say where a network's weights come from.
type weightParams struct {
	Weights      string  `json:"weights"` // formula or shipped
	WeightPrefix string  `json:"weight_prefix"`
	Gain         float64 `json:"gain"`
	GradKey      string  `json:"grad_key"`
}

// rrdbSizes and srvggSizes are the networks' own numbers.
type rrdbSizes struct {
	NumInCh   int `json:"num_in_ch"`
	NumOutCh  int `json:"num_out_ch"`
	NumFeat   int `json:"num_feat"`
	NumBlock  int `json:"num_block"`
	NumGrowCh int `json:"num_grow_ch"`
	Scale     int `json:"scale"`
}

type srvggSizes struct {
	NumInCh  int `json:"num_in_ch"`
	NumOutCh int `json:"num_out_ch"`
	NumFeat  int `json:"num_feat"`
	NumConv  int `json:"num_conv"`
	Upscale  int `json:"upscale"`
}

func rrdbnet(c *golden.Case) (map[string]golden.Array, error) {
	var p struct {
		rrdbSizes
		weightParams
	}
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	return generator(c, arch.RRDBNet(p.rrdbSizes), p.weightParams)
}

func srvgg(c *golden.Case) (map[string]golden.Array, error) {
	var p struct {
		srvggSizes
		weightParams
		ActType string `json:"act_type"`
	}
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	if p.ActType != "prelu" {
		return nil, fmt.Errorf("activation %q", p.ActType)
	}
	return generator(c, arch.SRVGGNetCompact(p.srvggSizes), p.weightParams)
}

// inference has generators loaded for inference alone: TestGoldenForInference sets it.
var inference bool

// device is where networks and tensors are, by $GOPDD_DEVICE.
var device = sync.OnceValue(tensortest.Device)

// loadOptions are those with which generators are loaded.
func loadOptions() []models.LoadOption {
	opts := []models.LoadOption{models.WithDevice(device())}
	if inference {
		opts = append(opts, models.InferenceOnly())
	}
	return opts
}

// generator runs a network on x and, where the case has r, takes the gradients of sum(y*r).
func generator(c *golden.Case, net arch.Network, w weightParams) (map[string]golden.Array, error) {
	var g models.Generator
	err := withWeights(c, net, w, func(path string) (err error) {
		g, err = models.Load(path, loadOptions()...)
		return err
	})
	if err != nil {
		return nil, err
	}
	defer g.Close()
	out := map[string]golden.Array{}
	err = tensor.Do(context.Background(), func(s *tensor.Scope) error {
		x, err := input(s, c, "x")
		if err != nil {
			return err
		}
		if w.GradKey == "" || inference {
			out["y"] = read(s, g.Forward(s.NoGrad(), x))
			return nil
		}
		return gradients(s, c, out, "y", x, w.GradKey, g.(models.Trainable).Parameters(), g.Forward)
	})
	return out, err
}

// gradients stores y, grad_x and grad_w.
func gradients(s *tensor.Scope, c *golden.Case, out map[string]golden.Array, name string, x torch.Tensor, key string,
	params []models.Named, forward func(*tensor.Scope, torch.Tensor) torch.Tensor) error {
	r, err := input(s, c, "r")
	if err != nil {
		return err
	}
	i := slices.IndexFunc(params, func(n models.Named) bool { return n.Name == key })
	if i < 0 {
		return fmt.Errorf("no parameter %q", key)
	}
	s.RequiresGrad(true, x, params[i].Tensor)
	y := forward(s, x)
	grads := s.Grads(s.Sum(s.Mul(y, r), false), false, x, params[i].Tensor)
	out[name], out["grad_x"], out["grad_w"] = read(s, y), read(s, grads[0]), read(s, grads[1])
	return nil
}

func unetDiscriminator(c *golden.Case) (map[string]golden.Array, error) {
	var p struct {
		NumInCh        int  `json:"num_in_ch"`
		NumFeat        int  `json:"num_feat"`
		SkipConnection bool `json:"skip_connection"`
		weightParams
	}
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	opts := []models.LoadOption{models.WithDevice(device())}
	if !p.SkipConnection {
		opts = append(opts, models.WithoutSkipConnections())
	}
	var d *models.UNetDiscriminator
	err := withWeights(c, arch.UNetDiscriminator{NumInCh: p.NumInCh, NumFeat: p.NumFeat}, p.weightParams, func(path string) (err error) {
		d, err = models.LoadDiscriminator(path, opts...)
		return err
	})
	if err != nil {
		return nil, err
	}
	defer d.Close()
	out := map[string]golden.Array{}
	err = tensor.Do(context.Background(), func(s *tensor.Scope) error {
		x, err := input(s, c, "x")
		if err != nil {
			return err
		}
		out["y_eval"] = read(s, d.Forward(s.NoGrad(), x))
		if err := gradients(s, c, out, "y_train", x, p.GradKey, d.Parameters(), d.ForwardTrain); err != nil {
			return err
		}
		for _, n := range d.State() {
			if strings.HasSuffix(n.Name, "_u") || strings.HasSuffix(n.Name, "_v") {
				out["after."+n.Name] = read(s, n.Tensor)
			}
		}
		return nil
	})
	return out, err
}

func vgg19(c *golden.Case) (map[string]golden.Array, error) {
	var p struct {
		Layers       []string `json:"layers"`
		UseInputNorm bool     `json:"use_input_norm"`
		RangeNorm    bool     `json:"range_norm"`
		Full         []string `json:"full"`
		Summary      string   `json:"summary"`
		weightParams
	}
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	var f *models.Features
	err := withWeights(c, arch.VGG{Depth: 19, Width: 64}, p.weightParams, func(path string) (err error) {
		f, err = models.LoadVGG19(path, models.WithInputNorm(models.InputNorm{Range: p.RangeNorm, ImageNet: p.UseInputNorm}), models.WithDevice(device()))
		return err
	})
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := map[string]golden.Array{}
	err = tensor.Do(context.Background(), func(s *tensor.Scope) error {
		x, err := input(s, c, "x")
		if err != nil {
			return err
		}
		for layer, y := range f.Forward(s.NoGrad(), x, p.Layers...) {
			if slices.Contains(p.Full, layer) {
				out["full."+layer] = read(s, y)
			} else {
				out["summary."+layer] = summary(s, y)
			}
		}
		return nil
	})
	return out, err
}

// summary is mean, population standard deviation and the first 64 elements.
func summary(s *tensor.Scope, y torch.Tensor) golden.Array {
	y = s.Cast(y, tensor.Float64)
	data := append([]float64{s.Item(s.Mean(y, false)), s.Item(s.Std(y, false, false))}, s.Float64s(y)[:64]...)
	return golden.Array{Shape: []int{len(data)}, Data: data}
}

func loadersLoad(c *golden.Case) (map[string]golden.Array, error) {
	var p struct {
		File          string            `json:"file"`
		Format        string            `json:"format"`
		Naming        string            `json:"naming"`
		ParamKey      string            `json:"param_key"`
		OutputsByKey  map[string]string `json:"outputs_by_key"`
		MustNotCreate string            `json:"must_not_create"`
		Arch          string            `json:"arch"`
		rrdbSizes
		NumConv int    `json:"num_conv"`
		Upscale int    `json:"upscale"`
		ActType string `json:"act_type"`
	}
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	entries := p.OutputsByKey
	if entries == nil {
		entries = map[string]string{"y": p.ParamKey}
	}
	out := map[string]golden.Array{}
	for name, key := range entries {
		y, err := loadAndRun(c, p.File, key)
		if err != nil {
			return nil, err
		}
		out[name] = y
	}
	return out, nil
}

func loadAndRun(c *golden.Case, file, entry string) (y golden.Array, err error) {
	g, err := models.Load(filepath.Join(c.Dir, file), models.WithEntry(entry))
	if err != nil {
		return y, err
	}
	defer g.Close()
	err = tensor.Do(context.Background(), func(s *tensor.Scope) error {
		x, err := input(s, c, "x")
		if err == nil {
			y = read(s, g.Forward(s.NoGrad(), x))
		}
		return err
	})
	return y, err
}

// withWeights writes the network's weights (shipped as state.KEY, else by formula) to a file and loads that.
func withWeights(c *golden.Case, net arch.Network, w weightParams, load func(path string) error) error {
	arrays := make([]weightfile.Array, 0, 64)
	for _, p := range net.Spec() {
		values := golden.Formula(w.WeightPrefix, p.Name, p.Shape, w.Gain)
		if slices.Contains(c.Inputs, "state."+p.Name) {
			a, err := c.Array("state." + p.Name)
			if err != nil {
				return err
			}
			values = narrow(a)
		} else if w.Weights == "shipped" {
			return fmt.Errorf("no input state.%s", p.Name)
		}
		a, err := weightfile.NewFloat32(p.Name, p.Shape, values)
		if err != nil {
			return err
		}
		arrays = append(arrays, a)
	}
	dir, err := os.MkdirTemp("", "golden")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "weights.safetensors")
	if err := weightfile.WriteSafetensors(path, arrays, nil); err != nil {
		return err
	}
	return load(path)
}

// input makes a tensor of an input of the case.
func input(s *tensor.Scope, c *golden.Case, name string) (torch.Tensor, error) {
	a, err := c.Array(name)
	if err != nil {
		return torch.Tensor{}, err
	}
	shape := make([]int64, len(a.Shape))
	for i, d := range a.Shape {
		shape[i] = int64(d)
	}
	return s.Upload(device(), narrow(a), shape...), nil
}

// read copies a tensor to an array.
func read(s *tensor.Scope, t torch.Tensor) golden.Array {
	a := golden.Array{Data: s.Float64s(t)}
	for _, d := range s.Shape(t) {
		a.Shape = append(a.Shape, int(d))
	}
	return a
}

// narrow rounds to the float32 values that the file held.
func narrow(a golden.Array) []float32 {
	out := make([]float32, len(a.Data))
	for i, v := range a.Data {
		out[i] = float32(v)
	}
	return out
}
