package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"os"

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

// errNoDefault is returned by newEngine without weights while none are built in.
var errNoDefault = errors.New("no model is built in")

// weightsPath turns the value of --weights, a file or a name of the catalogue, into a file.
func weightsPath(value string) (string, error) {
	if value == "" {
		return "", nil
	}
	if _, err := os.Stat(value); err == nil {
		return value, nil
	}
	entry, err := weights.Lookup(value)
	if err != nil {
		return "", usagef("--weights %s: no such file, and no such name in the catalogue (see pdd weights list)", value)
	}
	dir, err := weights.DefaultDir()
	if err != nil {
		return "", err
	}
	path, ok := entry.Find(dir)
	if !ok {
		return "", fmt.Errorf("weights %s are not on this machine yet: run: pdd weights get %s", value, value)
	}
	return path, nil
}
