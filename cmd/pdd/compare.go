package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gopdd/gopdd/internal/atomicfile"
	"github.com/gopdd/gopdd/metrics/compare"
	measure "github.com/gopdd/gopdd/metrics/report"
)

type compareCmd struct {
	Run   compareRunCmd   `cmd:"" default:"withargs" help:"Compare systems (the default)."`
	Votes compareVotesCmd `cmd:"" help:"Count the votes of a blind test."`
}

// Help is shown by pdd compare --help, below the commands.
func (compareCmd) Help() string {
	return "For example: pdd compare --lr lr --gt hr --system bicubic --system ours=model.pth --system paper=results --out out. " +
		"pdd compare run --help lists all flags."
}

type compareRunCmd struct {
	LR       string   `name:"lr" placeholder:"DIR" help:"Folder of LR pictures. Needed by systems that upscale."`
	GT       string   `name:"gt" placeholder:"DIR" help:"Folder of ground truth, paired by file name (a.png with a_x4.png)."`
	System   []string `required:"" sep:"none" placeholder:"NAME[=WHAT]" help:"One of the things to compare, once for each: bicubic, lanczos, a name of the catalogue, a weight file, or a folder of results. NAME is the row's; default: WHAT's."`
	Baseline string   `placeholder:"NAME" help:"The system that the others are compared with. Default: the first."`
	Out      string   `required:"" placeholder:"DIR" help:"Folder for tables, figures, sheets and results. What is there already is not made again."`
	JSON     bool     `name:"json" help:"Print JSON in place of the table."`

	Metrics string `default:"psnr_y_bt601,ssim_y_bt601,sharpness" placeholder:"LIST" help:"Separated by commas, see pdd eval --help. Default: ${default}." group:"Measuring"`
	Crop    int    `default:"0" placeholder:"N" help:"Leave out N pixels at each border; papers leave out the upscaling factor." group:"Measuring"`
	parameterFlags
	lpipsFlags

	upscaleFlags `group:"Upscaling"`

	sheetFlags
}

// Run compares, prints the table and fails if a picture could not be made or measured.
func (c *compareRunCmd) Run(e *env) error {
	nets := lpipsNets{flags: c.lpipsFlags, device: c.Device}
	defer nets.close()
	o, err := c.options(e, &nets)
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
	err = c.draw(e, c.Out, result)
	if e.ctx.Err() != nil {
		return c.resumable(e, err)
	}
	if n := len(result.Failed()); n > 0 {
		err = errors.Join(err, fmt.Errorf("%d of %d results are missing or could not be measured: %s names them",
			n, len(result.Systems)*len(result.Pictures), filepath.Join(c.Out, tableName)))
	}
	return err
}

// tableName is the Markdown table in the folder of a comparison.
const tableName = "table.md"

// resumable says what an interruption left.
func (c *compareRunCmd) resumable(e *env, err error) error {
	if e.ctx.Err() != nil {
		return fmt.Errorf("interrupted: what is finished is kept in %s: run the same command to go on", c.Out)
	}
	return err
}

func (c *compareRunCmd) options(e *env, nets *lpipsNets) (o compare.Options, err error) {
	o = compare.Options{LR: c.LR, GT: c.GT, Baseline: c.Baseline, Out: c.Out}
	if c.LR == "" && c.GT == "" {
		return o, usagef("name the folders to compare on: --lr, --gt or both")
	}
	if o.Systems, err = c.systems(e); err != nil {
		return o, err
	}
	if err := c.validateNets(); err != nil {
		return o, err
	}
	if c.parameterFlags, err = c.found(c.Metrics); err != nil {
		return o, err
	}
	eval := evalCmd{GT: c.GT, Metrics: c.Metrics, Crop: c.Crop, parameterFlags: c.parameterFlags}
	if o.Metrics, err = eval.metrics(nets); err != nil {
		return o, err
	}
	if o.MetricKey, err = c.metricKey(o.Metrics); err != nil {
		return o, err
	}
	if o.Baseline == "" {
		o.Baseline = o.Systems[0].Name
	}
	return o, nil
}

// metricKey is the sha256 of the files that the metrics were made from.
func (c *compareRunCmd) metricKey(list []measure.Metric) (string, error) {
	files := []string{c.NIQE, c.NRQM}
	for _, net := range []string{"alex", "vgg", "squeeze"} {
		if slices.ContainsFunc(list, func(m measure.Metric) bool { return strings.HasPrefix(m.Name, "lpips_"+net) }) {
			backbone, heads, err := c.files(net)
			if err != nil {
				return "", err
			}
			files = append(files, backbone, heads)
		}
	}
	return fileKey(files...)
}

// write prints the table and writes it to the folder in all forms.
func (c *compareRunCmd) write(e *env, r *compare.Comparison) error {
	for _, f := range []struct {
		name string
		fill func(io.Writer) error
	}{{tableName, r.WriteMarkdown}, {"table.csv", r.WriteCSV}, {"pictures.csv", r.WritePicturesCSV}, {"compare.json", r.WriteJSON}} {
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
