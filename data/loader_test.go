package data

import (
	"context"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// mixed is a loader over five HR pictures degraded by the named preset and four unpaired LR pictures.
func mixed(t *testing.T, preset string, change func(*LoaderConfig)) *Loader {
	t.Helper()
	hr := mustList(t, writePhotos(t, 131, 118, "0.png", "1.png", "2.jpg", "3.png", "4.png"))
	lr := mustList(t, writePhotos(t, 60, 50, "0.png", "1.jpg", "2.png", "3.png"))
	o := Options{Patch: 16, Augment: true}
	labelled, err := NewSynthetic(hr, must(Preset(preset, 4)), o)
	if err != nil {
		t.Fatal(err)
	}
	unlabelled, err := NewUnpaired(lr, o)
	if err != nil {
		t.Fatal(err)
	}
	cfg := LoaderConfig{Labelled: labelled, Unlabelled: unlabelled, BatchSize: 3, Seed: 11}
	if change != nil {
		change(&cfg)
	}
	l, err := NewLoader(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// take returns n batches from a step on.
func take(t *testing.T, l *Loader, from, n int) []Batch {
	t.Helper()
	var list []Batch
	for b, err := range l.Batches(t.Context(), from) {
		if err != nil {
			t.Fatal(err)
		}
		if list = append(list, b); len(list) == n {
			break
		}
	}
	return list
}

// sameBatches compares everything but folders, which differ from test to test.
func sameBatches(t *testing.T, what string, a, b []Batch) {
	t.Helper()
	if len(a) != len(b) {
		t.Fatalf("%s: %d and %d batches", what, len(a), len(b))
	}
	for i := range a {
		x, y := a[i], b[i]
		if x.Step != y.Step || !slices.Equal(x.LabelledLR.Pix, y.LabelledLR.Pix) ||
			!slices.Equal(x.LabelledHR.Pix, y.LabelledHR.Pix) || !slices.Equal(x.UnlabelledLR.Pix, y.UnlabelledLR.Pix) {
			t.Errorf("%s: batch %d differs", what, i)
		}
		for j := range x.Labelled {
			if x.Labelled[j].Recipe.String() != y.Labelled[j].Recipe.String() || x.Labelled[j].Epoch != y.Labelled[j].Epoch {
				t.Errorf("%s: batch %d, sample %d: recipes or epochs differ", what, i, j)
			}
		}
	}
}

func TestLoaderIsDeterministic(t *testing.T) {
	for _, preset := range []string{"bicubic", "realesrgan", "bsrgan"} {
		one := mixed(t, preset, func(c *LoaderConfig) { c.Workers = 1; c.Prefetch = 1 })
		eight := mixed(t, preset, func(c *LoaderConfig) { c.Workers = 8; c.Prefetch = 9 })
		all := take(t, one, 0, 7)
		sameBatches(t, preset+": 1 and 8 workers", all, take(t, eight, 0, 7))
		stopped := append(take(t, eight, 0, 3), take(t, one, 3, 4)...)
		sameBatches(t, preset+": stopped at 3 and resumed", all, stopped)
	}
}

func TestLoaderShapes(t *testing.T) {
	b := take(t, mixed(t, "bicubic", nil), 0, 1)[0]
	for name, s := range map[string]struct {
		stack Stack
		side  int
	}{"LR": {b.LabelledLR, 16}, "HR": {b.LabelledHR, 64}, "unlabelled": {b.UnlabelledLR, 16}} {
		if s.stack.N != 3 || s.stack.C != 3 || s.stack.H != s.side || s.stack.W != s.side || len(s.stack.Pix) != 9*s.side*s.side {
			t.Errorf("%s: %d×%d×%d×%d with %d samples, want 3×3×%d×%d", name, s.stack.N, s.stack.C, s.stack.H, s.stack.W, len(s.stack.Pix), s.side, s.side)
		}
	}
	if len(b.Labelled) != 3 || len(b.Unlabelled) != 3 || b.Labelled[0].Recipe == nil || b.Unlabelled[0].Recipe != nil {
		t.Errorf("origins: %+v, %+v", b.Labelled, b.Unlabelled)
	}
}

// In an epoch every file comes once, in another order than in the epoch before.
func TestLoaderEpochs(t *testing.T) {
	l := mixed(t, "bicubic", func(c *LoaderConfig) { c.Unlabelled = nil; c.BatchSize = 5 })
	orders := map[string]bool{}
	for i, b := range take(t, l, 0, 8) {
		var names []string
		for _, o := range b.Labelled {
			names = append(names, filepath.Base(o.Name))
			if o.Epoch != i {
				t.Errorf("batch %d is of epoch %d", i, o.Epoch)
			}
		}
		orders[strings.Join(names, " ")] = true
		slices.Sort(names)
		if got := strings.Join(names, " "); got != "0.png 1.png 2.jpg 3.png 4.png" {
			t.Errorf("epoch %d has %s", i, got)
		}
	}
	if len(orders) < 5 {
		t.Errorf("8 epochs have only %d different orders", len(orders))
	}
}

// Two ranks see together, sample for sample, what one process with twice as many sees, also part by part.
func TestLoaderRanks(t *testing.T) {
	for _, parts := range []int{1, 3} {
		whole := take(t, mixed(t, "bicubic", func(c *LoaderConfig) { c.BatchSize = 6 }), 0, 3)
		size := 3 / parts
		for rank := range 2 {
			share := take(t, mixed(t, "bicubic", func(c *LoaderConfig) { c.Rank, c.Ranks, c.Parts = rank, 2, parts }), 0, 3)
			for i := range share {
				for n := range 3 {
					same := (2*(n/size)+rank)*size + n%size
					if !slices.Equal(share[i].LabelledLR.Image(n).Pix, whole[i].LabelledLR.Image(same).Pix) {
						t.Errorf("%d parts, rank %d, batch %d, sample %d is not its share", parts, rank, i, n)
					}
				}
			}
		}
	}
}

// A bicubic patch must be exactly that part of the whole LR picture, borders included.
func TestSyntheticPatchIsPartOfWhole(t *testing.T) {
	items := mustList(t, writePhotos(t, 131, 118, "0.png"))
	deg := must(Preset("bicubic", 4))
	img, _ := items[0].Decode(0)
	whole, hr, err := deg.Draw(Rand(0, 0, 0)).Apply(FromImage(img))
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewSynthetic(items, deg, Options{Patch: 24})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		rng, again := Rand(5, i, 0), Rand(5, i, 0)
		s, err := d.Sample(rng, 0)
		if err != nil {
			t.Fatal(err)
		}
		part, _ := square(again, whole.W, whole.H, 24)
		want, _ := whole.cropOriented(part, Orientation{})
		if diff := maxDiff(t, s.LR, want); diff != 0 {
			t.Errorf("patch at %v differs from the whole LR picture by %g", part.Min, diff)
		}
		wantHR, _ := hr.cropOriented(scaled(part, 4), Orientation{})
		if diff := maxDiff(t, s.HR, wantHR); diff != 0 {
			t.Errorf("target at %v differs by %g", part.Min, diff)
		}
	}
}

// LR made of HR beforehand and read as pairs: each LR patch is the bicubic of its HR patch away from the border.
func TestPairedCropsTogether(t *testing.T) {
	dir := t.TempDir()
	for i := range 3 {
		hr := photo(97+i, 90, uint64(i)) // up to 3 pixels more than 4 times the LR picture
		writePicture(t, fmt.Sprintf("%s/hr/%d.png", dir, i), hr)
		lr, _ := ResizeImage(subImage(hr, image.Rect(0, 0, 96, 88)), 0.25, Bicubic)
		writePicture(t, fmt.Sprintf("%s/lr/%dx4.png", dir, i), lr)
	}
	found, err := Find(dir, 4)
	if err != nil || len(found.Pairs) != 3 {
		t.Fatalf("found %+v, %v", found, err)
	}
	d, err := NewPaired(found.Pairs, 4, Options{Patch: 12, Augment: true, Cache: NewCache(1 << 20)})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[float32]bool{}
	for i := range 24 {
		s, err := d.Sample(Rand(1, i, 0), i%3)
		if err != nil {
			t.Fatal(err)
		}
		small, _ := Resize(s.HR, 0.25, Bicubic)
		got, _ := s.LR.Crop(2, 2, 8, 8)
		want, _ := small.Crop(2, 2, 8, 8)
		if diff := maxDiff(t, got, want.Clamp()); diff > 0.5/255+1e-5 {
			t.Errorf("sample %d: LR and HR patch do not show the same part: %g", i, diff)
		}
		seen[s.LR.Pix[0]] = true
	}
	if len(seen) < 12 {
		t.Errorf("24 samples begin with only %d different values: crops are not random", len(seen))
	}
}

func TestPairedRatioError(t *testing.T) {
	dir := writePhotos(t, 40, 40, "hr/a.png", "lr/a.png")
	found, _ := Find(dir, 4)
	d, err := NewPaired(found.Pairs, 4, Options{Patch: 8})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Sample(Rand(0, 0, 0), 0); err == nil || !strings.Contains(err.Error(), "40×40 and 40×40") {
		t.Errorf("error %v does not tell the sizes", err)
	}
}

func TestOrient(t *testing.T) {
	m := &Image{C: 1, H: 2, W: 3, Pix: []float32{1, 2, 3, 4, 5, 6}}
	for o, want := range map[Orientation][]float32{
		{}:                             {1, 2, 3, 4, 5, 6},
		{FlipX: true}:                  {3, 2, 1, 6, 5, 4},
		{FlipY: true}:                  {4, 5, 6, 1, 2, 3},
		{Transpose: true}:              {1, 4, 2, 5, 3, 6},
		{FlipX: true, Transpose: true}: {3, 6, 2, 5, 1, 4},
		{FlipY: true, Transpose: true}: {4, 1, 5, 2, 6, 3},
	} {
		if got := m.Orient(o); !slices.Equal(got.Pix, want) || o.Transpose != (got.H == 3) {
			t.Errorf("%+v: %v (%d×%d), want %v", o, got.Pix, got.W, got.H, want)
		}
	}
}

func TestCacheHoldsItsLimit(t *testing.T) {
	items := mustList(t, writePhotos(t, 50, 40, "a.png", "b.png", "c.png"))
	const limit = 2*50*40*4 + 50*40*3 // two pictures and a part of one
	c := NewCache(limit)
	for range 4 {
		for i, it := range items {
			p, err := (Options{Cache: c}).open(it)
			if err != nil {
				t.Fatal(err)
			}
			if (p.decoded != nil) != (i < 2) {
				t.Errorf("picture %d: decoded %v; whole pictures are decoded for the cache only", i, p.decoded != nil)
			}
		}
	}
	if s := c.Stats(); s.Pictures != 2 || s.Bytes > limit || s.Hits != 6 || s.Misses != 6 {
		t.Errorf("%+v: want two pictures held, 3 rounds × 2 hits, the rest misses", s)
	}
}

func TestLoaderErrorNamesFile(t *testing.T) {
	dir := writePhotos(t, 40, 40, "a.png", "b.png", "c.png")
	os.WriteFile(filepath.Join(dir, "b.png"), []byte("this is text"), 0o666)
	d, _ := NewUnpaired(mustList(t, dir), Options{Patch: 8})
	l, err := NewLoader(LoaderConfig{Unlabelled: d, BatchSize: 3, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range l.Batches(t.Context(), 0) {
		if err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "b.png")) {
			t.Errorf("error %v does not name the bad file", err)
		}
	}
}

// Bad files are skipped up to the limit, named once each, and replaced the same way whatever the workers.
func TestLoaderSkips(t *testing.T) {
	dir := writePhotos(t, 40, 40, "a.png", "b.png", "c.png", "d.png")
	os.WriteFile(filepath.Join(dir, "b.png"), []byte("this is text"), 0o666)
	var results [][]Batch
	for _, workers := range []int{1, 8} {
		var bad []error
		d, _ := NewUnpaired(mustList(t, dir), Options{Patch: 8})
		l, err := NewLoader(LoaderConfig{Unlabelled: d, BatchSize: 3, Workers: workers, MaxBad: 1, OnBad: func(err error) { bad = append(bad, err) }})
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, take(t, l, 0, 6))
		if len(bad) != 1 || !strings.Contains(bad[0].Error(), "b.png") {
			t.Errorf("reported %v, want b.png once", bad)
		}
	}
	sameBatches(t, "with a bad file", results[0], results[1])
	os.WriteFile(filepath.Join(dir, "c.png"), nil, 0o666)
	d, _ := NewUnpaired(mustList(t, dir), Options{Patch: 8})
	l, _ := NewLoader(LoaderConfig{Unlabelled: d, BatchSize: 4, MaxBad: 1})
	var last error
	for _, err := range l.Batches(t.Context(), 0) {
		last = err
	}
	if last == nil || !strings.Contains(last.Error(), "more than 1 bad files (data.max_bad): ") || !strings.Contains(last.Error(), ".png") {
		t.Errorf("a second bad file is beyond the limit of one: error %v, want the limit and the file", last)
	}
}

func TestLoaderCancel(t *testing.T) {
	before := runtime.NumGoroutine()
	l := mixed(t, "bicubic", func(c *LoaderConfig) { c.Workers = 4 })
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	reason := errors.New("enough")
	n := 0
	var last error
	for _, err := range l.Batches(ctx, 0) {
		if last = err; err == nil {
			if n++; n == 2 {
				cancel(reason)
			}
		}
	}
	if !errors.Is(last, reason) {
		t.Errorf("after %d batches the iteration ended with %v, want the cause of the cancellation", n, last)
	}
	for range l.Batches(t.Context(), 0) {
		break // leaving the loop must stop the workers, too
	}
	for range 50 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}

func TestLoaderConfigErrors(t *testing.T) {
	d, _ := NewUnpaired([]Item{{Path: "x"}}, Options{})
	for reason, cfg := range map[string]LoaderConfig{
		"no dataset":   {BatchSize: 1},
		"no batch":     {Unlabelled: d},
		"rank":         {Unlabelled: d, BatchSize: 1, Rank: 2, Ranks: 2},
		"workers":      {Unlabelled: d, BatchSize: 1, Workers: -1},
		"negative bad": {Unlabelled: d, BatchSize: 1, MaxBad: -1},
	} {
		if _, err := NewLoader(cfg); err == nil {
			t.Errorf("%s: no error", reason)
		}
	}
	l, _ := NewLoader(LoaderConfig{Unlabelled: d, BatchSize: 1})
	for _, err := range l.Batches(t.Context(), -1) {
		if err == nil {
			t.Error("batch -1: no error")
		}
	}
}

func TestDatasetErrors(t *testing.T) {
	items := []Item{{Path: "x"}}
	for reason, f := range map[string]func() error{
		"no pairs":       func() error { _, err := NewPaired(nil, 4, Options{}); return err },
		"scale":          func() error { _, err := NewPaired(make([]Pair, 1), 0, Options{}); return err },
		"no pictures":    func() error { _, err := NewUnpaired(nil, Options{}); return err },
		"patch":          func() error { _, err := NewUnpaired(items, Options{Patch: -1}); return err },
		"no HR":          func() error { _, err := NewSynthetic(nil, plainBicubic(4), Options{}); return err },
		"no degradation": func() error { _, err := NewSynthetic(items, nil, Options{}); return err },
		"bad one":        func() error { _, err := NewSynthetic(items, FirstOrder{Scale: 4}, Options{}); return err },
	} {
		if f() == nil {
			t.Errorf("%s: no error", reason)
		}
	}
}
