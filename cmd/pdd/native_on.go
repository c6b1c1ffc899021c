//go:build cgo

package main

import (
	"context"
	"image"

	"github.com/gopdd/gopdd/pdd"
	"github.com/gopdd/gopdd/tensor"
)

// upscaler is a pdd.Upscaler as an engine.
type upscaler struct{ *pdd.Upscaler }

// handOver is for programs that cannot run networks: this one can.
func handOver() error { return nil }

func newEngine(c engineConfig) (engine, error) {
	opts, err := c.options()
	if err != nil {
		return nil, err
	}
	u, err := pdd.NewUpscaler(opts...)
	if err != nil {
		return nil, err
	}
	return upscaler{u}, nil
}

// check refuses settings that no network takes.
func (c engineConfig) check() error {
	opts, err := c.options()
	if err != nil {
		return err
	}
	if err := pdd.CheckOptions(opts...); err != nil {
		return usageError{err}
	}
	return nil
}

func (c engineConfig) options() ([]pdd.Option, error) {
	precision, err := pdd.ParsePrecision(c.Precision)
	if err != nil {
		return nil, usageError{err}
	}
	opts := []pdd.Option{pdd.WithDevice(c.Device), pdd.WithPrecision(precision)}
	if c.Weights != "" {
		opts = append(opts, pdd.WithWeights(c.Weights))
	}
	if c.Tile != nil {
		overlap := -1 // the network's default
		if c.Overlap != nil {
			overlap = *c.Overlap
		}
		opts = append(opts, pdd.WithTile(*c.Tile, overlap))
	}
	if c.Threads > 0 {
		opts = append(opts, pdd.WithThreads(c.Threads))
	}
	if c.MemoryLimit > 0 {
		opts = append(opts, pdd.WithMemoryLimit(c.MemoryLimit))
	}
	if c.AllowTorchScript {
		opts = append(opts, pdd.AllowTorchScript())
	}
	return opts, nil
}

func (u upscaler) Upscale(ctx context.Context, img image.Image, c callConfig) (image.Image, error) {
	opts := []pdd.CallOption{pdd.ColorCorrection(c.ColorCorrection), pdd.Progress(c.Progress)}
	if c.OutScale > 0 {
		opts = append(opts, pdd.OutScale(c.OutScale))
	}
	return u.Upscaler.Upscale(ctx, img, opts...)
}

func (u upscaler) Describe() any { return u.Upscaler.Describe() }

// nativeInfo describes the libtorch of this program.
func nativeInfo() (*libtorchInfo, error) {
	info := libtorchInfo(tensor.Info())
	return &info, nil
}
