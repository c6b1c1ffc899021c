// Command example upscales a real photograph with the real Real-ESRGAN weights and saves it beside bicubic
// interpolation: the library in one short program. `make example` runs it.
package main

import (
	"context"
	"flag"
	"fmt"
	"image"
	"image/draw"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/imgio"
	"github.com/gopdd/gopdd/internal/weights"
	"github.com/gopdd/gopdd/pdd"
	"github.com/gopdd/gopdd/tensor"
)

func main() {
	log.SetFlags(0)
	file := flag.String("weights", defaultWeights(), "weight file of a x4 network")
	in := flag.String("in", "", "photograph to upscale")
	out := flag.String("out", "out/example.png", "picture to write: the input's pixels, bicubic, the network")
	flag.Parse()
	if err := run(context.Background(), *file, *in, *out); err != nil {
		log.Fatal("example: ", err)
	}
}

// defaultWeights is where `pdd weights get realesrgan-x4plus` puts them.
func defaultWeights() string {
	dir, err := weights.DefaultDir()
	if err != nil {
		return ""
	}
	entry, err := weights.Lookup("realesrgan-x4plus")
	if err != nil {
		return ""
	}
	path, _ := entry.Find(dir)
	return path
}

func run(ctx context.Context, file, in, out string) error {
	photo, _, err := imgio.ReadFile(in, imgio.Limits{})
	if err != nil {
		return err
	}
	up, err := pdd.NewUpscaler(pdd.WithWeights(file))
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
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	if err := imgio.WriteFile(out, beside(enlarge(photo, 4), bicubic, big)); err != nil {
		return err
	}
	d := up.Describe()
	fmt.Printf("%s: %v → %v in %.1f s (%s, %s, %d threads), %d MiB of tensors at most\nwrote %s: pixels, bicubic, %s\n",
		in, photo.Bounds().Size(), big.Bounds().Size(), took.Seconds(), d.Network, d.Precision, d.Threads,
		tensor.MemoryStats().PeakBytes>>20, out, d.Network)
	return nil
}

// enlarge repeats pixels, to show what the input holds.
func enlarge(m image.Image, factor int) image.Image {
	b := m.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, b.Dx()*factor, b.Dy()*factor))
	for y := range out.Bounds().Dy() {
		for x := range out.Bounds().Dx() {
			out.Set(x, y, m.At(b.Min.X+x/factor, b.Min.Y+y/factor))
		}
	}
	return out
}

// beside puts pictures of one size next to each other.
func beside(pictures ...image.Image) image.Image {
	size := pictures[0].Bounds().Size()
	out := image.NewNRGBA(image.Rect(0, 0, size.X*len(pictures), size.Y))
	for i, p := range pictures {
		draw.Draw(out, image.Rect(i*size.X, 0, (i+1)*size.X, size.Y), p, p.Bounds().Min, draw.Src)
	}
	return out
}
