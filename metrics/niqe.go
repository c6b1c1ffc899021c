package metrics

import (
	"errors"
	"fmt"
	"image"
	"math"

	"gonum.org/v1/gonum/mat"
)

// niqeFeatures is the number of features of a block: 18 at each of two scales.
const niqeFeatures = 36

// NIQE is the Natural Image Quality Evaluator (Mittal, Soundararajan and Bovik 2013): how far the statistics of img
// lie from those of pristine pictures, as prior holds them. Lower is better, good photographs have 2 to 4. It works on
// luma (color is [YBT601] or [YYIQ]), rounded to whole numbers, without a border of crop pixels, in whole blocks of
// prior.Block pixels from the top left; what is left over at the right and below does not count.
//
// Scores are those of pyiqa and BasicSR; pyiqa's own default is YYIQ, papers use [YBT601]. Areas of one colour are
// left to rounding by the definition; here they count as in pyiqa. It fails on pictures of which fewer than two blocks
// show any texture. It is safe for concurrent use.
func NIQE(img image.Image, prior *NIQEPrior, color Color, crop int) (float64, error) {
	score, err := niqe(img, prior, color, crop)
	if err != nil {
		return 0, fmt.Errorf("metrics: niqe %v: %w", color, err)
	}
	return score, nil
}

func niqe(img image.Image, prior *NIQEPrior, color Color, crop int) (float64, error) {
	if err := prior.check(); err != nil {
		return 0, err
	}
	rows, err := blockFeatures(img, prior.Block, color, crop)
	if err != nil {
		return 0, err
	}
	if len(rows) < 2 {
		return 0, fmt.Errorf("one block of %d×%d fits: at least two blocks are needed", prior.Block, prior.Block)
	}
	return prior.distance(rows)
}

// NIQEFeatures returns NIQE's 36 features of each block of img, column of blocks after column: what priors are fitted
// to. The parameters are those of [NIQE]. Features of blocks without texture may be NaN.
func NIQEFeatures(img image.Image, block int, color Color, crop int) ([][36]float64, error) {
	rows, err := blockFeatures(img, block, color, crop)
	if err != nil {
		return nil, fmt.Errorf("metrics: niqe features %v: %w", color, err)
	}
	return rows, nil
}

func blockFeatures(img image.Image, block int, color Color, crop int) ([][niqeFeatures]float64, error) {
	v, err := newLuma(img, color, crop)
	if err != nil {
		return nil, err
	}
	if block < 8 || block%2 != 0 {
		return nil, fmt.Errorf("blocks of %d pixels: want an even number of at least 8", block)
	}
	across, down := v.w/block, v.h/block
	if across*down == 0 {
		return nil, fmt.Errorf("%d×%d pixels are left to measure: at least one block of %d×%d is needed", v.w, v.h, block, block)
	}
	v.w, v.h = across*block, down*block
	full := v.load()
	features := make([][niqeFeatures]float64, across*down)
	for scale, luma := range []plane{full, full.resize(v.w/2, v.h/2)} {
		size := block >> scale
		m := normalize(luma)
		parallel(len(features), func() func(int) {
			b, product := newPlane(size, size), newPlane(size, size)
			return func(i int) {
				b.cut(m, i/down*size, i%down*size)
				copy(features[i][18*scale:], b.statistics(product))
			}
		})
	}
	return features, nil
}

// cut copies the part of m whose top left corner is (x, y).
func (p plane) cut(m plane, x, y int) {
	for dy := range p.h {
		copy(p.row(dy), m.row(y + dy)[x:])
	}
}

// statistics are the 18 features of a block (Mittal et al. 2013, section III-B): a fit to the samples and one to the
// products of neighbours in each of four directions. The block is taken as cyclic. product is scratch memory.
func (p plane) statistics(product plane) []float64 {
	fit := fitAGGD(p.pix)
	features := append(make([]float64, 0, 18), fit.shape, (fit.left+fit.right)/2)
	for _, shift := range [4][2]int{{0, 1}, {1, 0}, {1, 1}, {1, p.w - 1}} {
		for y := range p.h {
			multiplyRolled(product.row(y), p.row(y), p.row((y+p.h-shift[0])%p.h), shift[1])
		}
		fit := fitAGGD(product.pix)
		mean := (fit.right - fit.left) * gammaQuotient(2, 1, fit.shape)
		features = append(features, fit.shape, mean, fit.left, fit.right)
	}
	return features
}

// multiplyRolled sets dst[x] to a[x] times b[x-shift], cyclic.
func multiplyRolled(dst, a, b []float64, shift int) {
	for x := range shift {
		dst[x] = a[x] * b[len(b)-shift+x]
	}
	for x := shift; x < len(dst); x++ {
		dst[x] = a[x] * b[x-shift]
	}
}

