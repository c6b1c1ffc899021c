package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/imgio"
)

type degradeCmd struct {
	HR      string  `arg:"" help:"Folder, .zip, .tar or .txt list of HR images."`
	Out     string  `required:"" short:"o" placeholder:"DIR" help:"Folder for LR/, recipes.jsonl and contact.png."`
	Preset  *string `placeholder:"NAME" help:"bicubic, resize, bicubic_blur, bicubic_noise, bicubic_jpeg, first_order, realesrgan or bsrgan. Default: bicubic."`
	Config  string  `type:"existingfile" placeholder:"YAML" help:"Degradation of this file in place of --preset and --scale."`
	Replay  string  `type:"existingfile" placeholder:"JSONL" help:"Recipes of an earlier run in place of --preset, --scale and --seed."`
	Scale   *int    `placeholder:"4" help:"HR side / LR side."`
	Seed    *uint64 `placeholder:"0" help:"Seed of all draws."`
	Targets bool    `help:"Also write what the LR images were made from, sharpened and cut, to HR/."`
	Sheet   int     `default:"12" placeholder:"12" help:"Images on the contact sheet; 0: no sheet."`
	JSON    bool    `name:"json" help:"Print JSON."`
}

// Run makes the set. Images that cannot be read are named and make the command fail in the end.
func (c *degradeCmd) Run(e *env) error {
	if err := c.validate(); err != nil {
		return err
	}
	d, recipes, err := c.degradation()
	if err != nil {
		return err
	}
	items, err := data.List(c.HR)
	if err != nil {
		return err
	}
	var sheet data.ContactSheet
	var sheetErr error
	bar := newCounter(e, "degrade")
	defer bar.close()
	o := data.DegradeOptions{Seed: given(c.Seed, 0), Targets: c.Targets, Replay: recipes}
	o.Progress = bar.at
	o.Sample = func(r data.SampleResult) {
		if r.Index < c.Sheet {
			sheetErr = errors.Join(sheetErr, sheet.Add(r))
		}
	}
	done, err := data.DegradeSet(e.ctx, items, c.Out, d, o)
	if err != nil {
		return err
	}
	bar.close()
	if sheet.Len() > 0 {
		sheetErr = errors.Join(sheetErr, imgio.WriteFile(filepath.Join(c.Out, "contact.png"), sheet.Image()))
	}
	return errors.Join(sheetErr, reportPrepared(e, done, len(items), c.Out, c.JSON))
}

// validate refuses flags of which one would be ignored: a configuration has its scale, recipes have all that was drawn.
func (c *degradeCmd) validate() error {
	config, replay := c.Config != "", c.Replay != ""
	for _, pair := range []struct {
		flags string
		given bool
	}{
		{"--config and --replay", config && replay},
		{"--config and --preset", config && c.Preset != nil},
		{"--config and --scale", config && c.Scale != nil},
		{"--replay and --preset", replay && c.Preset != nil},
		{"--replay and --scale", replay && c.Scale != nil},
		{"--replay and --seed", replay && c.Seed != nil},
	} {
		if pair.given {
			return usagef("%s exclude each other", pair.flags)
		}
	}
	return nil
}

// given is what a flag says, or its default.
func given[T any](flag *T, otherwise T) T {
	if flag == nil {
		return otherwise
	}
	return *flag
}

func (c *degradeCmd) degradation() (data.Degradation, []data.Recorded, error) {
	switch {
	case c.Replay != "":
		recipes, err := data.ReadRecipes(c.Replay)
		return nil, recipes, err
	case c.Config != "":
		d, err := data.ReadDegradation(c.Config)
		return d, nil, err
	}
	d, err := data.Preset(given(c.Preset, "bicubic"), given(c.Scale, 4))
	if err != nil {
		return nil, nil, usageError{err}
	}
	return d, nil, nil
}

// prepared is the report of a command that makes images of images.
type prepared struct {
	Out     string   `json:"out"`
	Inputs  int      `json:"inputs"`
	Written int      `json:"written"`
	Kept    int      `json:"kept"`      // there already
	Small   int      `json:"too_small"` // inputs too small to give anything
	Bad     []string `json:"bad"`       // inputs that could not be read, and why
}

// reportPrepared prints what was made, and fails if an input could not be read.
func reportPrepared(e *env, done data.Prepared, inputs int, out string, asJSON bool) error {
	r := prepared{out, inputs, done.Written, done.Kept, done.Small, []string{}}
	for _, err := range done.Bad {
		r.Bad = append(r.Bad, err.Error())
	}
	if asJSON {
		if err := writeJSON(e.stdout, r); err != nil {
			return err
		}
	} else {
		for _, text := range r.Bad {
			e.complain(text)
		}
		fmt.Fprintf(e.stdout, "%s: %d images written from %d", out, r.Written, inputs)
		if r.Kept > 0 {
			fmt.Fprintf(e.stdout, ", %d were there already", r.Kept)
		}
		if r.Small > 0 {
			fmt.Fprintf(e.stdout, ", %d inputs too small", r.Small)
		}
		fmt.Fprintln(e.stdout)
	}
	if len(r.Bad) > 0 {
		return fmt.Errorf("%d of %d images could not be used", len(r.Bad), inputs)
	}
	return nil
}
