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

// Save writes the convolutions' parameters as the function [Save] does, under torchvision's names; .safetensors is what
// torch loads without an entry's name.
func (f *Features) Save(path string, meta map[string]string) error {
	return save(path, f.Parameters(), meta)
}

// SaveBoth writes a network and its averaged copy to a .pth file, as the entries params and params_ema of BasicSR's
// files. Loaders that know both take the average; see [Save] for the rest.
func SaveBoth(path string, raw, average Trainable) error {
	dicts := []weightfile.StateDict{{Key: "params"}, {Key: "params_ema"}}
	var err error
	for i, g := range []Trainable{raw, average} {
		if dicts[i].Arrays, err = readOut(g.Parameters()); err != nil {
			return fmt.Errorf("models: save %q: %w", path, err)
		}
	}
	if err := weightfile.WritePth(path, dicts...); err != nil {
		return fmt.Errorf("models: save %q: %w", path, err)
	}
	return nil
}

func save(path string, list []Named, meta map[string]string) error {
	arrays, err := readOut(list)
	if err == nil {
		switch strings.ToLower(filepath.Ext(path)) {
		case ".safetensors":
			err = weightfile.WriteSafetensors(path, arrays, meta)
		case ".pth":
			err = weightfile.WritePth(path, weightfile.StateDict{Key: "params_ema", Arrays: arrays})
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
