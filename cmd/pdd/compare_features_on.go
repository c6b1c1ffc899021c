//go:build cgo

package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"
	"strings"

	"github.com/gopdd/gopdd/internal/pixel"
	"github.com/gopdd/gopdd/metrics/compare"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

// deepPatch is the side of a patch for a network's features, that of SRGA.
const deepPatch = 32

// deepFloor keeps the logarithm of a silent channel finite.
const deepFloor = 1e-6

// newDeepFeatures are the features of a VGG19, VGG16, AlexNet or SqueezeNet at its last layer before the first pooling.
// closeNet frees the network.
func newDeepFeatures(path string) (f compare.Features, closeNet func() error, err error) {
	net, err := loadFeatureNet(path)
	if err != nil {
		return f, nil, err
	}
	layers := net.Layers()
	layer := layers[slices.IndexFunc(layers, func(s string) bool { return strings.HasPrefix(s, "pool") })-1]
	channels := 0
	f = compare.Features{
		Name:  fmt.Sprintf("%s of %s on 32×32 patches", layer, net.Name()),
		Patch: deepPatch,
		Rows: func(ctx context.Context, patches []image.Image) (rows [][]float32, err error) {
			rows, channels, err = deepRows(ctx, net, layer, patches)
			return rows, err
		},
		Energies: func(row []float32) []float32 { return compare.LogEnergies(row, channels, deepFloor) },
	}
	return f, net.Close, nil
}

func loadFeatureNet(path string) (*models.Features, error) {
	norm := models.WithInputNorm(models.InputNorm{ImageNet: true})
	var failures []error
	for _, load := range []func(string, ...models.LoadOption) (*models.Features, error){
		models.LoadVGG19, models.LoadVGG16, models.LoadAlexNet, models.LoadSqueezeNet} {
		net, err := load(path, norm)
		if err == nil {
			return net, nil
		}
		failures = append(failures, err)
	}
	return nil, fmt.Errorf("--feature-net: want VGG19, VGG16, AlexNet or SqueezeNet 1.1: %w", errors.Join(failures...))
}

// deepRows gives the layer's values for each patch, channel after channel, and the number of channels.
func deepRows(ctx context.Context, net *models.Features, layer string, patches []image.Image) (rows [][]float32, channels int, err error) {
	const plane = deepPatch * deepPatch
	pixels := make([]float32, len(patches)*3*plane)
	for i, p := range patches {
		r := pixel.NewReader(p)
		for y := range deepPatch {
			at := func(c int) []float32 {
				from := (i*3+c)*plane + y*deepPatch
				return pixels[from : from+deepPatch]
			}
			r.Planes(y, [][]float32{at(0), at(1), at(2)})
		}
	}
	err = tensor.Do(ctx, func(s *tensor.Scope) error {
		x := s.FromFloat32s(pixels, int64(len(patches)), 3, deepPatch, deepPatch)
		y := net.Forward(s.NoGrad(), x, layer)[layer]
		channels = int(y.Shape()[1])
		values := s.Float32s(y)
		width := len(values) / len(patches)
		for i := range patches {
			rows = append(rows, values[i*width:(i+1)*width])
		}
		return nil
	})
	return rows, channels, err
}
