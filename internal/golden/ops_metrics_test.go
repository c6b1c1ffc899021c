package golden_test

import (
	"fmt"
	"image"
	"math"
	"path/filepath"
	"slices"

	"github.com/gopdd/gopdd/internal/golden"
	"github.com/gopdd/gopdd/metrics"
)

var metricsOps = map[string]opFunc{
	"metrics.psnr":   fullReference(metrics.PSNR),
	"metrics.ssim":   fullReference(metrics.SSIM),
	"metrics.niqe":   niqe,
	"metrics.nrqm":   nrqm,
	"metrics.kl":     featureKL,
	"metrics.kl_ggd": kullbackLeibler,
}

func init() { register(metricsOps) }

// metricVariant is one convention as the cases spell it.
type metricVariant struct {
	Impl         string `json:"impl"`
	TestYChannel *bool  `json:"test_y_channel"` // absent in metrics.niqe: always luma
	ColorSpace   string `json:"color_space"`
	CropBorder   int    `json:"crop_border"`
}

func (v metricVariant) convention() (metrics.Convention, error) {
	impl, ok := map[string]metrics.Impl{"pyiqa": metrics.PyIQA, "basicsr": metrics.BasicSR}[v.Impl]
	if !ok {
		return metrics.Convention{}, fmt.Errorf("impl %q", v.Impl)
	}
	color, ok := map[string]metrics.Color{"ycbcr": metrics.YBT601, "yiq": metrics.YYIQ}[v.ColorSpace]
	if !ok {
		return metrics.Convention{}, fmt.Errorf("color_space %q", v.ColorSpace)
	}
	if v.TestYChannel != nil && !*v.TestYChannel {
		color = metrics.RGB
	}
	return metrics.Convention{Impl: impl, Color: color, Crop: v.CropBorder}, nil
}

type variantParams struct {
	Variants  []metricVariant `json:"variants"`
	BlockSize int             `json:"block_size"` // metrics.niqe only
}

