package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

type trainCmd struct {
	Config string `arg:"" optional:"" type:"existingfile" placeholder:"FILE" help:"Configuration in YAML; docs/CONFIG.md has every field."`
	Preset string `placeholder:"NAME" help:"Begin with a preset in place of a file: ema, static, single-fixed, naive, supervised, …"`
	Import string `type:"existingfile" placeholder:"FILE" help:"Begin with an option file of the authors' code (BasicSR)."`

	Set     []string `sep:"none" placeholder:"FIELD=VALUE" help:"Change a field, such as loss.inter.weight=0.5 or data.hr=[DF2K, Flickr2K]; null takes it away. May be given again."`
	Weights string   `placeholder:"NAME|FILE" help:"The specialist's start: specialist.weights."`
	HR      []string `name:"hr" placeholder:"PATH" help:"Labelled pictures: data.hr."`
	Target  []string `placeholder:"PATH" help:"Pictures of the target domain, without ground truth: data.unlabelled."`
	Out     string   `placeholder:"DIR" help:"Folder of the run: output.dir. A run that is there goes on."`
	Steps   int      `placeholder:"N" help:"Steps in all: steps."`

	Procs   int           `placeholder:"N" help:"Train on N processes of this machine, which share its cores. data.batch is that of each."`
	Timeout time.Duration `placeholder:"DURATION" help:"With several processes: the time in which one that died or hangs ends all. Default: 10m."`

	Print bool `help:"Print the whole configuration as YAML and stop."`
	Quiet bool `help:"No lines of progress."`
}

// Run trains, and goes on with a run that was stopped.
func (c *trainCmd) Run(e *env) error {
	sources := 0
	for _, s := range []string{c.Config, c.Preset, c.Import} {
		if s != "" {
			sources++
		}
	}
	if sources != 1 {
		return usagef("give one of a configuration file, --preset and --import")
	}
	if c.Procs < 0 || c.Procs > 1024 || c.Timeout < 0 {
		return usagef("--procs %d, --timeout %v: want 1 to 1024 processes and a time above 0", c.Procs, c.Timeout)
	}
	return train(e, c)
}

// changes are the fields that flags set, as a tree in the form of the configuration's YAML.
func (c *trainCmd) changes() (map[string]any, error) {
	tree := map[string]any{}
	for _, s := range c.Set {
		field, text, ok := strings.Cut(s, "=")
		var value any
		if !ok || field == "" {
			return nil, usagef("--set %s: want FIELD=VALUE", s)
		}
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			return nil, usagef("--set %s: the value is no YAML: %w", field, err)
		}
		if err := put(tree, strings.Split(field, "."), value); err != nil {
			return nil, usagef("--set %s: %w", field, err)
		}
	}
	for _, f := range []struct {
		field string
		value any
		given bool
	}{
		{"specialist.weights", c.Weights, c.Weights != ""},
		{"data.hr", c.HR, len(c.HR) > 0},
		{"data.unlabelled", c.Target, len(c.Target) > 0},
		{"output.dir", c.Out, c.Out != ""},
		{"steps", c.Steps, c.Steps != 0},
	} {
		if !f.given {
			continue
		}
		if err := put(tree, strings.Split(f.field, "."), f.value); err != nil {
			return nil, usagef("%s: %w", f.field, err)
		}
	}
	return tree, nil
}

// put sets the value at a path of a tree.
func put(tree map[string]any, path []string, value any) error {
	for len(path) > 1 {
		next, ok := tree[path[0]].(map[string]any)
		if tree[path[0]] != nil && !ok {
			return fmt.Errorf("%s is set already", path[0])
		}
		if next == nil {
			next = map[string]any{}
			tree[path[0]] = next
		}
		tree, path = next, path[1:]
	}
	tree[path[0]] = value
	return nil
}
