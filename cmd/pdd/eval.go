package main

import (
	"errors"
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
	Pred      string `placeholder:"DIR" help:"Folder of results."`
	GT        string `name:"gt" placeholder:"DIR" help:"Folder of ground truth, paired by file name (a.png with a_x4.png). Needed by psnr, ssim, lpips and sharpness."`
	evalModel `group:"Upscaling"`

	Metrics string `default:"psnr_y_bt601,ssim_y_bt601,psnr_rgb,ssim_rgb" placeholder:"LIST" help:"Separated by commas: ${metrics}. Default: ${default}." group:"Measuring"`
	Crop    int    `default:"0" placeholder:"N" help:"Leave out N pixels at each border; papers leave out the upscaling factor." group:"Measuring"`
	parameterFlags
	lpipsFlags

	JSON     string `name:"json" placeholder:"FILE" help:"Also write JSON."`
	CSV      string `name:"csv" placeholder:"FILE" help:"Also write CSV."`
	Markdown string `name:"md" placeholder:"FILE" help:"Also write Markdown."`
}

// Run measures the folder, prints the table and fails if a picture could not be measured.
func (c *evalCmd) Run(e *env) error {
	if err := c.validate(); err != nil {
		return err
	}
	if err := c.checkFiles(); err != nil {
		return err
	}
	pairs, err := c.pairs()
	if err != nil {
		return err
	}
	nets := lpipsNets{flags: c.lpipsFlags, device: c.Device}
	defer nets.close()
	list, err := c.metrics(&nets)
	if err != nil {
		return err
	}
	r, err := c.measure(e, pairs, list)
	if err != nil {
		return err
	}
	if err := c.write(e, r); err != nil {
		return err
	}
	if n := len(r.Failed()); n > 0 {
		return fmt.Errorf("%d of %d pictures could not be measured: see below the table", n, len(r.Rows))
	}
	return nil
}

func (c *evalCmd) validate() error {
	if (c.Pred == "") == (c.Model == "") {
		return usagef("name what to measure: either --pred with a folder of results, or --model with --lr")
	}
	if err := c.validateNets(); err != nil {
		return err
	}
	return c.evalModel.validate(c.GT)
}

// pairs lists the pictures to measure, or in front of a network the ones that it upscales.
func (c *evalCmd) pairs() ([]measure.Pair, error) {
	if c.Model != "" {
		pairs, err := measure.Match(c.LR, c.GT)
		if err != nil {
			return nil, err
		}
		return pairs, c.checkSaved(pairs)
	}
	return measure.Match(c.Pred, c.GT)
}

func (c *evalCmd) metrics(nets *lpipsNets) ([]measure.Metric, error) {
	m := measure.Models{LPIPS: nets.load}
	files, err := c.found(c.Metrics)
	if err != nil {
		return nil, err
	}
	if files.NIQE != "" {
		if m.NIQE, err = metrics.LoadNIQEPrior(files.NIQE); err != nil {
			return nil, err
		}
	}
	if files.NRQM != "" {
		if m.NRQM, err = metrics.LoadNRQMModel(files.NRQM); err != nil {
			return nil, err
		}
	}
	list, err := measure.Parse(c.Metrics, c.Crop, m)
	var failed *lpipsError
	if errors.As(err, &failed) {
		return nil, failed
	}
	if err != nil {
		return nil, usageError{err}
	}
	for _, metric := range list {
		if metric.NeedsTruth && c.GT == "" {
			return nil, usagef("metric %s needs --gt", metric.Name)
		}
	}
	return list, nil
}

// measure runs the metrics, over what a network makes where one was named.
func (c *evalCmd) measure(e *env, pairs []measure.Pair, list []measure.Metric) (r *measure.Report, err error) {
	var o measure.Options
	if c.Model != "" {
		eng, err := c.open(e)
		if err != nil {
			return nil, err
		}
		defer eng.Close()
		o = c.upscaled(eng)
	}
	bar := newCounter(e, "measure")
	defer bar.close()
	o.Progress = bar.at
	return measure.Run(e.ctx, pairs, list, o)
}

// checkFiles fails if a file asked for cannot be written.
func (c *evalCmd) checkFiles() error {
	for flag, path := range map[string]string{"--json": c.JSON, "--csv": c.CSV, "--md": c.Markdown} {
		if path == "" {
			continue
		}
		if err := atomicfile.Check(path); err != nil {
			return fmt.Errorf("%s %s cannot be written: %w", flag, path, err)
		}
	}
	return nil
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
