package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/builtin"
	"github.com/gopdd/gopdd/internal/weights"
	"github.com/gopdd/gopdd/metrics/compare"
)

// upscaleFlags are the settings of what upscales.
type upscaleFlags struct {
	Scale int `default:"4" placeholder:"4" help:"Upscaling factor of bicubic and lanczos."`
	measuredFlags
}

func (f upscaleFlags) validate() error {
	if f.Scale < 1 || f.Scale > 64 {
		return usagef("--scale %d: must be 1 to 64", f.Scale)
	}
	return f.measuredFlags.validate(f.Precision)
}

// interpolations are systems that need no weights: MATLAB's imresize with these filters.
var interpolations = map[string]data.Filter{"bicubic": data.Bicubic, "lanczos": data.Lanczos}

// systems turns the values of --system into systems.
func (c *compareRunCmd) systems(e *env) ([]compare.System, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	var list []compare.System
	names := map[string]string{}
	for _, text := range c.System {
		s, err := c.system(e, text)
		if err != nil {
			return nil, err
		}
		if other, taken := names[s.Name]; taken {
			return nil, usagef("--system %s and --system %s are both called %s: write one as NAME=%s", other, text, s.Name, text)
		}
		if s.Dir == "" && c.LR == "" {
			return nil, usagef("--system %s upscales: name the pictures with --lr", text)
		}
		names[s.Name] = text
		list = append(list, s)
	}
	if _, ok := names[c.Baseline]; c.Baseline != "" && !ok {
		return nil, usagef("--baseline %s: no --system is called so", c.Baseline)
	}
	return list, nil
}

func (c *compareRunCmd) system(e *env, text string) (compare.System, error) {
	name, what, named := strings.Cut(text, "=")
	if !named {
		what = text
		name = strings.TrimSuffix(filepath.Base(text), weightExt(text))
	}
	if name == "" || name != filepath.Base(name) || strings.HasPrefix(name, ".") {
		return compare.System{}, usagef("--system %s: %q is no name for a row: write NAME=WHAT", text, name)
	}
	if filter, ok := interpolations[what]; ok {
		return compare.System{Name: name, About: fmt.Sprintf("%s interpolation ×%d (MATLAB's imresize)", what, c.Scale),
			Key:  fmt.Sprintf("%s %d", what, c.Scale),
			Open: func() (compare.Upscaler, error) { return interpolation{what, filter, c.Scale}, nil }}, nil
	}
	entry, err := weights.Lookup(what)
	known := err == nil && entry.Kind == weights.Generator // a folder of this name is ./NAME
	if stat, err := os.Stat(what); err == nil && stat.IsDir() && !known {
		return compare.System{Name: name, Dir: what, About: "results in " + what}, nil
	}
	return c.network(e, name, what)
}

// weightExt is the extension of a weight file's name.
func weightExt(path string) string {
	switch ext := filepath.Ext(path); ext {
	case ".pth", ".pt", ".safetensors", ".param", ".bin":
		return ext
	}
	return ""
}

func (c *compareRunCmd) network(e *env, name, what string) (compare.System, error) {
	path, err := weightsPath(what)
	var usage usageError
	if errors.As(err, &usage) {
		return compare.System{}, usagef("--system %s: no such folder, file, or name of the catalogue (see pdd weights list)", what)
	}
	if err != nil {
		return compare.System{}, err
	}
	key, err := fileKey(path)
	if err != nil {
		return compare.System{}, err
	}
	cfg := c.config(path, c.Precision)
	about := fmt.Sprintf("weights %s on %s, precision %s", what, c.Device, c.Precision)
	if c.ColorCorrection {
		about += ", colours corrected"
	}
	tile := "auto"
	if c.Tile != nil {
		tile = fmt.Sprint(*c.Tile)
	}
	if c.Overlap != nil {
		tile += fmt.Sprintf("/%d", *c.Overlap)
	}
	return compare.System{Name: name, About: about,
		Key: fmt.Sprintf("network %s %s %s %s %v", key, c.Device, c.Precision, tile, c.ColorCorrection),
		Open: func() (compare.Upscaler, error) {
			eng, err := e.newEngine(cfg)
			if err != nil {
				return nil, err
			}
			return &network{eng, callConfig{ColorCorrection: c.ColorCorrection, Progress: func(int, int) {}}}, nil
		}}, nil
}

// fileKey is the sha256 of files together, and of the .bin file beside an ncnn .param file; "" names no file.
func fileKey(paths ...string) (string, error) {
	h := sha256.New()
	for _, path := range paths {
		fmt.Fprintf(h, "%d\n", len(path))
		list := []string{path}
		if param, ok := strings.CutSuffix(path, ".param"); ok {
			list = append(list, param+".bin")
		}
		for _, p := range list {
			if err := addFile(h, p); err != nil {
				return "", err
			}
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func addFile(w io.Writer, path string) error {
	if path == "" {
		return nil
	}
	f, err := builtin.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// network is an engine as a system.
type network struct {
	engine
	call callConfig
}

func (n *network) Upscale(ctx context.Context, lr image.Image) (image.Image, error) {
	return n.engine.Upscale(ctx, lr, n.call)
}

// interpolation enlarges by a filter.
type interpolation struct {
	name   string
	filter data.Filter
	factor int
}

func (f interpolation) Upscale(_ context.Context, lr image.Image) (image.Image, error) {
	return data.ResizeImage(lr, float64(f.factor), f.filter)
}

func (f interpolation) Describe() any {
	return map[string]any{"network": f.name, "scale": f.factor}
}

func (f interpolation) Close() error { return nil }
