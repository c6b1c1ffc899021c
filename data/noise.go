package data

import (
	"fmt"
	"math/bits"
	"math/rand/v2"

	"github.com/gopdd/gopdd/internal/pixel"
)

// Quantize rounds m to levels of 1/255, halves to even, and clamps it to [0, 1], in place, and returns m: what
// storing as an 8-bit picture would do.
func (m *Image) Quantize() *Image {
	for i, v := range m.Pix {
		m.Pix[i] = levels[level8(v)]
	}
	return m
}

// levels are the samples that 8-bit pictures have.
var levels = func() (t [256]float32) {
	for i := range t {
		t[i] = float32(i) / 255
	}
	return t
}()

// level8 is v, clamped to [0, 1], as one of 0..255, halves rounded to even.
func level8(v float32) uint8 { return uint8(pixel.Round(float32(255 * clamp01(v)))) }

// AddNoise returns m + noise clamped to [0, 1]. noise has the size of m and as many planes, or one plane that is added
// to all.
func AddNoise(m, noise *Image) (*Image, error) {
	return addScaled(m, noise, 1)
}

// GaussianNoise returns m plus draws·sigma/255, clamped to [0, 1]; sigma is in levels of 255. draws holds standard
// normal values, of the size of m: one map per plane, or one that is added to all (gray noise).
func GaussianNoise(m *Image, sigma float64, draws *Image) (*Image, error) {
	return addScaled(m, draws, float32(sigma/255))
}

func addScaled(m, noise *Image, scale float32) (*Image, error) {
	if err := checkNoise(m, noise); err != nil {
		return nil, err
	}
	out := rawImage(m.C, m.H, m.W)
	for c := range m.C {
		src, add, dst := m.Plane(c), noise.Plane(c%noise.C), out.Plane(c)
		add, dst = add[:len(src)], dst[:len(src)]
		for i, v := range src {
			dst[i] = clamp01(v + scale*add[i])
		}
	}
	return out, nil
}

func checkNoise(m, noise *Image) error {
	if err := m.check("add noise"); err != nil {
		return err
	}
	if err := noise.check("add noise"); err != nil {
		return err
	}
	if noise.H != m.H || noise.W != m.W || noise.C != 1 && noise.C != m.C {
		return fmt.Errorf("data: add noise of %d×%d×%d to an image of %d×%d×%d: want its size and 1 or %d planes",
			noise.C, noise.H, noise.W, m.C, m.H, m.W, m.C)
	}
	return nil
}

// PoissonNoise returns m plus scale times shot noise, clamped to [0, 1]. With q the image rounded to 255 levels and
// v = [PoissonLevels] of it, counts holds Poisson samples of mean q·v, and the noise is counts/v - q. One plane of
// counts is gray noise, whose q is the luma ([Gray]) of m, added to all planes.
func PoissonNoise(m *Image, scale float64, counts *Image) (*Image, error) {
	if err := checkNoise(m, counts); err != nil {
		return nil, err
	}
	noise, vals := poissonMean(m, counts.C)
	for i, q := range noise.Pix {
		noise.Pix[i] = counts.Pix[i]/float32(vals) - q
	}
	return addScaled(m, noise, float32(scale))
}

// poissonMean is q and v of [PoissonNoise] for noise of c planes.
func poissonMean(m *Image, c int) (q *Image, vals int) {
	if c < m.C {
		q = Gray(m).Quantize()
	} else {
		q = m.Clone().Quantize()
	}
	return q, PoissonLevels(q)
}

// PoissonLevels is the number of different 8-bit levels in m, all planes together, rounded up to a power of two: the
// number of photons that Real-ESRGAN's shot noise takes white to be.
func PoissonLevels(m *Image) int {
	var seen [256]bool
	n := 0
	for _, v := range m.Pix {
		seen[level8(v)] = true
	}
	for _, s := range seen {
		if s {
			n++
		}
	}
	if n <= 1 {
		return 1
	}
	return 1 << bits.Len(uint(n-1))
}

