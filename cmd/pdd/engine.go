package main

import (
	"context"
	"errors"
	"image"

	"github.com/gopdd/gopdd/internal/weights"
)

// engine is what this command needs of an upscaler.
type engine interface {
	Upscale(ctx context.Context, img image.Image, opts callConfig) (image.Image, error)
	Describe() any // for the report, with JSON tags
	Close() error
}

// engineConfig is how an engine is made.
type engineConfig struct {
	Weights          string // a file; empty = the built-in default
	Device           string
	Precision        string
	Tile, Overlap    *int  // nil = the engine chooses
	Threads          int   // 0 = all cores
	MemoryLimit      int64 // bytes, 0 = the control group's
	AllowTorchScript bool
}

// callConfig is how one image is upscaled.
type callConfig struct {
	ColorCorrection bool
	OutScale        float64 // 0 = the network's
	Progress        func(done, total int)
}

// weightsPath turns the value of --weights, a file or a name of the catalogue, into a file.
func weightsPath(value string) (string, error) {
	if value == "" {
		return "", nil
	}
	path, err := weights.Resolve(value)
	if errors.Is(err, weights.ErrUnknown) {
		return "", usagef("--weights %s: %w", value, weights.ErrUnknown)
	}
	return path, err
}
