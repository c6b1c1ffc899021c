package pdd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/gopdd/gopdd/internal/builtin"
	"github.com/gopdd/gopdd/internal/conv"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

// Errors that callers tell apart with errors.Is.
var (
	// ErrClosed: the Upscaler was closed.
	ErrClosed = errors.New("the upscaler is closed")
	// ErrTooLarge: the picture or its result does not fit the memory limit.
	ErrTooLarge = errors.New("too large for the memory limit")
	// ErrNotFinite: the network gave NaN or infinite values, in float32 too.
	ErrNotFinite = errors.New("the network gave NaN or infinite values")
)

// Upscaler runs one network over pictures. Any number of goroutines may call Upscale; their tiles take turns. Close
// it when done.
type Upscaler struct {
	settings settings
	net      models.Generator
	report   models.Report // of the weight file
	exact    exactNet      // the network in float32, for tiles that overflow
	device   tensor.Device
	worker   *tensor.Worker
	memory   budget
	room     *semaphore.Weighted // of the bytes that pictures in work may take

	mu     sync.RWMutex // read-held by calls, so that Close waits for them
	closed bool
}

// NewUpscaler loads the network, the built-in ×4 model unless an option says otherwise, and starts its worker thread.
func NewUpscaler(opts ...Option) (*Upscaler, error) {
	s, err := settingsOf(opts)
	if err != nil {
		return nil, err
	}
	device, err := tensor.ParseDevice(s.device)
	if err != nil {
		return nil, fmt.Errorf("pdd: new upscaler: %w", err)
	}
	worker, err := tensor.NewWorker(s.threads, tensor.WithStream(device))
	if err != nil {
		return nil, fmt.Errorf("pdd: new upscaler: %w", err)
	}
	u := &Upscaler{settings: s, device: device, worker: worker}
	if err := u.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("pdd: new upscaler: %w", err), u.Close())
	}
	return u, nil
}

// start loads the network and measures it.
func (u *Upscaler) start() (err error) {
	if u.net = u.settings.model; u.net == nil {
		if err := u.loadNetwork(); err != nil {
			return err
		}
	}
	if err := u.device.Wait(); err != nil {
		return err
	}
	if u.settings.precision == TF32 {
		u.device.AllowTF32()
	}
	if u.settings.chosenTile { // by default sizes are those of the pictures: each would have to be tried
		u.device.Tune()
	}
	if u.settings.overlap < 0 {
		u.settings.overlap = defaultOverlap(u.net.Reach(), cmp.Or(u.settings.tile, defaultTile))
	}
	if u.memory, err = measure(u); err != nil {
		return err
	}
	u.room = semaphore.NewWeighted(max(u.memory.pictures(), 1))
	return nil
}

// loadNetwork loads the weight file and settles the precision.
func (u *Upscaler) loadNetwork() (err error) {
	auto := u.settings.precision == Auto
	if auto {
		u.settings.precision = fastest(u.device)
	}
	u.net, err = u.load(u.settings.precision, models.WithReport(&u.report))
	if auto && errors.Is(err, models.ErrOwnType) {
		u.settings.precision = Float32
		u.net, err = u.load(Float32, models.WithReport(&u.report))
	}
	return err
}

// fastest is Float16 on CUDA devices, which multiply matrices of it many times as fast. On CPUs it is BFloat16 where they
// multiply matrices of it (AMX), else Float32 where our kernels run, which beat libtorch's bfloat16, and without them
// BFloat16 where the CPU has it (docs/PERFORMANCE.md).
func fastest(d tensor.Device) Precision {
	switch {
	case d != tensor.CPU:
		return Float16
	case conv.BFloat16.Available() || !conv.Float32.Available() && tensor.Info().BFloat16:
		return BFloat16
	}
	return Float32
}

func (u *Upscaler) load(p Precision, opts ...models.LoadOption) (models.Generator, error) {
	opts = append(opts, models.InferenceOnly(), models.WithDType(p.dtype()), models.WithDevice(u.device))
	if u.settings.script {
		opts = append(opts, models.AllowTorchScript())
	}
	return models.Load(cmp.Or(u.settings.weights, builtin.Path), opts...)
}