func (p variantParams) conventions() ([]metrics.Convention, error) {
	list := make([]metrics.Convention, len(p.Variants))
	for i, v := range p.Variants {
		var err error
		if list[i], err = v.convention(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// pictures splits an N,C,H,W array.
func pictures(c *golden.Case, name string) ([]*metrics.Planar, error) {
	a, err := c.Array(name)
	if err != nil {
		return nil, err
	}
	if len(a.Shape) != 4 {
		return nil, fmt.Errorf("%s has shape %v, want N,C,H,W", name, a.Shape)
	}
	n := a.Shape[1] * a.Shape[2] * a.Shape[3]
	list := make([]*metrics.Planar, a.Shape[0])
	for i := range list {
		p := &metrics.Planar{C: a.Shape[1], H: a.Shape[2], W: a.Shape[3], Pix: make([]float32, n)}
		for k, v := range a.Data[i*n : (i+1)*n] {
			p.Pix[k] = float32(v)
		}
		list[i] = p
	}
	return list, nil
}

// fullReference computes scores[image][variant], without the first axis for a single image whose case has none.
func fullReference(metric func(img, ref image.Image, c metrics.Convention) (float64, error)) opFunc {
	return func(c *golden.Case) (map[string]golden.Array, error) {
		var p variantParams
		if err := c.DecodeParams(&p); err != nil {
			return nil, err
		}
		conventions, err := p.conventions()
		if err != nil {
			return nil, err
		}
		img, err := pictures(c, "img")
		if err != nil {
			return nil, err
		}
		ref, err := pictures(c, "ref")
		if err != nil {
			return nil, err
		}
		var scores []float64
		for i := range img {
			for _, conv := range conventions {
				s, err := metric(img[i], ref[i], conv)
				if err != nil {
					return nil, err
				}
				scores = append(scores, s)
			}
		}
		return scoresLike(c, scores)
	}
}

// niqe computes the scores of all variants and the features of the first.
func niqe(c *golden.Case) (map[string]golden.Array, error) {
	var p variantParams
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	conventions, err := p.conventions()
	if err != nil {
		return nil, err
	}
	img, err := pictures(c, "img")
	if err != nil {
		return nil, err
	}
	prior, err := niqePrior(c, p.BlockSize)
	if err != nil {
		return nil, err
	}
	rows, err := metrics.NIQEFeatures(img[0], p.BlockSize, conventions[0].Color, conventions[0].Crop)
	if err != nil {
		return nil, err
	}
	features := golden.Array{Shape: []int{len(rows), 36}}
	for _, row := range rows {
		features.Data = append(features.Data, row[:]...)
	}
	scores := golden.Array{Shape: []int{len(conventions)}}
	for _, conv := range conventions {
		s, err := metrics.NIQE(img[0], prior, conv.Color, conv.Crop)
		if err != nil {
			return nil, err
		}
		scores.Data = append(scores.Data, s)
	}
	return map[string]golden.Array{"features": features, "scores": scores}, nil
}

// niqePrior reads the prior of a case. The window is part of NIQE's definition, not a parameter: it is only checked.
func niqePrior(c *golden.Case, block int) (*metrics.NIQEPrior, error) {
	mean, err := c.Array("mu_pris_param")
	if err != nil {
		return nil, err
	}
	cov, err := c.Array("cov_pris_param")
	if err != nil {
		return nil, err
	}
	window, err := c.Array("gaussian_window")
	if err != nil {
		return nil, err
	}
	for i, w := range window.Data {
		dy, dx := float64(i/7-3)*6/7, float64(i%7-3)*6/7
		if got := w / window.Data[24]; math.Abs(got-math.Exp(-(dx*dx+dy*dy)/2)) > 1e-9 {
			return nil, fmt.Errorf("gaussian_window is not the 7×7 Gaussian of sigma 7/6")
		}
	}
	prior := &metrics.NIQEPrior{Block: block}
	copy(prior.Mean[:], mean.Data)
	for i := range prior.Cov {
		copy(prior.Cov[i][:], cov.Data[36*i:])
	}
	return prior, nil
}

// nrqm reads the model from the case's .mat file and checks it against the tensors beside it.
func nrqm(c *golden.Case) (map[string]golden.Array, error) {
	var p struct {
		TestYChannel bool   `json:"test_y_channel"`
		ColorSpace   string `json:"color_space"`
		CropBorder   int    `json:"crop_border"`
		ModelFile    string `json:"model_file"`
	}
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	conv, err := metricVariant{Impl: "pyiqa", TestYChannel: &p.TestYChannel, ColorSpace: p.ColorSpace, CropBorder: p.CropBorder}.convention()
	if err != nil {
		return nil, err
	}
	img, err := pictures(c, "img")
	if err != nil {
		return nil, err
	}
	model, err := metrics.LoadNRQMModel(filepath.Join(c.Dir, p.ModelFile))
	if err != nil {
		return nil, err
	}
	if err := sameForests(c, model); err != nil {
		return nil, err
	}
	f, err := metrics.NewNRQMFeatures(img[0], conv.Color, conv.Crop)
	if err != nil {
		return nil, err
	}
	score, predictions, err := model.Score(f)
	return map[string]golden.Array{
		"f1":    {Shape: []int{1, 18}, Data: f.Frequency[:]},
		"f2":    {Shape: []int{1, 45}, Data: f.Spatial[:]},
		"f3":    {Shape: []int{1, 75}, Data: f.Singular[:]},
		"preds": {Shape: []int{1, 3}, Data: predictions[:]},
		"score": {Shape: []int{1}, Data: []float64{score}},
	}, err
}

// sameForests compares the model read from the file with the case's tensors, [nodes, trees] in row-major order.
func sameForests(c *golden.Case, model *metrics.NRQMModel) error {
	for g, forest := range model.Forests {
		for field, of := range map[string]func(n metrics.Node) float64{
			"threshold": func(n metrics.Node) float64 { return n.Threshold },
			"pred":      func(n metrics.Node) float64 { return n.Value },
		} {
			want, err := c.Array(fmt.Sprintf("rf%d_%s", g, field))
			if err != nil {
				return err
			}
			for t, tree := range forest.Trees {
				for k, node := range tree.Nodes {
					if of(node) != want.Data[k*want.Shape[1]+t] {
						return fmt.Errorf("forest %d, tree %d, node %d: %s %v in the file, %v in the case", g, t, k, field, of(node), want.Data[k*want.Shape[1]+t])
					}
				}
			}
		}
	}
	return nil
}

func featureKL(c *golden.Case) (map[string]golden.Array, error) {
	var p struct {
		PCADim       int        `json:"pca_dim"`
		AnomalySigma float64    `json:"anomaly_sigma"`
		Grid         [3]float64 `json:"grid"`
	}
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	base, err := featureRows(c, "base")
	if err != nil {
		return nil, err
	}
	test, err := featureRows(c, "test")
	if err != nil {
		return nil, err
	}
	r, err := metrics.FeatureKL(base, test, metrics.KLOptions{
		Components: p.PCADim, Anomaly: p.AnomalySigma, GridFrom: p.Grid[0], GridTo: p.Grid[1], GridStep: p.Grid[2],
	})
	pair := func(a, b float64) golden.Array { return golden.Array{Shape: []int{2}, Data: []float64{a, b}} }
	one := func(v float64) golden.Array { return golden.Array{Shape: []int{1}, Data: []float64{v}} }
	return map[string]golden.Array{
		"variance":   {Shape: []int{2, p.PCADim}, Data: slices.Concat(r.Base.Variance, r.Test.Variance)},
		"removed":    pair(float64(r.Base.Removed), float64(r.Test.Removed)),
		"sigma":      pair(r.Base.Fit.Sigma, r.Test.Fit.Sigma),
		"shape":      pair(r.Base.Fit.Shape, r.Test.Fit.Shape),
		"kl":         one(r.KL),
		"kl_reverse": one(r.Reverse),
		"srga":       one(r.SRGA),
	}, err
}

// featureRows splits an [n, D] array.
func featureRows(c *golden.Case, name string) ([][]float32, error) {
	a, err := c.Array(name)
	if err != nil {
		return nil, err
	}
	if len(a.Shape) != 2 {
		return nil, fmt.Errorf("%s has shape %v, want n,D", name, a.Shape)
	}
	rows := make([][]float32, a.Shape[0])
	for i := range rows {
		rows[i] = make([]float32, a.Shape[1])
		for j := range rows[i] {
			rows[i][j] = float32(a.Data[i*a.Shape[1]+j])
		}
	}
	return rows, nil
}

func kullbackLeibler(c *golden.Case) (map[string]golden.Array, error) {
	var p struct {
		Order []string `json:"order"`
	}
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	column := func(name string) int { return slices.Index(p.Order, name) }
	pairs, err := c.Array("pairs")
	if err != nil {
		return nil, err
	}
	var kl, srga []float64
	for row := range slices.Chunk(pairs.Data, len(p.Order)) {
		a := metrics.GGD{Sigma: row[column("sigma1")], Shape: row[column("shape1")]}
		b := metrics.GGD{Sigma: row[column("sigma2")], Shape: row[column("shape2")]}
		kl = append(kl, a.KL(b))
		srga = append(srga, metrics.SRGA(a.KL(b)))
	}
	shape := pairs.Shape[:1]
	return map[string]golden.Array{"kl": {Shape: shape, Data: kl}, "srga": {Shape: shape, Data: srga}}, nil
}

// scoresLike gives the scores the wanted shape: [variants] and [images, variants] hold the same numbers when there is
// one image.
func scoresLike(c *golden.Case, scores []float64) (map[string]golden.Array, error) {
	want, err := c.Array("scores")
	if err != nil {
		return nil, err
	}
	return map[string]golden.Array{"scores": {Shape: want.Shape, Data: scores}}, nil
}
