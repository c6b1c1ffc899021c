package models

import (
	"errors"
	"fmt"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/arch"
	"github.com/gopdd/gopdd/internal/builtin"
	"github.com/gopdd/gopdd/internal/conv"
	"github.com/gopdd/gopdd/internal/nn"
	"github.com/gopdd/gopdd/internal/weightfile"
	"github.com/gopdd/gopdd/tensor"
)

// LoadOption changes how a weight file is loaded.
type LoadOption func(*loadOptions)

type loadOptions struct {
	placement
	entry       string
	norm        InputNorm
	skips       bool
	torchScript bool
	multiple    int
	inference   bool
	report      *Report
}

// WithDType computes the costly convolutions in dt: BFloat16 or Float16 (a CUDA device, or a libtorch 2 and a CPU that
// can), Float32 (the default), or Float64, which then is the type of everything. It is for networks that are not
// trained; for training in a smaller type there is tensor.Scope.Autocast.
func WithDType(dt tensor.DType) LoadOption { return func(o *loadOptions) { o.dtype = dt } }

// WithDevice puts the network on a device; the default is tensor.CPU. Its inputs must be there too.
func WithDevice(d tensor.Device) LoadOption { return func(o *loadOptions) { o.device = d } }

// WithEntry takes one entry of a file that has several, e.g. "params" instead of the preferred "params_ema".
func WithEntry(key string) LoadOption { return func(o *loadOptions) { o.entry = key } }

// WithInputNorm says what a feature extractor does to its input; the default is InputNorm{ImageNet: true}.
func WithInputNorm(n InputNorm) LoadOption { return func(o *loadOptions) { o.norm = n } }

// WithoutSkipConnections loads a discriminator that does not use them, which its weights cannot tell.
func WithoutSkipConnections() LoadOption { return func(o *loadOptions) { o.skips = false } }

// AllowTorchScript lets Load run TorchScript files. They are programs: allow only files from a source you trust.
func AllowTorchScript() LoadOption { return func(o *loadOptions) { o.torchScript = true } }

// InferenceOnly loads a network that is only run: by [ForInference], and with WithDType(BFloat16) on a CPU with AMX in
// kernels for that.
func InferenceOnly() LoadOption { return func(o *loadOptions) { o.inference = true } }

// WithMultiple states what the sides of a TorchScript network's input must be multiples of, instead of finding it by
// trial.
func WithMultiple(m int) LoadOption { return func(o *loadOptions) { o.multiple = m } }

// WithReport writes what was found in the file to r.
func WithReport(r *Report) LoadOption { return func(o *loadOptions) { o.report = r } }

// Report says what a weight file turned out to be.
type Report struct {
	Path      string            `json:"path"`
	Format    string            `json:"format"`     // e.g. "pth (zip)", "torchscript"
	Entry     string            `json:"entry"`      // of the file's dictionary; "" for the file itself
	Dialect   string            `json:"dialect"`    // whose names the file uses, e.g. "esrgan-old"
	Network   string            `json:"network"`    // e.g. "RRDBNet"
	Sizes     string            `json:"sizes"`      // e.g. "{NumInCh:3 .. Scale:4}"
	PostScale float64           `json:"post_scale"` // bicubic resize behind the network, 1 for none
	Ignored   []string          `json:"ignored"`    // tensors the network does not need, e.g. a classifier's
	Metadata  map[string]string `json:"metadata"`   // that the file carries
}

// BuiltIn is the path under which [Load] finds the ×4 model that is part of the program (docs/MODEL_CARD.md).
const BuiltIn = builtin.Path

// Load reads a generator from a weight file: .pth (zip or legacy), .safetensors, ncnn's .param or .bin with the other
// beside it, or TorchScript (see [AllowTorchScript]). The network and its sizes are found from names and shapes. An
// error lists everything that is missing, unexpected or misshapen. A network of known kind implements [Trainable],
// unless the file resizes its output. The caller closes it.
func Load(path string, opts ...LoadOption) (Generator, error) {
	o := newLoadOptions(opts)
	g, err := loadGenerator(path, o)
	if err != nil {
		return nil, fmt.Errorf("models: load %q: %w", path, err)
	}
	return g, nil
}

func newLoadOptions(opts []LoadOption) *loadOptions {
	o := &loadOptions{placement: onto(tensor.CPU), norm: InputNorm{ImageNet: true}, skips: true}
	for _, opt := range opts {
		opt(o)
	}
	return o
}

func loadGenerator(path string, o *loadOptions) (Generator, error) {
	d, err := o.detect(path)
	if errors.Is(err, weightfile.ErrTorchScript) {
		return loadTorchScript(path, o)
	}
	if err != nil {
		return nil, err
	}
	kind, place := o.kernels()
	var net Trainable
	switch n := d.Network.(type) {
	case arch.RRDBNet:
		net, err = trainable(buildRRDBNet(RRDBNetConfig(n), nn.Arrays(d.Arrays), place))
	case arch.SRVGGNetCompact:
		net, err = trainable(buildSRVGG(SRVGGNetCompactConfig(n), nn.Arrays(d.Arrays), place))
	default:
		return nil, fmt.Errorf("the file holds %s, which is no generator", n.Name())
	}
	if err != nil {
		return nil, err
	}
	var g Generator = net
	if n, ok := forKernels(net, kind); ok && o.inference {
		g, err = inKernels(n, kind)
		if err = errors.Join(err, net.Close()); err != nil {
			return nil, err
		}
	}
	if d.PostScale != 1 {
		return newResized(g, d.PostScale)
	}
	return g, nil
}

