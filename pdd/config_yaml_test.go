package pdd_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gopdd/gopdd/losses"
	"github.com/gopdd/gopdd/pdd"
)

// parse reads a configuration that must be right.
func parse(t testing.TB, text string) pdd.Config {
	t.Helper()
	c, err := pdd.ParseConfig([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// again is what is read of the YAML of c.
func again(t testing.TB, c pdd.Config) pdd.Config {
	t.Helper()
	text, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(text))
}

// A written configuration is read back as it was, for every preset and for values that no preset has.
func TestYAMLRoundTrip(t *testing.T) {
	for _, name := range pdd.PresetNames() {
		c := preset(t, name)
		if diff := cmp.Diff(c, again(t, c)); diff != "" {
			t.Errorf("%s (-written +read):\n%s", name, diff)
		}
		if diff := cmp.Diff(c, parse(t, "preset: "+name)); diff != "" {
			t.Errorf("preset: %s (-function +file):\n%s", name, diff)
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		c := pdd.Config{}
		fill(rng, reflect.ValueOf(&c).Elem())
		c.Data.Degradation.Settings = parse(t, "preset: ema\ndata: {degradation: {settings: {modes: [area], blur: {prob: 0.5, sizes: [7, 9]}}}}").Data.Degradation.Settings
		if diff := cmp.Diff(c, again(t, c)); diff != "" {
			t.Fatalf("-written +read:\n%s", diff)
		}
	}
}

// fill sets everything in v at random, with texts and numbers that YAML could take for something else.
func fill(rng *rand.Rand, v reflect.Value) {
	texts := []string{"", "~", "null", "1e3", "0x1f", "true", "- a", "a: b", "# c", " d ", "é\n", "'", `"`, "[x]", "<<", "*a", "&a", "!t", "1/3", "|", "%"}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(rng, v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(rng, v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(rng, v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.ValueOf(losses.Layers{"conv1_1": rng.NormFloat64(), "conv5_4": 1}))
	case reflect.String:
		v.SetString(texts[rng.IntN(len(texts))])
	case reflect.Float64:
		v.SetFloat([]float64{rng.NormFloat64(), 1e-300 * rng.Float64(), 3, 1e22, -0.1, 1.0 / 3}[rng.IntN(6)])
	case reflect.Bool:
		v.SetBool(rng.IntN(2) == 0)
	case reflect.Int:
		if v.Type() == reflect.TypeFor[pdd.Precision]() {
			v.SetInt(rng.Int64N(5))
			return
		}
		v.SetInt([]int64{0, -5, 1 << 60, rng.Int64()}[rng.IntN(4)])
	case reflect.Uint64:
		v.SetUint(rng.Uint64())
	case reflect.Uint8:
		v.SetUint(rng.Uint64N(2))
	}
}

func TestParseConfigOverrides(t *testing.T) {
	want := pdd.EMA()
	for _, c := range []struct {
		reason, text string
		change       func(c *pdd.Config)
	}{
		{"a number as people write it", "steps: 1e5\noptimizer: {lr: 5e-5}", func(c *pdd.Config) { c.Steps, c.Optimizer.LR = 100000, 5e-5 }},
		{"only the named field of a section changes", "loss:\n  gan:\n    kind: hinge\n", func(c *pdd.Config) { c.Loss.GAN.Kind = losses.Hinge }},
		{"layers replace the preset's", "loss: {intra: {layers: {conv5_4: 1}}}", func(c *pdd.Config) { c.Loss.Intra.Layers = losses.Layers{"conv5_4": 1} }},
		{"a list replaces the preset's", "optimizer: {milestones: []}", func(c *pdd.Config) { c.Optimizer.Milestones = nil }},
		{"a large seed", "seed: 18446744073709551615", func(c *pdd.Config) { c.Seed = 1<<64 - 1 }},
		{"a section without lines", "loss:\n", func(*pdd.Config) {}},
		{"a tag", "optimizer: {eps: !!float 1e-7}", func(c *pdd.Config) { c.Optimizer.Eps = 1e-7 }},
		{"an ablation", "ablation: intra", func(c *pdd.Config) { c.Loss.Inter.Weight, c.Loss.GAN.Unlabelled = 0, pdd.GANNone }},
		{"what follows an ablation", "ablation: intra\nloss: {inter: {weight: 3}}", func(c *pdd.Config) {
			c.Loss.Inter.Weight, c.Loss.GAN.Unlabelled = 3, pdd.GANNone
		}},
		{"a new network has no weights", "specialist: {new: {kind: srvgg, scale: 2}}", func(c *pdd.Config) {
			c.Specialist = pdd.NetworkConfig{New: &pdd.Sizes{Kind: "srvgg", Scale: 2}}
		}},
		{"random features have no weights", "features: {random: true}", func(c *pdd.Config) {
			c.Features.Random, c.Features.Weights = true, ""
		}},
		{"both is the user's mistake, not ours to hide", "features: {random: true, weights: vgg19}", func(c *pdd.Config) { c.Features.Random = true }},
		{"an embedded section", "generalist: {kind: frozen, weights: bsrgan}", func(c *pdd.Config) {
			c.Generalist.Kind, c.Generalist.Weights = pdd.Frozen, "bsrgan"
		}},
	} {
		changed := want
		c.change(&changed)
		if diff := cmp.Diff(changed, parse(t, "preset: ema\n"+c.text)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.reason, diff)
		}
	}
	supervised := pdd.Supervised()
	supervised.Specialist = pdd.NetworkConfig{Weights: "esrgan"}
	if diff := cmp.Diff(supervised, parse(t, "preset: supervised\nspecialist: {weights: esrgan}")); diff != "" {
		t.Errorf("weights in place of sizes (-want +got):\n%s", diff)
	}
	averaged := pdd.Static()
	averaged.Generalist = pdd.GeneralistConfig{}
	if diff := cmp.Diff(averaged, parse(t, "preset: static\ngeneralist: {kind: ema}")); diff != "" {
		t.Errorf("an averaged generalist in place of weights (-want +got):\n%s", diff)
	}
}

func TestParseConfigErrors(t *testing.T) {
	for _, c := range []struct{ reason, text, want string }{
		{"nothing", "", "0 YAML documents"},
		{"two documents", "preset: ema\n---\nsteps: 3\n", "2 YAML documents"},
		{"no mapping", "- ema\n", "line 1: the file: want keys"},
		{"no preset", "steps: 3\n", "begin with a line such as preset: ema"},
		{"another preset", "preset: emma\n", `preset "emma": want one of ema, static`},
		{"another ablation", "preset: ema\nablation: all\n", `ablation "all"`},
		{"an ablation of another method", "preset: naive\nablation: intra\n", "the method is naive: want distillation"},
		{"syntax", "preset: ema\ndata: {hr: [a\n", "line 2: "},
		{"a key twice", "preset: ema\nsteps: 3\nsteps: 4\n", `line 3: mapping key "steps" already defined`},
		{"an unknown key in a section", "preset: ema\noptimizer:\n  rate: 1\n", `line 3: unknown key "optimizer.rate": want one of lr, lr_discriminator`},
		{"a key in the wrong place", "preset: ema\nbeta1: 0.5\n", `line 2: unknown key "beta1": there is optimizer.beta1`},
		{"a merge", "preset: ema\n<<: {steps: 3}\n", `line 2: unknown key "<<"`},
		{"an alias", "preset: ema\nsteps: &n 3\nseed: *n\n", "anchors and aliases are not read"},
		{"an unknown choice", "preset: ema\nmethod: gan\n", `line 2: method: method "gan": want distillation, naive or supervised`},
		{"an unknown choice of package losses", "preset: ema\nloss:\n  gan:\n    kind: gan\n", `line 4: loss.gan.kind: gan "gan": choose from vanilla`},
		{"a fraction of a step", "preset: ema\nsteps: 1.5\n", "line 2: steps: 1.5: want a whole number"},
		{"a fraction in a list", "preset: ema\noptimizer: {milestones: [1, 2.5]}\n", "line 2: optimizer.milestones: 2.5: want a whole number"},
		{"a word for a number", "preset: ema\nsteps: many\n", "line 2: steps: many: want a whole number"},
		{"a negative seed", "preset: ema\nseed: -1\n", "line 2: seed: "},
		{"no value", "preset: ema\nsteps:\n", "line 2: steps: there is no value"},
		{"no list", "preset: ema\ndata: {hr: photos}\n", "line 2: data.hr: want a list such as [a, b]"},
		{"a value for a section", "preset: ema\ndata: photos\n", "line 2: data: want keys"},
		{"too long", "preset: ema\n#" + strings.Repeat("x", 1<<20), "1048589 bytes of YAML: want at most 1048576"},
	} {
		_, err := pdd.ParseConfig([]byte(c.text))
		if err == nil || !strings.HasPrefix(err.Error(), "pdd: parse config: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.reason, err, c.want)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: one problem on several lines:\n%v", c.reason, err)
		}
	}
	_, err := pdd.ParseConfig([]byte("preset: ema\nstep: 3\nlr: 1\nseed: x\n"))
	for _, want := range []string{"3 problems:\n", "\n  line 2: unknown key \"step\"", "\n  line 3: unknown key \"lr\": there is data.lr, ", "\n  line 4: seed"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// Relative paths are those beside the file; names of known weights stay names.
func TestReadConfigPaths(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "run.yaml")
	text := `
preset: static
specialist: {weights: nets/a.pth}
discriminator: {weights: d.pth}
data: {hr: [hr, /abs/hr], lr: [lr], unlabelled: [../camera]}
validation: {lr: val/lr, hr: val/hr}
output: {dir: out}
`
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	got, err := pdd.ReadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	want := pdd.Static()
	in := func(p string) string { return filepath.Join(dir, p) }
	want.Specialist.Weights, want.Discriminator.Weights = in("nets/a.pth"), in("d.pth")
	want.Data.HR, want.Data.LR, want.Data.Unlabelled = []string{in("hr"), "/abs/hr"}, []string{in("lr")}, []string{in("../camera")}
	want.Validation.LR, want.Validation.HR, want.Output.Dir = in("val/lr"), in("val/hr"), in("out")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if _, err := pdd.ReadConfig(filepath.Join(dir, "none.yaml")); err == nil {
		t.Error("a missing file is read")
	}
	if err := os.WriteFile(path, []byte("preset: ema\nstep: 1\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := pdd.ReadConfig(path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("error %v, want the file and the line", err)
	}
}

// Whatever the text, reading it ends, and what is read is read back the same.
func FuzzParseConfig(f *testing.F) {
	for _, seed := range []string{"preset: ema\nsteps: 3", "preset: static\ndata: {degradation: {settings: {a: [1, 1.0, {b: c}]}}}",
		"method: naive\nspecialist: {new: {kind: x}}", "? a\n: b", "preset: !!float ema", "a: |\n  b\n--- c", "preset: ema\nloss: {gan: {kind: ~}}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := pdd.ParseConfig([]byte(text))
		if err != nil || c.Validate() != nil || c.Data.Degradation.Settings != nil {
			return
		}
		if diff := cmp.Diff(c, again(t, c)); diff != "" {
			t.Errorf("-first +again:\n%s", diff)
		}
	})
}

// TestWith: changes mean the same over a preset and over a file that says all of it, and leave both as they were.
func TestWith(t *testing.T) {
	preset := pdd.EMA()
	preset.Specialist = pdd.NetworkConfig{New: &pdd.Sizes{Kind: "srvgg", Scale: 4}}
	text, err := preset.YAML()
	if err != nil {
		t.Fatal(err)
	}
	file, err := pdd.ParseConfig(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		changes string
		want    func(c *pdd.Config)
	}{
		{"loss: {intra: {layers: {conv5_4: 2}}}", func(c *pdd.Config) { c.Loss.Intra.Layers = losses.Layers{"conv5_4": 2} }},
		{"specialist: {weights: a.pth}", func(c *pdd.Config) { c.Specialist = pdd.NetworkConfig{Weights: "a.pth"} }},
		{"specialist: {new: null}", func(c *pdd.Config) { c.Specialist = pdd.NetworkConfig{} }},
		{"specialist: {new: {feat: 8}}", func(c *pdd.Config) {
			c.Specialist = pdd.NetworkConfig{New: &pdd.Sizes{Kind: "srvgg", Scale: 4, Feat: 8}}
		}},
		{"features: {random: true}", func(c *pdd.Config) { c.Features.Random, c.Features.Weights = true, "" }},
		{"features: {weights: null}", func(c *pdd.Config) { c.Features.Weights = "" }},
		{"optimizer: {milestones: null}", func(c *pdd.Config) { c.Optimizer.Milestones = nil }},
		{"ablation: " + string(pdd.Ablations()[0]) + "\nsteps: 7", func(c *pdd.Config) {
			*c, err = c.Ablate(pdd.Ablations()[0])
			c.Steps = 7
		}},
	} {
		for name, base := range map[string]pdd.Config{"preset": preset, "file": file} {
			got, err := base.With([]byte(tt.changes))
			want := preset
			tt.want(&want)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("%s with %s (-want +got), error %v: %s", name, tt.changes, err, diff)
			}
		}
		if diff := cmp.Diff(preset, file); diff != "" || preset.Specialist.New.Feat != 0 {
			t.Fatalf("%s changed what it was laid over: %s", tt.changes, diff)
		}
	}
	if got, err := (pdd.Config{Features: pdd.FeaturesConfig{Random: true}}).With([]byte("features: {weights: vgg19}")); err != nil || got.Features.Random {
		t.Errorf("a file in place of random features: %+v, %v", got.Features, err)
	}
	for changes, want := range map[string]string{"preset: ema": "changes have none", "loss: {wait: 1}": `unknown key "loss.wait"`, "steps: a": "steps"} {
		if _, err := preset.With([]byte(changes)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", changes, err, want)
		}
	}
}
