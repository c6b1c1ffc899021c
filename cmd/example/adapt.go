package main

import (
	"context"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/imgio"
	"github.com/gopdd/gopdd/metrics"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/pdd"
)

// camera is what the example's camera does to a picture: a soft lens, a noisy sensor, JPEG. Training never sees it, only
// pictures that went through it.
const camera = `
preset: first_order
settings:
  blur: {prob: 1, sizes: [15, 21], sinc: 0, kinds: [0, 1, 0, 0, 0, 0], sigma: [1.2, 2.4]}
  modes: [area]
  noise: {prob: 1, gaussian: 1, sigma: [3, 7], gray: 0}
  jpeg: {prob: 1, quality: [80, 92], real: true}
`

// features is a small VGG19 of recipes/features. Torchvision's has seen more: pdd weights get vgg19.
const features = "recipes/weights/features-vgg19.safetensors"

// adapt trains the built-in model on sharp photographs of anything and on the camera's pictures without ground truth, and
// compares it with what it was on pictures of the camera that training has not seen.
func adapt(ctx context.Context, photos, dir string, steps int) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	for _, set := range []string{"target", "test"} {
		if err := photograph(ctx, filepath.Join(photos, set), filepath.Join(dir, set)); err != nil {
			return err
		}
	}
	start := time.Now()
	adapted, err := train(ctx, filepath.Join(photos, "labelled"), filepath.Join(dir, "target", "LR"), filepath.Join(dir, "run"), steps)
	if err != nil {
		return err
	}
	fmt.Printf("adapted the built-in model to the camera: %d steps in %.0f s: %s\n", steps, time.Since(start).Seconds(), adapted)
	return compare(ctx, filepath.Join(dir, "test"), dir, adapted)
}

// photograph makes the camera's pictures, dir/LR, with what they show beside them, dir/HR.
func photograph(ctx context.Context, photos, dir string) error {
	degradation, err := data.ParseDegradation([]byte(camera))
	if err != nil {
		return err
	}
	items, err := data.List(photos)
	if err != nil {
		return err
	}
	_, err = data.DegradeSet(ctx, items, dir, degradation, data.DegradeOptions{Seed: 1, Targets: true})
	return err
}

// train runs the paper's method (EMA) at a size for two cores, and returns the adapted model's file.
func train(ctx context.Context, labelled, target, dir string, steps int) (string, error) {
	c := pdd.EMA()
	c.Specialist = pdd.NetworkConfig{Weights: "default"}
	c.Features = pdd.FeaturesConfig{Weights: features, InputNorm: true}
	c.Data.HR, c.Data.Unlabelled = []string{labelled}, []string{target}
	c.Data.Batch, c.Data.Patch = 2, 16
	c.Steps, c.EMADecay, c.Optimizer.Milestones = steps, 0.98, nil
	c.Warmup = pdd.WarmupConfig{Discriminator: steps / 10, Distillation: 5}
	c.Output.Dir = dir
	t, err := pdd.NewTrainer(c, pdd.OnStep(func(r pdd.StepReport) {
		if r.Step%25 == 0 {
			fmt.Printf("step %d/%d: wavelet %.4f, perceptual %.3f, intra %.2f, inter %.4f\n",
				r.Step, steps, r.Loss("wavelet"), r.Loss("perceptual"), r.Loss("intra"), r.Loss("inter"))
		}
	}))
	if err != nil {
		return "", err
	}
	defer t.Close()
	if err := t.Run(ctx); err != nil {
		return "", err
	}
	return t.ModelPath(), nil
}

// compare measures bicubic interpolation, the built-in model and the adapted one on the pictures of set, and saves them
// side by side.
func compare(ctx context.Context, set, dir, adapted string) error {
	items, err := data.List(filepath.Join(set, "LR"))
	if err != nil {
		return err
	}
	before, err := pdd.NewUpscaler(pdd.WithWeights(models.BuiltIn))
	if err != nil {
		return err
	}
	defer before.Close()
	after, err := pdd.NewUpscaler(pdd.WithWeights(adapted))
	if err != nil {
		return err
	}
	defer after.Close()
	fmt.Println("PSNR-Y in dB, sharpness     bicubic        built-in       adapted        adapted, colours corrected")
	for _, it := range items {
		lr, _, err := imgio.ReadFile(filepath.Join(set, "LR", it.Key), imgio.Limits{})
		if err != nil {
			return err
		}
		truth, _, err := imgio.ReadFile(filepath.Join(set, "HR", it.Key), imgio.Limits{})
		if err != nil {
			return err
		}
		var row []image.Image
		for _, enlarge := range []func() (image.Image, error){
			func() (image.Image, error) { return data.ResizeImage(lr, 4, data.Bicubic) },
			func() (image.Image, error) { return before.Upscale(ctx, lr) },
			func() (image.Image, error) { return after.Upscale(ctx, lr) },
			func() (image.Image, error) { return after.Upscale(ctx, lr, pdd.ColorCorrection(true)) },
		} {
			big, err := enlarge()
			if err != nil {
				return err
			}
			row = append(row, big)
		}
		if err := report(it.Key, truth, row); err != nil {
			return err
		}
		picture := filepath.Join(dir, "compare-"+filepath.Base(it.Key))
		if err := imgio.WriteFile(picture, beside(append(row[:3:3], truth)...)); err != nil {
			return err
		}
		fmt.Printf("wrote %s: bicubic, built-in, adapted, truth\n", picture)
	}
	return nil
}

// report prints a row of numbers.
func report(name string, truth image.Image, row []image.Image) error {
	fmt.Printf("%-28s", strings.SplitN(name, "_by_", 2)[0])
	for _, m := range row {
		psnr, err := metrics.PSNR(m, truth, metrics.Convention{Color: metrics.YBT601, Crop: 4})
		if err != nil {
			return err
		}
		sharpness, err := metrics.SharpnessRatio(m, truth, 4)
		if err != nil {
			return err
		}
		fmt.Printf("%5.2f %4.2f     ", psnr, sharpness)
	}
	fmt.Println()
	return nil
}
