package pdd_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gopdd/gopdd/losses"
	"github.com/gopdd/gopdd/pdd"
)

// optionFile has the settings of the authors' EMA file in words of ours: an option a line, with what BasicSR's format
// allows of it (!!float, ~, fractions as texts, flow and block lists).
const optionFile = `
model_type: SRGANRefModel
name: trial
scale: 4
num_gpu: 2
manual_seed: 0
datasets:
  train_s:
    type: BlindPairedImageDataset
    dataroot_gt: sharp
    dataroot_lq: sharp
    io_backend: {type: disk}
    pipeline:
      - {type: FixedCrop, keys: [gt], crop_size: [192, 192]}
      - {type: Flip, keys: [gt], flip_ratio: 0.5, direction: vertical}
      - {type: Flip, keys: [gt], flip_ratio: 0.5, direction: horizontal}
      - {type: RandomTransposeHW, keys: [gt], transpose_ratio: 0.5}
      - {type: CopyValues, src_keys: [gt], dst_keys: [lq]}
      - type: RandomResize
        keys: [lq]
        params: {target_size: [48, 48], resize_opt: [area, bicubic, bilinear], resize_prob: [1/3, 1/3, 1/3]}
      - {type: Quantize, keys: [lq]}
    batch_size_per_gpu: 8
  train_t: {type: SingleImageDataset, dataroot_lq: camera, lq_size: 48, use_hflip: True, use_rot: true, batch_size_per_gpu: 8}
  val: {type: PairedImageDataset, dataroot_gt: val/hr, dataroot_lq: val/lr}
network_g: {type: RRDBNet, num_in_ch: 3, num_out_ch: 3, num_feat: 64, num_block: 23, num_grow_ch: 32}
network_g_fix: {type: RRDBNet, num_in_ch: 3, num_out_ch: 3, num_feat: 64, num_block: 23, num_grow_ch: 32}
network_d: {type: UNetDiscriminatorWithSpectralNorm, num_in_ch: 3, num_feat: 64, skip_connection: True}
path:
  pretrain_network_g: nets/RealESRGAN_x4plus.pth
  param_key_g: params_ema
  pretrain_network_g_fix: nets/RealESRGAN_x4plus.pth
  param_key_g_fix: params_ema
  resume_state: ~
train:
  use_net_g_ema: true
  ema_decay: 0.999
  total_iter: 100000
  warmup_iter: -1
  optim_g: {type: Adam, lr: !!float 1e-4, betas: [0.9, 0.99], weight_decay: 0}
  optim_d: {type: Adam, lr: 1e-4, betas: [0.9, 0.99], weight_decay: 0}
  scheduler: {type: MultiStepLR, milestones: [25000, 100000, 200000, 300000], gamma: 0.5}
  pixel_opt: {type: WeightedWvtLoss, loss_weight: !!float 0.5, weights: [1, 0.1, 0.01], reduction: mean}
  perceptual_opt:
    type: PerceptualLoss
    layer_weights: {conv1_2: 0.1, conv2_2: 0.1, conv3_4: 1, conv4_4: 1, conv5_4: !!float 1}
    criterion: l1
    style_weight: 0
  domain_opt:
    type: DistillationLoss
    layer_weights_intra: {conv2_2: 0.1, conv3_4: 0.3, conv4_4: 1, conv5_4: 1}
    layer_weights_inter:
      'conv2_1': !!float 0.25
      'conv3_1': 0.25
      'conv4_1': 0.25
      'conv5_1': 0.25
    cri_intra: ce
    rinter_weight: 1.0
  gan_opt: {type: GANLoss, gan_type: vanilla, loss_weight: !!float 1e-2, real_label_val: 1.0, fake_label_val: 0.0}
  net_d_iters: 1
  net_d_init_iters: 300
  domain_opt_warmup_iters: 5
  domain_opt_detach: false
  domain_opt_wogan: false
val:
  val_freq: !!float 25e2
  save_img: true
  metrics:
    a: {type: calculate_psnr, crop_border: 4, test_y_channel: false}
    b: {type: calculate_lpips, crop_border: 4, better: lower}
logger: {print_freq: 100, save_checkpoint_freq: !!float 5e3, use_tb_logger: true}
`

