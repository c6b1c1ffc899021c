package main

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/imgio"
)

type degradeCmd struct {
	HR      string `arg:"" help:"Folder, .zip, .tar or .txt list of HR images."`
	Out     string `required:"" short:"o" placeholder:"DIR" help:"Folder for LR/, recipes.jsonl and contact.png."`
	Preset  string `default:"bicubic" placeholder:"NAME" help:"bicubic, resize, bicubic_blur, bicubic_noise, bicubic_jpeg, first_order, realesrgan or bsrgan."`
	Config  string `type:"existingfile" placeholder:"YAML" help:"Degradation of this file in place of a preset."`
	Replay  string `type:"existingfile" placeholder:"JSONL" help:"Recipes of an earlier run in place of a preset."`
	Scale   int    `default:"4" placeholder:"4" help:"HR side / LR side."`
	Seed    uint64 `default:"0" placeholder:"0" help:"Seed of all draws."`
	Targets bool   `help:"Also write what the LR images were made from, sharpened and cut, to HR/."`
	Sheet   int    `default:"12" placeholder:"12" help:"Images on the contact sheet; 0: no sheet."`
	JSON    bool   `name:"json" help:"Print JSON."`
}

// Run makes the set. Images that cannot be read are named and make the command fail in the end.
func (c *degradeCmd) Run(e *env) error {
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
	o := data.DegradeOptions{Seed: c.Seed, Targets: c.Targets, Replay: recipes}
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

func (c *degradeCmd) degradation() (data.Degradation, []data.Recorded, error) {
	switch {
	case c.Config != "" && c.Replay != "":
		return nil, nil, usagef("--config and --replay exclude each other")
	case c.Replay != "":
		recipes, err := data.ReadRecipes(c.Replay)
		return nil, recipes, err
	case c.Config != "":
		d, err := data.ReadDegradation(c.Config)
		return d, nil, err
	}
	d, err := data.Preset(c.Preset, c.Scale)
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
