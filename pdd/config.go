package pdd

import (
	"github.com/gopdd/gopdd/losses"
)

// Config is everything a training run depends on, apart from networks and data sets given in memory. Start from a
// preset, [EMA], [Static], [SingleFixed], [Naive] or [Supervised], change what is yours, and give it to [NewTrainer].
// docs/CONFIG.md has a row for each field with its value in every preset and the source of the value. As YAML see
// [ReadConfig].
//
// A tag range gives the interval of a number; without one it must be finite and at least 0.
type Config struct {
	Method Method `yaml:"method"`                // how the specialist learns
	Steps  int    `yaml:"steps" range:"[1,inf)"` // in all, counted from 1; steps of the discriminator alone count too
	Seed   uint64 `yaml:"seed"`                  // of data order, crops, degradations and of random weights

	Specialist    NetworkConfig       `yaml:"specialist"` // M_S, which is trained
	Generalist    GeneralistConfig    `yaml:"generalist"` // M_G, whose predictions guide it
	Discriminator DiscriminatorConfig `yaml:"discriminator"`
	Features      FeaturesConfig      `yaml:"features"`                // Φ
	EMADecay      float64             `yaml:"ema_decay" range:"[0,1)"` // of the specialist's averaged copy, updated every step; 0: no copy

	Data       DataConfig       `yaml:"data"`
	Loss       LossConfig       `yaml:"loss"`
	Warmup     WarmupConfig     `yaml:"warmup"`
	Optimizer  OptimizerConfig  `yaml:"optimizer"`
	Compute    ComputeConfig    `yaml:"compute"`
	Validation ValidationConfig `yaml:"validation"`
	Output     OutputConfig     `yaml:"output"`
}

// Method is how the specialist learns.
type Method uint8

const (
	// Distillation is the paper's method: pairwise distances (Eq. 5–8) beside the supervised terms (Eq. 9–11).
	Distillation Method = iota
	// Imitation is the paper's naive distillation (Eq. 3): the generalist's predictions are targets.
	Imitation
	// SupervisedOnly has the labelled terms alone: for training a specialist or generalist of one's own.
	SupervisedOnly
)

// GeneralistKind says where M_G comes from.
type GeneralistKind uint8

const (
	// MovingAverage takes the specialist's averaged copy as generalist (the paper's EMA configuration).
	MovingAverage GeneralistKind = iota
	// Frozen takes a network that never changes (Static, SingleFixed).
	Frozen
)

// NetworkConfig says where a generator comes from: a weight file, or random weights of given sizes.
type NetworkConfig struct {
	Weights string `yaml:"weights,omitempty"` // a file, or a name of `pdd weights list`; empty: see New
	Entry   string `yaml:"entry,omitempty"`   // of a file with several, e.g. params; empty: the averaged one is preferred
	New     *Sizes `yaml:"new,omitempty"`     // sizes of a network with random weights (He et al. 2015)
}

// Sizes are those of a new generator; zero fields take the default of the kind.
type Sizes struct {
	Kind  string `yaml:"kind"`                             // rrdbnet (ESRGAN's) or srvgg (SRVGGNetCompact)
	Scale int    `yaml:"scale" range:"[1,8]"`              // output side / input side; rrdbnet: 4, 2 or 1
	Feat  int    `yaml:"feat,omitempty" range:"[0,4096]"`  // channels; 0: 64
	Depth int    `yaml:"depth,omitempty" range:"[0,4096]"` // rrdbnet: blocks, 0: 23; srvgg: convolutions of the body, 0: 16
	Grow  int    `yaml:"grow,omitempty" range:"[0,4096]"`  // rrdbnet: channels that each dense convolution adds, 0: 32
}

// GeneralistConfig is M_G.
type GeneralistConfig struct {
	Kind          GeneralistKind   `yaml:"kind"` // ema: the specialist's averaged copy; frozen: the network below, or a copy of the specialist's start
	NetworkConfig `yaml:",inline"` // of a frozen one
}

// DiscriminatorConfig is the U-Net discriminator with spectral norm (Real-ESRGAN, section 3.3). Without a GAN weight
// none is built.
type DiscriminatorConfig struct {
	Weights         string `yaml:"weights,omitempty"`     // a file; empty: random weights
	Feat            int    `yaml:"feat" range:"[1,4096]"` // channels
	SkipConnections bool   `yaml:"skip_connections"`      // adds the features of the way down on the way up
	Fakes           Fakes  `yaml:"fakes"`                 // outputs that it learns to tell from real pictures
	// GeneratorEvery is the period of the specialist's steps; the discriminator steps always.
	GeneratorEvery int `yaml:"generator_every" range:"[1,inf)"`
}

// Fakes says what the discriminator is shown as fake.
type Fakes uint8

const (
	FakesLabelled Fakes = iota // S_L only (the authors' code)
	FakesBoth                  // S_L and S_U
)

