package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/internal/imgio"
	"github.com/gopdd/gopdd/metrics"
	"github.com/gopdd/gopdd/metrics/compare"
)

// writeWaves writes a picture of w×h pixels with waves, others for other seeds.
func writeWaves(t *testing.T, path string, w, h, seed int) {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			v := math.Sin(float64(seed+x*x)/90) + math.Cos(float64(seed*y)+float64(x*y)/70)
			m.SetNRGBA(x, y, color.NRGBA{uint8(128 + 60*v), uint8(120 + 50*v), uint8(x), 255})
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := imgio.WriteFile(path, m); err != nil {
		t.Fatal(err)
	}
}

// comparePlace makes lr/, gt/ and paper/ with two pictures of 192×128 (LR 48×32), and w.pth, and goes there.
func comparePlace(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	t.Setenv("XDG_CACHE_HOME", filepath.Join(t.TempDir(), "cache"))
	for i, name := range []string{"a", "b"} {
		writeWaves(t, filepath.Join("lr", name+"_x4.png"), 48, 32, i)
		writeWaves(t, filepath.Join("gt", name+".png"), 192, 128, i)
		writeWaves(t, filepath.Join("paper", name+"-ours.png"), 192, 128, i+5)
	}
	if err := os.WriteFile("w.pth", []byte("weights"), 0o666); err != nil {
		t.Fatal(err)
	}
}

const compareAll = "compare --lr lr --gt gt --system bicubic --system net=w.pth --system paper/ --out out"

