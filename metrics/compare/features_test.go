package compare

import (
	"errors"
	"image"
	"math"
	"path/filepath"
	"testing"

	"github.com/gopdd/gopdd/metrics/report"
)

// The transform keeps the sum of squares (Parseval) but for the mean, and a cosine is one coefficient.
func TestDCT(t *testing.T) {
	patch := luma(texture(dctSide, dctSide, 3))
	row, bands := dctRow(patch, cosines()), dctBands()
	var coefficients, samples, mean float64
	for i, b := range bands {
		coefficients += math.Pow(float64(row[i])/b.weight, 2)
	}
	for _, v := range patch {
		mean += float64(v) / float64(len(patch))
	}
	for _, v := range patch {
		samples += math.Pow(float64(v)-mean, 2)
	}
	if math.Abs(coefficients/samples-1) > 1e-5 {
		t.Errorf("sums of squares: %v of the coefficients, %v of the samples", coefficients, samples)
	}
	for i := range patch {
		patch[i] = float32(math.Cos(math.Pi * 5 * (float64(i%dctSide) + 0.5) / dctSide))
	}
	row = dctRow(patch, cosines())
	for i, v := range row {
		want := 0.0
		if i == 4 { // u = 5, v = 0, without the mean
			want = 5 * dctSide / math.Sqrt2
		}
		if math.Abs(float64(v)-want) > 1e-3 {
			t.Errorf("coefficient %d of a cosine is %v, want %v", i, v, want)
		}
	}
	counts := map[int]int{}
	for _, b := range bands {
		counts[b.band]++
	}
	if len(counts) != dctOctaves*dctAngles || len(dctEnergies(row, bands)) != len(counts) {
		t.Errorf("%d of %d bands have coefficients", len(counts), dctOctaves*dctAngles)
	}
}

func TestLogEnergies(t *testing.T) {
	got := LogEnergies([]float32{10, 10, 0, 0, 3, 1}, 3, 0.01)
	for i, want := range []float64{100.01, 0.01, 5.01} {
		if math.Abs(float64(got[i])-math.Log10(want)) > 1e-6 {
			t.Errorf("channel %d: %v, want log10 of %v", i, got[i], want)
		}
	}
}

// studied compares the truth with itself, a blurred and a far more blurred copy.
func studied(t *testing.T, n int, change func(*Options)) (*Comparison, *FeatureStudy, error) {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		m, name := texture(224, 160, i), string(rune('a'+i))+".png"
		write(t, m, dir, "gt", name)
		write(t, repeat(m, m.Rect, m.Rect.Size()), dir, "same", name)
		write(t, repeat(shrunk(m, 2), image.Rect(0, 0, 112, 80), m.Rect.Size()), dir, "half", name)
		write(t, repeat(shrunk(m, 8), image.Rect(0, 0, 28, 20), m.Rect.Size()), dir, "eighth", name)
	}
	list, err := report.Parse("psnr_rgb,sharpness", 0, report.Models{})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{GT: filepath.Join(dir, "gt"), Out: filepath.Join(dir, "out"), Metrics: list}
	for _, name := range []string{"same", "half", "eighth"} {
		o.Systems = append(o.Systems, System{Name: name, Dir: filepath.Join(dir, name)})
	}
	if change != nil {
		change(&o)
	}
	c := mustRun(t, o)
	s, err := c.Study(t.Context(), DCT())
	return c, s, err
}

func TestStudy(t *testing.T) {
	c, s, err := studied(t, 3, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Patches != 3*7*5 || len(s.Sets) != 4 || !s.Sets[0].Truth || s.Sets[0].KL != nil {
		t.Fatalf("%d patches, sets %+v", s.Patches, s.Sets)
	}
	same, half, eighth := s.Sets[1], s.Sets[2], s.Sets[3]
	if math.Abs(same.KL.KL) > 1e-9 {
		t.Errorf("the truth itself has a divergence of %v", same.KL.KL)
	}
	if !(half.KL.KL > 1e-4) || eighth.KL.KL == half.KL.KL {
		t.Errorf("divergences %v and %v of damaged copies", half.KL.KL, eighth.KL.KL)
	}
	for i, p := range same.Points {
		if truth := s.Sets[0].Points[i]; math.Hypot(p[0]-truth[0], p[1]-truth[1]) > 1e-6 {
			t.Errorf("patch %d of the same pictures lies at %v and %v", i, p, truth)
		}
	}
	dir := t.TempDir()
	scatter, errScatter := c.ScatterFigure(s)
	bars, errBars := c.KLFigure(s)
	tradeoff, errTradeoff := c.TradeoffFigure()
	if err := errors.Join(errScatter, errBars, errTradeoff); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]*Figure{"scatter": scatter, "bars": bars, "tradeoff": tradeoff} {
		checkFigure(t, f, filepath.Join(dir, name+".png"))
	}
}

func TestStudyRefusals(t *testing.T) {
	if _, _, err := studied(t, 1, func(o *Options) {
		o.Systems = append(o.Systems, System{Name: "other", Dir: smallDir(t)})
	}); !errors.Is(err, ErrNothing) {
		t.Errorf("a system of another size everywhere: %v", err)
	}
	c, s, err := studied(t, 2, func(o *Options) {
		o.LR, o.GT = o.GT, ""
		o.Metrics = []report.Metric{{Name: "none", Measure: func(*report.Sample) (float64, error) { return 1, nil }}}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.KLFigure(s); !errors.Is(err, ErrNothing) {
		t.Errorf("bars without truth: %v", err)
	}
	if _, err := c.TradeoffFigure(); !errors.Is(err, ErrNothing) {
		t.Errorf("one metric: %v", err)
	}
	if s.Sets[0].Name != "same" || s.Sets[0].KL != nil || s.Floor != nil {
		t.Errorf("sets without truth: %+v", s.Sets[0])
	}
}

func smallDir(t *testing.T) string {
	t.Helper()
	return filepath.Dir(write(t, texture(40, 40, 0), t.TempDir(), "small", "a.png"))
}
