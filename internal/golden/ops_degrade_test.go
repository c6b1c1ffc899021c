package golden_test

import (
	"fmt"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/golden"
)

func init() {
	register(map[string]opFunc{"data.degrade": dataDegrade, "data.degrade_bsrgan": dataBSRGAN})
}

// secondOrder are the parameters of data.degrade; lists have an entry per image.
type secondOrder struct {
	Scale       int
	USM         data.USM
	Kernel1     []data.Kernel
	Resize1     data.Resizing
	Noise1      noiseParams
	JPEG1       []float64
	Blur2       bool
	Kernel2     []data.Kernel
	Resize2     data.Resizing
	Noise2      noiseParams
	Order       string
	FinalMode   data.Mode     `json:"final_mode"`
	SincKernel  []data.Kernel `json:"sinc_kernel"`
	JPEG2       []float64
	stagesByKey map[string][]*data.Image
}

func dataDegrade(c *golden.Case) (map[string]golden.Array, error) {
	p := secondOrder{stagesByKey: map[string][]*data.Image{}}
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	images, err := batch(c, "gt")
	if err != nil {
		return nil, err
	}
	for i, gt := range images {
		if err := p.degrade(c, i, gt); err != nil {
			return nil, err
		}
	}
	got := map[string]golden.Array{}
	for name, stage := range p.stagesByKey {
		got[name] = stack(stage)
	}
	return got, nil
}

// stage is a step with the name of the output that its result is, or "".
type stage struct {
	output string
	step   data.Step
	noise  *noiseParams // instead of step: noise with given draws
}

func (p *secondOrder) stages(i int) []stage {
	p.Resize2.Down = p.Scale
	list := []stage{
		{"gt_usm", data.Step{Sharpen: &p.USM}, nil},
		{"", data.Step{Blur: &p.Kernel1[i]}, nil},
		{"resized1", data.Step{Resize: &p.Resize1}, nil},
		{"noisy1", data.Step{}, &p.Noise1},
		{"jpeg1", data.Step{JPEG: &data.Compression{Quality: p.JPEG1[i]}}, nil},
	}
	if p.Blur2 {
		list = append(list, stage{"", data.Step{Blur: &p.Kernel2[i]}, nil})
	}
	resize := stage{"", data.Step{Resize: &data.Resizing{Mode: p.FinalMode, Scale: 1, Down: p.Scale}}, nil}
	sinc := stage{"", data.Step{Blur: &p.SincKernel[i]}, nil}
	jpeg := stage{"", data.Step{JPEG: &data.Compression{Quality: p.JPEG2[i]}}, nil}
	list = append(list, stage{"", data.Step{Resize: &p.Resize2}, nil}, stage{"noisy2", data.Step{}, &p.Noise2})
	if p.Order == "jpeg_resize_sinc" {
		sinc.output = "lq_float"
		list = append(list, jpeg, resize, sinc)
	} else {
		jpeg.output = "lq_float"
		list = append(list, resize, sinc, jpeg)
	}
	return append(list, stage{"lq", data.Step{Quantize: true}, nil})
}

func (p *secondOrder) degrade(c *golden.Case, i int, gt *data.Image) error {
	if p.Order != "jpeg_resize_sinc" && p.Order != "resize_sinc_jpeg" {
		return fmt.Errorf("order %q", p.Order)
	}
	m := gt
	for _, s := range p.stages(i) {
		var err error
		if s.noise != nil {
			m, err = s.noise.apply(c, i, m)
		} else {
			m, err = s.step.Apply(m, gt)
		}
		if err != nil {
			return err
		}
		if s.output != "" {
			p.stagesByKey[s.output] = append(p.stagesByKey[s.output], m)
		}
	}
	return nil
}

type bsrganBlur struct {
	Kind   string
	Size   int
	Theta  float64
	L1, L2 float64
	Sigma  float64
}

func (b bsrganBlur) kernel() *data.Kernel {
	if b.Kind == "iso" {
		return &data.Kernel{Kind: data.Iso, Size: b.Size, SigmaX: b.Sigma}
	}
	k := data.VarianceKernel(b.Size, b.Theta, b.L1, b.L2)
	return &k
}

// shuffled are the parameters of data.degrade_bsrgan.
type shuffled struct {
	SF          int
	LQPatchSize int `json:"lq_patchsize"`
	Pre         *struct {
		Kind string
		Mode string
	}
	Order []int
	Blur  []bsrganBlur
	Down2 struct {
		Kind   string
		Factor float64
		Mode   string
		Sigma  float64
	}
	Down3 struct{ Mode string }
	Noise struct {
		Kind  string
		Level float64
		Draws string
	}
	Crop [2]int
}

// cvModes are OpenCV's names.
var cvModes = map[string]data.Mode{"linear": data.ModeBilinear, "cubic": data.ModeBicubic, "area": data.ModeCVArea}

// steps are the recipe's steps; nil stands for the noise with given draws.
func (p *shuffled) steps() []*data.Step {
	var list []*data.Step
	add := func(steps ...data.Step) {
		for _, s := range steps {
			list = append(list, &s)
		}
	}
	clamp := data.Step{Clamp: true}
	sf := p.SF
	if p.Pre != nil {
		sf = 2
		mode := data.ModeMATLAB
		if p.Pre.Kind == "resize" {
			mode = cvModes[p.Pre.Mode]
		}
		add(data.Step{Resize: &data.Resizing{Mode: mode, Scale: 0.5, Fit: p.Pre.Kind == "resize"}}, clamp)
	}
	for _, o := range p.Order {
		switch {
		case o < 2:
			add(data.Step{Blur: p.Blur[o].kernel()})
		case o == 2 && p.Down2.Kind == "resize":
			add(data.Step{Resize: &data.Resizing{Mode: cvModes[p.Down2.Mode], Scale: 1 / p.Down2.Factor, Fit: true}}, clamp)
		case o == 2:
			k := data.Kernel{Kind: data.ShiftedIso, Size: 25, SigmaX: p.Down2.Sigma, Shift: float64(sf-1) / 2}
			add(data.Step{Blur: &k}, data.Step{Subsample: sf}, clamp)
		case o == 3:
			add(data.Step{Resize: &data.Resizing{Mode: cvModes[p.Down3.Mode], Scale: 1, Down: p.SF}}, clamp)
		case o == 4:
			list = append(list, nil)
		}
	}
	return list
}

func dataBSRGAN(c *golden.Case) (map[string]golden.Array, error) {
	var p shuffled
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	images, err := batch(c, "img")
	if err != nil {
		return nil, err
	}
	hq, err := (data.Step{Multiple: p.SF}).Apply(images[0], images[0])
	if err != nil {
		return nil, err
	}
	lq := hq
	for _, s := range p.steps() {
		if s != nil {
			lq, err = s.Apply(lq, hq)
		} else {
			lq, err = p.addNoise(c, lq)
		}
		if err != nil {
			return nil, err
		}
	}
	y, x, n := p.Crop[0], p.Crop[1], p.LQPatchSize
	if lq, err = lq.Crop(x, y, n, n); err != nil {
		return nil, err
	}
	if hq, err = hq.Crop(x*p.SF, y*p.SF, n*p.SF, n*p.SF); err != nil {
		return nil, err
	}
	return map[string]golden.Array{"lq": stack([]*data.Image{lq}), "hq": stack([]*data.Image{hq})}, nil
}

func (p *shuffled) addNoise(c *golden.Case, m *data.Image) (*data.Image, error) {
	maps, err := batch(c, p.Noise.Draws)
	if err != nil {
		return nil, err
	}
	return data.AddNoise(m, maps[0])
}
