package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/schollz/progressbar/v3"

	"github.com/gopdd/gopdd/data"
)

type dataCmd struct {
	Check   dataCheckCmd   `cmd:"" help:"Look a data set over before training: damage, sizes, pairs, duplicates."`
	Prepare dataPrepareCmd `cmd:"" help:"Cut sub-images, or make shrunk copies."`
}

type dataCheckCmd struct {
	Path  string `arg:"" optional:"" help:"Data set: folder, .zip, .tar or .txt list. HR and LR are told by their names."`
	HR    string `name:"hr" placeholder:"PATH" help:"HR images, in place of one path."`
	LR    string `name:"lr" placeholder:"PATH" help:"LR images, paired by name with --hr if that is given."`
	Scale int    `default:"4" placeholder:"4" help:"HR side / LR side."`
	Patch int    `default:"48" placeholder:"48" help:"Side of the LR patch of training; 0: any size will do."`
	JSON  bool   `name:"json" help:"Print JSON."`
}

// Run checks the data set and fails if something in it would stop training.
func (c *dataCheckCmd) Run(e *env) error {
	found, err := c.find()
	if err != nil {
		return err
	}
	bar := newCounter(e, "check")
	defer bar.close()
	r, err := data.Check(e.ctx, found, data.CheckOptions{Scale: c.Scale, Patch: c.Patch, Progress: bar.at})
	if err != nil {
		return err
	}
	bar.close()
	if c.JSON {
		err = writeJSON(e.stdout, r)
	} else {
		err = printCheck(e, found, r)
	}
	if n := r.Stopping(); err == nil && n > 0 {
		err = fmt.Errorf("%d findings would stop training: mend or remove the files", n)
	}
	return err
}

func (c *dataCheckCmd) find() (f data.Found, err error) {
	switch {
	case (c.Path != "") == (c.HR != "" || c.LR != ""):
		return f, usagef("name either one data set or --hr and --lr")
	case c.Path != "":
		return data.Find(c.Path, c.Scale)
	}
	if c.HR != "" {
		if f.HR, err = data.List(c.HR); err != nil {
			return f, err
		}
	}
	if c.LR != "" {
		if f.LR, err = data.List(c.LR); err != nil {
			return f, err
		}
	}
	if c.HR != "" && c.LR != "" {
		f.Pairs, err = data.MatchPairs(f.LR, f.HR)
		f.HR, f.LR = nil, nil
	}
	return f, err
}

func printCheck(e *env, f data.Found, r data.CheckReport) error {
	fmt.Fprintf(e.stdout, "%d readable images: %d pairs, %d HR, %d LR, %d of unknown kind\n",
		r.Pictures, len(f.Pairs), len(f.HR), len(f.LR), len(f.Other))
	if r.Pictures > 0 {
		var formats []string
		for _, name := range slices.Sorted(maps.Keys(r.Formats)) {
			formats = append(formats, fmt.Sprintf("%d %s", r.Formats[name], name))
		}
		fmt.Fprintf(e.stdout, "%s; %d×%d to %d×%d pixels\n", strings.Join(formats, ", "), r.Smallest.X, r.Smallest.Y, r.Largest.X, r.Largest.Y)
	}
	table := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	for _, finding := range r.Findings {
		mark := "note"
		if finding.Trouble.Stops() {
			mark = "STOPS"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", mark, finding.Trouble, finding.Path, strings.ReplaceAll(finding.Detail, "\n", "; "))
	}
	return table.Flush()
}

type dataPrepareCmd struct {
	Path string `arg:"" help:"Folder, .zip, .tar or .txt list of images."`
	Out  string `required:"" short:"o" placeholder:"DIR" help:"Folder for the new images."`
	Kind string `required:"" enum:"subimages,lr-subimages,drealsr,multiscale" placeholder:"KIND" help:"subimages: squares of 480 every 240 pixels, as BasicSR cuts HR; lr-subimages: 120 every 60, its LR at scale 4; drealsr: LR squares of 512 side by side; multiscale: copies at 3/4, 1/2, 1/3 and with a shorter side of 400, as Real-ESRGAN makes."`
	Size int    `placeholder:"N" help:"Side of the squares, in place of the kind's."`
	Step int    `placeholder:"N" help:"From one square to the next, in place of the kind's."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// Run prepares the images. Those that cannot be read are named and make the command fail in the end.
func (c *dataPrepareCmd) Run(e *env) error {
	if c.Kind == "multiscale" && (c.Size != 0 || c.Step != 0) {
		return usagef("--size and --step are for squares, not for --kind multiscale")
	}
	items, err := data.List(c.Path)
	if err != nil {
		return err
	}
	bar := newCounter(e, "prepare")
	defer bar.close()
	done, err := c.prepare(e, items, data.PrepareOptions{Progress: bar.at})
	if err != nil {
		return err
	}
	bar.close()
	return reportPrepared(e, done, len(items), c.Out, c.JSON)
}

func (c *dataPrepareCmd) prepare(e *env, items []data.Item, o data.PrepareOptions) (data.Prepared, error) {
	cutting := data.CutDF2KHR
	switch c.Kind {
	case "multiscale":
		return data.MultiScale(e.ctx, items, c.Out, data.ScalesDF2K, o)
	case "lr-subimages":
		cutting = data.CutDF2KLR4
	case "drealsr":
		cutting = data.CutDRealSR
	}
	if c.Size > 0 {
		cutting.Size = c.Size
	}
	if c.Step > 0 {
		cutting.Step = c.Step
	}
	return data.SubImages(e.ctx, items, c.Out, cutting, o)
}

// counter is a bar over a number of images. Without a terminal it shows nothing.
type counter struct {
	mu  sync.Mutex
	e   *env
	of  string
	bar *progressbar.ProgressBar
}

func newCounter(e *env, deed string) *counter { return &counter{e: e, of: deed} }

// at says that done of total images are done.
func (c *counter) at(done, total int) {
	if !c.e.terminal {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bar == nil {
		c.bar = newBar(c.e.stderr, int64(total), progressbar.OptionSetDescription(c.of), progressbar.OptionShowCount())
	}
	c.bar.Set(done)
}

// close takes the bar off the screen.
func (c *counter) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bar != nil {
		c.bar.Clear()
		c.bar = nil
	}
}
