// Command features trains Φ, the network whose features the method compares, where torchvision's VGG19 cannot be had: a
// VGG19 of any width learns to tell how a picture was damaged and which photograph it is from.
//
//	go run ./recipes/features --photos recipes/default/work/train --out features.safetensors
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"os/signal"
	"time"

	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

type options struct {
	photos, out         string
	width, batch, steps int
	rate, deviation     float64
	seed                uint64
}

func main() {
	log.SetFlags(0)
	var o options
	flag.StringVar(&o.photos, "photos", "", "folder of sharp photographs")
	flag.StringVar(&o.out, "out", "features.safetensors", "file to write")
	flag.IntVar(&o.width, "width", 16, "channels of the first group: 64 in torchvision's VGG19")
	flag.IntVar(&o.batch, "batch", 24, "crops in a step")
	flag.IntVar(&o.steps, "steps", 5000, "steps")
	flag.Float64Var(&o.rate, "rate", 1e-3, "Adam's rate, which falls to 0 by a half cosine")
	flag.Float64Var(&o.deviation, "deviation", 1, "of each layer's features in the end: the distances depend on how large they are")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of weights and crops")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		log.Fatal("features: ", err)
	}
}

func run(ctx context.Context, o options) error {
	crops, err := newCrops(o.photos)
	if err != nil {
		return err
	}
	phi, err := models.NewVGG19(o.width, models.InputNorm{ImageNet: true}, int64(o.seed), tensor.CPU)
	if err != nil {
		return err
	}
	defer phi.Close()
	l, err := newLearner(phi, o.width, len(kinds), crops.photos())
	if err != nil {
		return err
	}
	defer l.Close()
	if err := learn(ctx, l, crops, o); err != nil {
		return err
	}
	return phi.Save(o.out, map[string]string{"made_by": fmt.Sprintf("recipes/features, width %d, %d steps of %d crops, seed %d, deviation %g", o.width, o.steps, o.batch, o.seed, o.deviation)})
}

// learn makes all steps and reports on them.
func learn(ctx context.Context, l *learner, crops *crops, o options) error {
	w, err := tensor.NewWorker(0)
	if err != nil {
		return err
	}
	defer w.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	batches := crops.batches(ctx, o.seed, o.batch)
	start, sum := time.Now(), result{}
	for step := range o.steps {
		b, ok := <-batches
		if !ok {
			return ctx.Err()
		}
		if b.err != nil {
			return b.err
		}
		rate := o.rate * (1 + math.Cos(math.Pi*float64(step)/float64(o.steps))) / 2
		err := w.Do(ctx, func(s *tensor.Scope) error {
			if step == 0 {
				begin(s, l.phi, b.pixels(s))
			}
			sum.add(l.step(s, b, rate))
			if step == o.steps-1 {
				scale(s, l.phi, b.pixels(s), o.deviation)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if done := step + 1; done%100 == 0 || done == o.steps {
			fmt.Printf("step %d/%d, %.0f s: %v\n", done, o.steps, time.Since(start).Seconds(), sum)
			sum = result{}
		}
	}
	return nil
}
