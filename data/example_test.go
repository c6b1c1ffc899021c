package data_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gopdd/gopdd/data"
)

// A degradation is a value: draw it, print it, apply it as often as you like.
func ExamplePreset() {
	degradation, err := data.Preset("bicubic_jpeg", 4)
	if err != nil {
		log.Fatal(err)
	}
	recipe := degradation.Draw(data.Rand(1, 0, 0))
	hr, err := data.NewImage(3, 66, 81) // black
	if err != nil {
		log.Fatal(err)
	}
	lr, target, err := recipe.Apply(hr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("target %d×%d, LR %d×%d, %d steps\n", target.W, target.H, lr.W, lr.H, len(recipe.Steps))
	// Output: target 80×64, LR 20×16, 3 steps
}

// Batches of 8 labelled and 8 unlabelled patches, as the trainer takes them. After an interruption begin with the
// number of the batch after the last one used.
func ExampleLoader() {
	hr, err := data.List("DF2K/DF2K_train_HR")
	if err != nil {
		log.Fatal(err)
	}
	real, err := data.List("RealSR/Canon/Train/4")
	if err != nil {
		log.Fatal(err)
	}
	bicubic, err := data.Preset("bicubic", 4)
	if err != nil {
		log.Fatal(err)
	}
	options := data.Options{Patch: 48, Augment: true, Cache: data.NewCache(2 << 30)}
	labelled, err := data.NewSynthetic(hr, bicubic, options)
	if err != nil {
		log.Fatal(err)
	}
	unlabelled, err := data.NewUnpaired(real, options)
	if err != nil {
		log.Fatal(err)
	}
	loader, err := data.NewLoader(data.LoaderConfig{Labelled: labelled, Unlabelled: unlabelled, BatchSize: 8, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	for batch, err := range loader.Batches(context.Background(), 0) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(batch.Step, batch.LabelledHR.N)
	}
}
