package pdd

import (
	"fmt"
	"strings"

	"github.com/gopdd/gopdd/losses"
)

// What all presets share: the paper's optimiser, batch and schedule, the authors' loss weights (the paper prints none).
func common() Config {
	return Config{
		Specialist:    NetworkConfig{Weights: "realesrgan-x4plus"},
		Discriminator: DiscriminatorConfig{Feat: 64, SkipConnections: true, GeneratorEvery: 1},
		Features:      FeaturesConfig{Weights: "vgg19", InputNorm: true},
		EMADecay:      0.999,
		Data: DataConfig{Degradation: DegradationConfig{Preset: "bicubic"}, Patch: 48, Batch: 8, Augment: true,
			CacheMiB: 512, MaxBad: 10},
		Loss: LossConfig{
			Wavelet: WaveletConfig{Weight: 0.5, Bands: losses.Bands{Low: 1, Middle: 0.1, High: 0.01}},
			Perceptual: PerceptualConfig{Weight: 1,
				Layers: losses.Layers{"conv1_2": 0.1, "conv2_2": 0.1, "conv3_4": 1, "conv4_4": 1, "conv5_4": 1}},
			GAN: GANConfig{Kind: losses.Vanilla, Weight: 1e-2, Unlabelled: GANJoint},
			Intra: IntraConfig{Weight: 1, Eps: 1e-6,
				Layers: losses.Layers{"conv2_2": 0.1, "conv3_4": 0.3, "conv4_4": 1, "conv5_4": 1}},
			Inter: InterConfig{Weight: 1,
				Layers: losses.Layers{"conv2_1": 0.25, "conv3_1": 0.25, "conv4_1": 0.25, "conv5_1": 0.25}},
			Lambda: 1,
		},
		Warmup: WarmupConfig{Discriminator: 300},
		Optimizer: OptimizerConfig{LR: 1e-4, LRD: 1e-4, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8,
			Milestones: []int{25000}, Gamma: 0.5, Accumulate: 1},
		Compute: ComputeConfig{Device: "cpu", Precision: Float32},
		Validation: ValidationConfig{Every: 2500, Crop: 4, Tile: 384, Samples: 4, ColorCorrection: true, Raw: true,
			Metrics: []string{"psnr_y_bt601", "ssim_y_bt601", "sharpness"}},
		Output: OutputConfig{SaveEvery: 5000, KeepLast: 3, LogEvery: 100, TensorBoard: true},
	}
}

// EMA is the paper's configuration in which both networks start from one generalist and M_G is the moving average of
// M_S: 100,000 steps.
func EMA() Config {
	c := common()
	c.Steps = 100000
	c.Warmup.Distillation = 5
	return c
}

// Static is the paper's configuration in which M_S starts from a specialist for bicubic LR and M_G is a frozen
// generalist: 50,000 steps. S_L is detached in the distances, as in the authors' code.
func Static() Config {
	c := common()
	c.Steps = 50000
	c.Specialist.Weights = "esrgan"
	c.Generalist = GeneralistConfig{Kind: Frozen, NetworkConfig: NetworkConfig{Weights: "realesrgan-x4plus"}}
	c.Loss.DetachLabelled = true
	return c
}

// SingleFixed is the paper's ablation in which both networks start from one generalist and M_G stays there.
func SingleFixed() Config {
	c := EMA()
	c.Generalist.Kind = Frozen
	return c
}

// Naive is the paper's baseline (Eq. 3): M_S imitates the predictions of a frozen generalist on unlabelled pictures.
func Naive() Config {
	c := SingleFixed()
	c.Method = Imitation
	c.Loss.GAN.Unlabelled, c.Loss.GAN.UnlabelledWeight = GANSeparate, c.Loss.GAN.Weight
	return c
}

// Supervised trains on labelled pictures alone: ℓ1 only, on a new network. Set weights for Wavelet, Perceptual and GAN
// to go on from there.
func Supervised() Config {
	c := common()
	c.Method = SupervisedOnly
	c.Steps = 100000
	c.Specialist = NetworkConfig{New: &Sizes{Kind: "srvgg", Scale: 4}}
	c.Loss.L1 = 1
	c.Loss.Wavelet.Weight, c.Loss.Perceptual.Weight, c.Loss.GAN.Weight = 0, 0, 0
	c.Warmup.Discriminator = 0
	return c
}

// EMAAsReleased is the authors' option file train_Real_ESRGAN_EMA_x4_canon.yml: β2 0.99, more milestones, labelled LR
// by a random choice of bicubic, bilinear and area, 16 + 16 patches on two GPUs, validation by PSNR on RGB.
func EMAAsReleased() Config { return asReleased(EMA()) }