// FeaturesConfig is Φ: torchvision's VGG19, whose layers are taken before the ReLU.
type FeaturesConfig struct {
	Weights string `yaml:"weights,omitempty"` // torchvision's file, one of recipes/features, or the name vgg19 of `pdd weights list`
	// Random takes VGG19 with random weights (He et al. 2015) where no file can be had. It is for trials: logs and
	// checkpoints say so.
	Random bool `yaml:"random,omitempty"`
	// RangeNorm first maps x to (x+1)/2, for images in [-1,1].
	RangeNorm bool `yaml:"range_norm,omitempty"`
	// InputNorm subtracts ImageNet's mean and divides by its deviation.
	InputNorm bool `yaml:"input_norm"`
}

// DataConfig says what the steps see. Paths are folders, archives, lists or pictures, as data.List takes them.
type DataConfig struct {
	HR          []string          `yaml:"hr"`                      // Y_L: labelled pictures
	LR          []string          `yaml:"lr,omitempty"`            // X_L, paired with HR by name; empty: made of HR
	Degradation DegradationConfig `yaml:"degradation"`             // how X_L is made of Y_L
	Unlabelled  []string          `yaml:"unlabelled,omitempty"`    // X_U: pictures of the target domain
	Patch       int               `yaml:"patch" range:"[1,16384]"` // side of the LR patches, pixels
	Batch       int               `yaml:"batch" range:"[1,inf)"`   // patches of each half in a step, in each process
	Augment     bool              `yaml:"augment"`                 // flips and quarter turns
	Workers     int               `yaml:"workers"`                 // goroutines that make patches; 0: one per core
	CacheMiB    int               `yaml:"cache_mib"`               // memory for decoded pictures, MiB
	MaxBad      int               `yaml:"max_bad"`                 // unreadable files that are passed over, with a word
}

// DegradationConfig is a data.Preset and what differs from it, as data.ReadDegradation reads it.
type DegradationConfig struct {
	Preset   string `yaml:"preset"`             // one of data.Presets
	Settings any    `yaml:"settings,omitempty"` // fields that differ from the preset
}

// LossConfig holds the terms of Eq. 9–11 and their weights; a term of weight 0 is not computed.
type LossConfig struct {
	L1         float64          `yaml:"l1"` // weight of mean |S_L − Y_L|: for pre-training
	Wavelet    WaveletConfig    `yaml:"wavelet"`
	Perceptual PerceptualConfig `yaml:"perceptual"`
	GAN        GANConfig        `yaml:"gan"`
	Intra      IntraConfig      `yaml:"intra"`
	Inter      InterConfig      `yaml:"inter"`
	// DetachLabelled keeps the distances from changing the specialist through S_L.
	DetachLabelled bool `yaml:"detach_labelled"`
	// Lambda weighs the labelled terms of Imitation (λ of Eq. 3).
	Lambda float64 `yaml:"lambda"`
}

// WaveletConfig is Eq. 10.
type WaveletConfig struct {
	Weight float64      `yaml:"weight"`        // α1
	Bands  losses.Bands `yaml:"bands"`         // weights of the frequency bands
	Sum    bool         `yaml:"sum,omitempty"` // adds absolute differences up (ℓ1 norms) instead of taking their means
}

// PerceptualConfig is L_vgg of Eq. 9.
type PerceptualConfig struct {
	Weight   float64         `yaml:"weight"`          // α2
	Layers   losses.Layers   `yaml:"layers"`          // layers of Φ with their weights
	Distance losses.Distance `yaml:"distance"`        // between features
	Style    float64         `yaml:"style,omitempty"` // weight of the same distance between Gram matrices
}

// GANConfig is L_gan of Eq. 9 and 11.
type GANConfig struct {
	Kind       losses.GAN    `yaml:"kind"`       // the loss on the discriminator's logits
	Weight     float64       `yaml:"weight"`     // α3; of both halves where they are joint
	Unlabelled UnlabelledGAN `yaml:"unlabelled"` // how S_U enters after the warm-up
	// UnlabelledWeight is λ3, where the halves have terms of their own.
	UnlabelledWeight float64 `yaml:"unlabelled_weight,omitempty"`
}

// UnlabelledGAN says how S_U enters the adversarial term after the warm-up.
type UnlabelledGAN uint8

const (
	GANNone     UnlabelledGAN = iota // S_L alone (Fig. 9 c)
	GANJoint                         // one mean over both halves with one weight (the authors' code)
	GANSeparate                      // a term for each half with its own weight (Eq. 9 and 11)
)

// IntraConfig is R_intra, Eq. 5–6.
type IntraConfig struct {
	Weight    float64          `yaml:"weight"`            // λ1
	Layers    losses.Layers    `yaml:"layers"`            // layers of Φ with their weights
	Criterion losses.Criterion `yaml:"criterion"`         // between the distances d_G and d_S
	Eps       float64          `yaml:"eps" range:"[0,1)"` // inside the logarithm of the cross-entropy
}

