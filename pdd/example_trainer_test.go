package pdd_test

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/losses"
	"github.com/gopdd/gopdd/pdd"
)

// plots is a data set of pictures that a program has in memory; any type with these three methods is one.
type plots struct {
	pictures []*data.Image
	side     int              // of the patches
	shrink   data.Degradation // makes LR of HR; nil: pictures of the target domain, which are LR
}

func (p plots) Len() int          { return len(p.pictures) }
func (p plots) Name(i int) string { return fmt.Sprintf("plot %d", i) }

// Sample takes a random patch; what is random comes from rng alone.
func (p plots) Sample(rng *rand.Rand, i int) (data.Sample, error) {
	m := p.pictures[i]
	patch, err := m.Crop(rng.IntN(m.W-p.side+1), rng.IntN(m.H-p.side+1), p.side, p.side)
	if err != nil || p.shrink == nil {
		return data.Sample{LR: patch}, err
	}
	lr, hr, err := p.shrink.Draw(rng).Apply(patch)
	return data.Sample{LR: lr, HR: hr}, err
}

// A training loop of one's own: pictures in memory, the paper's method, one Step after the other.
func ExampleNewTrainer() {
	bicubic, err := data.Preset("bicubic", 2)
	if err != nil {
		log.Fatal(err)
	}
	var sharp, blurred []*data.Image // here: noise
	for i := range 4 {
		sharp = append(sharp, data.FromImage(noise(40, 40, uint64(i))))
		blurred = append(blurred, data.FromImage(noise(30, 30, uint64(i))))
	}

	cfg := pdd.SingleFixed()                                                                        // the generalist is what the specialist starts from
	cfg.Specialist = pdd.NetworkConfig{New: &pdd.Sizes{Kind: "srvgg", Scale: 2, Feat: 8, Depth: 2}} // or Weights: "realesrgan-x4plus"
	cfg.Features = pdd.FeaturesConfig{Random: true, InputNorm: true}                                // or Weights: "vgg19"
	cfg.Loss.Perceptual.Weight, cfg.Loss.Intra.Weight = 0, 0                                        // of the distances R_inter alone
	cfg.Loss.Inter.Layers = losses.Layers{"conv1_1": 1}
	cfg.Discriminator.Feat = 4
	cfg.Warmup = pdd.WarmupConfig{Discriminator: 2}
	cfg.Data.Batch = 2
	cfg.Steps = 4
	trainer, err := pdd.NewTrainer(cfg, pdd.WithDatasets(plots{sharp, 16, bicubic}, plots{blurred, 8, nil}))
	if err != nil {
		log.Fatal(err)
	}
	defer trainer.Close()
	ctx := context.Background()
	for batch, err := range trainer.Batches(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		report, err := trainer.Step(ctx, batch)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("step %d: the specialist learns: %t; %d losses\n", report.Step, report.Generator, len(report.Losses))
		if report.Step == cfg.Steps {
			break
		}
	}
	up, err := pdd.NewUpscaler(pdd.WithModel(trainer.Result())) // or trainer.SaveModel("model.pth")
	if err != nil {
		log.Fatal(err)
	}
	defer up.Close()
	result, err := up.Upscale(ctx, noise(20, 10, 1))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Bounds().Size())
	// Output:
	// step 1: the specialist learns: false; 4 losses
	// step 2: the specialist learns: false; 4 losses
	// step 3: the specialist learns: true; 7 losses
	// step 4: the specialist learns: true; 7 losses
	// (40,20)
}
