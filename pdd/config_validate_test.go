package pdd_test

import (
	"encoding"
	"math"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/losses"
	"github.com/gopdd/gopdd/pdd"
)

// preset is a preset by its name.
func preset(t testing.TB, name string) pdd.Config {
	t.Helper()
	c, err := pdd.PresetByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPresetsAreValid(t *testing.T) {
	for _, name := range pdd.PresetNames() {
		c := preset(t, name)
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, a := range pdd.Ablations() {
			ablated, err := c.Ablate(a)
			if distils := c.Method == pdd.Distillation; (err == nil) != distils {
				t.Errorf("%s with ablation %s: %v", name, a, err)
			} else if err := ablated.Validate(); distils && err != nil {
				t.Errorf("%s with ablation %s: %v", name, a, err)
			}
		}
	}
	if _, err := pdd.PresetByName("emma"); err == nil || !strings.Contains(err.Error(), "static-as-released") {
		t.Errorf("an unknown preset gives %v, want the list", err)
	}
	if _, err := pdd.EMA().Ablate("gan"); err == nil || !strings.Contains(err.Error(), "intra+inter") {
		t.Errorf("an unknown ablation gives %v, want the list", err)
	}
}

func TestValidate(t *testing.T) {
	small := &pdd.Sizes{Kind: "rrdbnet", Scale: 4}
	for _, c := range []struct {
		reason string
		preset string
		change func(c *pdd.Config)
		want   string // begins a line of the error; "": no error
	}{
		{"an interval without its end", "ema", func(c *pdd.Config) { c.EMADecay = 1 }, "ema_decay: 1: want at least 0, less than 1"},
		{"no number", "ema", func(c *pdd.Config) { c.Loss.Intra.Weight = math.NaN() }, "loss.intra.weight: NaN: want at least 0"},
		{"no finite number", "ema", func(c *pdd.Config) { c.Optimizer.LR = math.Inf(1) }, "optimizer.lr: +Inf: want more than 0"},
		{"negative", "ema", func(c *pdd.Config) { c.Loss.Wavelet.Bands.High = -1 }, "loss.wavelet.bands.high: -1: want at least 0"},
		{"no such choice", "ema", func(c *pdd.Config) { c.Method = 9 }, "method: method 9: want 0 to 2 (distillation, naive or supervised)"},
		{"no such choice of package losses", "ema", func(c *pdd.Config) { c.Loss.GAN.Kind = 77 }, "loss.gan.kind: gan 77"},

		{"two sources of a network", "ema", func(c *pdd.Config) { c.Specialist.New = small }, `specialist: weights "realesrgan-x4plus" and sizes`},
		{"an entry of nothing", "ema", func(c *pdd.Config) { c.Specialist = pdd.NetworkConfig{Entry: "params"} }, `specialist.entry: "params"`},
		{"a network in memory", "ema", func(c *pdd.Config) { c.Specialist = pdd.NetworkConfig{} }, ""},
		{"a network nobody knows", "supervised", func(c *pdd.Config) { c.Specialist.New.Kind = "swin" }, `specialist.new.kind: "swin": want rrdbnet or srvgg`},
		{"an RRDBNet's scale", "supervised", func(c *pdd.Config) { c.Specialist.New = &pdd.Sizes{Kind: "rrdbnet", Scale: 3} }, "specialist.new.scale: 3"},
		{"no dense blocks", "supervised", func(c *pdd.Config) { c.Specialist.New.Grow = 8 }, "specialist.new.grow: 8"},
		{"negative sizes", "supervised", func(c *pdd.Config) { c.Specialist.New.Feat = -1 }, "specialist.new.feat: -1"},
		{"an averaged generalist without average", "ema", func(c *pdd.Config) { c.EMADecay = 0 }, "ema_decay: 0: without an averaged copy"},
		{"an averaged generalist with weights", "ema", func(c *pdd.Config) { c.Generalist.Weights = "bsrgan" }, "generalist: the kind is ema"},
		{"a frozen generalist needs no average", "static", func(c *pdd.Config) { c.EMADecay = 0 }, ""},
		{"no generalist, no matter", "supervised", func(c *pdd.Config) { c.EMADecay = 0 }, ""},
		{"two sources of features", "ema", func(c *pdd.Config) { c.Features.Random = true }, `features: weights "vgg19" and random`},
		{"features that no loss needs", "supervised", func(c *pdd.Config) { c.Features.Random = true }, ""},

		{"LR of nothing", "ema", func(c *pdd.Config) { c.Data.LR = []string{"lr"} }, "data.hr: there are LR pictures without HR"},
		{"no target domain", "ema", func(c *pdd.Config) { c.Data.HR = []string{"hr"} }, "data.unlabelled: the method is distillation"},
		{"no target domain to imitate in", "naive", func(c *pdd.Config) { c.Data.HR = []string{"hr"} }, "data.unlabelled: the method is naive"},
		{"no target domain needed", "supervised", func(c *pdd.Config) { c.Data.HR = []string{"hr"} }, ""},
		{"no labelled pictures", "ema", func(c *pdd.Config) { c.Data.Unlabelled = []string{"lr"} }, "data.hr: there are unlabelled pictures alone"},
		{"an empty path", "supervised", func(c *pdd.Config) { c.Data.HR = []string{"a", " "} }, "data.hr: a path is empty"},
		{"a degradation nobody knows", "ema", func(c *pdd.Config) { c.Data.Degradation.Preset = "blur" }, `data.degradation.preset: "blur": want one of bicubic, resize`},
		{"a setting nobody knows", "ema", func(c *pdd.Config) { c.Data.Degradation.Settings = map[string]any{"sigma": 1} }, `data.degradation.settings: unknown field "sigma"`},
		{"a setting that shrinks otherwise", "ema", func(c *pdd.Config) { c.Data.Degradation.Settings = map[string]any{"scale": 2} }, "data.degradation.settings: the scale is 2"},
		{"paired LR need no degradation", "supervised", func(c *pdd.Config) {
			c.Data.HR, c.Data.LR, c.Data.Degradation.Preset = []string{"hr"}, []string{"lr"}, ""
		}, ""},
		{"unequal parts", "ema", func(c *pdd.Config) { c.Optimizer.Accumulate = 3 }, "data.batch: 8 patches cannot be worked through in 3 equal parts"},
		{"parts of nothing", "ema", func(c *pdd.Config) { c.Optimizer.Accumulate = 0 }, "optimizer.accumulate: 0: want at least 1"},

		{"no such layer", "ema", func(c *pdd.Config) { c.Loss.Inter.Layers["conv6_1"] = 1 }, `loss.inter.layers: VGG19 has no "conv6_1"`},
		{"a layer after the ReLU", "ema", func(c *pdd.Config) { c.Loss.Intra.Layers["relu5_4"] = 1 }, `loss.intra.layers: VGG19 has no "relu5_4"`},
		{"a layer against", "ema", func(c *pdd.Config) { c.Loss.Intra.Layers["conv5_4"] = -1 }, "loss.intra.layers.conv5_4: -1"},
		{"no layer", "ema", func(c *pdd.Config) { c.Loss.Perceptual.Layers = losses.Layers{"conv1_1": 0} }, "loss.perceptual.layers: no layer has a weight"},
		{"no layer, no matter", "ema", func(c *pdd.Config) { c.Loss.Perceptual.Weight, c.Loss.Perceptual.Layers = 0, nil }, ""},
		{"no band", "ema", func(c *pdd.Config) { c.Loss.Wavelet.Bands = losses.Bands{} }, "loss.wavelet.bands: all are 0"},
		{"a separate term of no weight", "ema", func(c *pdd.Config) { c.Loss.GAN.Unlabelled = pdd.GANSeparate }, "loss.gan.unlabelled_weight: 0"},
		{"a weight of no term", "ema", func(c *pdd.Config) { c.Loss.GAN.UnlabelledWeight = 1 }, "loss.gan.unlabelled_weight: 1 has no effect"},
		{"distillation of nothing", "ema", func(c *pdd.Config) {
			c.Loss.Intra.Weight, c.Loss.Inter.Weight, c.Loss.GAN.Unlabelled = 0, 0, pdd.GANNone
		}, "loss: without intra, inter and an adversarial term"},
		{"distillation by the discriminator alone", "ema", func(c *pdd.Config) { c.Loss.Intra.Weight, c.Loss.Inter.Weight = 0, 0 }, ""},
		{"a warm-up that learns nothing", "ema", func(c *pdd.Config) {
			c.Loss.Wavelet.Weight, c.Loss.Perceptual.Weight, c.Loss.GAN.Weight = 0, 0, 0
		}, "warmup.distillation: 5 steps with labelled terms alone, and none has a weight"},
		{"a warm-up of terms that lambda switches off", "naive", func(c *pdd.Config) { c.Loss.Lambda = 0 }, "warmup.distillation: 5 steps with labelled terms alone"},
		{"no warm-up, no labelled terms", "static", func(c *pdd.Config) {
			c.Loss.Wavelet.Weight, c.Loss.Perceptual.Weight, c.Loss.GAN.Weight = 0, 0, 0
		}, ""},
		{"imitation of nothing", "naive", func(c *pdd.Config) { c.Loss.Wavelet.Weight, c.Loss.Perceptual.Weight = 0, 0 }, "loss: nothing of the generalist is imitated"},
		{"lambda of a joint term", "naive", func(c *pdd.Config) {
			c.Loss.GAN.Unlabelled, c.Loss.GAN.UnlabelledWeight = pdd.GANJoint, 0
		}, "loss.gan.unlabelled: joint"},
		{"no loss", "supervised", func(c *pdd.Config) { c.Loss.L1 = 0 }, "loss: every labelled term has weight 0"},
		{"fakes of nothing", "supervised", func(c *pdd.Config) {
			c.Loss.GAN.Weight, c.Discriminator.Fakes = 1, pdd.FakesBoth
		}, "discriminator.fakes: both"},

		{"a warm-up without end", "ema", func(c *pdd.Config) { c.Steps = 305 }, "warmup.distillation: it ends after step 305 of 305"},
		{"a warm-up with an end", "ema", func(c *pdd.Config) { c.Steps = 306 }, ""},
		{"a specialist that never steps", "ema", func(c *pdd.Config) { c.Warmup.Discriminator = c.Steps }, "warmup.discriminator: 100000 of 100000 steps"},
		{"a warm-up of nothing", "supervised", func(c *pdd.Config) { c.Warmup.Distillation = c.Steps }, ""},
		{"milestones in disorder", "ema", func(c *pdd.Config) { c.Optimizer.Milestones = []int{5, 9, 9} }, "optimizer.milestones: 9 after 9"},
		{"a milestone before the start", "ema", func(c *pdd.Config) { c.Optimizer.Milestones = []int{0} }, "optimizer.milestones: 0 after 0"},
		{"no device", "ema", func(c *pdd.Config) { c.Compute.Device = "gpu" }, `compute.device: "gpu": want cpu or cuda:N`},
		{"half precision without its hardware", "ema", func(c *pdd.Config) { c.Compute.Precision = pdd.Float16 }, "compute.precision: float16 needs a CUDA device"},
		{"tf32 on a CPU", "ema", func(c *pdd.Config) { c.Compute.Precision = pdd.TF32 }, "compute.precision: tf32 needs a CUDA device"},

		{"the discriminator's multiple", "supervised", func(c *pdd.Config) { c.Loss.GAN.Weight, c.Data.Patch = 1, 25 }, "data.patch: 25 pixels, 100 in HR: the discriminator takes multiples of 8 in HR: choose a multiple of 2"},
		{"an odd HR side", "supervised", func(c *pdd.Config) {
			c.Specialist.New.Scale, c.Loss.Wavelet.Weight, c.Data.Patch = 3, 1, 25
		}, "data.patch: 25 pixels, 75 in HR: the wavelet loss"},
		{"an unshuffled input", "supervised", func(c *pdd.Config) {
			c.Specialist.New, c.Data.Patch = &pdd.Sizes{Kind: "rrdbnet", Scale: 2}, 25
		}, "data.patch: 25 pixels: the specialist takes multiples of 2"},
		{"too small for conv5_4", "supervised", func(c *pdd.Config) { c.Loss.Perceptual.Weight, c.Data.Patch = 1, 3 }, "data.patch: 3 pixels, 12 in HR: nothing is left of it at the deepest layer of features: choose at least 4"},
		{"large enough for conv5_4", "supervised", func(c *pdd.Config) { c.Loss.Perceptual.Weight, c.Data.Patch = 1, 4 }, ""},

		{"a metric nobody knows", "ema", func(c *pdd.Config) { c.Validation.Metrics = []string{"vmaf"} }, `validation.metrics: metric "vmaf"`},
		{"two metrics in one", "ema", func(c *pdd.Config) { c.Validation.Metrics = []string{"psnr_rgb,ssim_rgb"} }, `validation.metrics: "psnr_rgb,ssim_rgb"`},
		{"a metric whose model is a file", "ema", func(c *pdd.Config) { c.Validation.Metrics = []string{"niqe_y_bt601", "lpips_alex"} }, ""},
		{"no truth", "ema", func(c *pdd.Config) { c.Validation.LR = "lr" }, "validation.hr: there is no ground truth for psnr_y_bt601, ssim_y_bt601, sharpness"},
		{"no truth needed", "ema", func(c *pdd.Config) { c.Validation.LR, c.Validation.Metrics = "lr", []string{"niqe_y_bt601"} }, ""},
		{"truth alone", "ema", func(c *pdd.Config) { c.Validation.HR = "hr" }, "validation.lr: there is ground truth"},
		{"nothing measured", "ema", func(c *pdd.Config) {
			c.Validation = pdd.ValidationConfig{Every: 1, LR: "lr", HR: "hr"}
		}, "validation: there is no metric and no sample"},
		{"small tiles", "ema", func(c *pdd.Config) { c.Validation.Tile = 31 }, "validation.tile: 31 pixels"},
		{"best of nothing", "ema", func(c *pdd.Config) { c.Output.Best = "psnr_y_bt601" }, `output.best: "psnr_y_bt601" is measured by validation`},
		{"best of what is not measured", "ema", func(c *pdd.Config) { measured(c, "psnr_rgb") }, `output.best: "psnr_rgb" is none of validation.metrics`},
		{"best as written", "ema", func(c *pdd.Config) { measured(c, "psnr_y_bt601") }, ""},
		{"best with its implementation", "ema", func(c *pdd.Config) { measured(c, "psnr_y_bt601_pyiqa") }, ""},
		{"best kept nowhere", "ema", func(c *pdd.Config) { measured(c, "sharpness"); c.Output.Dir = "" }, `output.best: "sharpness", but nothing is kept`},
	} {
		t.Run(c.reason, func(t *testing.T) {
			cfg := preset(t, c.preset)
			c.change(&cfg)
			err := cfg.Validate()
			if c.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if lines := problemLines(err); len(lines) != 1 || !strings.HasPrefix(lines[0], c.want) {
				t.Errorf("got %q, want one that begins %q", lines, c.want)
			}
		})
	}
}

// measured has a validation, and best as the best.
func measured(c *pdd.Config, best string) {
	c.Validation.LR, c.Validation.HR, c.Output.Dir, c.Output.Best = "lr", "hr", "run", best
}

// problemLines are an error's lines without its head.
func problemLines(err error) []string {
	if err == nil {
		return nil
	}
	_, text, _ := strings.Cut(err.Error(), "pdd: config: ")
	if _, list, several := strings.Cut(text, " problems:\n  "); several {
		text = list
	}
	return strings.Split(text, "\n  ")
}

// All problems come at once, however bad the values that other checks rest on.
func TestValidateReportsAll(t *testing.T) {
	var c pdd.Config
	c.Specialist.New = &pdd.Sizes{}
	c.Output.KeepLast = -1
	lines := problemLines(c.Validate())
	for _, want := range []string{"steps:", "ema_decay: 0", "data.patch:", "data.batch:", "data.degradation.preset:", "discriminator.feat:",
		"discriminator.generator_every:", "optimizer.lr:", "optimizer.eps:", "optimizer.gamma:", "optimizer.accumulate:",
		"output.keep_last:", "output.log_every:", "compute.device:", "specialist.new.kind:", "specialist.new.scale:", "loss:"} {
		found := false
		for _, line := range lines {
			found = found || strings.HasPrefix(line, want)
		}
		if !found {
			t.Errorf("nothing about %s in\n%s", want, strings.Join(lines, "\n"))
		}
	}
}

// Every choice is read as it is written, and errors list the choices.
func TestChoices(t *testing.T) {
	method, kind, fakes, gan, precision := pdd.Method(0), pdd.GeneralistKind(0), pdd.Fakes(0), pdd.UnlabelledGAN(0), pdd.Precision(0)
	for _, c := range []struct {
		value encoding.TextUnmarshaler
		texts string
	}{
		{&method, "distillation naive supervised"}, {&kind, "ema frozen"}, {&fakes, "labelled both"},
		{&gan, "none joint separate"}, {&precision, "auto float32 bfloat16 float16 tf32"},
	} {
		err := c.value.UnmarshalText([]byte("Both"))
		for text := range strings.FieldsSeq(c.texts) {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%T: error %v, want it to name %q", c.value, err, text)
			}
			if err := c.value.UnmarshalText([]byte(text)); err != nil {
				t.Error(err)
			}
			if got, err := c.value.(encoding.TextMarshaler).MarshalText(); err != nil || string(got) != text {
				t.Errorf("%T: %q became %q, %v", c.value, text, got, err)
			}
		}
	}
	if s := pdd.Method(7).String(); s != "method(7)" {
		t.Errorf("a value without a name prints as %q", s)
	}
	if text, err := pdd.UnlabelledGAN(3).MarshalText(); err == nil {
		t.Errorf("a value without a name is written as %q", text)
	}
}
