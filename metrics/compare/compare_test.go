package compare

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// A system that makes what the baseline makes differs from it by nothing, also where PSNR is infinite.
func TestTwinOfTheBaseline(t *testing.T) {
	dir, o := workplace(t, 3)
	o.Systems = []System{(&fake{}).system("base"), (&fake{}).system("twin"), {Name: "perfect", Dir: o.GT}, {Name: "flawless", Dir: filepath.Join(dir, "gt")}}
	for _, pair := range [][2]string{{"base", "twin"}, {"perfect", "flawless"}} {
		o.Baseline = pair[0]
		for m, cell := range mustRun(t, o).named(t, pair[1]).Cells {
			if want := (Delta{Equal: 3}); cell.Delta != want {
				t.Errorf("%s against %s, metric %d: %+v, want no difference", pair[1], pair[0], m, cell.Delta)
			}
		}
	}
}

// What is said of a system does not depend on the place of the systems.
func TestOrderOfSystems(t *testing.T) {
	_, o := workplace(t, 4)
	o.Baseline = "dark"
	systems := []System{(&fake{add: -30}).system("dark"), (&fake{}).system("plain"), (&fake{add: 9}).system("light")}
	o.Systems = systems
	a := mustRun(t, o)
	o.Systems = []System{systems[2], systems[0], systems[1]}
	b := mustRun(t, o)
	for _, s := range systems {
		if diff := cmp.Diff(a.named(t, s.Name).Cells, b.named(t, s.Name).Cells, cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("%s in another order: %s", s.Name, diff)
		}
	}
	windowsA, errA := a.windows(t.Context(), 5, 16)
	windowsB, errB := b.windows(t.Context(), 5, 16)
	if diff := cmp.Diff(windowsA, windowsB); diff != "" || errA != nil || errB != nil {
		t.Errorf("crops in another order: %v %v %s", errA, errB, diff)
	}
	keyA, errA := a.drawKey(BlindOptions{Seed: 3})
	keyB, errB := b.drawKey(BlindOptions{Seed: 3})
	if diff := cmp.Diff(keyA, keyB); diff != "" || errA != nil || errB != nil {
		t.Errorf("blind test in another order: %v %v %s", errA, errB, diff)
	}
}