// kernels are those that a network for inference runs in where it can, and where its weights are put for them.
func (o *loadOptions) kernels() (conv.Kind, placement) {
	if o.inference && o.placement == (placement{tensor.BFloat16, tensor.CPU}) && conv.BFloat16.Available() {
		return conv.BFloat16, onto(tensor.CPU)
	}
	return conv.Float32, o.placement
}

// detect reads the file and finds its network.
func (o *loadOptions) detect(path string) (arch.Description, error) {
	f, err := weightfile.Open(path)
	if err != nil {
		return arch.Description{}, err
	}
	d, err := arch.DetectFile(f, o.entry)
	if err == nil && o.report != nil {
		*o.report = Report{
			Path: path, Format: string(f.Format), Entry: d.Entry, Dialect: d.Dialect,
			Network: d.Network.Name(), Sizes: fmt.Sprintf("%+v", d.Network),
			PostScale: d.PostScale, Ignored: d.Ignored, Metadata: f.Metadata,
		}
	}
	return d, err
}

// LoadVGG19 reads torchvision's VGG19, or one of another width ([NewVGG19]). See [Features] for its layers. The caller
// closes it.
func LoadVGG19(path string, opts ...LoadOption) (*Features, error) {
	return loadFeatures(path, arch.VGG{Depth: 19}, opts)
}

// LoadVGG16 reads torchvision's VGG16, as [LoadVGG19].
func LoadVGG16(path string, opts ...LoadOption) (*Features, error) {
	return loadFeatures(path, arch.VGG{Depth: 16}, opts)
}

// LoadAlexNet reads torchvision's AlexNet, as [LoadVGG19]; layers conv1 to relu5 and pool5.
func LoadAlexNet(path string, opts ...LoadOption) (*Features, error) {
	return loadFeatures(path, arch.AlexNet{}, opts)
}

// LoadSqueezeNet reads torchvision's SqueezeNet 1.1, as [LoadVGG19]; layers conv1, relu1, pool1 and fire2 to fire9.
func LoadSqueezeNet(path string, opts ...LoadOption) (*Features, error) {
	return loadFeatures(path, arch.SqueezeNet11{}, opts)
}

func loadFeatures(path string, want arch.Network, opts []LoadOption) (*Features, error) {
	o := newLoadOptions(opts)
	d, err := o.detectAs(path, want)
	if err != nil {
		return nil, err
	}
	var f *Features
	switch n := d.Network.(type) {
	case arch.VGG:
		f, err = buildVGG(n, o.norm, nn.Arrays(d.Arrays), o.placement)
	case arch.AlexNet:
		f, err = buildAlexNet(o.norm, nn.Arrays(d.Arrays), o.placement)
	default:
		f, err = buildSqueezeNet(o.norm, nn.Arrays(d.Arrays), o.placement)
	}
	if err != nil {
		return nil, fmt.Errorf("models: load %q: %w", path, err)
	}
	return f, nil
}

// LoadDiscriminator reads a U-Net discriminator, with PDD's names (conv_0) or Real-ESRGAN's (conv0). The caller closes
// it.
func LoadDiscriminator(path string, opts ...LoadOption) (*UNetDiscriminator, error) {
	o := newLoadOptions(opts)
	d, err := o.detectAs(path, arch.UNetDiscriminator{})
	if err != nil {
		return nil, err
	}
	n := d.Network.(arch.UNetDiscriminator)
	cfg := UNetDiscriminatorConfig{NumInCh: n.NumInCh, NumFeat: n.NumFeat, SkipConnection: o.skips}
	net, err := buildDiscriminator(cfg, nn.Arrays(d.Arrays), o.placement)
	if err != nil {
		return nil, fmt.Errorf("models: load %q: %w", path, err)
	}
	return net, nil
}

// detectAs is detect for a caller who wants the network of want's name, of any size.
func (o *loadOptions) detectAs(path string, want arch.Network) (arch.Description, error) {
	d, err := o.detect(path)
	switch {
	case err != nil:
	case o.dtype != tensor.Float32 && o.dtype != tensor.Float64:
		err = errors.New("smaller types are for generators only: use tensor.Scope.Autocast")
	case d.Network.Name() != want.Name():
		err = fmt.Errorf("the file holds %s, want %s", d.Network.Name(), want.Name())
	}
	if err != nil {
		return d, fmt.Errorf("models: load %q: %w", path, err)
	}
	return d, nil
}

// resized is a generator whose file asks for a bicubic resize of its output.
type resized struct {
	Generator
	factor float64
	scale  int
}

func newResized(g Generator, factor float64) (Generator, error) {
	scale := float64(g.Scale()) * factor
	if scale != float64(int(scale)) || scale < 1 {
		return nil, errors.Join(fmt.Errorf("the file resizes the output of a %dx network by %v: not a whole scale", g.Scale(), factor), g.Close())
	}
	return &resized{g, factor, int(scale)}, nil
}

func (r *resized) Forward(s *tensor.Scope, x torch.Tensor) torch.Tensor {
	return s.Local(func(s *tensor.Scope) torch.Tensor {
		size := s.Shape(x)
		y := r.Generator.Forward(s, x)
		return s.Interpolate(y, tensor.Bicubic, tensor.InterpolateOptions{H: size[2] * int64(r.scale), W: size[3] * int64(r.scale)})
	})
}

func (r *resized) Scale() int { return r.scale }

// Reach is the network's and the two pixels of its output that the filter sees on either side.
func (r *resized) Reach() int { return r.Generator.Reach() + 1 }
