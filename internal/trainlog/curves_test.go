package trainlog

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// series has the values at steps 1, 2, 3…
func series(name string, values ...float64) Series {
	s := Series{Name: name, Values: values}
	for i := range values {
		s.Steps = append(s.Steps, i+1)
	}
	return s
}

func drawn(t *testing.T, runs ...Run) *image.RGBA {
	t.Helper()
	var b bytes.Buffer
	if err := Curves(&b, runs...); err != nil {
		t.Fatal(err)
	}
	m, err := png.Decode(&b)
	if err != nil {
		t.Fatal(err)
	}
	return m.(*image.RGBA) // as the decoder has it of an opaque picture
}

// count is the number of pixels for which ok holds.
func count(m *image.RGBA, ok func(r, g, b int) bool) (n int) {
	for i := 0; i < len(m.Pix); i += 4 {
		if ok(int(m.Pix[i]), int(m.Pix[i+1]), int(m.Pix[i+2])) {
			n++
		}
	}
	return n
}

func TestGroups(t *testing.T) {
	a := Run{Name: "A", Series: []Series{
		series("lr", 1), series("loss/inter", 1), series("val/psnr_y", 1), series("val/psnr_y_raw", 1), series("val/ssim_y_cc_raw", 1),
		series("loss/intra", 1), series("val/never"), series("a/b/c", 1),
	}}
	b := Run{Name: "B", Series: []Series{series("loss/inter", 2), series("loss/other", 2)}}
	panels := func(runs ...Run) (got [][]string) {
		for _, p := range group(runs) {
			line := []string{p.title}
			for _, c := range p.lines {
				line = append(line, c.label)
			}
			got = append(got, line)
		}
		return got
	}
	one := [][]string{
		{"lr", "lr"}, {"loss", "inter", "intra"}, {"val/psnr_y", "psnr_y", "psnr_y_raw"}, {"val/ssim_y", "ssim_y_cc_raw"}, {"a/b", "c"},
	}
	if diff := cmp.Diff(one, panels(a)); diff != "" {
		t.Errorf("panels of one run, title and curves (-want +got):\n%s", diff)
	}
	two := [][]string{
		{"lr", "A"}, {"loss/inter", "A", "B"}, {"val/psnr_y", "A"}, {"val/psnr_y_raw", "A"}, {"val/ssim_y_cc_raw", "A"},
		{"loss/intra", "A"}, {"a/b/c", "A"}, {"loss/other", "B"},
	}
	if diff := cmp.Diff(two, panels(a, b)); diff != "" {
		t.Errorf("panels of two runs, title and curves (-want +got):\n%s", diff)
	}
}

func TestScale(t *testing.T) {
	many := make([]float64, 1000)
	for i := range many {
		many[i] = 0.1 * float64(i%2)
	}
	spiked := append(append([]float64(nil), many...), 1000)
	tests := []struct {
		name   string
		values []float64
		log    bool
		within [2]float64 // the axis ends inside, and what lies between has to be shown
		reason string
	}{
		{"near", []float64{1, 2, 3}, false, [2]float64{0.5, 3.5}, "linear, with little room"},
		{"far apart", []float64{0.01, 1}, true, [2]float64{0.005, 2}, "logarithmic"},
		{"negative", []float64{-0.01, 1}, false, [2]float64{-0.1, 1.1}, "no logarithm"},
		{"zero", []float64{0, 1}, false, [2]float64{-0.1, 1.1}, "no logarithm"},
		{"equal", []float64{7, 7}, false, [2]float64{6, 8}, "an axis needs an extent"},
		{"all zero", []float64{0, 0}, false, [2]float64{-2, 2}, "an axis needs an extent"},
		{"a spike", spiked, false, [2]float64{-10, 100}, "a single spike is cut off where it would take most of the panel"},
	}
	for _, tt := range tests {
		p := group([]Run{{Series: []Series{series("a", tt.values...)}}})[0]
		if p.log != tt.log || p.lo < tt.within[0] || p.hi > tt.within[1] || p.lo >= p.hi {
			t.Errorf("%s: log %v, from %v to %v; want log %v within %v: %s", tt.name, p.log, p.lo, p.hi, tt.log, tt.within, tt.reason)
		}
	}
}

// TestNotFinite: a curve is cut at values that are not finite, its mean too; they are counted and marked.
func TestNotFinite(t *testing.T) {
	values := make([]float64, 200)
	for i := range values {
		values[i] = 1 + float64(i%2)
	}
	values[100], values[101], values[150] = math.NaN(), math.Inf(1), -1e300
	c := newCurve("a", series("a", values...))
	if !cmp.Equal(c.notFinite, []int{101, 102, 151}) || len(c.segments) != 3 || len(c.mean) != 3 {
		t.Errorf("steps %v are not finite, %d segments, %d means", c.notFinite, len(c.segments), len(c.mean))
	}
	red := func(r, g, b int) bool { return r > g+80 && r > b+80 }
	if n := count(drawn(t, Run{Series: []Series{series("a", values...)}}), red); n < 20 {
		t.Errorf("%d red pixels with values that are not finite, want crosses", n)
	}
	if n := count(drawn(t, Run{Series: []Series{series("a", values[:100]...)}}), red); n != 0 {
		t.Errorf("%d red pixels without such values", n)
	}
}

