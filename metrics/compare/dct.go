package compare

import (
	"context"
	"image"
	"math"
)

// Measures of the DCT features.
const (
	dctSide    = 32
	dctOctaves = 5 // of frequency: 1, 2-3, 4-7, 8-15 and 16 up
	dctAngles  = 3 // mostly horizontal, diagonal, mostly vertical
	// dctFloor is the variance that rounding to 8 bits gives a coefficient: what is below it is not in the picture.
	dctFloor = 1.0 / (255 * 255 * 12)
)

// DCT gives features without a network: the orthonormal cosine transform of a 32×32 patch of full-range luma in 0..1.
// A row has the 1023 coefficients but the mean, each times its frequency √(u²+v²), which evens out the 1/f amplitudes
// of natural pictures: the coefficients of something like the patch's gradient. Its energies are the mean squares of
// the coefficients, not multiplied, in 15 bands: five octaves of frequency times three directions. Blur, noise,
// blocks and over-sharp edges all move them.
func DCT() Features {
	basis, bands := cosines(), dctBands()
	return Features{
		Name:  "DCT of 32×32 patches of luma",
		Patch: dctSide,
		Rows: func(_ context.Context, patches []image.Image) ([][]float32, error) {
			rows := make([][]float32, len(patches))
			for i, p := range patches {
				rows[i] = dctRow(luma(p), basis)
			}
			return rows, nil
		},
		Energies: func(row []float32) []float32 { return dctEnergies(row, bands) },
	}
}

// cosines is the matrix of the transform: basis[u][x].
func cosines() *[dctSide][dctSide]float64 {
	var basis [dctSide][dctSide]float64
	for u := range basis {
		norm := math.Sqrt(2.0 / dctSide)
		if u == 0 {
			norm = math.Sqrt(1.0 / dctSide)
		}
		for x := range basis[u] {
			basis[u][x] = norm * math.Cos(math.Pi*float64(u)*(float64(x)+0.5)/dctSide)
		}
	}
	return &basis
}

func dctRow(patch []float32, basis *[dctSide][dctSide]float64) []float32 {
	var across [dctSide][dctSide]float64 // [y][u]
	for y := range dctSide {
		line := patch[y*dctSide : (y+1)*dctSide]
		for u := range dctSide {
			for x, v := range line {
				across[y][u] += basis[u][x] * float64(v)
			}
		}
	}
	row := make([]float32, 0, dctSide*dctSide-1)
	for v := range dctSide {
		for u := range dctSide {
			if u == 0 && v == 0 {
				continue
			}
			var c float64
			for y := range dctSide {
				c += basis[v][y] * across[y][u]
			}
			row = append(row, float32(c*math.Hypot(float64(u), float64(v))))
		}
	}
	return row
}

// dctBand is where a coefficient belongs and what it was multiplied by.
type dctBand struct {
	band   int
	weight float64
}

// dctBands are the bands of the entries of a row.
func dctBands() []dctBand {
	var bands []dctBand
	for v := range dctSide {
		for u := range dctSide {
			if u == 0 && v == 0 {
				continue
			}
			octave := min(int(math.Log2(float64(max(u, v)))), dctOctaves-1)
			angle := int(dctAngles * math.Atan2(float64(v), float64(u)) / (math.Pi/2 + 1e-9))
			bands = append(bands, dctBand{octave*dctAngles + angle, math.Hypot(float64(u), float64(v))})
		}
	}
	return bands
}

func dctEnergies(row []float32, bands []dctBand) []float32 {
	var sum, count [dctOctaves * dctAngles]float64
	for i, b := range bands {
		v := float64(row[i]) / b.weight
		sum[b.band] += v * v
		count[b.band]++
	}
	out := make([]float32, len(sum))
	for i := range out {
		out[i] = float32(math.Log10(sum[i]/count[i] + dctFloor))
	}
	return out
}
