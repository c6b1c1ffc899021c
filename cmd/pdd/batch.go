package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gopdd/gopdd/internal/atomicfile"
	"github.com/gopdd/gopdd/internal/imgio"
)

// What became of an image.
const (
	statusDone      = "done"
	statusSkipped   = "skipped"   // the output was there
	statusFailed    = "failed"    // see Error
	statusCancelled = "cancelled" // by ctrl-C
)

// result is what became of one job.
type result struct {
	Input     string  `json:"input"`
	Output    string  `json:"output"`
	Status    string  `json:"status"`
	Error     string  `json:"error,omitempty"`
	Width     int     `json:"width,omitempty"` // of the input, pixels
	Height    int     `json:"height,omitempty"`
	OutWidth  int     `json:"out_width,omitempty"`
	OutHeight int     `json:"out_height,omitempty"`
	Seconds   float64 `json:"seconds,omitempty"` // in the network, waiting excluded
}

// batch upscales jobs. While the network works on one image, the next is read or the one before is written.
type batch struct {
	engine  engine
	call    callConfig
	quality int
	stdin   io.Reader
	stdout  io.Writer
	ext     string       // of the format on stdout
	limits  imgio.Limits // of inputs
	ahead   int          // images in memory at a time, at least 1
	bar     *progress
}

// run does all jobs that are not to be skipped, in their order, and goes on after failures.
func (b *batch) run(ctx context.Context, jobs []job) []result {
	results := make([]result, len(jobs))
	turn := make(chan struct{}) // closed when the network is free for the job
	close(turn)
	var group errgroup.Group
	group.SetLimit(b.ahead)
	for i, j := range jobs {
		results[i] = result{Input: j.in, Output: j.out, Status: statusSkipped}
		if j.err != nil {
			results[i].Status, results[i].Error = statusFailed, j.err.Error()
		}
		if j.idle() {
			continue
		}
		mine, next := turn, make(chan struct{})
		turn = next
		group.Go(func() error {
			r := &results[i]
			err := b.one(ctx, j, r, mine, sync.OnceFunc(func() { <-mine; close(next) }))
			switch {
			case err == nil:
				r.Status = statusDone
			case ctx.Err() != nil && errors.Is(err, ctx.Err()):
				r.Status = statusCancelled
			default:
				r.Status, r.Error = statusFailed, err.Error()
			}
			b.bar.finish(j)
			return nil
		})
	}
	group.Wait() // failures are in results
	return results
}

// one reads an image, upscales it when it is its turn, passes the turn on, and writes the result. What cannot be written is
// refused before the network runs.
func (b *batch) one(ctx context.Context, j job, r *result, turn <-chan struct{}, pass func()) error {
	defer pass()
	if err := ctx.Err(); err != nil {
		return err
	}
	ext := b.ext
	if j.out != stdio {
		ext = filepath.Ext(j.out)
		if err := makeRoom(j.out); err != nil {
			return err
		}
	}
	img, info, err := b.read(j.in)
	if err != nil {
		return err
	}
	if info.Alpha && writable(strings.ToLower(ext)) == "jpg" {
		return imgio.ErrTransparent
	}
	r.Width, r.Height = info.Width, info.Height
	<-turn
	out, err := b.upscale(ctx, j, img, r)
	pass()
	if err != nil {
		return err
	}
	r.OutWidth, r.OutHeight = out.Bounds().Dx(), out.Bounds().Dy()
	if j.out == stdio {
		return imgio.Encode(b.stdout, ext, out, imgio.Quality(b.quality), imgio.Profile(info.Profile))
	}
	return imgio.WriteFile(j.out, out, imgio.Quality(b.quality), imgio.Profile(info.Profile))
}

func (b *batch) read(path string) (image.Image, imgio.Info, error) {
	if path == stdio {
		return imgio.Read(b.stdin, b.limits)
	}
	return imgio.ReadFile(path, b.limits)
}

// makeRoom makes the folder of an output, and fails if files cannot be written there.
func makeRoom(out string) error {
	if err := os.MkdirAll(filepath.Dir(out), 0o777); err != nil {
		return fmt.Errorf("make the output's folder: %w", err)
	}
	return atomicfile.Check(out)
}

func (b *batch) upscale(ctx context.Context, j job, img image.Image, r *result) (image.Image, error) {
	call := b.call
	call.Progress = func(done, total int) { b.bar.at(j, done, total) }
	b.bar.at(j, 0, 1)
	start := time.Now()
	out, err := b.engine.Upscale(ctx, img, call)
	r.Seconds = time.Since(start).Seconds()
	return out, err
}
