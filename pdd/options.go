package pdd

import (
	"errors"
	"fmt"
	"image"
	"math"

	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

// Precision is the number format of a network's convolutions. Pictures go in and come out in float32 whatever it is.
type Precision int

const (
	// Auto is what is fastest without a visible difference: Float16 on CUDA devices; on CPUs BFloat16 where our kernels take
	// it (AMX), else Float32 where they take that (AVX2 or AVX-512), else BFloat16 where the hardware has it, else Float32
	// (docs/PRECISION.md).
	Auto Precision = iota
	Float32
	BFloat16
	Float16
	// TF32 is Float32 whose factors CUDA devices round to 10 bits as they multiply. It is a switch of the whole process:
	// from the first Upscaler or Trainer with it on, Float32 on CUDA devices is TF32 too.
	TF32
)

var precisionNames = [...]string{"auto", "float32", "bfloat16", "float16", "tf32"}

// String gives the name that ParsePrecision reads.
func (p Precision) String() string {
	if p < Auto || p > TF32 {
		return fmt.Sprintf("Precision(%d)", int(p))
	}
	return precisionNames[p]
}

// ParsePrecision reads "auto", "float32", "bfloat16", "float16" or "tf32".
func ParsePrecision(name string) (Precision, error) {
	for i, n := range precisionNames {
		if n == name {
			return Precision(i), nil
		}
	}
	return 0, fmt.Errorf("pdd: precision %q: want auto, float32, bfloat16, float16 or tf32", name)
}

func (p Precision) dtype() tensor.DType {
	return map[Precision]tensor.DType{Float32: tensor.Float32, BFloat16: tensor.BFloat16, Float16: tensor.Float16, TF32: tensor.Float32}[p]
}

// settings are what the options of NewUpscaler set.
type settings struct {
	weights     string
	model       models.Generator
	device      string
	tile        int
	chosenTile  bool // by the caller
	overlap     int
	precision   Precision
	threads     int
	memoryLimit int64
	script      bool
}

func defaultSettings() settings {
	return settings{device: "cpu", tile: defaultTile, overlap: -1}
}

// Option configures a new Upscaler.
type Option func(*settings)

// WithWeights reads the network from a file: .pth, .safetensors, ncnn's .param or .bin, or, with [AllowTorchScript],
// TorchScript. The network and its sizes are found from the file.
func WithWeights(path string) Option { return func(s *settings) { s.weights = path } }

// WithModel uses a network the caller has built or loaded. The caller keeps owning it and closes it after the
// Upscaler. Its own number format counts: [WithPrecision] does not apply.
func WithModel(g models.Generator) Option { return func(s *settings) { s.model = g } }

// WithDevice is "cpu" (the default) or "cuda:N".
func WithDevice(name string) Option { return func(s *settings) { s.device = name } }

// WithTile sets the side of the square the network sees at once and by how much neighbouring squares overlap, both in
// input pixels. Size 0 means the whole picture at once; a negative overlap means the default, which follows from the
// network. Smaller tiles need less memory. docs/TILING.md has the measured errors.
func WithTile(size, overlap int) Option {
	return func(s *settings) { s.tile, s.overlap, s.chosenTile = size, overlap, true }
}

// WithPrecision sets the number format; the default is Auto.
func WithPrecision(p Precision) Option { return func(s *settings) { s.precision = p } }

// WithThreads sets how many cores an operation of the network uses, and each picture's reading, blending and writing; 0,
// the default, means all. [OutScale] takes all in any case.
func WithThreads(n int) Option { return func(s *settings) { s.threads = n } }

// WithMemoryLimit bounds the memory of the whole process, in bytes, that this Upscaler plans with: tiles become
// smaller, callers wait for each other, and a picture that cannot fit is refused with [ErrTooLarge] before anything
// is allocated. 0, the default, takes the limit of the control group, or the machine's memory. Garbage of the Go heap
// counts too: programs near their limit also set runtime/debug.SetMemoryLimit.
func WithMemoryLimit(bytes int64) Option { return func(s *settings) { s.memoryLimit = bytes } }

// AllowTorchScript lets WithWeights run a TorchScript file. Such a file is code: only for files from a trusted source.
func AllowTorchScript() Option { return func(s *settings) { s.script = true } }

// settingsOf are the settings that options make, checked.
func settingsOf(opts []Option) (settings, error) {
	s := defaultSettings()
	for _, o := range opts {
		o(&s)
	}
	return s, s.validate()
}

// CheckOptions fails where NewUpscaler would refuse the options alone, whatever network and machine. It reads and starts
// nothing.
func CheckOptions(opts ...Option) error {
	_, err := settingsOf(opts)
	return err
}

func (s *settings) validate() error {
	switch {
	case s.weights != "" && s.model != nil:
		return fmt.Errorf("pdd: new upscaler: both WithWeights and WithModel are given; want one")
	case s.tile < 0 || s.tile > 0 && s.tile < minTile:
		return fmt.Errorf("pdd: new upscaler: tile of %d pixels: want 0 (whole picture) or at least %d", s.tile, minTile)
	case s.tile > 0 && s.overlap > s.tile/2:
		return fmt.Errorf("pdd: new upscaler: overlap of %d pixels: want at most half the tile of %d", s.overlap, s.tile)
	case s.precision < Auto || s.precision > TF32:
		return fmt.Errorf("pdd: new upscaler: precision %v: want Auto, Float32, BFloat16, Float16 or TF32", s.precision)
	case s.precision == TF32 && s.device == tensor.CPU.String():
		return errors.New("pdd: new upscaler: precision tf32 needs a CUDA device: choose auto or float32")
	case s.model != nil && s.precision != Auto:
		return fmt.Errorf("pdd: new upscaler: WithPrecision(%v) and WithModel: the model's own number format counts", s.precision)
	case s.memoryLimit < 0:
		return fmt.Errorf("pdd: new upscaler: memory limit of %d bytes: want 0 (the system's) or more", s.memoryLimit)
	}
	return nil
}

// call are what the options of one Upscale set.
type call struct {
	correct  bool
	outScale float64
	progress func(done, total int)
	plain    *image.Image // gets the result without colour correction too
}

// CallOption configures one call of Upscale.
type CallOption func(*call)

// ColorCorrection sets mean and standard deviation of each channel of the result to those of the input (the paper's
// inference step, see [CorrectColor]). It holds the whole result in float32 until the end.
func ColorCorrection(on bool) CallOption { return func(c *call) { c.correct = on } }

// OutScale resizes the result with antialiased bicubic interpolation so that its sides are f times the input's; 0
// leaves the network's own scale.
func OutScale(f float64) CallOption { return func(c *call) { c.outScale = f } }

// Progress is called on the caller's goroutine after each tile, with how many are done. A call may start over with
// smaller tiles when memory runs out; done then begins at 0 again.
func Progress(fn func(done, total int)) CallOption { return func(c *call) { c.progress = fn } }

func (c *call) validate() error {
	if math.IsNaN(c.outScale) || c.outScale < 0 || c.outScale > 64 {
		return fmt.Errorf("pdd: upscale: output scale %v: want 0 (the network's) to 64", c.outScale)
	}
	return nil
}