// Close waits for the calls in work and frees the network, unless it came with [WithModel]. It may be called twice.
func (u *Upscaler) Close() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		return nil
	}
	u.closed = true
	err := errors.Join(u.worker.Close(), u.exact.close())
	if u.net != nil && u.settings.model == nil {
		err = errors.Join(err, u.net.Close())
	}
	return err
}

// Description says what an Upscaler runs on.
type Description struct {
	Network      string `json:"network"`
	Sizes        string `json:"sizes,omitempty"`
	Scale        int    `json:"scale"`
	WeightsPath  string `json:"weights,omitempty"`
	WeightsEntry string `json:"weights_entry,omitempty"` // e.g. "params_ema"
	Device       string `json:"device"`
	Precision    string `json:"precision"`
	Threads      int    `json:"threads"`
	Tile         int    `json:"tile"`         // at most, in input pixels; 0 is the whole picture
	Overlap      int    `json:"overlap"`      // at least, in input pixels
	MemoryLimit  int64  `json:"memory_limit"` // bytes
}

// Describe says what u runs on.
func (u *Upscaler) Describe() Description {
	d := Description{
		Network:      u.report.Network,
		Sizes:        u.report.Sizes,
		Scale:        u.net.Scale(),
		WeightsPath:  u.settings.weights,
		WeightsEntry: u.report.Entry,
		Device:       u.device.String(),
		Precision:    u.settings.precision.String(),
		Threads:      u.worker.Threads(),
		Tile:         u.settings.tile,
		Overlap:      u.settings.overlap,
		MemoryLimit:  u.memory.limit,
	}
	if u.settings.model != nil {
		d.Network, d.Precision = fmt.Sprintf("%T", u.settings.model), "the model's"
	}
	return d
}

// Upscale enlarges img by the network's scale.
//
// The result has the kind of img: 8-bit pictures give *image.NRGBA, 16-bit ones *image.NRGBA64, gray ones *image.Gray
// or *image.Gray16. Transparent pictures are processed with alpha multiplied in; alpha takes its own pass through the
// network. img is not changed and must not change meanwhile. Upscale waits for its turn and for memory until ctx ends,
// and looks at ctx between tiles; then it returns ctx's error and no picture.
func (u *Upscaler) Upscale(ctx context.Context, img image.Image, opts ...CallOption) (image.Image, error) {
	if !u.mu.TryRLock() { // Close waits for the calls before this one
		return nil, fmt.Errorf("pdd: upscale: %w", ErrClosed)
	}
	defer u.mu.RUnlock()
	if u.closed {
		return nil, fmt.Errorf("pdd: upscale: %w", ErrClosed)
	}
	var c call
	for _, o := range opts {
		o(&c)
	}
	if err := c.validate(); err != nil {
		return nil, err
	}
	if img == nil || img.Bounds().Empty() {
		return nil, errors.New("pdd: upscale: the picture is empty")
	}
	out, err := u.upscale(ctx, newPicture(img, u.net.Scale(), u.worker.Threads(), c))
	if err != nil {
		b := img.Bounds()
		return nil, fmt.Errorf("pdd: upscale %d×%d: %w", b.Dx(), b.Dy(), err)
	}
	return out, nil
}

// upscale waits for memory and runs the picture, with smaller tiles while memory runs out all the same.
func (u *Upscaler) upscale(ctx context.Context, p *picture) (image.Image, error) {
	share, tile, err := u.memory.admit(p, u.settings.tile)
	if err != nil {
		return nil, err
	}
	if err := u.room.Acquire(ctx, share); err != nil {
		return nil, err
	}
	defer u.room.Release(share)
	p.read()
	for {
		out, err := u.run(ctx, p, tile)
		if !errors.Is(err, tensor.ErrOutOfMemory) || tile/2 < minTile {
			return out, err
		}
		tensor.Trim()
		tile /= 2
	}
}

// Upscale enlarges img by 4 with the built-in model (docs/MODEL_CARD.md), on an Upscaler that the whole process shares
// and that stays: for settings of your own, or to end it, use [NewUpscaler].
func Upscale(ctx context.Context, img image.Image, opts ...CallOption) (image.Image, error) {
	u, err := shared()
	if err != nil {
		return nil, err
	}
	return u.Upscale(ctx, img, opts...)
}

var shared = sync.OnceValues(func() (*Upscaler, error) { return NewUpscaler() })
