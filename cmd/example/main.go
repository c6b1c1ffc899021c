// Command example shows the library in one short program, on real photographs and the built-in model: it upscales one,
// then adapts the model to a camera of which it knows nothing but pictures, and measures what that changed. `make
// example` runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/imgio"
	"github.com/gopdd/gopdd/pdd"
	"github.com/gopdd/gopdd/tensor"
)

func main() {
	log.SetFlags(0)
	in := flag.String("in", "", "photograph to upscale")
	photos := flag.String("photos", "testdata/photos", "folder with labelled, target and test photographs")
	out := flag.String("out", "out", "folder for the results; what is there from an earlier run is replaced")
	steps := flag.Int("steps", 150, "steps of the adaptation; 0: none")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *in, *photos, *out, *steps); err != nil {
		log.Fatal("example: ", err)
	}
}

func run(ctx context.Context, in, photos, out string, steps int) error {
	if err := os.MkdirAll(out, 0o777); err != nil {
		return err
	}
	if in != "" {
		if err := upscale(ctx, in, filepath.Join(out, "example.png")); err != nil {
			return err
		}
	}
	if steps == 0 {
		return nil
	}
	return adapt(ctx, photos, filepath.Join(out, "adapt"), steps)
}

// upscale enlarges a photograph with the built-in model and saves it beside its pixels and bicubic interpolation.
func upscale(ctx context.Context, in, out string) error {
	photo, _, err := imgio.ReadFile(in, imgio.Limits{})
	if err != nil {
		return err
	}
	up, err := pdd.NewUpscaler() // or pdd.Upscale(ctx, photo) at once
	if err != nil {
		return err
	}
	defer up.Close()
	start := time.Now()
	big, err := up.Upscale(ctx, photo)
	if err != nil {
		return err
	}
	took := time.Since(start)
	bicubic, err := data.ResizeImage(photo, 4, data.Bicubic)
	if err != nil {
		return err
	}
	if err := imgio.WriteFile(out, beside(enlarge(photo, 4), bicubic, big)); err != nil {
		return err
	}
	d := up.Describe()
	fmt.Printf("%s: %v → %v in %.1f s (built-in model, %s, %d threads), %d MiB of tensors at most\nwrote %s: pixels, bicubic, built-in model\n",
		in, photo.Bounds().Size(), big.Bounds().Size(), took.Seconds(), d.Precision, d.Threads, tensor.MemoryStats(tensor.CPU).PeakBytes>>20, out)
	return nil
}
