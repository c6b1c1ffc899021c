// Command loader measures package data's loader: batches of 8 labelled and 8 unlabelled patches, 48×48 and 192×192
// pixels, from a folder of HR pictures and one of LR pictures. loader.py measures PyTorch's DataLoader at the same
// work; run.sh runs both in turn.
//
//	go run ./bench/loader --hr photos/png --lr photos/jpg --preset bicubic --cache 512
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/gopdd/gopdd/data"
)

func main() {
	hr := flag.String("hr", "", "folder of HR pictures")
	lr := flag.String("lr", "", "folder of unlabelled pictures")
	preset := flag.String("preset", "bicubic", "degradation")
	cache := flag.Int64("cache", 0, "MiB of decoded pictures to keep")
	warm := flag.Int("warm", 2, "batches before the clock starts")
	batches := flag.Int("batches", 20, "batches to time")
	workers := flag.Int("workers", 2, "goroutines")
	flag.Parse()
	seconds, err := measure(*hr, *lr, *preset, *cache<<20, *warm, *batches, *workers)
	if err != nil {
		fmt.Fprintln(os.Stderr, "loader:", err)
		os.Exit(1)
	}
	fmt.Printf("%.2f\n", float64(*batches)/seconds)
}

// measure returns the seconds that the batches took.
func measure(hr, lr, preset string, cache int64, warm, batches, workers int) (float64, error) {
	loader, err := newLoader(hr, lr, preset, cache, workers)
	if err != nil {
		return 0, err
	}
	var start time.Time
	n := 0
	for _, err := range loader.Batches(context.Background(), 0) {
		if err != nil {
			return 0, err
		}
		n++
		switch n {
		case warm:
			start = time.Now()
		case warm + batches:
			return time.Since(start).Seconds(), nil
		}
	}
	return 0, nil
}

func newLoader(hr, lr, preset string, cache int64, workers int) (*data.Loader, error) {
	degradation, err := data.Preset(preset, 4)
	if err != nil {
		return nil, err
	}
	hrItems, err := data.List(hr)
	if err != nil {
		return nil, err
	}
	lrItems, err := data.List(lr)
	if err != nil {
		return nil, err
	}
	o := data.Options{Patch: 48, Augment: true}
	if cache > 0 {
		o.Cache = data.NewCache(cache)
	}
	labelled, err := data.NewSynthetic(hrItems, degradation, o)
	if err != nil {
		return nil, err
	}
	unlabelled, err := data.NewUnpaired(lrItems, o)
	if err != nil {
		return nil, err
	}
	return data.NewLoader(data.LoaderConfig{Labelled: labelled, Unlabelled: unlabelled, BatchSize: 8, Workers: workers})
}
