package metrics

import (
	"image"
	"image/color"
	"math"
	"slices"
	"strings"
	"testing"
)

// testdata/make.py states the trees: 1 where the first feature is at most 0, else 2; linear is 1, 2, 3, 4. Children and
// features come in any type that holds them: with unsigned ones, 0 - 1 must not become a large number.
func TestNRQMModel(t *testing.T) {
	for _, name := range []string{"good", "signed", "unsigned", "single"} {
		m, err := LoadNRQMModel("testdata/nrqm_" + name + ".mat")
		if err != nil {
			t.Fatal(err)
		}
		f := &NRQMFeatures{}
		f.Spatial[0] = 0.1
		score, predictions, err := m.Score(f)
		if want := 1 + 2*1 + 3*2 + 4*1.; err != nil || score != want || predictions != [3]float64{1, 2, 1} {
			t.Errorf("%s: score %v of predictions %v (%v), want %v of [1 2 1]", name, score, predictions, err, want)
		}
		for _, forest := range m.Forests {
			for _, tree := range forest.Trees {
				if len(tree.Nodes) != 3 {
					t.Errorf("%s: a tree of %d nodes, want the 3 that are in use", name, len(tree.Nodes))
				}
			}
		}
	}
}

// Models may also be made by hand: a bad one is an error, not a crash.
func TestScoreOfBadTrees(t *testing.T) {
	good := Forest{Trees: []Tree{{Nodes: make([]Node, 1)}}}
	if _, _, err := (&NRQMModel{Forests: [3]Forest{good, good, good}, Linear: [4]float64{1, 1, 1, 1}}).Score(&NRQMFeatures{}); err != nil {
		t.Fatal(err)
	}
	for reason, tree := range map[string]Tree{
		"no nodes":           {},
		"a circle":           {Nodes: []Node{{Left: 1, Right: 1}, {Left: 1, Right: 1}}},
		"a child outside":    {Nodes: []Node{{Left: 5, Right: 5}}},
		"a negative child":   {Nodes: []Node{{Left: -1, Right: -1}}},
		"no such feature":    {Nodes: []Node{{Feature: 18, Left: 1, Right: 1}, {}}},
		"a negative feature": {Nodes: []Node{{Feature: -1}}},
		"no number":          {Nodes: []Node{{Value: math.NaN()}}},
	} {
		m := &NRQMModel{Forests: [3]Forest{{Trees: []Tree{tree}}, good, good}, Linear: [4]float64{1, 1, 1, 1}}
		if _, _, err := m.Score(&NRQMFeatures{}); err == nil {
			t.Errorf("%s: no error", reason)
		}
	}
	if _, _, err := (&NRQMModel{}).Score(&NRQMFeatures{}); err == nil {
		t.Error("no trees: no error")
	}
}

func TestNRQMModelRefusals(t *testing.T) {
	for _, tt := range []struct{ file, reason, want string }{
		{"nrqm_cycle.mat", "a node that is its own child would never end", "child 1"},
		{"nrqm_outside.mat", "a child behind the last node", "child 9"},
		{"nrqm_feature.mat", "the first group has 18 features", "feature 19"},
		{"nrqm_fields.mat", "the predictions are missing", "7 fields"},
		{"nrqm_linear.mat", "a weight is missing", "4×1"},
		{"prior.mat", "another MAT file", "model.linear"},
	} {
		if _, err := LoadNRQMModel("testdata/" + tt.file); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.reason, err, tt.want)
		}
	}
}

func TestNRQMOddPictures(t *testing.T) {
	for _, tt := range []struct {
		reason string
		img    image.Image
		want   string
	}{
		{"one colour has no bands", fill(128, 128, color.White), "texture"},
		{"25 blocks of 5 do not fit into a quarter", noisyNRGBA(80, 80, 1), "too few"},
		{"narrow but long: the guard band takes all", noisyNRGBA(40, 900, 1), "too few"},
	} {
		if _, err := NewNRQMFeatures(tt.img, YBT601, 0); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.reason, err, tt.want)
		}
	}
	for _, img := range []image.Image{noisyNRGBA(84, 84, 2), noisyNRGBA(101, 97, 3)} {
		f, err := NewNRQMFeatures(img, YYIQ, 0)
		if err != nil {
			t.Errorf("%v: %v", img.Bounds(), err)
			continue
		}
		for i, v := range slices.Concat(f.Frequency[:], f.Spatial[:], f.Singular[:]) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%v: feature %d is %v", img.Bounds(), i, v)
			}
		}
	}
	if _, err := NRQM(noisyNRGBA(128, 128, 4), nil, YYIQ, 0); err == nil {
		t.Error("no model: no error")
	}
}

