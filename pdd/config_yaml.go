package pdd

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/gopdd/gopdd/internal/weights"
)

// ReadConfig reads a configuration from a YAML file: the name of a preset ([PresetNames]), for distillation optionally
// an ablation ([Ablations]), then what differs from it. Keys that do not exist are errors.
//
//	preset: ema
//	steps: 2000
//	data:
//	  hr: [photos]
//	  unlabelled: [camera]
//	optimizer: {lr: 0.00005}
//
// Lists and layers replace the preset's. Naming weights clears the preset's sizes of a new network and the other way
// round, and features.random clears the preset's file. Relative paths are relative to the file's folder; weights called
// by a name of `pdd weights list` are those. A file without a preset states everything, as [Config.YAML] does. Call
// [Config.Validate] on the result.
func ReadConfig(path string) (Config, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, fmt.Errorf("pdd: read config: %w", err)
	}
	c, err := parseConfig(text)
	if err != nil {
		return Config{}, fmt.Errorf("pdd: read config %q: %w", path, err)
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return Config{}, fmt.Errorf("pdd: read config %q: %w", path, err)
	}
	c.resolve(dir)
	return c, nil
}

// ParseConfig is [ReadConfig] of the text itself; paths stay as they are.
func ParseConfig(text []byte) (Config, error) {
	c, err := parseConfig(text)
	if err != nil {
		return Config{}, fmt.Errorf("pdd: parse config: %w", err)
	}
	return c, nil
}

// With is c with what YAML text says in place of it, as a file says in place of its preset: lists and layers replace,
// naming weights clears the sizes of a new network and so on, and an ablation comes first. null takes a field away.
func (c Config) With(changes []byte) (Config, error) {
	c, err := c.with(changes)
	if err != nil {
		return Config{}, fmt.Errorf("pdd: change config: %w", err)
	}
	return c, nil
}

// YAML is the whole configuration, without a preset: ParseConfig makes an equal one of it.
func (c Config) YAML() ([]byte, error) {
	text, err := yaml.MarshalWithOptions(c, yaml.CustomMarshaler(floatText))
	if err != nil {
		return nil, fmt.Errorf("pdd: write config: %w", err)
	}
	return text, nil
}

// floatText writes numbers with a point, as 1.0e-06: YAML 1.1 takes 1e-06 for a text.
func floatText(x float64) ([]byte, error) {
	text := strconv.FormatFloat(x, 'g', -1, 64)
	mantissa, exponent, small := strings.Cut(text, "e")
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return nil, fmt.Errorf("%v is no number", x)
	}
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	if small {
		mantissa += "e" + exponent
	}
	return []byte(mantissa), nil
}

// resolve makes relative paths those below dir.
func (c *Config) resolve(dir string) {
	in := func(p *string) {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	for _, p := range []*string{&c.Specialist.Weights, &c.Generalist.Weights, &c.Discriminator.Weights, &c.Features.Weights} {
		if _, err := weights.Lookup(*p); err != nil {
			in(p)
		}
	}
	for _, list := range []*[]string{&c.Data.HR, &c.Data.LR, &c.Data.Unlabelled} {
		for i := range *list {
			in(&(*list)[i])
		}
	}
	for _, p := range []*string{&c.Validation.LR, &c.Validation.HR, &c.Output.Dir} {
		in(p)
	}
}

// start is the configuration that a file's other keys change.
func start(preset string, ablation Ablation) (Config, error) {
	if preset == "" {
		return Config{}, nil
	}
	c, err := PresetByName(preset)
	if err == nil && ablation != "" {
		c, err = c.Ablate(ablation)
	}
	return c, err
}

// replaceAlternatives clears what the preset says where the file, which has the given keys, chose another way.
func (c *Config) replaceAlternatives(keys []string) {
	has := func(key string) bool { return slices.Contains(keys, key) }
	for path, n := range map[string]*NetworkConfig{"specialist": &c.Specialist, "generalist": &c.Generalist.NetworkConfig} {
		switch named, sized := has(path+".weights"), has(path+".new"); {
		case sized && !named:
			n.Weights, n.Entry = "", ""
		case named && !sized:
			n.New = nil
		}
	}
	if has("generalist.kind") && c.Generalist.Kind == MovingAverage && !has("generalist.weights") && !has("generalist.new") {
		c.Generalist.NetworkConfig = NetworkConfig{}
	}
	switch random, named := has("features.random"), has("features.weights"); {
	case random && !named && c.Features.Random:
		c.Features.Weights = ""
	case named && !random:
		c.Features.Random = false
	}
}

// yamlMessage is an error of package yaml in one line, without the excerpt of its text.
func yamlMessage(err error) string {
	var e yaml.Error
	if errors.As(err, &e) {
		return e.GetMessage()
	}
	return err.Error()
}
