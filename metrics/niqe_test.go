package metrics

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/data"
)

func mustPrior(t *testing.T, path string) *NIQEPrior {
	t.Helper()
	p, err := LoadNIQEPrior(path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// testdata/make.py states the values.
func TestPriorFiles(t *testing.T) {
	fromMAT := mustPrior(t, "testdata/prior.mat")
	saved := filepath.Join(t.TempDir(), "prior.json")
	if err := fromMAT.Save(saved); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"testdata/prior.npz", "testdata/prior.mat", saved} {
		p := mustPrior(t, path)
		if *p != *fromMAT || p.Block != 96 || p.Mean[35] != 35./8 || p.Cov[3][3] != 4.25 || p.Cov[0][9] != 0.25 {
			t.Errorf("%s: block %d, mean %v, variance %v, covariance %v", path, p.Block, p.Mean[35], p.Cov[3][3], p.Cov[0][9])
		}
	}
}

func TestPriorRefusals(t *testing.T) {
	for _, tt := range []struct{ reason, text, want string }{
		{"an empty file", "", "too short"},
		{"no prior at all", "hello, world", "no level 5"},
		{"too few numbers", `{"block":96,"mean":[1],"cov":[1]}`, "36×36"},
		{"a misspelt key would be overlooked", `{"blok":96}`, "unknown field"},
	} {
		path := filepath.Join(t.TempDir(), "prior")
		if err := os.WriteFile(path, []byte(tt.text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadNIQEPrior(path); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.reason, err, tt.want)
		}
	}
	p := mustPrior(t, "testdata/prior.mat")
	p.Cov[1][0] = 7
	if err := p.Save(filepath.Join(t.TempDir(), "x")); err == nil || !strings.Contains(err.Error(), "symmetric") {
		t.Errorf("a covariance that is not symmetric: error %v", err)
	}
}

func TestNIQEOddPictures(t *testing.T) {
	prior := mustPrior(t, "testdata/prior.mat")
	half := noisyNRGBA(288, 192, 1) // the right two of six blocks become one colour
	draw.Draw(half, image.Rect(192, 0, 288, 192), image.White, image.Point{}, draw.Src)
	for _, tt := range []struct {
		reason string
		img    image.Image
		color  Color
		want   string // in the error; "" for a score
	}{
		{"a sky of one colour leaves blocks to measure", half, YBT601, ""},
		{"sides that are no multiple of 96 are cut", noisyNRGBA(230, 110, 2), YYIQ, ""},
		{"one colour has no statistics", fill(200, 200, color.White), YBT601, "texture"},
		{"one block has no covariance", noisyNRGBA(100, 100, 3), YBT601, "one block of 96×96 fits"},
		{"smaller than a block", noisyNRGBA(95, 300, 4), YBT601, "at least one block"},
		{"NIQE is a metric of luma", half, RGB, "luma"},
	} {
		score, err := NIQE(tt.img, prior, tt.color, 0)
		if tt.want == "" && (err != nil || !(score > 0)) {
			t.Errorf("%s: score %v, error %v", tt.reason, score, err)
		}
		if tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: error %v, want one with %q", tt.reason, err, tt.want)
		}
	}
	if _, err := NIQE(half, nil, YBT601, 0); err == nil {
		t.Error("no prior: no error")
	}
}

// Priors may also be made by hand: what is no covariance must not make the score NaN.
func TestNIQEOfBadPriors(t *testing.T) {
	nan, negative := *mustPrior(t, "testdata/prior.mat"), *mustPrior(t, "testdata/prior.mat")
	nan.Cov[3][4], nan.Cov[4][3] = math.NaN(), math.NaN()
	negative.Cov[3][4], negative.Cov[4][3] = 1e3, 1e3 // more than the variances: negative along (1, -1)
	negative.Mean[3], negative.Mean[4] = 1e3, -1e3
	for want, prior := range map[string]*NIQEPrior{"symmetric": &nan, "negative eigenvalues": &negative} {
		if score, err := NIQE(noisyNRGBA(200, 200, 1), prior, YBT601, 0); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("score %v, error %v, want one with %q", score, err, want)
		}
	}
}