// A transposed picture has transposed blocks: the same singular values and the same spread of coefficients.
func TestTransposedFeatures(t *testing.T) {
	p := newPlane(90, 60) // multiples of 3 and 5: the padding is symmetric
	q := newPlane(60, 90)
	for i := range p.pix {
		x, y := i%p.w, i/p.w
		p.pix[i] = math.Sin(float64(x*x)/90) * math.Cos(float64(x*y)/70) / 2
		q.pix[x*q.w+y] = p.pix[i]
	}
	s, err1 := singularValues(p)
	r, err2 := singularValues(q)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	for i := range s {
		if math.Abs(s[i]-r[i]) > 1e-9 {
			t.Errorf("singular value %d: %v, transposed %v", i, s[i], r[i])
		}
	}
	f, g := frequencyFeatures(p), frequencyFeatures(q)
	for i := range 4 { // the diagonal group of the last two is not symmetric
		if math.Abs(f[i]-g[i]) > 1e-9 {
			t.Errorf("frequency feature %d: %v, transposed %v", i, f[i], g[i])
		}
	}
}

// The squares of the two radial masks add up to 1, and bands do not see a constant.
func TestPyramidLaws(t *testing.T) {
	hi, lo := radialTables()
	for x := -3.0; x < 1; x += 0.01 {
		if s := hi.at(x)*hi.at(x) + lo.at(x)*lo.at(x); math.Abs(s-1) > 1e-4 { // the tables are interpolated
			t.Errorf("hi² + lo² at %v is %v", x, s)
		}
	}
	a := newPlane(50, 44)
	for i := range a.pix {
		a.pix[i] = float64(i * i % 251)
	}
	b := newPlane(50, 44)
	for i, v := range a.pix {
		b.pix[i] = v + 40
	}
	pa, pb := newPyramid(a), newPyramid(b)
	for level := range pa.bands {
		for o := range pa.bands[level] {
			for i, v := range pa.bands[level][o].pix {
				if math.Abs(v-pb.bands[level][o].pix[i]) > 1e-9 {
					t.Fatalf("level %d, orientation %d: sample %d changes from %v to %v", level, o, i, v, pb.bands[level][o].pix[i])
				}
			}
		}
	}
}

func TestPI(t *testing.T) {
	if got := PI(8, 3); got != 2.5 { // ((10-8)+3)/2
		t.Errorf("PI(8, 3) = %v, want 2.5", got)
	}
}

func TestSharpness(t *testing.T) {
	ramp := newRamp(1)
	// gx is 4 times the difference over two pixels, 8 a pixel and step of 1.
	if got, err := Sharpness(ramp, 0); err != nil || math.Abs(got-8) > 1e-9 {
		t.Errorf("Sharpness of a ramp = %v, %v, want 8", got, err)
	}
	if got, err := SharpnessRatio(newRamp(3), ramp, 2); err != nil || math.Abs(got-3) > 1e-9 {
		t.Errorf("SharpnessRatio = %v, %v, want 3", got, err)
	}
	if got, err := Sharpness(fill(9, 9, color.White), 0); err != nil || math.Abs(got) > 1e-9 {
		t.Errorf("Sharpness of white = %v, %v, want 0", got, err)
	}
	for reason, ref := range map[string]image.Image{
		"black has no gradient": fill(40, 20, color.Black), "another size": fill(40, 21, color.White), "no picture": nil,
	} {
		if _, err := SharpnessRatio(ramp, ref, 0); err == nil {
			t.Errorf("%s: no error", reason)
		}
	}
	if _, err := Sharpness(ramp, 9); err == nil {
		t.Error("two rows left: no error")
	}
}

// newRamp is 40×20 pixels whose gray rises by step from column to column.
func newRamp(step int) *image.Gray {
	m := image.NewGray(image.Rect(0, 0, 40, 20))
	for i := range m.Pix {
		m.Pix[i] = uint8(i % 40 * step)
	}
	return m
}