// EMAMatlabAsReleased is train_Real_ESRGAN_EMA_matlabresize_x4_canon.yml: MATLAB's bicubic, half the inter weight.
func EMAMatlabAsReleased() Config {
	c := asReleased(EMA())
	c.Data.Degradation.Preset = "bicubic"
	c.Loss.Inter.Weight = 0.5
	return c
}

// StaticAsReleased is train_Real_ESRGAN_Static_x4_canon.yml, which swaps the roles of the paper: the specialist starts
// from Real-ESRGAN, the frozen generalist is ESRGAN. It runs for 100,000 steps.
func StaticAsReleased() Config {
	c := asReleased(Static())
	c.Steps = 100000
	c.Specialist.Weights, c.Generalist.Weights = c.Generalist.Weights, c.Specialist.Weights
	return c
}

// SingleFixedAsReleased is SingleFixed with the released files' optimiser and data; the repository has no file of it.
func SingleFixedAsReleased() Config { return asReleased(SingleFixed()) }

// NaiveAsReleased is Naive with the released files' optimiser and data; the repository has no Eq. 3.
func NaiveAsReleased() Config { return asReleased(Naive()) }

// asReleased is what the authors' option files have in common where they differ from the paper or from our choices.
// Two parts of a batch, each with its own norm in R_inter and its gradients averaged, are two GPUs with a process each.
func asReleased(c Config) Config {
	c.Optimizer.Beta2 = 0.99
	c.Optimizer.Milestones = []int{25000, 100000, 200000, 300000}
	c.Optimizer.Accumulate = 2
	c.Data.Batch = 16
	c.Data.Degradation.Preset = "resize"
	c.Validation.Metrics = []string{"psnr_rgb_basicsr"}
	c.Validation.ColorCorrection, c.Validation.Raw = false, false
	return c
}

// presets are the configurations by the names that YAML files use.
var presets = []struct {
	name string
	make func() Config
}{
	{"ema", EMA}, {"static", Static}, {"single-fixed", SingleFixed}, {"naive", Naive}, {"supervised", Supervised},
	{"ema-as-released", EMAAsReleased}, {"ema-matlab-as-released", EMAMatlabAsReleased},
	{"static-as-released", StaticAsReleased}, {"single-fixed-as-released", SingleFixedAsReleased},
	{"naive-as-released", NaiveAsReleased},
}

// PresetNames lists the names that [PresetByName] knows.
func PresetNames() []string {
	names := make([]string, len(presets))
	for i, p := range presets {
		names[i] = p.name
	}
	return names
}

// PresetByName gives the preset that YAML files call by name: ema is [EMA], ema-as-released is [EMAAsReleased].
func PresetByName(name string) (Config, error) {
	for _, p := range presets {
		if p.name == name {
			return p.make(), nil
		}
	}
	return Config{}, fmt.Errorf("pdd: preset %q: want one of %s", name, strings.Join(PresetNames(), ", "))
}

// Ablation is a choice of the unsupervised terms, the columns of the paper's Tab. 3 and Fig. 9.
type Ablation string

const (
	IntraOnly Ablation = "intra"       // a: R_intra alone, no adversarial term on S_U
	InterOnly Ablation = "inter"       // b: R_inter alone
	NoUGAN    Ablation = "intra+inter" // c: both distances
	Full      Ablation = "full"        // both distances and the adversarial term on S_U
	IntraL1   Ablation = "intra-l1"    // full, with ℓ1 in place of the cross-entropy
)

// Ablations lists the choices.
func Ablations() []Ablation { return []Ablation{IntraOnly, InterOnly, NoUGAN, Full, IntraL1} }

// Ablate returns c with the terms of the ablation. Only distillation has them.
func (c Config) Ablate(a Ablation) (Config, error) {
	if c.Method != Distillation {
		return c, fmt.Errorf("pdd: ablation %q: the method is %v: want distillation", a, c.Method)
	}
	switch a {
	case Full:
	case IntraOnly:
		c.Loss.Inter.Weight, c.Loss.GAN.Unlabelled = 0, GANNone
	case InterOnly:
		c.Loss.Intra.Weight, c.Loss.GAN.Unlabelled = 0, GANNone
	case NoUGAN:
		c.Loss.GAN.Unlabelled = GANNone
	case IntraL1:
		c.Loss.Intra.Criterion = losses.CriterionL1
	default:
		return c, fmt.Errorf("pdd: ablation %q: want one of %q", a, Ablations())
	}
	return c, nil
}
