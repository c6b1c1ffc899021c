package data

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
)

// Presets are the names that [Preset] knows.
var Presets = []string{"bicubic", "resize", "bicubic_blur", "bicubic_noise", "bicubic_jpeg", "first_order", "realesrgan", "bsrgan"}

// Preset returns a degradation by name, shrinking by scale:
//
//   - bicubic: MATLAB's bicubic, nothing else.
//   - resize: area, bilinear or bicubic without antialiasing, at random (the authors' released option files).
//   - bicubic_blur, bicubic_noise, bicubic_jpeg: bicubic after an isotropic Gaussian blur, before Gaussian noise, or
//     before JPEG: the paper's other simple specialists.
//   - first_order: blur, resize, noise, JPEG with Real-ESRGAN's ranges, once.
//   - realesrgan: Real-ESRGAN's second-order pipeline.
//   - bsrgan: BSRGAN's shuffled pipeline.
func Preset(name string, scale int) (Degradation, error) {
	if err := validateScale(scale); err != nil {
		return nil, err
	}
	d := plainBicubic(scale)
	switch name {
	case "bicubic":
	case "resize":
		d.Modes = torchModes
	case "bicubic_blur":
		d.Blur = simpleBlur
	case "bicubic_noise":
		d.Noise = simpleNoise
	case "bicubic_jpeg":
		d.JPEG = simpleJPEG
	case "first_order":
		first := secondOrder(scale).First
		return FirstOrder{Scale: scale, Blur: first.Blur, Modes: torchModes, Noise: first.Noise, JPEG: first.JPEG}, nil
	case "realesrgan":
		return secondOrder(scale), nil
	case "bsrgan":
		return shuffledDegradation(scale), nil
	default:
		return nil, fmt.Errorf("data: degradation %q: unknown preset: want one of %s", name, strings.Join(Presets, ", "))
	}
	return d, nil
}

// ReadDegradation reads a degradation from YAML: the name of a preset, its scale (4 if absent) and under settings the
// fields that differ from it, by their yaml names. Unknown fields are errors.
//
//	preset: realesrgan
//	scale: 4
//	settings:
//	  final_sinc: 0.5
//	  first: {noise: {sigma: [1, 15]}}
func ReadDegradation(path string) (Degradation, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("data: read degradation: %w", err)
	}
	d, err := ParseDegradation(text)
	if err != nil {
		return nil, fmt.Errorf("data: read degradation %q: %w", path, err)
	}
	return d, nil
}

// ParseDegradation is [ReadDegradation] of the YAML text itself.
func ParseDegradation(text []byte) (Degradation, error) {
	head := struct {
		Preset   string
		Scale    int
		Settings any
	}{Scale: 4}
	if err := decodeYAML(text, &head); err != nil {
		return nil, err
	}
	d, err := Preset(head.Preset, head.Scale)
	if err != nil {
		return nil, err
	}
	settings, err := yaml.Marshal(head.Settings)
	if err != nil {
		return nil, err
	}
	if head.Settings != nil {
		if d, err = withSettings(d, settings); err != nil {
			return nil, err
		}
	}
	return d, d.Validate()
}

// withSettings decodes settings over a copy of d.
func withSettings(d Degradation, settings []byte) (Degradation, error) {
	switch v := d.(type) {
	case FirstOrder:
		err := decodeYAML(settings, &v)
		return v, err
	case RealESRGAN:
		err := decodeYAML(settings, &v)
		return v, err
	case BSRGAN:
		err := decodeYAML(settings, &v)
		return v, err
	}
	return nil, fmt.Errorf("data: degradation: no settings for %T", d)
}

func decodeYAML(text []byte, v any) error {
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(v); err != nil {
		return fmt.Errorf("data: degradation: %w", err)
	}
	return nil
}