// edited is the option file with parts of it replaced: pairs of old and new.
func edited(t testing.TB, pairs ...string) string {
	t.Helper()
	text := optionFile
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("no %q in the option file", pairs[i])
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

// resizeStep is the step of the option file that makes LR.
const resizeStep = `type: RandomResize
        keys: [lq]
        params: {target_size: [48, 48], resize_opt: [area, bicubic, bilinear], resize_prob: [1/3, 1/3, 1/3]}`

func TestImportGivesReleasedPresets(t *testing.T) {
	for _, c := range []struct {
		name string
		text string
		want pdd.Config
	}{
		{"EMA", optionFile, pdd.EMAAsReleased()},
		{"EMA with MATLAB's bicubic", edited(t, resizeStep, "{type: MATLABLikeResize, output_shape: [48, 48]}",
			"rinter_weight: 1.0", "rinter_weight: 0.5"), pdd.EMAMatlabAsReleased()},
		{"Static", edited(t, "use_net_g_ema: true", "use_net_g_ema: false", "domain_opt_detach: false", "domain_opt_detach: true",
			"domain_opt_warmup_iters: 5", "domain_opt_warmup_iters: 0",
			"pretrain_network_g_fix: nets/RealESRGAN_x4plus.pth", "pretrain_network_g_fix: ESRGAN_SRx4_DF2KOST_official-ff704c30.pth"),
			pdd.StaticAsReleased()},
	} {
		got, report, err := pdd.ImportBasicSR([]byte(c.text))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		c.want.Data.HR, c.want.Data.Unlabelled = []string{"sharp"}, []string{"camera"}
		c.want.Validation.LR, c.want.Validation.HR = "val/lr", "val/hr"
		c.want.Output.Dir = "experiments/trial"
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-preset +import):\n%s", c.name, diff)
		}
		if err := got.Validate(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if len(report.NoCounterpart) > 0 {
			t.Errorf("%s: without counterpart: %v", c.name, report.NoCounterpart)
		}
	}
}

// Every line of the file is in the report once, and the report names what became of it.
func TestImportReport(t *testing.T) {
	_, report, err := pdd.ImportBasicSR([]byte(edited(t, "warmup_iter: -1", "warmup_iter: 500\n  clip: 3", "    criterion: l1\n", "",
		"use_rot: true", "use_rot: false", "resume_state: ~", "resume_state: 5.state")))
	if err != nil {
		t.Fatal(err)
	}
	text := report.String()
	for _, want := range []string{
		"mapped:\n  model_type: SRGANRefModel → method\n  name: trial → output.dir\n",
		"  train.optim_g.lr: 0.0001 → optimizer.lr\n",
		"  path.pretrain_network_g: nets/RealESRGAN_x4plus.pth → specialist.weights (realesrgan-x4plus by its file name)\n",
		"  val.metrics: {a.type: calculate_psnr, a.crop_border: 4, a.test_y_channel… → validation.metrics (without b: measure that with `pdd eval`)\n",
		"assumed, for the file does not say:\n",
		"  train.perceptual_opt.criterion: l1 → loss.perceptual.distance\n",
		"ignored:\n",
		"  datasets.train_s.dataroot_lq: sharp (the pipeline makes LR of HR)\n",
		"without counterpart:\n",
		"  datasets.train_t.use_rot: false (both halves are augmented alike, here true)\n",
		"  path.resume_state: 5.state\n",
		"  train.warmup_iter: 500\n",
		"  train.clip: 3\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if option := report.Mapped[0].Option; option != "model_type" {
		t.Errorf("the first is %s, want the order of the file", option)
	}
	seen := map[string]int{}
	for _, list := range [][]pdd.ImportedOption{report.Mapped, report.Assumed, report.Ignored, report.NoCounterpart} {
		for _, o := range list {
			if seen[o.Option]++; seen[o.Option] > 1 {
				t.Errorf("%s is reported twice", o.Option)
			}
		}
	}
	if n := len(report.Mapped) + len(report.Ignored) + len(report.NoCounterpart); n < 80 {
		t.Errorf("%d options of the file are reported", n)
	}
}

func TestImportChoices(t *testing.T) {
	for _, c := range []struct {
		reason string
		edit   []string
		ok     func(c pdd.Config) bool
	}{
		{"no GPU is one part", []string{"num_gpu: 2", "num_gpu: 0"}, func(c pdd.Config) bool { return c.Data.Batch == 8 && c.Optimizer.Accumulate == 1 }},
		{"no averaged copy", []string{"use_net_g_ema: true", "use_net_g_ema: false", "  ema_decay: 0.999\n", ""}, func(c pdd.Config) bool {
			return c.EMADecay == 0 && c.Generalist.Kind == pdd.Frozen && c.Generalist.Weights == "realesrgan-x4plus"
		}},
		{"a network without weights", []string{"  pretrain_network_g: nets/RealESRGAN_x4plus.pth\n", "", "num_block: 23", "num_block: 6"}, func(c pdd.Config) bool {
			return cmp.Equal(c.Specialist, pdd.NetworkConfig{New: &pdd.Sizes{Kind: "rrdbnet", Scale: 4, Feat: 64, Depth: 6, Grow: 32}})
		}},
		{"a file that nobody knows, and its raw weights", []string{"nets/RealESRGAN_x4plus.pth", "nets/own.pth", "param_key_g: params_ema", "param_key_g: params"}, func(c pdd.Config) bool {
			return c.Specialist == pdd.NetworkConfig{Weights: "nets/own.pth", Entry: "params"}
		}},
		{"the code's default is l1", []string{"    cri_intra: ce\n", ""}, func(c pdd.Config) bool { return c.Loss.Intra.Criterion == losses.CriterionL1 }},
		{"the code's default detaches", []string{"  domain_opt_detach: false\n", ""}, func(c pdd.Config) bool { return c.Loss.DetachLabelled }},
		{"no GAN on unlabelled", []string{"domain_opt_wogan: false", "domain_opt_wogan: true"}, func(c pdd.Config) bool { return c.Loss.GAN.Unlabelled == pdd.GANNone }},
		{"a pixel loss", []string{"type: WeightedWvtLoss, loss_weight: !!float 0.5, weights: [1, 0.1, 0.01]", "type: L1Loss, loss_weight: 2"}, func(c pdd.Config) bool {
			return c.Loss.L1 == 2 && c.Loss.Wavelet.Weight == 0
		}},
		{"sums", []string{"reduction: mean", "reduction: sum"}, func(c pdd.Config) bool { return c.Loss.Wavelet.Sum }},
		{"luma", []string{"calculate_psnr, crop_border: 4, test_y_channel: false", "calculate_ssim, crop_border: 2, test_y_channel: true"}, func(c pdd.Config) bool {
			return cmp.Equal(c.Validation.Metrics, []string{"ssim_y_bt601_basicsr"}) && c.Validation.Crop == 2
		}},
		{"two ways to shrink", []string{"[area, bicubic, bilinear], resize_prob: [1/3, 1/3, 1/3]", "[bilinear, area], resize_prob: [1/2, 0.5]"}, func(c pdd.Config) bool {
			return cmp.Equal(c.Data.Degradation, pdd.DegradationConfig{Preset: "resize", Settings: map[string]any{"modes": []any{"area", "bilinear"}}})
		}},
	} {
		got, _, err := pdd.ImportBasicSR([]byte(edited(t, c.edit...)))
		if err != nil {
			t.Errorf("%s: %v", c.reason, err)
		} else if !c.ok(got) {
			t.Errorf("%s: got %+v", c.reason, got)
		} else if err := got.Validate(); err != nil {
			t.Errorf("%s: %v", c.reason, err)
		}
	}
}

