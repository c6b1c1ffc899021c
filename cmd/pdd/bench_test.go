package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBenchUsage(t *testing.T) {
	workFolder(t)
	for _, tt := range []struct {
		args string
		code int
		want string // in the line
	}{
		{"--size 128", exitUsage, `"128" is no size: write it like 640x360`},
		{"--size 0x128", exitUsage, "no size"},
		{"--precision double", exitUsage, "must be one of"},
		{"--device gpu", exitUsage, "must be cpu, cuda or cuda:N"},
		{"--threads 100000", exitUsage, "the cores of this machine"},
		{"--runs 0", exitUsage, "at least 1"},
		{"--callers 1,0", exitUsage, "at least 1"},
		{"--callers many", exitUsage, "--callers"},
		{"--for 0s", exitUsage, "above 0"},
		{"--weights nothing", exitUsage, "no such file, and no such name in the catalogue"},
		{"--weights bsrgan", exitFailed, "run: pdd weights get bsrgan"},
		{"--weights w.pth", exitFailed, "weightfile: open"},
	} {
		o := pddRun(t, nil, strings.Fields("bench "+tt.args)...)
		if o.code != tt.code || o.stdout != "" || !strings.Contains(o.stderr, tt.want) || strings.Count(o.stderr, "\n") != 1 {
			t.Errorf("pdd bench %s: code %d, want %d, stdout %q, stderr %q, want %q", tt.args, o.code, tt.code, o.stdout, o.stderr, tt.want)
		}
	}
}

func TestPixelSize(t *testing.T) {
	var p pixelSize
	if err := p.UnmarshalText([]byte("640x360")); err != nil || p != (pixelSize{W: 640, H: 360}) || p.String() != "640x360" {
		t.Errorf("%v, error %v", p, err)
	}
}

// Callers take pictures in turn, so many at a time, through one engine.
func TestBenchService(t *testing.T) {
	var now, most atomic.Int64
	fake := &fakeEngine{upscale: func(context.Context) error {
		most.Store(max(most.Load(), now.Add(1)))
		time.Sleep(time.Millisecond)
		now.Add(-1)
		return nil
	}}
	c := benchCmd{Size: []pixelSize{{8, 4}, {2, 3}}, Callers: []int{2, 1}, For: 50 * time.Millisecond}
	list, err := c.timeService(&env{ctx: t.Context(), newEngine: func(engineConfig) (engine, error) { return fake, nil }}, engineConfig{})
	if err != nil || len(list) != 2 || !fake.closed {
		t.Fatalf("%+v, closed %t, error %v", list, fake.closed, err)
	}
	two, one := list[0], list[1]
	if two.Callers != 2 || one.Callers != 1 || one.Relative != 1 || two.Relative <= 1 || two.Pictures <= one.Pictures || most.Load() != 2 {
		t.Errorf("at most %d at a time: %+v", most.Load(), list)
	}
	if one.Small.Size != (pixelSize{2, 3}) || one.P50 < 1e-3 || one.P99 < one.P50 || one.Small.P50 < 1e-3 {
		t.Errorf("%+v", one)
	}
}

func TestBenchServiceFails(t *testing.T) {
	failing := &fakeEngine{upscale: func(context.Context) error { return context.DeadlineExceeded }}
	c := benchCmd{Size: []pixelSize{{1, 1}}, Callers: []int{1}, For: time.Second}
	_, err := c.timeService(&env{ctx: t.Context(), newEngine: func(engineConfig) (engine, error) { return failing, nil }}, engineConfig{})
	if !errors.Is(err, context.DeadlineExceeded) || !failing.closed {
		t.Errorf("error %v, closed %t", err, failing.closed)
	}
}

// Four calls in two seconds, by hand: 2·(100·50 + 10·10) pixels.
func TestSummarize(t *testing.T) {
	large, small := pixelSize{100, 50}, pixelSize{10, 10}
	got := summarize(3, []sample{{large, 4}, {small, 1}, {large, 3}, {small, 2}}, 2)
	want := serviceTiming{Callers: 3, Pictures: 4, Megapixels: 0.0051, latency: latency{P50: 3, P99: 4},
		Small: smallLatency{small, latency{P50: 2, P99: 2}}}
	got.Megapixels = float64(int(got.Megapixels*1e6+0.5)) / 1e6
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(serviceTiming{}, smallLatency{})); diff != "" {
		t.Error(diff)
	}
}

func TestBenchTable(t *testing.T) {
	r := benchReport{CPU: "a processor", Cores: 2, Network: "RRDBNet {}", Runs: benchSurrounds{Libtorch: "2.0", Device: "cpu", Threads: 2,
		Precision: "float32", Engine: "gopdd", Peak: 250},
		Forward: []forwardTiming{{pixelSize{128, 64}, 0.5, 0.625, 250, 500, 2, 3 << 20}},
		Service: []serviceTiming{{2, 10, 0.25, 1.5, latency{1, 2}, smallLatency{pixelSize{8, 8}, latency{0.5, 0.75}}}}}
	var out strings.Builder
	if err := r.print(&out); err != nil {
		t.Fatal(err)
	}
	golden(t, "bench", out.String())
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{`"size":"128x64"`, `"best_s":0.5`, `"peak_gflops":250`, `"share_of_peak":2`, `"p99_s":2`, `"small":{"size":"8x8","p50_s":0.5`} {
		if !strings.Contains(string(text), field) {
			t.Errorf("no %s in %s", field, text)
		}
	}
}

func TestQuantile(t *testing.T) {
	values := []float64{1, 2, 3, 4, 5}
	var got []float64
	for _, q := range []float64{0, 0.5, 0.99, 1} {
		got = append(got, quantile(values, q))
	}
	if want := []float64{1, 3, 5, 5}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
