package metrics

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func randomRows(n, width int, spread float64, seed uint64) [][]float32 {
	rnd := rand.New(rand.NewPCG(seed, 1))
	rows := make([][]float32, n)
	for i := range rows {
		rows[i] = make([]float32, width)
		for j := range rows[i] {
			rows[i][j] = float32(spread * rnd.NormFloat64() / float64(1+j))
		}
	}
	return rows
}

func TestGGDDivergence(t *testing.T) {
	g := GGD{Sigma: 0.7, Shape: 1.3}
	if kl := g.KL(g); math.Abs(kl) > 1e-12 {
		t.Errorf("KL of a distribution with itself = %v, want 0", kl)
	}
	// Two Gaussians: ln(s2/s1) + s1²/(2 s2²) - 1/2.
	if kl, want := (GGD{1, 2}).KL(GGD{3, 2}), math.Log(3)+1./18-0.5; math.Abs(kl-want) > 1e-12 {
		t.Errorf("KL of Gaussians = %v, want %v", kl, want)
	}
	// Two Laplacians of scales a = s/√2: ln(a2/a1) + a1/a2 - 1.
	if kl, want := (GGD{1, 1}).KL(GGD{4, 1}), math.Log(4)+0.25-1; math.Abs(kl-want) > 1e-12 {
		t.Errorf("KL of Laplacians = %v, want %v", kl, want)
	}
	if got := SRGA(0); math.Abs(got) > 1e-9 {
		t.Errorf("SRGA(0) = %v, want 0", got)
	}
}

func TestFeatureKL(t *testing.T) {
	o := SRGAOptions()
	o.Components = 8
	base, wide := randomRows(60, 100, 1, 1), randomRows(60, 100, 5, 2)
	same, err := FeatureKL(base, base, o)
	if err != nil || math.Abs(same.KL) > 1e-12 || same.SRGA > 1e-6 {
		t.Errorf("a set against itself: %v, %v", same, err)
	}
	other, err := FeatureKL(base, wide, o)
	if err != nil || !(other.KL > 0.1) || !(other.Reverse > other.KL) {
		t.Errorf("a set five times as wide: KL %v, reverse %v (%v), want more than 0.1 and more again", other.KL, other.Reverse, err)
	}
	for i := 1; i < o.Components; i++ {
		if other.Base.Variance[i] > other.Base.Variance[i-1] {
			t.Errorf("variances are not descending: %v", other.Base.Variance)
		}
	}
}

func TestFeatureRefusals(t *testing.T) {
	o := SRGAOptions()
	o.Components = 4
	good := randomRows(9, 20, 1, 1)
	ragged, nan := randomRows(9, 20, 1, 1), randomRows(9, 20, 1, 1)
	ragged[3] = ragged[3][:19]
	nan[2][5] = float32(math.NaN())
	for _, tt := range []struct {
		reason string
		test   [][]float32
		o      KLOptions
		want   string
	}{
		{"rows of different lengths", ragged, o, "row 3"},
		{"NaN in a feature", nan, o, "finite"},
		{"fewer rows than components", good[:3], o, "components"},
		{"all rows are equal", [][]float32{good[0], good[0], good[0], good[0]}, o, "equal"},
		{"SRGA's 300 components from 9 rows", good, SRGAOptions(), "components"},
		{"options that were never set", good, KLOptions{}, "options"},
	} {
		if _, err := FeatureKL(good, tt.test, tt.o); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.reason, err, tt.want)
		}
	}
}

// Points on a plane in many dimensions must come back as they are, up to rotation: distances are kept.
func TestProject(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 5))
	var flat [][2]float64
	var rows [][]float32
	for range 20 {
		p := [2]float64{3 * rnd.NormFloat64(), rnd.NormFloat64()}
		row := make([]float32, 50)
		for j := range row {
			row[j] = float32((p[0]*math.Cos(float64(j)) + p[1]*math.Sin(float64(j))) / 5) // nearly orthogonal axes of length 1
		}
		flat, rows = append(flat, p), append(rows, row)
	}
	points, share, err := Project(rows[:7], rows[7:])
	if err != nil {
		t.Fatal(err)
	}
	if len(points[0]) != 7 || len(points[1]) != 13 || math.Abs(share[0]+share[1]-1) > 1e-6 || share[0] < share[1] {
		t.Fatalf("%d and %d points, shares %v", len(points[0]), len(points[1]), share)
	}
	got := append(points[0], points[1]...)
	for i := range got {
		d, want := math.Hypot(got[i][0]-got[0][0], got[i][1]-got[0][1]), math.Hypot(flat[i][0]-flat[0][0], flat[i][1]-flat[0][1])
		if math.Abs(d-want) > 0.05*want+1e-6 {
			t.Errorf("distance of row %d is %v, want %v", i, d, want)
		}
	}
	if _, _, err := Project(); err == nil {
		t.Error("no rows: no error")
	}
}

// Columns of zeros change nothing, though they change which matrix is decomposed.
func TestProjectNarrow(t *testing.T) {
	narrow, wide := randomRows(40, 6, 1, 3), make([][]float32, 40)
	for i, row := range narrow {
		wide[i] = append(append([]float32{}, row...), make([]float32, 60)...)
	}
	a, shareA, errA := Project(narrow[:30], narrow[30:])
	b, shareB, errB := Project(wide[:30], wide[30:])
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	for set := range a {
		for i := range a[set] {
			for axis := range 2 {
				if math.Abs(a[set][i][axis]-b[set][i][axis]) > 1e-6 || math.Abs(shareA[axis]-shareB[axis]) > 1e-9 {
					t.Fatalf("set %d row %d: %v and %v, shares %v and %v", set, i, a[set][i], b[set][i], shareA, shareB)
				}
			}
		}
	}
}

// numpy 2.4.6 (OpenBLAS) gives these signs to entry 3 of the first 16 left singular vectors:
//
//	i, j = np.arange(40)[:, None], np.arange(120)[None]
//	x = (np.sin(1 + i*j*0.37 + i*i*0.11) / (1 + 0.2*j)).astype(np.float32).astype(float)
//	u = np.linalg.svd(x - x.mean(0), full_matrices=False)[0]; np.sign(u[3, :16])
func TestComponentSigns(t *testing.T) {
	want := []float64{-1, -1, 1, 1, -1, 1, 1, -1, 1, -1, -1, 1, -1, 1, -1, -1}
	rows := make([][]float32, 40)
	for i := range rows {
		rows[i] = make([]float32, 120)
		for j := range rows[i] {
			rows[i][j] = float32(math.Sin(1+float64(i*j)*0.37+float64(i*i)*0.11) / (1 + 0.2*float64(j)))
		}
	}
	p, err := newComponents(rows, len(want))
	if err != nil {
		t.Fatal(err)
	}
	signs := componentSigns(p.vectors, p.roots)
	for c, w := range want {
		if got := signs[c] * p.vectors.At(3, c); got*w < 0 {
			t.Errorf("component %d has the entry %v, want the sign %v", c, got, w)
		}
	}
}