func TestImportErrors(t *testing.T) {
	for _, c := range []struct {
		reason string
		edit   []string
		want   string
	}{
		{"another kind of training", []string{"SRGANRefModel", "SRModel"}, "model_type: SRModel: want SRGANRefModel"},
		{"another optimizer", []string{"type: Adam, lr: 1e-4", "type: SGD, lr: 1e-4"}, "train.optim_d.type: SGD: want Adam"},
		{"two settings of one", []string{"lr: 1e-4, betas: [0.9, 0.99]", "lr: 1e-4, betas: [0.9, 0.999]"}, "train.optim_d.betas: [0.9, 0.999]: the generator's are 0.9 and 0.99"},
		{"unequal halves", []string{"use_rot: true, batch_size_per_gpu: 8", "use_rot: true, batch_size_per_gpu: 4"}, "datasets.train_t.batch_size_per_gpu: 4: the other option"},
		{"unequal patches", []string{"lq_size: 48", "lq_size: 64"}, "datasets.train_t.lq_size: 64: the other option of its kind is 48"},
		{"patches that do not shrink by the scale", []string{"target_size: [48, 48]", "target_size: [64, 64]"}, "step 6, RandomResize: 64 of 192 pixels: want 1/4"},
		{"unequal chances", []string{"[1/3, 1/3, 1/3]", "[1/2, 1/4, 1/4]"}, "chances [1/2, 1/4, 1/4]: want equal ones"},
		{"another degradation", []string{"{type: Quantize, keys: [lq]}", "{type: RandomBlur, keys: [lq]}"}, "step 7, RandomBlur: there is no such step here"},
		{"half an augmentation", []string{"direction: vertical", "direction: horizontal"}, "augmentation by horizontal, horizontal, transpose"},
		{"another loss", []string{"criterion: l1", "criterion: fro"}, `train.perceptual_opt.criterion: losses: distance "fro"`},
		{"another distance", []string{"    cri_intra: ce\n", "    cri_intra: ce\n    delta_inter_type: gram\n"}, "train.domain_opt.delta_inter_type: gram: want gram_change"},
		{"a word for a number", []string{"total_iter: 100000", "total_iter: many"}, "train.total_iter: many: want a whole number"},
		{"no discriminator", []string{"  gan_opt: {type: GANLoss, gan_type: vanilla", "  gan: {type: GANLoss, gan_type: vanilla"}, "missing: train.gan_opt.type, train.gan_opt.gan_type; is the file cut off"},
		{"no option file", []string{optionFile, "steps: 3"}, "missing: model_type, scale, "},
		{"no mapping", []string{optionFile, "- 3"}, "missing: model_type, scale, "},
	} {
		_, _, err := pdd.ImportBasicSR([]byte(edited(t, c.edit...)))
		if err == nil || !strings.HasPrefix(err.Error(), "pdd: import: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.reason, err, c.want)
		}
	}
}

// A file that is cut off, at whatever byte before its last section, is an error that says so.
func TestImportOfCutFiles(t *testing.T) {
	for n := range strings.Index(optionFile, "print_freq") {
		_, _, err := pdd.ImportBasicSR([]byte(optionFile[:n]))
		if err == nil {
			t.Fatalf("cut after byte %d of %d: imported", n, len(optionFile))
		}
		if !strings.Contains(err.Error(), "is the file cut off") {
			t.Fatalf("cut after byte %d: %v", n, err)
		}
	}
}
