package models

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/gopdd/gopdd/internal/nn"
	"github.com/gopdd/gopdd/internal/weightfile"
	"github.com/gopdd/gopdd/tensor"
)

// Save writes the parameters in float32 to a .safetensors file, with meta (where they come from) inside, or to a .pth
// file, as the entry params_ema that Real-ESRGAN's and spandrel's loaders take; .pth has no place for meta. The file
// appears whole or not at all. Nobody may change the parameters meanwhile.
func Save(path string, g Trainable, meta map[string]string) error {
	return save(path, g.Parameters(), meta)
}

// Save writes parameters and vectors of the spectral norm as the function [Save] does.
func (d *UNetDiscriminator) Save(path string, meta map[string]string) error {
	return save(path, d.State(), meta)
}

func save(path string, list []Named, meta map[string]string) error {
	arrays, err := readOut(list)
	if err == nil {
		switch strings.ToLower(filepath.Ext(path)) {
		case ".safetensors":
			err = weightfile.WriteSafetensors(path, arrays, meta)
		case ".pth":
			err = weightfile.WritePth(path, "params_ema", arrays)
		default:
			err = errors.New("the name must end in .safetensors or .pth")
		}
	}
	if err != nil {
		return fmt.Errorf("models: save %q: %w", path, err)
	}
	return nil
}

// readOut copies tensors to arrays.
func readOut(list []Named) ([]weightfile.Array, error) {
	arrays := make([]weightfile.Array, len(list))
	err := nn.OnWorker(func(s *tensor.Scope) error {
		for i, p := range list {
			var shape []int
			for _, d := range s.Shape(p.Tensor) {
				shape = append(shape, int(d))
			}
			var err error
			if arrays[i], err = weightfile.NewFloat32(p.Name, shape, s.Float32s(p.Tensor)); err != nil {
				return err
			}
		}
		return nil
	})
	return arrays, err
}