// A second run makes nothing again; what changed is made again, and nothing else.
func TestSecondRun(t *testing.T) {
	dir, o := workplace(t, 3)
	up := &fake{}
	o.Systems = []System{up.system("s")}
	calls := func(reason string, want int32) {
		t.Helper()
		up.calls.Store(0)
		c := mustRun(t, o)
		if got := up.calls.Load(); got != want || len(c.Failed()) > 0 {
			t.Errorf("%s: %d pictures made, want %d; failed %v", reason, got, want, c.Failed())
		}
		if string(c.Systems[0].Maker) != `{"add":0}` {
			t.Errorf("%s: the maker is %s", reason, c.Systems[0].Maker)
		}
	}
	first := mustRun(t, o)
	calls("everything is there", 0)
	if err := os.Remove(filepath.Join(o.Out, "results", "s", "p01.png")); err != nil {
		t.Fatal(err)
	}
	calls("a result was removed", 1)
	spoil(t, filepath.Join(o.Out, "results", "s", "p02.png"))
	calls("a result was overwritten", 1)
	write(t, texture(16, 12, 77), dir, "lr", "p00_x4.png")
	calls("an LR picture changed", 1)
	if second := mustRun(t, o); second.Systems[0].Results[0].Values[0] == first.Systems[0].Results[0].Values[0] {
		t.Error("another picture has the old value")
	}
	o.Systems[0].Key = "other weights"
	calls("the system changed", 3)
	journal, err := os.OpenFile(filepath.Join(o.Out, "cache.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	journal.WriteString(`{"key":"value torn by a k`)
	journal.Close()
	write(t, texture(16, 12, 78), dir, "lr", "p00_x4.png")
	calls("the cache ends in a torn line", 1)
	calls("after the torn line", 0)
}

// An interruption keeps what is finished.
func TestInterrupted(t *testing.T) {
	_, o := workplace(t, 6)
	ctx, cancel := context.WithCancel(t.Context())
	up := &fake{before: func(call int) error {
		if call == 4 {
			cancel()
		}
		return nil
	}}
	o.Systems, o.Baseline = []System{up.system("s")}, "s"
	if _, err := Run(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want one of the context", err)
	}
	finished, _ := filepath.Glob(filepath.Join(o.Out, "results", "s", "*.png"))
	up.calls.Store(100)
	if c := mustRun(t, o); len(c.Failed()) > 0 {
		t.Error(c.Failed())
	}
	if again := int(up.calls.Load()) - 100; len(finished) < 2 || again != 6-len(finished) {
		t.Errorf("%d pictures were finished, %d of 6 made afterwards", len(finished), again)
	}
}

// Bad files are named, the others measured, and all means are over the pictures that are left.
func TestBadFiles(t *testing.T) {
	dir, o := workplace(t, 5)
	for i, name := range []string{"p00.png", "p01_out.png", "p02.png", "p03.png", "p04.png", "zebra.png"} {
		write(t, texture(64, 48, i), dir, "paper", name)
	}
	spoil(t, filepath.Join(dir, "paper", "p00.png"))           // damaged
	write(t, texture(64, 48, 2), dir, "paper", "p02-sr.png")   // a second p02
	write(t, texture(60, 48, 3), dir, "paper", "p03.png")      // of another size
	spoil(t, filepath.Join(dir, "lr", "p04_x4.png"))           // no input for the upscaler
	write(t, texture(16, 12, 9), dir, "lr", "stranger_x4.png") // without ground truth
	write(t, texture(64, 48, 9), dir, "gt", "unused.png")
	broken := &fake{err: errTest}
	o.Systems = []System{(&fake{}).system("near"), {Name: "paper", Dir: filepath.Join(dir, "paper")}, broken.system("broken")}
	c := mustRun(t, o)
	failed := strings.Join(c.Failed(), "\n")
	for _, want := range []string{
		"near: p04: ", "near: stranger_x4: no ground truth of this name",
		"paper: p00: ", `paper: p02: "p02-sr.png" and "p02.png" are both its result`, "paper: p03: ", "paper: stranger_x4: no file of this name",
		"broken: p00: made to fail", "broken: p04: made to fail",
	} {
		if !strings.Contains(failed, want) {
			t.Errorf("%q is not among the failures:\n%s", want, failed)
		}
	}
	if len(c.Failed()) != 2+4+6 {
		t.Errorf("%d failures:\n%s", len(c.Failed()), failed)
	}
	for m := range c.Metrics {
		near, paper, none := c.Systems[0].Cells[m], c.Systems[1].Cells[m], c.Systems[2].Cells[m]
		if near.Count != 1 || paper.Count != 1 || none.Count != 0 { // p01 is the only picture that both have
			t.Errorf("metric %d: means of %d, %d and %d pictures, want 1, 1 and 0", m, near.Count, paper.Count, none.Count)
		}
		if near.Mean != c.Systems[0].Results[1].Values[m] {
			t.Errorf("metric %d: mean %v, want that of p01, %v", m, near.Mean, c.Systems[0].Results[1].Values[m])
		}
	}
	notes := strings.Join(c.Notes, "\n")
	if !strings.Contains(notes, "unused.png") || !strings.Contains(notes, "zebra.png") {
		t.Errorf("notes %q do not name what was left out", notes)
	}
}

func TestRefusals(t *testing.T) {
	dir, good := workplace(t, 2)
	write(t, texture(16, 12, 0), dir, "twice", "p00.png")
	write(t, texture(16, 12, 0), dir, "twice", "p00_x4.png")
	write(t, texture(16, 12, 0), dir, "alien", "a.png")
	up := (&fake{}).system("s")
	good.Systems, good.Baseline = []System{up}, "s"
	tests := []struct {
		reason string
		change func(o *Options)
		want   string
	}{
		{"no pictures", func(o *Options) { o.LR, o.GT = "", "" }, "neither LR nor ground truth"},
		{"no systems", func(o *Options) { o.Systems = nil }, "0 systems"},
		{"no metrics", func(o *Options) { o.Metrics = nil }, "0 metrics"},
		{"nowhere to write", func(o *Options) { o.Out = "" }, "no folder to write to"},
		{"one name twice", func(o *Options) { o.Systems = []System{up, up} }, `two systems are called "s"`},
		{"a name that leads out of the folder", func(o *Options) { o.Systems[0].Name = "../s" }, "name of a folder"},
		{"a baseline that is no system", func(o *Options) { o.Baseline = "t" }, `baseline "t"`},
		{"both folder and upscaler", func(o *Options) { o.Systems[0].Dir = dir }, "either a folder or an upscaler"},
		{"an upscaler whose results could not be told from others'", func(o *Options) { o.Systems[0].Key = "" }, "needs a key"},
		{"nothing to upscale", func(o *Options) { o.LR = "" }, "no folder of LR pictures"},
		{"metrics without their truth", func(o *Options) { o.GT = "" }, "needs ground truth"},
		{"two LR pictures of one name", func(o *Options) { o.LR = filepath.Join(dir, "twice") }, `both the picture "p00"`},
		{"results of other pictures", func(o *Options) { o.Systems = []System{{Name: "s", Dir: filepath.Join(dir, "alien")}} }, "no picture has a ground truth"},
		{"results that are not there", func(o *Options) { o.Systems = []System{{Name: "s", Dir: filepath.Join(dir, "absent")}} }, "absent"},
	}
	for _, tt := range tests {
		o := good
		o.Systems = []System{up}
		tt.change(&o)
		if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.reason, err, tt.want)
		}
		if entries, err := os.ReadDir(good.Out); err == nil {
			t.Errorf("%s: %d files were written", tt.reason, len(entries))
		}
	}
}