// InterConfig is R_inter, Eq. 7–8.
type InterConfig struct {
	Weight float64       `yaml:"weight"` // λ2
	Layers losses.Layers `yaml:"layers"` // layers of Φ with their weights
	Norm   losses.Norm   `yaml:"norm"`   // one Frobenius norm of the whole batch, or the mean of each pair's
	// PerProcess lets each of several processes take the norm of its own share of the batch, as the authors' code does,
	// instead of one norm over all.
	PerProcess bool `yaml:"per_process,omitempty"`
}

// WarmupConfig counts steps at the start, as the authors' code does.
type WarmupConfig struct {
	Discriminator int `yaml:"discriminator"` // steps of the discriminator alone
	Distillation  int `yaml:"distillation"`  // further steps without the unlabelled terms
}

// OptimizerConfig is Adam for both networks, with learning rates that are multiplied by Gamma after each milestone.
type OptimizerConfig struct {
	LR            float64 `yaml:"lr" range:"(0,inf)"`               // the specialist's first learning rate
	LRD           float64 `yaml:"lr_discriminator" range:"(0,inf)"` // the discriminator's first learning rate
	Beta1         float64 `yaml:"beta1" range:"[0,1)"`              // decay of the gradients' mean
	Beta2         float64 `yaml:"beta2" range:"[0,1)"`              // decay of the squares' mean
	Eps           float64 `yaml:"eps" range:"(0,1)"`                // added to the root of the squares' mean
	WeightDecay   float64 `yaml:"weight_decay"`                     // times the weight, added to its gradient
	Milestones    []int   `yaml:"milestones"`                       // the last step of each rate, ascending
	Gamma         float64 `yaml:"gamma" range:"(0,1]"`              // factor of the rates after a milestone
	ClipNorm      float64 `yaml:"clip_norm"`                        // the specialist's gradients are scaled down to this norm; 0: not at all
	Accumulate    int     `yaml:"accumulate" range:"[1,inf)"`       // parts that a step's batch is worked through in; their gradients are averaged
	SkipNonFinite int     `yaml:"skip_nonfinite"`                   // steps with NaN or infinite losses or gradients that may be skipped in a row
}

// ComputeConfig says where and in which numbers steps are computed. Results depend on it.
type ComputeConfig struct {
	Device    string    `yaml:"device"`                   // cpu or cuda:N
	Precision Precision `yaml:"precision"`                // Float32, TF32 (CUDA devices), or BFloat16 and Float16 by autocast; Auto is Float32
	Threads   int       `yaml:"threads" range:"[0,1024]"` // cores an operation uses; 0: all
	// Recompute forgets the activations inside the specialist's blocks and computes them again for the gradients:
	// less memory, about a third more time in the generator, equal results.
	Recompute bool `yaml:"recompute"`
	// Deterministic makes runs on CUDA devices equal, bit by bit, which costs time. The switch is the whole process's and
	// stays on when the training has ended. Runs on the CPU are equal always.
	Deterministic bool `yaml:"deterministic"`
}

// ValidationConfig measures the specialist, or its averaged copy where there is one, every so many steps.
type ValidationConfig struct {
	Every   int      `yaml:"every"`             // steps; 0: never
	LR      string   `yaml:"lr,omitempty"`      // folder, paired with HR by name; empty: no validation
	HR      string   `yaml:"hr,omitempty"`      // folder of the ground truth, for metrics that need it
	Metrics []string `yaml:"metrics,omitempty"` // as `pdd eval --metrics`
	Crop    int      `yaml:"crop"`              // pixels left out at each border
	Tile    int      `yaml:"tile"`              // LR pixels; 0: whole pictures
	Max     int      `yaml:"max"`               // pictures; 0: all
	Samples int      `yaml:"samples"`           // pictures whose results are kept
	// ColorCorrection also measures after [CorrectColor], under names that end in _cc.
	ColorCorrection bool `yaml:"color_correction"`
	Raw             bool `yaml:"raw"` // also measures the raw specialist beside its averaged copy, as …_raw
}

// OutputConfig is what a run leaves behind.
type OutputConfig struct {
	Dir         string `yaml:"dir"`                       // folder, made if absent; a run goes on from its own checkpoint there; empty: nothing is kept
	SaveEvery   int    `yaml:"save_every"`                // steps between checkpoints; 0: at the end alone
	KeepLast    int    `yaml:"keep_last" range:"[1,inf)"` // checkpoints that are kept
	Best        string `yaml:"best"`                      // also keeps the best by this metric of the validation, e.g. psnr_y_bt601_pyiqa
	LogEvery    int    `yaml:"log_every" range:"[1,inf)"` // steps between lines of progress
	TensorBoard bool   `yaml:"tensorboard"`               // also writes event files
}