// Gray returns the luma 0.2989 R + 0.587 G + 0.114 B of an RGB image, in one plane; a gray image itself.
func Gray(m *Image) *Image {
	if m.C == 1 {
		return m
	}
	out := rawImage(1, m.H, m.W)
	r, g, b := m.Plane(0), m.Plane(1), m.Plane(2)
	for i := range out.Pix {
		out.Pix[i] = 0.2989*r[i] + 0.587*g[i] + 0.114*b[i]
	}
	return out
}

// Distribution names the law of a noise.
type Distribution string

const (
	Gaussian   Distribution = "gaussian"
	Poisson    Distribution = "poisson"
	Covariance Distribution = "covariance" // Gaussian whose channels are correlated
)

// Noise is noise with everything that was drawn for it.
type Noise struct {
	Kind Distribution `json:"kind" yaml:"kind"`
	// Level is sigma in levels of 255 (gaussian), the factor of the shot noise (poisson); unused by covariance.
	Level float64 `json:"level" yaml:"level"`
	Gray  bool    `json:"gray,omitempty" yaml:"gray,omitempty"` // the same noise in all planes
	// Mixing makes correlated channels of independent ones, in units of [0, 1] (covariance): noise = Mixing·normal.
	Mixing *[3][3]float64 `json:"mixing,omitempty" yaml:"mixing,omitempty"`
	Seed   uint64         `json:"seed" yaml:"seed"` // of the samples' generator
}

// Apply returns m with the noise, clamped to [0, 1]; the same m and Noise give the same result.
func (n Noise) Apply(m *Image) (*Image, error) {
	if err := m.check("add noise"); err != nil {
		return nil, err
	}
	rng := rand.New(rand.NewPCG(n.Seed, 0))
	planes := m.C
	if n.Gray {
		planes = 1
	}
	var noise *Image
	var scale float32
	switch n.Kind {
	case Gaussian:
		noise, scale = normals(rng, planes, m.H, m.W), float32(n.Level/255)
	case Poisson:
		noise, scale = shotNoise(rng, m, planes), float32(n.Level)
	case Covariance:
		if n.Mixing == nil || m.C != 3 {
			return nil, fmt.Errorf("data: add noise: covariance noise needs mixing and an RGB image, not %d planes", m.C)
		}
		noise, scale = mix(normals(rng, 3, m.H, m.W), n.Mixing), 1
	default:
		return nil, fmt.Errorf("data: add noise: unknown kind %q", n.Kind)
	}
	defer noise.free()
	return addScaled(m, noise, scale)
}

func normals(rng *rand.Rand, c, h, w int) *Image {
	m := rawImage(c, h, w)
	for i := range m.Pix {
		m.Pix[i] = float32(rng.NormFloat64())
	}
	return m
}

// mix multiplies the three planes of each pixel by the matrix, in place.
func mix(m *Image, a *[3][3]float64) *Image {
	r, g, b := m.Plane(0), m.Plane(1), m.Plane(2)
	for i := range r {
		x, y, z := float64(r[i]), float64(g[i]), float64(b[i])
		r[i] = float32(a[0][0]*x + a[0][1]*y + a[0][2]*z)
		g[i] = float32(a[1][0]*x + a[1][1]*y + a[1][2]*z)
		b[i] = float32(a[2][0]*x + a[2][1]*y + a[2][2]*z)
	}
	return m
}

// shotNoise is the noise of [PoissonNoise] at scale 1, with counts drawn.
func shotNoise(rng *rand.Rand, m *Image, planes int) *Image {
	noise, vals := poissonMean(m, planes)
	tables := shotTables(vals)
	for i, q := range noise.Pix {
		count := tables[level8(q)].draw(rng.Uint32())
		noise.Pix[i] = float32(count)/float32(vals) - q
	}
	return noise
}
