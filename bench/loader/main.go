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
	"syscall"
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
	loader, err := newLoader(*hr, *lr, *preset, *cache<<20, *workers)
	if err == nil {
		err = measure(loader, *warm, *batches)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "loader:", err)
		os.Exit(1)
	}
}

// measure prints batches per second and milliseconds of processor time per batch.
func measure(loader *data.Loader, warm, batches int) error {
	var start time.Time
	var used time.Duration
	n := 0
	for _, err := range loader.Batches(context.Background(), 0) {
		if err != nil {
			return err
		}
		n++
		switch n {
		case warm:
			start, used = time.Now(), processorTime()
		case warm + batches:
			seconds, used := time.Since(start).Seconds(), processorTime()-used
			fmt.Printf("%.2f %.2f\n", float64(batches)/seconds, used.Seconds()/float64(batches)*1000)
			return nil
		}
	}
	return nil
}

// processorTime is the user and system time of this process so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
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
