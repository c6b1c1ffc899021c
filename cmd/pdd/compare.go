package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/gopdd/gopdd/internal/atomicfile"
	"github.com/gopdd/gopdd/metrics"
	"github.com/gopdd/gopdd/metrics/compare"
	measure "github.com/gopdd/gopdd/metrics/report"
)

type compareCmd struct {
	Run   compareRunCmd   `cmd:"" default:"withargs" help:"Compare systems (the default)."`
	Votes compareVotesCmd `cmd:"" help:"Count the votes of a blind test."`
}

type compareRunCmd struct {
	LR       string   `name:"lr" placeholder:"DIR" help:"Folder of LR pictures. Needed by systems that upscale."`
	GT       string   `name:"gt" placeholder:"DIR" help:"Folder of ground truth, paired by file name (a.png with a_x4.png)."`
	System   []string `required:"" sep:"none" placeholder:"NAME[=WHAT]" help:"One of the things to compare, once for each: bicubic, a name of the catalogue, a weight file, or a folder of results. NAME is the row's; default: WHAT's."`
	Baseline string   `placeholder:"NAME" help:"The system that the others are compared with. Default: the first."`
	Out      string   `required:"" placeholder:"DIR" help:"Folder for tables, figures, sheets and results. What is there already is not made again."`
	JSON     bool     `name:"json" help:"Print JSON in place of the table."`

	Metrics string `default:"psnr_y_bt601,ssim_y_bt601,sharpness" placeholder:"LIST" help:"Separated by commas, see pdd eval --help. Default: ${default}." group:"Measuring"`
	Crop    int    `default:"0" placeholder:"N" help:"Leave out N pixels at each border; papers leave out the upscaling factor." group:"Measuring"`
	NIQE    string `name:"niqe-prior" placeholder:"FILE" help:"Parameters of NIQE. Needed by niqe and pi." group:"Measuring"`
	NRQM    string `name:"nrqm-model" placeholder:"FILE" help:"Model of NRQM. Needed by nrqm and pi." group:"Measuring"`

	upscaleFlags

	sheetFlags
}

// Run compares, prints the table and fails if a picture could not be made or measured.
func (c *compareRunCmd) Run(e *env) error {
	o, err := c.options(e)
	if err != nil {
		return err
	}
	if _, err := c.windows(); err != nil { // before any work is done
		return err
	}
	bar := &stages{e: e}
	defer bar.close()
	o.Progress = bar.at
	result, err := compare.Run(e.ctx, o)
	if err != nil {
		return c.resumable(e, err)
	}
	bar.close()
	if err := c.write(e, result); err != nil {
		return err
	}
	if err := c.draw(e, c.Out, result); err != nil {
		return c.resumable(e, err)
	}
	if n := len(result.Failed()); n > 0 {
		return fmt.Errorf("%d of %d results are missing or could not be measured: see below the table", n, len(result.Systems)*len(result.Pictures))
	}
	return nil
}

// resumable says what an interruption left.
func (c *compareRunCmd) resumable(e *env, err error) error {
	if e.ctx.Err() != nil {
		return fmt.Errorf("interrupted: what is finished is kept in %s: run the same command to go on", c.Out)
	}
	return err
}

func (c *compareRunCmd) options(e *env) (o compare.Options, err error) {
	o = compare.Options{LR: c.LR, GT: c.GT, Baseline: c.Baseline, Out: c.Out}
	if c.LR == "" && c.GT == "" {
		return o, usagef("name the folders to compare on: --lr, --gt or both")
	}
	models, err := c.models()
	if err != nil {
		return o, err
	}
	if o.Metrics, err = measure.Parse(c.Metrics, c.Crop, models); err != nil {
		return o, usageError{err}
	}
	for _, m := range o.Metrics {
		if m.NeedsTruth && c.GT == "" {
			return o, usagef("metric %s needs --gt", m.Name)
		}
	}
	if o.MetricKey, err = fileKey(c.NIQE, c.NRQM); err != nil {
		return o, err
	}
	if o.Systems, err = c.systems(e); err != nil {
		return o, err
	}
	if o.Baseline == "" {
		o.Baseline = o.Systems[0].Name
	}
	return o, nil
}

func (c *compareRunCmd) models() (m measure.Models, err error) {
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

// write prints the table and writes it to the folder in all forms.
func (c *compareRunCmd) write(e *env, r *compare.Comparison) error {
	for _, f := range []struct {
		name string
		fill func(io.Writer) error
	}{{"table.md", r.WriteMarkdown}, {"table.csv", r.WriteCSV}, {"pictures.csv", r.WritePicturesCSV}, {"compare.json", r.WriteJSON}} {
		if err := atomicfile.Write(filepath.Join(c.Out, f.name), f.fill); err != nil {
			return err
		}
	}
	if c.JSON {
		return r.WriteJSON(e.stdout)
	}
	return r.WriteTable(e.stdout)
}

// stages shows a counter per stage of the work.
type stages struct {
	e    *env
	deed string
	bar  *counter
}

func (s *stages) at(deed string, done, total int) {
	if deed != s.deed {
		s.close()
		s.deed, s.bar = deed, newCounter(s.e, deed)
	}
	s.bar.at(done, total)
}

func (s *stages) close() {
	if s.bar != nil {
		s.bar.close()
	}
}