// Results must not depend on the number of processors.
func TestSameOnOneProcessor(t *testing.T) {
	img, ref := noisyNRGBA(301, 290, 5), noisyNRGBA(301, 290, 6)
	prior := mustPrior(t, "testdata/prior.mat")
	all := func() (v [4]float64) {
		var err [4]error
		v[0], err[0] = PSNR(img, ref, Convention{})
		v[1], err[1] = SSIM(img, ref, Convention{})
		v[2], err[2] = NIQE(img, prior, YYIQ, 0)
		f, e := NewNRQMFeatures(img, YYIQ, 0)
		if e != nil {
			t.Fatal(e)
		}
		for _, x := range f.Spatial {
			v[3] += x
		}
		for _, e := range err {
			if e != nil {
				t.Fatal(e)
			}
		}
		return v
	}
	many := all()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	if one := all(); one != many {
		t.Errorf("one processor %v, several %v", one, many)
	}
}

// Samples of known distributions must give their shape: 2 for a Gaussian, 1 for a Laplacian, and a ratio of scales.
func TestFitAGGD(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	gauss, laplace := make([]float64, 200000), make([]float64, 200000)
	for i := range gauss {
		gauss[i] = rnd.NormFloat64()
		laplace[i] = rnd.ExpFloat64() * float64(2*(i%2)-1)
		if laplace[i] > 0 {
			laplace[i] *= 3
		}
	}
	if g := fitAGGD(gauss); math.Abs(g.shape-2) > 0.03 || math.Abs(g.left/g.right-1) > 0.02 {
		t.Errorf("Gaussian: %+v", g)
	}
	if g := fitAGGD(laplace); math.Abs(g.right/g.left-3) > 0.05 {
		t.Errorf("Laplacian, three times as wide to the right: %+v", g)
	}
	if g := fitAGGD(make([]float64, 9)); g.shape != 0.2 || !math.IsNaN(g.left) || !math.IsNaN(g.right) {
		t.Errorf("zeros: %+v, want shape 0.2 (the grid's first) and no scales", g)
	}
}

func TestNearestIsNearest(t *testing.T) {
	for _, g := range []*shapeGrid{aggdGrid(), generalizedGrid()} {
		rnd := rand.New(rand.NewPCG(9, 9))
		tests := []float64{-1, 0, g.ratio[0], g.ratio[len(g.ratio)-1], g.ratio[500], 1e6}
		for range 200 {
			tests = append(tests, rnd.Float64()*3)
		}
		for _, r := range tests {
			want := 0
			for i, v := range g.ratio {
				if math.Abs(v-r) < math.Abs(g.ratio[want]-r) {
					want = i
				}
			}
			if got := g.nearest(r); got != g.shape(want) {
				t.Errorf("nearest(%v) = %v, want %v", r, got, g.shape(want))
			}
		}
	}
}

// plane.resize and data.Resize are one function in two precisions.
func TestResizeEqualsData(t *testing.T) {
	img := data.FromImage(noisyNRGBA(50, 41, 10))
	p := newPlane(50, 41)
	for i, v := range img.Plane(0) {
		p.pix[i] = float64(v)
	}
	for _, size := range [][2]int{{25, 21}, {17, 90}, {50, 41}} {
		want, err := data.ResizeTo(img, size[1], size[0], data.Bicubic)
		if err != nil {
			t.Fatal(err)
		}
		got := p.resize(size[0], size[1])
		for i, v := range want.Plane(0) {
			if math.Abs(got.pix[i]-float64(v)) > 1e-6 {
				t.Fatalf("%v: sample %d is %v, data has %v", size, i, got.pix[i], v)
			}
		}
	}
}
