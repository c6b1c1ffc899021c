package main

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/gopdd/gopdd/internal/weightfile"
)

type weightsMixCmd struct {
	A string `arg:"" help:"Weight file or name of the catalogue."`
	B string `arg:"" help:"Another of the same network, trained from A or from what A was trained from."`
	networkOut
	Share float64 `required:"" placeholder:"0..1" help:"Share of B: 0 is A, 1 is B."`
}

// Run writes the network whose numbers lie between those of two others (network interpolation; Wang et al. 2018, ESRGAN,
// section 3.4): something between what the two do, and often better than either.
func (c *weightsMixCmd) Run(e *env) error {
	if !(c.Share >= 0 && c.Share <= 1) {
		return usagef("--share %g: must be between 0 and 1", c.Share)
	}
	var nets [2][]weightfile.Array
	var metadata map[string]string
	for i, in := range []string{c.A, c.B} {
		path, err := c.source(in)
		if err != nil {
			return err
		}
		if nets[i], metadata, err = readNetwork(path, ""); err != nil {
			return err
		}
	}
	arrays, err := mixArrays(nets[0], nets[1], c.Share)
	if err != nil {
		return fmt.Errorf("pdd: mix %s and %s: %w", c.A, c.B, err)
	}
	metadata["source"] = fmt.Sprintf("%g of %s, %g of %s", 1-c.Share, filepath.Base(c.A), c.Share, filepath.Base(c.B))
	return c.write(e, arrays, metadata)
}

// mixArrays is (1−share)·a + share·b, in float32.
func mixArrays(a, b []weightfile.Array, share float64) ([]weightfile.Array, error) {
	if len(a) != len(b) {
		return nil, fmt.Errorf("networks of %d and %d arrays: only networks of one kind and size can be mixed", len(a), len(b))
	}
	out := make([]weightfile.Array, len(a))
	for i := range a {
		if a[i].Name != b[i].Name || !slices.Equal(a[i].Shape, b[i].Shape) {
			return nil, fmt.Errorf("%s %v and %s %v: only networks of one kind and size can be mixed", a[i].Name, a[i].Shape, b[i].Name, b[i].Shape)
		}
		x, err := a[i].Float32s()
		if err != nil {
			return nil, err
		}
		y, err := b[i].Float32s()
		if err != nil {
			return nil, err
		}
		mixed := make([]float32, len(x))
		for k := range x {
			mixed[k] = float32((1-share)*float64(x[k]) + share*float64(y[k]))
		}
		if out[i], err = weightfile.NewFloat32(a[i].Name, a[i].Shape, mixed); err != nil {
			return nil, err
		}
	}
	return out, nil
}
