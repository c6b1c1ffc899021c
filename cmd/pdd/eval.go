package main

import (
	"fmt"
	"io"

	"github.com/alecthomas/kong"

	"github.com/gopdd/gopdd/internal/atomicfile"
	"github.com/gopdd/gopdd/metrics"
	measure "github.com/gopdd/gopdd/metrics/report"
)

// evalVars fill in the help texts.
var evalVars = kong.Vars{"metrics": measure.Names}

type evalCmd struct {
	Pred     string `required:"" placeholder:"DIR" help:"Folder of results."`
	GT       string `name:"gt" placeholder:"DIR" help:"Folder of ground truth, paired by file name (a.png with a_x4.png). Needed by psnr, ssim and sharpness."`
	Metrics  string `default:"psnr_y_bt601,ssim_y_bt601,psnr_rgb,ssim_rgb" placeholder:"LIST" help:"Separated by commas: ${metrics}. Default: ${default}."`
	Crop     int    `default:"0" placeholder:"N" help:"Leave out N pixels at each border; papers leave out the upscaling factor."`
	NIQE     string `name:"niqe-prior" placeholder:"FILE" help:"Parameters of NIQE: .npz, .mat or JSON. Needed by niqe and pi."`
	NRQM     string `name:"nrqm-model" placeholder:"FILE" help:"Model of NRQM: NRQM_model.mat. Needed by nrqm and pi."`
	JSON     string `name:"json" placeholder:"FILE" help:"Also write JSON."`
	CSV      string `name:"csv" placeholder:"FILE" help:"Also write CSV."`
	Markdown string `name:"md" placeholder:"FILE" help:"Also write Markdown."`
}

// Run measures the folder, prints the table and fails if a picture could not be measured.
func (c *evalCmd) Run(e *env) error {
	models, err := c.models()
	if err != nil {
		return err
	}
	list, err := measure.Parse(c.Metrics, c.Crop, models)
	if err != nil {
		return usageError{err}
	}
	pairs, err := measure.Match(c.Pred, c.GT)
	if err != nil {
		return err
	}
	bar := newCounter(e, "measure")
	defer bar.close()
	r, err := measure.Run(e.ctx, pairs, list, measure.Options{Progress: bar.at})
	if err != nil {
		return err
	}
	bar.close()
	if err := c.write(e, r); err != nil {
		return err
	}
	if n := len(r.Failed()); n > 0 {
		return fmt.Errorf("%d of %d pictures could not be measured: see below the table", n, len(r.Rows))
	}
	return nil
}

func (c *evalCmd) models() (m measure.Models, err error) {
	if c.NIQE != "" {
		if m.NIQE, err = metrics.LoadNIQEPrior(c.NIQE); err != nil {
			return m, err
		}
	}
	if c.NRQM != "" {
		m.NRQM, err = metrics.LoadNRQMModel(c.NRQM)
	}
	return m, err
}

// write prints the table and writes the files asked for.
func (c *evalCmd) write(e *env, r *measure.Report) error {
	if err := r.WriteTable(e.stdout); err != nil {
		return err
	}
	for _, f := range []struct {
		path string
		fill func(io.Writer) error
	}{{c.JSON, r.WriteJSON}, {c.CSV, r.WriteCSV}, {c.Markdown, r.WriteMarkdown}} {
		if f.path == "" {
			continue
		}
		if err := atomicfile.Write(f.path, f.fill); err != nil {
			return err
		}
	}
	return nil
}
