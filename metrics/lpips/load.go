package lpips

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gopdd/gopdd/internal/weightfile"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

// Option changes how a model is loaded.
type Option func(*options)

type options struct {
	device string
	memory int64
}

// WithDevice is "cpu" (the default), "cuda" or "cuda:N".
func WithDevice(name string) Option { return func(o *options) { o.device = name } }

// WithMemory bounds the memory of the tensors of one measurement to about this many bytes, by cutting larger pictures
// into tiles; the default is 1 GiB. Convolutions take some more beside their tensors.
func WithMemory(bytes int64) Option { return func(o *options) { o.memory = bytes } }

const defaultMemory = 1 << 30

// minCore is the side of the smallest square that a tile may answer for.
const minCore = 64

// Load reads the backbone of a network, torchvision's file of AlexNet, VGG16 or SqueezeNet 1.1, and its linear heads of
// LPIPS v0.1, names lin0.model.1.weight and so on. Formats are those of [models.Load]. An error lists all that is missing,
// misshapen or no number. The caller closes the model.
func Load(net Net, backbone, heads string, opts ...Option) (*Model, error) {
	if int(net) >= len(networks) {
		return nil, fmt.Errorf("lpips: load: %v: want Alex, VGG or Squeeze", net)
	}
	o := options{device: "cpu", memory: defaultMemory}
	for _, opt := range opts {
		opt(&o)
	}
	m, err := load(&networks[net], backbone, heads, o)
	if err != nil {
		return nil, fmt.Errorf("lpips: load %v: %w", net, err)
	}
	return m, nil
}

func load(n *network, backbone, heads string, o options) (*Model, error) {
	device, err := tensor.ParseDevice(o.device)
	if err != nil {
		return nil, err
	}
	m := &Model{network: n, device: device, pixels: int(o.memory / n.pixelBytes), scope: tensor.NewScope()}
	if least := 2*n.halo + deepest + minCore; m.pixels < least*least {
		return nil, fmt.Errorf("memory of %d bytes: at least %d are needed", o.memory, int64(least*least)*n.pixelBytes)
	}
	weights, err := readHeads(n, heads)
	if err != nil {
		return nil, err
	}
	if m.backbone, err = n.load(backbone, models.WithDevice(device)); err != nil {
		return nil, fmt.Errorf("backbone: %w", err)
	}
	err = tensor.Catch(func() {
		for i, l := range n.layers {
			m.heads = append(m.heads, m.scope.Upload(device, weights[i], 1, l.channels, 1, 1))
		}
	})
	if err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// readHeads returns the weights of each layer's channels.
func readHeads(n *network, path string) ([][]float32, error) {
	f, err := weightfile.Open(path)
	if err != nil {
		return nil, fmt.Errorf("linear heads: %w", err)
	}
	dict, err := f.Select("")
	if err != nil {
		return nil, fmt.Errorf("linear heads: %w", err)
	}
	weights := make([][]float32, len(n.layers))
	var problems []error
	for i, l := range n.layers {
		if weights[i], err = head(dict, fmt.Sprintf("lin%d.model.1.weight", i), int(l.channels)); err != nil {
			problems = append(problems, err)
		}
	}
	if extra := fmt.Sprintf("lin%d.model.1.weight", len(n.layers)); find(dict, extra) >= 0 {
		problems = append(problems, fmt.Errorf("%s: unexpected", extra))
	}
	if len(problems) > 0 {
		return nil, fmt.Errorf("linear heads %q do not fit this network:\n%w", path, errors.Join(problems...))
	}
	return weights, nil
}

func find(dict weightfile.StateDict, name string) int {
	return slices.IndexFunc(dict.Arrays, func(a weightfile.Array) bool { return a.Name == name })
}

// head reads the weights [1,channels,1,1] of one layer.
func head(dict weightfile.StateDict, name string, channels int) ([]float32, error) {
	i := find(dict, name)
	if i < 0 {
		return nil, fmt.Errorf("%s: missing", name)
	}
	a := dict.Arrays[i]
	if want := []int{1, channels, 1, 1}; !slices.Equal(a.Shape, want) {
		return nil, fmt.Errorf("%s: shape %v, want %v", name, a.Shape, want)
	}
	return a.Float32s()
}
