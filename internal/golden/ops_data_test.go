package golden_test

import (
	"fmt"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/golden"
)

var dataOps = map[string]opFunc{
	"data.imresize": dataImresize,
	"data.kernels":  dataKernels,
	"data.filter2d": dataFilter2d,
	"data.usm":      dataUSM,
	"data.jpeg":     dataJPEG,
	"data.resize":   dataResize,
	"data.quantize": dataQuantize,
	"data.noise":    dataNoise,
}

func init() { register(dataOps) }

// batch reads a tensor of N,C,H,W as N images; [H,W] is one gray image.
func batch(c *golden.Case, name string) ([]*data.Image, error) {
	a, err := c.Array(name)
	if err != nil {
		return nil, err
	}
	for len(a.Shape) < 4 {
		a.Shape = append([]int{1}, a.Shape...)
	}
	n := a.Shape[1] * a.Shape[2] * a.Shape[3]
	images := make([]*data.Image, a.Shape[0])
	for i := range images {
		m, err := data.NewImage(a.Shape[1], a.Shape[2], a.Shape[3])
		if err != nil {
			return nil, err
		}
		for k := range m.Pix {
			m.Pix[k] = float32(a.Data[i*n+k])
		}
		images[i] = m
	}
	return images, nil
}

// stack is the inverse of batch.
func stack(images []*data.Image) golden.Array {
	m := images[0]
	var all []float32
	for _, m := range images {
		all = append(all, m.Pix...)
	}
	return widen([]int{len(images), m.C, m.H, m.W}, all)
}

// eachImage applies f to the images of input name; the result is the output out.
func eachImage(c *golden.Case, name, out string, f func(i int, m *data.Image) (*data.Image, error)) (map[string]golden.Array, error) {
	images, err := batch(c, name)
	if err != nil {
		return nil, err
	}
	for i, m := range images {
		if images[i], err = f(i, m); err != nil {
			return nil, err
		}
	}
	return map[string]golden.Array{out: stack(images)}, nil
}

func dataImresize(c *golden.Case) (map[string]golden.Array, error) {
	var p struct {
		Scale        float64
		Antialiasing bool
		Quantize     bool
	}
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	filter := data.Bicubic
	filter.Antialias = p.Antialiasing
	var rounded []*data.Image
	got, err := eachImage(c, "img", "out", func(_ int, m *data.Image) (*data.Image, error) {
		out, err := data.Resize(m, p.Scale, filter)
		if err == nil {
			rounded = append(rounded, out.Clone().Quantize())
		}
		return out, err
	})
	if err == nil && p.Quantize {
		got["out_q"] = stack(rounded)
	}
	return got, err
}

func dataKernels(c *golden.Case) (map[string]golden.Array, error) {
	var p struct {
		Kernels []struct {
			Output string
			data.Kernel
		}
	}
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	got := map[string]golden.Array{}
	for _, k := range p.Kernels {
		weights, side, err := k.Weights()
		if err != nil {
			return nil, err
		}
		got[k.Output] = widen([]int{side, side}, weights)
	}
	return got, nil
}

func dataFilter2d(c *golden.Case) (map[string]golden.Array, error) {
	var p struct{ Padding string }
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	if p.Padding != "reflect" {
		return nil, fmt.Errorf("padding %q: only reflect is known", p.Padding)
	}
	a, err := c.Array("kernel")
	if err != nil {
		return nil, err
	}
	side := a.Shape[1]
	return eachImage(c, "img", "out", func(i int, m *data.Image) (*data.Image, error) {
		weights := make([]float32, side*side)
		for k := range weights {
			weights[k] = float32(a.Data[i%a.Shape[0]*side*side+k])
		}
		return data.Filter2D(m, weights, side)
	})
}

func dataUSM(c *golden.Case) (map[string]golden.Array, error) {
	var p data.USM
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	return eachImage(c, "img", "out", func(_ int, m *data.Image) (*data.Image, error) { return data.Sharpen(m, p) })
}

func dataJPEG(c *golden.Case) (map[string]golden.Array, error) {
	var p struct{ Quality []float64 }
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	return eachImage(c, "img", "out", func(i int, m *data.Image) (*data.Image, error) { return data.JPEG(m, p.Quality[i]) })
}

func dataResize(c *golden.Case) (map[string]golden.Array, error) {
	var p struct {
		Variants []struct {
			Output      string
			Mode        data.Mode
			ScaleFactor float64 `json:"scale_factor"`
			Size        []int
		}
	}
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	got := map[string]golden.Array{}
	for _, v := range p.Variants {
		one, err := eachImage(c, "img", v.Output, func(_ int, m *data.Image) (*data.Image, error) {
			if v.Size != nil {
				return data.Interpolate(m, v.Size[0], v.Size[1], v.Mode)
			}
			return data.InterpolateScale(m, v.ScaleFactor, v.Mode)
		})
		if err != nil {
			return nil, err
		}
		got[v.Output] = one[v.Output]
	}
	return got, nil
}

func dataQuantize(c *golden.Case) (map[string]golden.Array, error) {
	if err := c.DecodeParams(&struct{}{}); err != nil {
		return nil, err
	}
	return eachImage(c, "img", "out", func(_ int, m *data.Image) (*data.Image, error) { return m.Quantize(), nil })
}

// noiseParams describe noise of a batch whose draws are given.
type noiseParams struct {
	Type      data.Distribution
	Gray      []float64
	Sigma     []float64 // gaussian
	Scale     []float64 // poisson
	Draws     string
	DrawsGray string `json:"draws_gray"`
}

// apply adds the noise to image i.
func (p noiseParams) apply(c *golden.Case, i int, m *data.Image) (*data.Image, error) {
	name := p.Draws
	if p.Gray[i] > 0 {
		name = p.DrawsGray
	}
	maps, err := batch(c, name)
	if err != nil {
		return nil, err
	}
	draws := maps[i%len(maps)] // a gray Gaussian map is one for the whole batch
	if p.Type == data.Poisson {
		return data.PoissonNoise(m, p.Scale[i], draws)
	}
	return data.GaussianNoise(m, p.Sigma[i], draws)
}

func dataNoise(c *golden.Case) (map[string]golden.Array, error) {
	var p noiseParams
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	var vals, valsGray []float32
	got, err := eachImage(c, "img", "out", func(i int, m *data.Image) (*data.Image, error) {
		vals = append(vals, float32(data.PoissonLevels(m)))
		valsGray = append(valsGray, float32(data.PoissonLevels(data.Gray(m))))
		return p.apply(c, i, m)
	})
	if err != nil || p.Type != data.Poisson {
		return got, err
	}
	got["vals"], got["vals_gray"] = widen([]int{len(vals)}, vals), widen([]int{len(vals)}, valsGray)
	return got, nil
}
