package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"path/filepath"
	"strings"

	"github.com/gopdd/gopdd/internal/imgio"
	measure "github.com/gopdd/gopdd/metrics/report"
)

// evalModel are the flags of pdd eval that make the results in place of reading them.
type evalModel struct {
	Model string `placeholder:"NAME|FILE" help:"In place of --pred: measure what this network makes of --lr. A name of the catalogue (see pdd weights list) or a weight file."`
	LR    string `name:"lr" placeholder:"DIR" help:"Folder of pictures to upscale, paired with the ground truth by file name."`
	Save  string `placeholder:"DIR" help:"Keep the results as PNG."`
	measuredFlags
}

func (c *evalModel) validate(gt string) error {
	if err := c.measuredFlags.validate(c.Precision); err != nil {
		return err
	}
	if c.Model == "" {
		plain := measuredFlags{engineFlags: engineFlags{Device: c.Device}, Precision: "float32"} // LPIPS has a device too
		if c.LR != "" || c.Save != "" || c.measuredFlags != plain {
			return usagef("--lr, --save and the settings of a network, --device aside, need --model")
		}
		return nil
	}
	if c.LR == "" {
		return usagef("--model needs --lr, the pictures to upscale")
	}
	if c.Save == "" {
		return nil
	}
	for flag, dir := range map[string]string{"--lr": c.LR, "--gt": gt} {
		if dir != "" && realPath(dir) == realPath(c.Save) {
			return usagef("--save %s is the folder of %s: results would replace its pictures", c.Save, flag)
		}
	}
	return nil
}

// checkSaved refuses results that meet each other in --save.
func (c *evalModel) checkSaved(pairs []measure.Pair) error {
	owner := map[string]string{}
	for _, p := range pairs {
		name := savedName(p.Name)
		if other, taken := owner[name]; taken && c.Save != "" {
			return usagef("%s and %s would both be saved as %s: rename one", other, p.Name, name)
		}
		owner[name] = p.Name
	}
	return nil
}

func savedName(name string) string { return strings.TrimSuffix(name, filepath.Ext(name)) + ".png" }

// open makes the network.
func (c *evalModel) open(e *env) (engine, error) {
	path, err := weightsPath(c.Model)
	var usage usageError
	if errors.As(err, &usage) {
		return nil, usagef("--model %s: no such file, and no such name in the catalogue (see pdd weights list)", c.Model)
	}
	if err != nil {
		return nil, err
	}
	return e.newEngine(c.config(path, c.Precision))
}

// upscaled measures what the engine makes of each picture. It makes one while the one before is measured.
func (c *evalModel) upscaled(eng engine) measure.Options {
	call := callConfig{ColorCorrection: c.ColorCorrection, Progress: func(int, int) {}}
	return measure.Options{
		About:   c.about(eng),
		Workers: 2,
		Picture: func(ctx context.Context, p measure.Pair) (image.Image, error) {
			saved := filepath.Join(c.Save, savedName(p.Name))
			if c.Save != "" {
				if err := makeRoom(saved); err != nil {
					return nil, err
				}
			}
			lr, _, err := imgio.ReadFile(p.Image, imgio.Limits{})
			if err != nil {
				return nil, err
			}
			sr, err := eng.Upscale(ctx, lr, call)
			if err != nil || c.Save == "" {
				return sr, err
			}
			return sr, imgio.WriteFile(saved, sr)
		},
	}
}

// about says what made the pictures: their values depend on the precision too.
func (c *evalModel) about(eng engine) string {
	var d struct{ Network, Device, Precision string }
	text, err := json.Marshal(eng.Describe())
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	about := fmt.Sprintf("%s upscaled by %s", c.LR, c.Model)
	if err == nil && d.Network != "" {
		about += fmt.Sprintf(" (%s, %s, %s)", d.Network, d.Precision, d.Device)
	}
	if c.ColorCorrection {
		about += ", colours corrected"
	}
	return about
}
