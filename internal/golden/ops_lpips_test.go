//go:build cgo

package golden_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gopdd/gopdd/internal/arch"
	"github.com/gopdd/gopdd/internal/golden"
	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/internal/weightfile"
	"github.com/gopdd/gopdd/metrics/lpips"
	"github.com/gopdd/gopdd/tensor"
)

func init() { register(map[string]opFunc{"metrics.lpips": lpipsOp}) }

// lpipsNets are the backbones as the cases call them.
var lpipsNets = map[string]struct {
	net  lpips.Net
	spec arch.Network
}{
	"alexnet":       {lpips.Alex, arch.AlexNet{}},
	"vgg16":         {lpips.VGG, arch.VGG{Depth: 16, Width: 64}},
	"squeezenet1_1": {lpips.Squeeze, arch.SqueezeNet11{}},
}

// lpipsOp loads backbone and heads from files and compares the batch as tensors.
func lpipsOp(c *golden.Case) (map[string]golden.Array, error) {
	var p struct {
		Net          string  `json:"net"`
		Version      string  `json:"version"`
		WeightPrefix string  `json:"weight_prefix"`
		Gain         float64 `json:"gain"`
		Normalize    bool    `json:"normalize"`
	}
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	net, ok := lpipsNets[p.Net]
	if !ok || p.Version != "0.1" || !p.Normalize {
		return nil, fmt.Errorf("net %q, version %q, normalize %v", p.Net, p.Version, p.Normalize)
	}
	var m *lpips.Model
	err := withHeads(c, len(net.net.Layers()), func(heads string) error {
		return withWeights(c, net.spec, weightParams{WeightPrefix: p.WeightPrefix, Gain: p.Gain}, func(backbone string) (err error) {
			m, err = lpips.Load(net.net, backbone, heads, lpips.WithDevice(tensortest.DeviceName()))
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	defer m.Close()
	out := map[string]golden.Array{}
	err = tensor.Do(context.Background(), func(s *tensor.Scope) error {
		img, err := input(s, c, "img")
		if err != nil {
			return err
		}
		ref, err := input(s, c, "ref")
		if err != nil {
			return err
		}
		layers := m.Forward(s.NoGrad(), img, ref)
		out["layers"], out["total"] = read(s, layers), read(s, s.Sum(layers, false, 1))
		return nil
	})
	return out, err
}

// withHeads writes the inputs lin0, lin1, … under the names of the published files and calls load with the path.
func withHeads(c *golden.Case, layers int, load func(path string) error) error {
	arrays := make([]weightfile.Array, layers)
	for i := range arrays {
		a, err := c.Array(fmt.Sprintf("lin%d", i))
		if err != nil {
			return err
		}
		if arrays[i], err = weightfile.NewFloat32(fmt.Sprintf("lin%d.model.1.weight", i), a.Shape, narrow(a)); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp("", "golden")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "heads.safetensors")
	if err := weightfile.WriteSafetensors(path, arrays, nil); err != nil {
		return err
	}
	return load(path)
}