// gauss7 is NIQE's 7-tap Gaussian of sigma 7/6. Its square sums to slightly more than 1, as much as pyiqa's window of
// float32 values does: in areas of one colour this decides the sign of the normalised luma and with it the fits.
var gauss7 = func() (w [7]float64) {
	total := 0.0
	for k := range w {
		d := float64(k-3) / (7. / 6)
		w[k] = math.Exp(-d * d / 2)
		total += w[k]
	}
	square := 0.0
	for i := range w {
		for j := range w {
			square += float64(float32(w[i] * w[j] / (total * total)))
		}
	}
	for k := range w {
		w[k] *= math.Sqrt(square) / total
	}
	return w
}()

// normalize returns the mean-subtracted contrast-normalised luma (Mittal et al. 2013, eq. 1), edge samples repeated.
func normalize(p plane) plane {
	out := newPlane(p.w, p.h)
	parallel(p.h, func() func(int) {
		mean, power := make([]float64, p.w+6), make([]float64, p.w+6)
		return func(y int) {
			clear(mean)
			clear(power)
			for k, w := range gauss7 {
				addMoments(mean[3:3+p.w], power[3:], w, p.row(min(max(y+k-3, 0), p.h-1)))
			}
			repeatEnds(mean)
			repeatEnds(power)
			dst, src := out.row(y), p.row(y)
			for x := range dst {
				mu := smooth7(mean[x : x+7])
				sigma := math.Sqrt(math.Abs(smooth7(power[x:x+7]) - mu*mu))
				dst[x] = (src[x] - mu) / (sigma + 1)
			}
		}
	})
	return out
}

// addMoments adds w times the row and w times its squares.
func addMoments(mean, power []float64, w float64, row []float64) {
	power, row = power[:len(mean)], row[:len(mean)]
	for x, v := range row {
		mean[x] += w * v
		power[x] += w * v * v
	}
}

// repeatEnds fills the three samples at each end with their neighbour.
func repeatEnds(line []float64) {
	n := len(line)
	for k := range 3 {
		line[k], line[n-1-k] = line[3], line[n-4]
	}
}

func smooth7(p []float64) float64 {
	w := gauss7
	_ = p[6]
	return w[0]*(p[0]+p[6]) + w[1]*(p[1]+p[5]) + w[2]*(p[2]+p[4]) + w[3]*p[3]
}

var errNoTexture = errors.New("fewer than two blocks show any texture: nothing to measure")

// distance is sqrt((m1-m2)ᵀ ((C1+C2)/2)⁺ (m1-m2)) (Mittal et al. 2013, eq. 10). Features that are NaN are left out of
// the mean, blocks that have one out of the covariance.
func (p *NIQEPrior) distance(rows [][niqeFeatures]float64) (float64, error) {
	mean := nanMean(rows)
	var whole [][niqeFeatures]float64
	for _, row := range rows {
		if !hasNaN(row) {
			whole = append(whole, row)
		}
	}
	if len(whole) < 2 {
		return 0, errNoTexture
	}
	cov := covariance(whole)
	diff := mat.NewVecDense(niqeFeatures, nil)
	for i := range niqeFeatures {
		diff.SetVec(i, p.Mean[i]-mean[i])
		for j := range i + 1 {
			cov.SetSym(i, j, (cov.At(i, j)+p.Cov[i][j])/2)
		}
	}
	square, err := pseudoInverseForm(cov, diff)
	if err == nil && !(square >= 0) {
		err = errors.New("the prior's covariance has negative eigenvalues: it is none")
	}
	return math.Sqrt(square), err
}

// pseudoInverseForm is dᵀ A⁺ d.
func pseudoInverseForm(a *mat.SymDense, d *mat.VecDense) (float64, error) {
	var eigen mat.EigenSym
	if !eigen.Factorize(a, true) {
		return 0, errors.New("the eigenvalues of the covariance do not converge")
	}
	values := eigen.Values(nil)
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	n := len(values)
	cutoff := float64(n) * 0x1p-52 * max(math.Abs(values[0]), math.Abs(values[n-1]))
	form := 0.0
	for k, value := range values {
		if math.Abs(value) > cutoff {
			c := mat.Dot(vectors.ColView(k), d)
			form += c * c / value
		}
	}
	return form, nil
}

func nanMean(rows [][niqeFeatures]float64) (mean [niqeFeatures]float64) {
	for j := range mean {
		n := 0
		for _, row := range rows {
			if !math.IsNaN(row[j]) {
				mean[j] += row[j]
				n++
			}
		}
		mean[j] /= float64(n)
	}
	return mean
}

func hasNaN(row [niqeFeatures]float64) bool {
	for _, v := range row {
		if math.IsNaN(v) {
			return true
		}
	}
	return false
}

// covariance is unbiased.
func covariance(rows [][niqeFeatures]float64) *mat.SymDense {
	mean := nanMean(rows)
	cov := mat.NewSymDense(niqeFeatures, nil)
	for i := range niqeFeatures {
		for j := range i + 1 {
			s := 0.0
			for _, row := range rows {
				s += (row[i] - mean[i]) * (row[j] - mean[j])
			}
			cov.SetSym(i, j, s/float64(len(rows)-1))
		}
	}
	return cov
}
