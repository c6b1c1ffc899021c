package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"github.com/gopdd/gopdd/internal/imgio"
)

type upscaleCmd struct {
	Inputs []string `arg:"" name:"in" help:"Images, folders or globs; or - for an image on standard input."`
	Out    string   `required:"" placeholder:"PATH" help:"Folder for the results, which keep their names and the tree of folders; or for a single image a file, or - for standard output (PNG unless --format says otherwise)."`

	Weights         string  `placeholder:"NAME|FILE" help:"A name of the catalogue (see pdd weights list) or a weight file. Default: the built-in model."`
	Precision       string  `default:"auto" enum:"auto,float32,bfloat16,float16,tf32" help:"auto, float32, bfloat16, float16 or tf32 (the last for CUDA devices)."`
	ColorCorrection bool    `help:"Give the result the mean colours and contrast of the input."`
	OutScale        float64 `placeholder:"F" help:"Resize the result to F times the input. Default: the network's scale."`
	engineFlags

	Suffix    string `placeholder:"TEXT" help:"Append TEXT to the names of the results, before the extension."`
	Format    string `default:"auto" enum:"auto,png,jpg,tif" help:"auto (as the input; png for WebP, BMP and GIF), png, jpg or tif."`
	Quality   int    `default:"95" help:"JPEG quality, 1 to 100."`
	Recursive bool   `help:"Descend into the folders of folders."`
	Overwrite bool   `help:"Replace results that are there. Default: skip them."`
	Shard     shard  `placeholder:"I/N" help:"Only part I of N, I from 0: for N machines that share the work. An image's part follows from its name alone."`
	JSON      bool   `name:"json" help:"Print a report in JSON."`
}

// report is the machine-readable account of a run.
type report struct {
	Upscaler  any      `json:"upscaler,omitempty"` // absent when nothing was to do
	Images    []result `json:"images"`
	Done      int      `json:"done"`
	Skipped   int      `json:"skipped"`
	Failed    int      `json:"failed"`
	Cancelled int      `json:"cancelled"`
	Seconds   float64  `json:"seconds"`
}

// Run upscales all inputs, prints the account and fails if an image did.
func (c *upscaleCmd) Run(e *env) error {
	if err := c.validate(); err != nil {
		return err
	}
	jobs, note, err := plan(c.Inputs, layout{out: c.Out, suffix: c.Suffix, format: c.Format, recursive: c.Recursive, overwrite: c.Overwrite})
	if err != nil {
		return err
	}
	jobs = c.Shard.jobs(jobs)
	start := time.Now()
	var r report
	if r.Images, r.Upscaler, err = c.process(e, jobs); err != nil {
		return err
	}
	r.Seconds = time.Since(start).Seconds()
	r.count()
	if note != "" {
		e.complain(note)
	}
	if err := c.print(e, r); err != nil {
		return err
	}
	switch {
	case e.ctx.Err() != nil && r.Cancelled > 0:
		return fmt.Errorf("interrupted: %d of %d images left", r.Cancelled, len(jobs))
	case r.Failed > 0:
		return fmt.Errorf("%d of %d images failed", r.Failed, len(jobs))
	}
	return nil
}

var deviceName = regexp.MustCompile(`^(cpu|cuda(:[0-9]+)?)$`)

func (c *upscaleCmd) validate() error {
	switch {
	case c.OutScale < 0 || c.OutScale > 64:
		return usagef("--out-scale %v: must be above 0 and at most 64", c.OutScale)
	case c.Quality < 1 || c.Quality > 100:
		return usagef("--quality %d: must be 1 to 100", c.Quality)
	}
	return c.engineFlags.validate(c.Precision)
}

// process makes the engine, if there is anything to do, and runs the jobs on it.
func (c *upscaleCmd) process(e *env, jobs []job) (images []result, upscaler any, err error) {
	b := batch{call: callConfig{ColorCorrection: c.ColorCorrection, OutScale: c.OutScale}, quality: c.Quality, ahead: 2,
		stdin: e.stdin, stdout: e.stdout, ext: ".png"}
	if c.Format != "auto" {
		b.ext = "." + c.Format
	}
	if c.MemoryLimit > 0 {
		b.ahead = 1 // the limit is the engine's business, a second image would come on top
		b.limits.MaxPixels = max(int64(c.MemoryLimit)/imgio.PixelBytes, 1)
	}
	if anyToDo(jobs) {
		if b.engine, err = c.newEngine(e); err != nil {
			return nil, nil, err
		}
		defer func() { err = errors.Join(err, b.engine.Close()) }()
		upscaler = b.engine.Describe()
		if e.terminal {
			b.bar = newProgress(e.stderr, jobs)
		}
	}
	images = b.run(e.ctx, jobs)
	b.bar.close()
	return images, upscaler, nil
}

func (c *upscaleCmd) newEngine(e *env) (engine, error) {
	path, err := weightsPath(c.Weights)
	if err != nil {
		return nil, err
	}
	return e.newEngine(c.config(path, c.Precision))
}

func anyToDo(jobs []job) bool {
	for _, j := range jobs {
		if !j.idle() {
			return true
		}
	}
	return false
}

func (r *report) count() {
	for _, image := range r.Images {
		switch image.Status {
		case statusDone:
			r.Done++
		case statusSkipped:
			r.Skipped++
		case statusFailed:
			r.Failed++
		case statusCancelled:
			r.Cancelled++
		}
	}
}

// print lists the failures on stderr and prints the account.
func (c *upscaleCmd) print(e *env, r report) error {
	for _, image := range r.Images {
		if image.Status == statusFailed {
			e.complain(image.Input + ": " + image.Error)
		}
	}
	out := e.stdout
	if c.Out == stdio { // which the picture has
		out = e.stderr
	}
	if c.JSON {
		return writeJSON(out, r)
	}
	_, err := fmt.Fprintf(out, "%d done, %d skipped, %d failed in %.1f s\n", r.Done, r.Skipped, r.Failed, r.Seconds)
	return err
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