func TestCompare(t *testing.T) {
	comparePlace(t)
	o := pddRun(t, nil, strings.Fields(compareAll+" --baseline net --blind --seed 5")...)
	if o.code != exitDone || !strings.Contains(o.stdout, "3 systems on 2 pictures, differences to net") || !strings.Contains(o.stdout, "\npaper ") {
		t.Fatalf("%+v", o)
	}
	if !strings.Contains(o.stderr, "6 sheets") || strings.Count(o.stderr, "\n") != 1 || len(o.engine.calls) != 2 {
		t.Errorf("stderr %q, %d pictures upscaled", o.stderr, len(o.engine.calls))
	}
	for _, name := range []string{"table.md", "table.csv", "pictures.csv", "compare.json", "sheet.png", "tradeoff.png", "tradeoff.pdf",
		"features.png", "features.pdf", "features.csv", "kl.png", "kl.pdf", "blind-key.json", "blind/index.html", "results/net/a.png", "results/bicubic/b.png"} {
		if stat, err := os.Stat(filepath.Join("out", name)); err != nil || stat.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	again := pddRun(t, nil, strings.Fields(compareAll+" --baseline net --json --no-figures --crops 0")...)
	if again.code != exitDone || again.engine != nil {
		t.Errorf("a second run made pictures again: %+v", again)
	}
	var r struct {
		Baseline string
		Systems  []struct {
			Name, About string
			Maker       map[string]any
			Metrics     map[string]struct{ Mean, Difference float64 }
		}
	}
	if err := json.Unmarshal([]byte(again.stdout), &r); err != nil || r.Baseline != "net" || len(r.Systems) != 3 {
		t.Fatalf("%v: %s", err, again.stdout)
	}
	if net := r.Systems[1]; net.Maker["scale"] != 4. || !strings.Contains(net.About, "w.pth") || net.Metrics["sharpness"].Difference != 0 {
		t.Errorf("%+v", net)
	}
}

// A file that is missing or damaged is named, costs nothing but its own row, and the command fails.
func TestCompareBadFile(t *testing.T) {
	comparePlace(t)
	if err := os.WriteFile("paper/b-ours.png", []byte("nothing"), 0o666); err != nil {
		t.Fatal(err)
	}
	o := pddRun(t, nil, strings.Fields(compareAll+" --crop-at a:0,0,32")...)
	if o.code != exitFailed || !strings.Contains(o.stdout, "failed: paper: b: ") || !strings.Contains(o.stderr, "1 of 6 results") || !strings.Contains(o.stderr, "out/table.md") {
		t.Errorf("%+v", o)
	}
	rows := readCSV(t, "out/pictures.csv")
	if len(rows) != 7 || rows[6][0] != "paper" || rows[6][len(rows[6])-1] == "" || rows[5][3] == "" {
		t.Errorf("%v", rows)
	}
}

func readCSV(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// Pictures too small for the figures of features have all the rest.
func TestCompareSmall(t *testing.T) {
	comparePlace(t)
	writeGray(t, 16, "tiny/a.png", "one/a.png", "two/a.png")
	o := pddRun(t, nil, strings.Fields("compare --gt tiny --system one --system two --out out --crop-size 8")...)
	if o.code != exitDone || !strings.Contains(o.stderr, "nothing to draw: 0 patches") || !strings.Contains(o.stderr, "left out") {
		t.Errorf("%+v", o)
	}
	if _, err := os.Stat("out/sheet.png"); err != nil {
		t.Error(err)
	}
}

func TestCompareInterrupted(t *testing.T) {
	comparePlace(t)
	o := pddRun(t, func(e *env, f *fakeEngine) {
		ctx, cancel := context.WithCancel(e.ctx)
		e.ctx = ctx
		f.upscale = func(ctx context.Context) error { cancel(); return ctx.Err() }
	}, strings.Fields(compareAll)...)
	if o.code != exitFailed || o.stderr != "pdd: interrupted: what is finished is kept in out: run the same command to go on\n" {
		t.Errorf("%+v", o)
	}
	if _, err := os.Stat("out/results/bicubic/a.png"); err != nil {
		t.Error(err)
	}
}

func TestCompareUsage(t *testing.T) {
	for _, tt := range []struct{ reason, args, want string }{
		{"nothing to compare on", "--system bicubic --out out", "--lr, --gt or both"},
		{"no systems", "--lr lr --out out", "missing flags: --system"},
		{"one name twice", "--lr lr --gt gt --system bicubic --system bicubic=w.pth --out out", "are both called bicubic"},
		{"no such system", "--lr lr --gt gt --system absent --out out", "no such folder, file, or name of the catalogue"},
		{"a name that is a path", "--lr lr --gt gt --system ../x=w.pth --out out", "is no name for a row"},
		{"a baseline that is none", "--lr lr --gt gt --system bicubic --baseline net --out out", "no --system is called so"},
		{"nothing to upscale", "--gt gt --system bicubic --out out", "name the pictures with --lr"},
		{"truth is missing", "--lr lr --system bicubic --out out", "needs --gt"},
		{"an unknown metric", "--lr lr --gt gt --system bicubic --metrics vmaf --out out", "unknown"},
		{"a crop that is none", "--lr lr --gt gt --system bicubic --out out --crop-at 1,2", "want X,Y,SIZE"},
		{"a crop of nothing", "--lr lr --gt gt --system bicubic --out out --crop-size 0", "--crop-size"},
		{"no scale", "--lr lr --gt gt --system bicubic --out out --scale 0", "--scale 0"},
		{"no device", "--lr lr --gt gt --system bicubic --out out --device gpu", "--device gpu"},
	} {
		comparePlace(t)
		o := pddRun(t, nil, append([]string{"compare"}, strings.Fields(tt.args)...)...)
		if o.code != exitUsage || o.stdout != "" || !strings.Contains(o.stderr, tt.want) || strings.Count(o.stderr, "\n") != 1 {
			t.Errorf("%s: %+v, want %q", tt.reason, o, tt.want)
		}
		if _, err := os.Stat("out"); err == nil {
			t.Errorf("%s: files were written", tt.reason)
		}
	}
}

func TestCompareVotes(t *testing.T) {
	comparePlace(t)
	if o := pddRun(t, nil, strings.Fields(compareAll+" --blind --no-figures --crops 0")...); o.code != exitDone {
		t.Fatalf("%+v", o)
	}
	key, err := compare.ReadKey("out/blind-key.json")
	if err != nil {
		t.Fatal(err)
	}
	votes := "sheet,vote\n"
	for _, s := range key.Sheets { // paper wins always
		vote := map[bool]string{true: "A", false: "B"}[s.A == "paper"]
		if s.A != "paper" && s.B != "paper" {
			vote = "="
		}
		votes += fmt.Sprintf("%s,%s\n", s.Name, vote)
	}
	if err := os.WriteFile("ann.csv", []byte(votes), 0o666); err != nil {
		t.Fatal(err)
	}
	o := pddRun(t, nil, strings.Fields("compare votes out/blind-key.json ann.csv --figure votes.png")...)
	if o.code != exitDone || !strings.Contains(o.stdout, "6 votes by 1 voters, 0 questions open") || !strings.Contains(o.stdout, "100.0 %") {
		t.Errorf("%+v", o)
	}
	if _, err := os.Stat("votes.pdf"); err != nil {
		t.Error(err)
	}
	asJSON := pddRun(t, nil, strings.Fields("compare votes out/blind-key.json ann.csv --json")...)
	var tally struct{ Systems []compare.SystemTally }
	if err := json.Unmarshal([]byte(asJSON.stdout), &tally); err != nil || tally.Systems[0].Name != "paper" || tally.Systems[0].Wins != 4 {
		t.Errorf("%v: %s", err, asJSON.stdout)
	}
	if o := pddRun(t, nil, strings.Fields("compare votes out/blind-key.json ann.csv ann.csv")...); o.code != exitFailed || !strings.Contains(o.stderr, "two votes of ann") {
		t.Errorf("a file twice: %+v", o)
	}
}

func TestCompareHelp(t *testing.T) {
	var all strings.Builder
	for _, args := range []string{"compare --help", "compare run --help", "compare votes --help"} {
		o := pddRun(t, nil, strings.Fields(args)...)
		if o.code != exitDone || o.stderr != "" {
			t.Errorf("pdd %s: %+v", args, o)
		}
		all.WriteString("$ pdd " + args + "\n" + o.stdout + "\n")
	}
	golden(t, "help-compare", all.String())
}

// Values of NIQE are measured again when the parameters in the cache are others.
func TestCompareParameters(t *testing.T) {
	prior, err := metrics.LoadNIQEPrior("../../metrics/testdata/prior.mat")
	if err != nil {
		t.Fatal(err)
	}
	comparePlace(t)
	const args = "compare --gt gt --system paper/ --metrics niqe_y_yiq --crops 0 --no-figures --out out --json"
	if o := pddRun(t, nil, strings.Fields(args)...); o.code != exitFailed || !strings.Contains(o.stderr, "pdd weights get niqe, or give --niqe-prior") {
		t.Errorf("without parameters: %+v", o)
	}
	file := filepath.Join(os.Getenv("XDG_CACHE_HOME"), "gopdd", "weights", "niqe_modelparameters.mat")
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	var reports []string
	for _, shift := range []float64{0, 1, -1} { // back to the first values
		prior.Mean[0] += shift
		if err := prior.Save(file); err != nil {
			t.Fatal(err)
		}
		o := pddRun(t, nil, strings.Fields(args)...)
		if o.code != exitDone {
			t.Fatalf("%+v", o)
		}
		reports = append(reports, o.stdout)
	}
	if reports[0] == reports[1] || reports[0] != reports[2] {
		t.Errorf("reports with parameters, others and the first again:\n%s", strings.Join(reports, "\n"))
	}
}

// TestCompareWithoutFiles: both filters and the built-in model are there without weights; the filters are two things.
func TestCompareWithoutFiles(t *testing.T) {
	comparePlace(t)
	o := pddRun(t, nil, strings.Fields("compare --lr lr --gt gt --system bicubic --system lanczos --system default --crops 0 --no-figures --out out")...)
	if o.code != exitDone || o.engine == nil {
		t.Fatalf("%+v", o)
	}
	read := func(name string) []byte {
		b, err := os.ReadFile("out/results/" + name + "/a.png")
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if bytes.Equal(read("bicubic"), read("lanczos")) {
		t.Error("bicubic and lanczos give one picture")
	}
}

// TestCompareNames: names of filters and of the catalogue are those, whatever folders are called; ./ in front means the folder.
func TestCompareNames(t *testing.T) {
	comparePlace(t)
	for _, name := range []string{"bicubic", "default", "niqe"} {
		if err := os.CopyFS(name, os.DirFS("paper")); err != nil {
			t.Fatal(err)
		}
	}
	o := pddRun(t, nil, strings.Fields("compare --lr lr --gt gt --system bicubic --system default --system niqe --system a=./bicubic"+
		" --system b=./default --crops 0 --no-figures --out out --json")...)
	var r struct {
		Systems []struct{ Name, About string }
	}
	if err := json.Unmarshal([]byte(o.stdout), &r); err != nil || o.code != exitDone {
		t.Fatalf("%+v: %v", o, err)
	}
	for i, want := range []string{"bicubic interpolation", "weights default", "results in niqe", "results in ./bicubic", "results in ./default"} {
		if s := r.Systems[i]; !strings.HasPrefix(s.About, want) {
			t.Errorf("%s is %q, want %q", s.Name, s.About, want)
		}
	}
}