// TestRunningMean: the mean of equal values is the value, of a line the line, and mean and window are symmetric.
func TestRunningMean(t *testing.T) {
	var line []point
	for i := range 100 {
		line = append(line, point{float64(i), 3*float64(i) + 1})
	}
	for i, m := range runningMean(line, 10, 1000) {
		if i >= 5 && i < 95 && m != line[i] {
			t.Errorf("mean %v at %v of a line", m, line[i])
		}
	}
	if got := runningMean(line, 10, 1000)[0]; got.value != (1+4+7+10+13+16)/6. {
		t.Errorf("mean %v at the beginning, want that of the first six values", got)
	}
	if n := len(runningMean(line, 10, 20)); n != 20 {
		t.Errorf("%d means, want 20", n)
	}
}

// TestThin: extremes stay, and points stay in order and within the number.
func TestThin(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var s []point
	for i := range 10007 {
		s = append(s, point{float64(i), rng.Float64()})
	}
	s[5000].value, s[5001].value = 2, -2
	kept := thin(s, 300)
	found := 0
	for i, p := range kept {
		if p == s[5000] || p == s[5001] {
			found++
		}
		if i > 0 && p.step <= kept[i-1].step {
			t.Fatalf("step %v after step %v", p.step, kept[i-1].step)
		}
	}
	if len(kept) > 600 || found != 2 {
		t.Errorf("%d points, %d of the two extremes", len(kept), found)
	}
	if len(thin(s[:600], 300)) != 600 {
		t.Error("few points are thinned")
	}
}

// TestCurvesAnyValues: whatever a run reports, the picture has its size and something in it, and nothing panics.
func TestCurvesAnyValues(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	hard := []float64{0, math.Copysign(0, -1), 1, -1, 5e-324, -5e-324, math.MaxFloat64, -math.MaxFloat64, math.MaxFloat32, math.SmallestNonzeroFloat32,
		math.Inf(1), math.Inf(-1), math.NaN(), 1e-38, 1 + 1e-16, 1e30}
	for i := range 5 {
		run := Run{Name: "a name that is much too long for a legend in a picture of many panels, but there it is"}
		for _, name := range []string{"", "/", "a/", "val/", "a/b", "a/c", "val/_raw"}[:7-i] {
			var values []float64
			for range 1 + rng.IntN(4) {
				values = append(values, hard[rng.IntN(len(hard))])
			}
			run.Series = append(run.Series, series(name, values...))
		}
		m := drawn(t, []Run{run, run}[:1+i%2]...)
		if m.Bounds().Dx() != 1600 || m.Bounds().Dy() < 400 {
			t.Fatalf("%v: a picture of %v", run, m.Bounds())
		}
		if n := count(m, func(r, g, b int) bool { return r < 100 && g < 100 && b < 100 }); n < 150 {
			t.Errorf("%v: %d dark pixels", run, n)
		}
	}
}

func TestTicks(t *testing.T) {
	for _, tt := range []struct {
		name   string
		lo, hi float64
		log    bool
		want   []string
	}{
		{"steps", 1, 2000, false, []string{"500", "1000", "1500", "2000"}},
		{"many steps", 0, 100_000, false, []string{"0", "20k", "40k", "60k", "80k", "100k"}},
		{"few steps", 1, 4, false, []string{"1", "2", "3", "4"}},
		{"one and a half decades", 0.4, 25, true, []string{"0.5", "1", "2", "5", "10", "20"}},
		{"many decades", 1e-9, 1e9, true, []string{"1e-09", "1e-06", "0.001", "1", "1000", "1e+06", "1e+09"}},
	} {
		ticks := stepTicks(tt.lo, tt.hi)
		if tt.log {
			ticks = logTicks(tt.lo, tt.hi)
		}
		var got []string
		for _, k := range ticks {
			if k.Label != "" {
				got = append(got, k.Label)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s, %v to %v (-want +got):\n%s", tt.name, tt.lo, tt.hi, diff)
		}
	}
	p := group([]Run{{Series: []Series{series("lr", 1e-4, 1e-4)}}})[0]
	labels := map[string]bool{}
	for _, k := range valueTicks(p.lo, p.hi) {
		if labels[k.Label] {
			t.Errorf("two ticks of an axis of equal values are labelled %s", k.Label)
		}
		labels[k.Label] = true
	}
	var got []string
	for _, k := range valueTicks(-0.25, 0.31) {
		got = append(got, k.Label)
	}
	if want := []string{"-0.2", "-0.1", "0", "0.1", "0.2", "0.3"}; !cmp.Equal(want, got) {
		t.Errorf("values -0.25 to 0.31: %q, want %q", got, want)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestCurvesErrors(t *testing.T) {
	full := errors.New("full")
	if err := Curves(failing{full}, Run{Series: []Series{series("a", 1, 2)}}); !errors.Is(err, full) {
		t.Errorf("error %v, want the writer's", err)
	}
	for _, runs := range [][]Run{nil, {{Name: "empty"}}, {{Series: []Series{series("a")}}}} {
		if err := Curves(failing{full}, runs...); err == nil || errors.Is(err, full) {
			t.Errorf("error %v with nothing to draw", err)
		}
	}
}
