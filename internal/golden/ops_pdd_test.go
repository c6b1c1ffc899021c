//go:build cgo

package golden_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"os"
	"path/filepath"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/golden"
	"github.com/gopdd/gopdd/internal/imgio"
	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/internal/tile"
	"github.com/gopdd/gopdd/internal/weights"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/pdd"
	"github.com/gopdd/gopdd/tensor"
)

func init() {
	register(map[string]opFunc{
		"pdd.color_correction":      colorCorrection,
		"upscale.realesrgan_x4plus": upscaleWhole,
		"upscale.tiled":             upscaleTiled,
	})
}

func colorCorrection(c *golden.Case) (map[string]golden.Array, error) {
	lr, err := c.Array("lr")
	if err != nil {
		return nil, err
	}
	sr, err := c.Array("sr")
	if err != nil {
		return nil, err
	}
	out := golden.Array{Shape: sr.Shape}
	for n := range sr.Shape[0] {
		corrected := sample(sr, n)
		if err := pdd.CorrectColor(corrected, sample(lr, n)); err != nil {
			return nil, err
		}
		for _, v := range corrected.Pix {
			out.Data = append(out.Data, float64(v))
		}
	}
	return map[string]golden.Array{"corrected": out}, nil
}

// sample is image n of [N,C,H,W].
func sample(a golden.Array, n int) *data.Image {
	m := &data.Image{C: a.Shape[1], H: a.Shape[2], W: a.Shape[3]}
	size := m.C * m.H * m.W
	for _, v := range a.Data[n*size : (n+1)*size] {
		m.Pix = append(m.Pix, float32(v))
	}
	return m
}

// upscaleParams of both operations; the files are named and hashed by the case.
type upscaleParams struct {
	Model string         `json:"model"`
	Scale int            `json:"scale"`
	Arch  map[string]any `json:"arch"`
	From  map[string]any `json:"from"`
	Files map[string]struct {
		Path   string `json:"path"`
		Bytes  int64  `json:"bytes"`
		SHA256 string `json:"sha256"`
	} `json:"files"`
	InputPNG  string `json:"input_png"`
	OutputPNG string `json:"output_png"`
	Tile      int    `json:"tile"`
	Variants  []struct {
		Output  string `json:"output"`
		Tile    int    `json:"tile"`
		TilePad int    `json:"tile_pad"`
	} `json:"variants"`
}

// find returns the model's .param file, from $GOPDD_NCNN_MODELS or the folder of `pdd weights get`.
func (p *upscaleParams) find() (string, error) {
	cache, err := weights.DefaultDir()
	if err != nil {
		return "", err
	}
	for _, dir := range []string{os.Getenv("GOPDD_NCNN_MODELS"), cache} {
		if dir != "" && p.present(dir) {
			return filepath.Join(dir, filepath.Base(p.Files["param"].Path)), nil
		}
	}
	return "", fmt.Errorf("weights of %s: %w: run `pdd weights get %[1]s` or set GOPDD_NCNN_MODELS", p.Model, errAbsent)
}

func (p *upscaleParams) present(dir string) bool {
	for _, f := range p.Files {
		content, err := os.ReadFile(filepath.Join(dir, filepath.Base(f.Path)))
		sum := sha256.Sum256(content)
		if err != nil || hex.EncodeToString(sum[:]) != f.SHA256 {
			return false
		}
	}
	return true
}

func (p *upscaleParams) load(c *golden.Case) (models.Generator, error) {
	if err := c.DecodeParams(p); err != nil {
		return nil, err
	}
	path, err := p.find()
	if err != nil {
		return nil, err
	}
	return models.Load(path, loadOptions()...)
}

// upscaleWhole runs the network in float32, and the Upscaler from picture to picture, which must give the expected
// bytes within 1.
func upscaleWhole(c *golden.Case) (map[string]golden.Array, error) {
	var p upscaleParams
	net, err := p.load(c)
	if err != nil {
		return nil, err
	}
	defer net.Close()
	out := map[string]golden.Array{}
	err = tensor.Do(context.Background(), func(s *tensor.Scope) error {
		x, err := input(s, c, "lr")
		if err == nil {
			out["out"] = read(s, net.Forward(s.NoGrad(), x))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, comparePictures(net, filepath.Join(c.Dir, p.InputPNG), filepath.Join(c.Dir, p.OutputPNG))
}

func comparePictures(net models.Generator, in, want string) error {
	lr, _, err := imgio.ReadFile(in, imgio.Limits{})
	if err != nil {
		return err
	}
	expected, _, err := imgio.ReadFile(want, imgio.Limits{})
	if err != nil {
		return err
	}
	up, err := pdd.NewUpscaler(pdd.WithModel(net), pdd.WithDevice(tensortest.DeviceName()))
	if err != nil {
		return err
	}
	defer up.Close()
	got, err := up.Upscale(context.Background(), lr)
	if err != nil {
		return err
	}
	return withinOne(got, expected)
}

func withinOne(got, want image.Image) error {
	a, b := data.FromImage(got), data.FromImage(want)
	if a.H != b.H || a.W != b.W {
		return fmt.Errorf("picture of %d×%d, want %d×%d", a.W, a.H, b.W, b.H)
	}
	for i := range a.Pix {
		if d := 255 * (a.Pix[i] - b.Pix[i]); d > 1.01 || d < -1.01 {
			return fmt.Errorf("sample %d of the picture is off by %.2f levels", i, d)
		}
	}
	return nil
}

// upscaleTiled cuts as RealESRGANer.tile_process does: tiles at multiples of the size, widened up to the picture's
// borders, hard seams.
func upscaleTiled(c *golden.Case) (map[string]golden.Array, error) {
	var p upscaleParams
	net, err := p.load(c)
	if err != nil {
		return nil, err
	}
	defer net.Close()
	lr, err := c.Array("lr")
	if err != nil {
		return nil, err
	}
	out := map[string]golden.Array{}
	for _, v := range p.Variants {
		plan := tile.Plan{Rows: hardCut(lr.Shape[2], v.Tile, v.TilePad), Cols: hardCut(lr.Shape[3], v.Tile, v.TilePad),
			Scale: p.Scale, Planes: 3}
		if out[v.Output], err = runPlan(plan, net, sample(lr, 0)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func hardCut(n, size, pad int) []tile.Span {
	if size == 0 {
		size = n
	}
	var spans []tile.Span
	for at := 0; at < n; at += size {
		end := min(at+size, n)
		spans = append(spans, tile.Span{Start: max(at-pad, 0), End: min(end+pad, n), From: at, To: end})
	}
	return spans
}

func runPlan(plan tile.Plan, net models.Generator, lr *data.Image) (golden.Array, error) {
	h, w := lr.H*plan.Scale, lr.W*plan.Scale
	out := golden.Array{Shape: []int{1, 3, h, w}, Data: make([]float64, 3*h*w)}
	forward := func(row, col tile.Span) (result []float32, err error) {
		crop, err := lr.Crop(col.Start, row.Start, col.Size(), row.Size())
		if err != nil {
			return nil, err
		}
		err = tensor.Do(context.Background(), func(s *tensor.Scope) error {
			x := s.Upload(device(), crop.Pix, 1, 3, int64(crop.H), int64(crop.W))
			result = s.Float32s(net.Forward(s.NoGrad(), x))
			return nil
		})
		return result, err
	}
	err := plan.Run(forward, func(b *tile.Band) error {
		for c := range 3 {
			for y := range b.H {
				for x, v := range b.Row(c, y) {
					out.Data[(c*h+b.Y+y)*w+x] = float64(v)
				}
			}
		}
		return nil
	})
	return out, err
}
