//go:build cgo

package main

import (
	"cmp"
	"context"
	"errors"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/pdd"
	"github.com/gopdd/gopdd/tensor"
)

// forwarder runs the forward passes of a network, on a thread of its own.
type forwarder struct {
	net    models.Generator
	worker *tensor.Worker
	device tensor.Device
	dtype  tensor.DType
}

// timeForwards measures what forward passes run on, and runs of them for each size.
func timeForwards(ctx context.Context, cfg engineConfig, sizes []pixelSize, runs int) (about benchSurrounds, list []forwardTiming, err error) {
	if about, err = surrounds(cfg); err != nil {
		return about, nil, err
	}
	f, err := newForwarder(cfg, about)
	if err != nil {
		return about, nil, err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	about.Engine = "libtorch"
	if _, ours := f.net.(models.Sized); ours {
		about.Engine = "gopdd"
	}
	if about.Peak, err = f.peak(ctx); err != nil {
		return about, nil, err
	}
	for _, size := range sizes {
		seconds, bytes, err := f.forward(ctx, size, runs)
		if err != nil {
			return about, nil, err
		}
		list = append(list, newForwardTiming(size, seconds, bytes))
	}
	return about, list, nil
}

// surrounds tells what an Upscaler of the same configuration chooses.
func surrounds(cfg engineConfig) (benchSurrounds, error) {
	opts, err := cfg.options()
	if err != nil {
		return benchSurrounds{}, err
	}
	u, err := pdd.NewUpscaler(opts...)
	if err != nil {
		return benchSurrounds{}, err
	}
	d := u.Describe()
	return benchSurrounds{Libtorch: tensor.Info().RuntimeVersion, Device: d.Device, Threads: d.Threads, Precision: d.Precision}, u.Close()
}

func newForwarder(cfg engineConfig, about benchSurrounds) (*forwarder, error) {
	f := &forwarder{dtype: map[string]tensor.DType{
		"float32": tensor.Float32, "bfloat16": tensor.BFloat16, "float16": tensor.Float16, "tf32": tensor.Float32}[about.Precision]}
	var err error
	if f.device, err = tensor.ParseDevice(about.Device); err != nil {
		return nil, err
	}
	f.device.Tune()
	if about.Precision == "tf32" {
		f.device.AllowTF32()
	}
	if f.net, err = models.Load(cmp.Or(cfg.Weights, models.BuiltIn), models.InferenceOnly(), models.WithDType(f.dtype), models.WithDevice(f.device)); err != nil {
		return nil, err
	}
	if f.worker, err = tensor.NewWorker(about.Threads); err != nil {
		return nil, errors.Join(err, f.net.Close())
	}
	return f, nil
}

func (f *forwarder) close() error { return errors.Join(f.worker.Close(), f.net.Close()) }

// peak is the speed of a product of matrices in GFLOP/s.
func (f *forwarder) peak(ctx context.Context) (gflops float64, err error) {
	const runs = 20
	err = f.worker.Do(ctx, func(s *tensor.Scope) error {
		s = s.NoGrad()
		product, flop := f.product(s)
		seconds, err := timed(s, runs, product)
		gflops = flop / 1e9 / newForwardTiming(pixelSize{}, seconds, 0).Best
		return err
	})
	return gflops, err
}

// product is a product of matrices large enough to keep the device busy. On the CPU it is a convolution of 1×1, which
// libtorch gives to oneDNN; MatMul may end in a slow BLAS there, and so do fewer than 16 images on a single thread.
func (f *forwarder) product(s *tensor.Scope) (run func(s *tensor.Scope) torch.Tensor, flop float64) {
	random := func(seed int64, shape ...int64) torch.Tensor {
		return s.Cast(s.Rand(seed, tensor.Float32, f.device, shape...), f.dtype)
	}
	if f.device != tensor.CPU {
		const side = 8192
		x, w := random(1, side, side), random(2, side, side)
		return func(s *tensor.Scope) torch.Tensor { return s.MatMul(x, w) }, 2 * side * side * side
	}
	const images, channels, side = 16, 1024, 16
	x, w := s.ChannelsLast(random(1, images, channels, side, side)), s.ChannelsLast(random(2, channels, channels, 1, 1))
	bias := s.Zeros(f.dtype, f.device, channels)
	conv := func(s *tensor.Scope) torch.Tensor { return s.Conv2D(x, w, bias, tensor.ConvOptions{}) }
	return conv, 2 * images * channels * channels * side * side
}

// forward gives the seconds of forward passes of one picture, and the peak of all tensors on the device.
func (f *forwarder) forward(ctx context.Context, size pixelSize, runs int) (seconds []float64, bytes int64, err error) {
	err = f.worker.Do(ctx, func(s *tensor.Scope) (err error) {
		s = s.NoGrad()
		x := s.To(s.Rand(1, tensor.Float32, tensor.CPU, 1, 3, int64(size.H), int64(size.W)), f.device)
		tensor.ResetPeak(f.device)
		seconds, err = timed(s, runs, func(s *tensor.Scope) torch.Tensor { return f.net.Forward(s, x) })
		bytes = tensor.MemoryStats(f.device).PeakBytes
		return err
	})
	return seconds, bytes, err
}

// timed gives the seconds of runs of fn, after one that is not counted. Reading an element of the result waits for the
// device.
func timed(s *tensor.Scope, runs int, fn func(s *tensor.Scope) torch.Tensor) (seconds []float64, err error) {
	for i := range runs + 1 {
		if err := context.Cause(s.Context()); err != nil {
			return nil, err
		}
		start := time.Now()
		s.LocalList(func(s *tensor.Scope) []torch.Tensor {
			y := fn(s)
			for dim := range s.Shape(y) {
				y = s.Narrow(y, int64(dim), 0, 1)
			}
			s.Item(y)
			return nil
		})
		if i > 0 {
			seconds = append(seconds, time.Since(start).Seconds())
		}
	}
	return seconds, nil
}
