package main

import (
	"cmp"
	"context"
	"errors"
	"image"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// serviceTiming is what a number of concurrent callers saw.
type serviceTiming struct {
	Callers    int     `json:"callers"`
	Pictures   int     `json:"pictures"`
	Megapixels float64 `json:"lr_megapixels_per_s"`
	Relative   float64 `json:"relative"` // Megapixels over that of a single caller
	latency
	Small smallLatency `json:"small"` // of the smallest pictures, which wait for the large ones
}

// latency of calls, in seconds.
type latency struct {
	P50 float64 `json:"p50_s"`
	P99 float64 `json:"p99_s"`
}

type smallLatency struct {
	Size pixelSize `json:"size"`
	latency
}

// sample is one call.
type sample struct {
	size    pixelSize
	seconds float64
}

// timeService measures one engine under each number of callers, a single one first.
func (c *benchCmd) timeService(e *env, cfg engineConfig) (list []serviceTiming, err error) {
	eng, err := e.newEngine(cfg)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, eng.Close()) }()
	pictures := make([]image.Image, len(c.Size))
	for i, size := range c.Size {
		pictures[i] = noise(size)
		if _, err := call(e.ctx, eng, pictures[i]); err != nil { // builds what libtorch builds once for each size
			return nil, err
		}
	}
	single, err := c.serve(e.ctx, eng, pictures, 1)
	if err != nil {
		return nil, err
	}
	for _, n := range c.Callers {
		s := single
		if n > 1 {
			if s, err = c.serve(e.ctx, eng, pictures, n); err != nil {
				return nil, err
			}
		}
		s.Relative = s.Megapixels / single.Megapixels
		list = append(list, s)
	}
	return list, nil
}

// serve lets n callers take the pictures in turn until c.For has passed.
func (c *benchCmd) serve(ctx context.Context, eng engine, pictures []image.Image, n int) (serviceTiming, error) {
	var (
		next    atomic.Int64
		mu      sync.Mutex
		samples []sample
		group   errgroup.Group
		start   = time.Now()
	)
	for range n {
		group.Go(func() error {
			for time.Since(start) < c.For {
				i := int(next.Add(1)-1) % len(pictures)
				seconds, err := call(ctx, eng, pictures[i])
				if err != nil {
					return err
				}
				mu.Lock()
				samples = append(samples, sample{c.Size[i], seconds})
				mu.Unlock()
			}
			return nil
		})
	}
	err := group.Wait()
	return summarize(n, samples, time.Since(start).Seconds()), err
}

// call upscales a picture and tells the seconds it took.
func call(ctx context.Context, eng engine, img image.Image) (float64, error) {
	start := time.Now()
	_, err := eng.Upscale(ctx, img, callConfig{Progress: func(int, int) {}})
	return time.Since(start).Seconds(), err
}

func summarize(callers int, samples []sample, seconds float64) serviceTiming {
	s := serviceTiming{Callers: callers, Pictures: len(samples)}
	if len(samples) == 0 {
		return s
	}
	pixels := func(x sample) int { return x.size.W * x.size.H }
	s.Small.Size = slices.MinFunc(samples, func(a, b sample) int { return cmp.Compare(pixels(a), pixels(b)) }).size
	var all, small []float64
	for _, x := range samples {
		s.Megapixels += float64(pixels(x)) / 1e6 / seconds
		all = append(all, x.seconds)
		if x.size == s.Small.Size {
			small = append(small, x.seconds)
		}
	}
	s.latency, s.Small.latency = latencyOf(all), latencyOf(small)
	return s
}

func latencyOf(seconds []float64) latency {
	slices.Sort(seconds)
	return latency{P50: quantile(seconds, 0.5), P99: quantile(seconds, 0.99)}
}

// noise is a picture that no two rows of are equal.
func noise(size pixelSize) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, size.W, size.H))
	state := uint32(1)
	for i := range img.Pix {
		state = state*1664525 + 1013904223
		img.Pix[i] = uint8(state>>24) | uint8(i%4/3*255) // alpha 255
	}
	return img
}
