package metrics

import (
	"errors"
	"fmt"
	"image"
	"math"

	"gonum.org/v1/gonum/mat"
)

// NRQM is the No-Reference Quality Metric for super-resolution of Ma, Yang, Yang and Yang (2017): features of img,
// regressed to the scores people gave. Higher is better, from 0 to 10. It works on luma (color is [YBT601] or
// [YYIQ]), rounded to whole numbers, without a border of crop pixels. Scores are those of pyiqa, whose default is
// YYIQ, and YBT601 with a crop of 4 inside its PI.
//
// It fails on pictures with sides below 81 or 96 pixels or so (25 blocks of 5 pixels must fit into a quarter of each
// side) and on those without texture. It is safe for concurrent use and needs about 200 bytes per pixel.
func NRQM(img image.Image, model *NRQMModel, color Color, crop int) (float64, error) {
	f, err := NewNRQMFeatures(img, color, crop)
	if err != nil {
		return 0, err
	}
	score, _, err := model.Score(f)
	return score, err
}

// PI is the perceptual index of the PIRM 2018 challenge (Blau et al. 2018), ((10 - NRQM) + NIQE) / 2: lower is better.
// The challenge measures both on BT.601 luma without a border of 4 pixels.
func PI(nrqm, niqe float64) float64 { return ((10 - nrqm) + niqe) / 2 }

// NRQMFeatures are the three groups of features of a picture.
type NRQMFeatures struct {
	Frequency [18]float64 // local: cosine transforms of patches, six numbers for each of three sizes
	Spatial   [45]float64 // global: bands of a steerable pyramid
	Singular  [75]float64 // spatial discontinuity: singular values of 5×5 blocks, 25 for each of three sizes
}

// NewNRQMFeatures computes the features; see [NRQM] for the parameters.
func NewNRQMFeatures(img image.Image, color Color, crop int) (*NRQMFeatures, error) {
	v, err := newLuma(img, color, crop)
	if err == nil {
		var f *NRQMFeatures
		if f, err = nrqmFeatures(v); err == nil {
			return f, nil
		}
	}
	return nil, fmt.Errorf("metrics: nrqm %v: %w", color, err)
}

func nrqmFeatures(v view) (*NRQMFeatures, error) {
	if w, h := v.w/4, v.h/4; ceilDiv(w, singularBlock)*ceilDiv(h, singularBlock) < singularBlock*singularBlock || min(v.w, v.h) < 2*guard+2+windowSize {
		return nil, fmt.Errorf("%d×%d pixels are left to measure: too few, about 96×96 are needed", v.w, v.h)
	}
	luma := v.load()
	f := &NRQMFeatures{}
	level := luma.scaled(1. / 255)
	for i := range 3 {
		copy(f.Frequency[6*i:], frequencyFeatures(level))
		singular, err := singularValues(level)
		if err != nil {
			return nil, err
		}
		copy(f.Singular[25*i:], singular)
		if i < 2 {
			level = level.halved()
		}
	}
	spatial, err := spatialFeatures(luma)
	if err != nil {
		return nil, err
	}
	copy(f.Spatial[:], spatial)
	return f, nil
}

// Score returns NRQM and the three forests' predictions it is made of.
func (m *NRQMModel) Score(f *NRQMFeatures) (score float64, predictions [3]float64, err error) {
	if m == nil {
		return 0, predictions, errors.New("metrics: nrqm: no model: load one with LoadNRQMModel")
	}
	score = m.Linear[0]
	for g, features := range [3][]float64{f.Frequency[:], f.Spatial[:], f.Singular[:]} {
		if predictions[g], err = m.Forests[g].predict(features); err != nil {
			return 0, predictions, fmt.Errorf("metrics: nrqm: model: %w", err)
		}
		score += m.Linear[g+1] * predictions[g]
	}
	if score-score != 0 {
		return 0, predictions, fmt.Errorf("metrics: nrqm: model: its predictions %v give the score %v", predictions, score)
	}
	return score, predictions, nil
}

func (p plane) scaled(k float64) plane {
	out := newPlane(p.w, p.h)
	for i, v := range p.pix {
		out.pix[i] = k * v
	}
	return out
}

// halved smooths with a 3×3 Gaussian of sigma 0.5, zeros outside, and keeps every second row and column from the
// second on.
func (p plane) halved() plane {
	side := math.Exp(-1 / (2 * 0.5 * 0.5))
	centre := 1 / (1 + 2*side)
	side *= centre
	out := newPlane(p.w/2, p.h/2)
	parallel(out.h, func() func(int) {
		line := make([]float64, p.w+1) // a zero at the right
		return func(y int) {
			clear(line)
			addScaled(line[:p.w], side, p.row(2*y))
			addScaled(line[:p.w], centre, p.row(2*y+1))
			if 2*y+2 < p.h {
				addScaled(line[:p.w], side, p.row(2*y+2))
			}
			for x, dst := 0, out.row(y); x < out.w; x++ {
				dst[x] = side*line[2*x] + centre*line[2*x+1] + side*line[2*x+2]
			}
		}
	})
	return out
}

const singularBlock = 5

// singularValues are those of the matrix whose rows are the 5×5 blocks of a plane, zeros outside, in descending order.
func singularValues(p plane) ([]float64, error) {
	across, down := ceilDiv(p.w, singularBlock), ceilDiv(p.h, singularBlock)
	blocks := mat.NewDense(across*down, singularBlock*singularBlock, nil)
	for i := range across * down {
		x, y, row := i%across*singularBlock, i/across*singularBlock, blocks.RawRowView(i)
		for dy := range min(singularBlock, p.h-y) {
			copy(row[dy*singularBlock:(dy+1)*singularBlock], p.row(y + dy)[x:])
		}
	}
	var svd mat.SVD
	if !svd.Factorize(blocks, mat.SVDNone) {
		return nil, errors.New("the singular values do not converge")
	}
	return svd.Values(nil), nil
}
