package pdd

import (
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/optim"
	"github.com/gopdd/gopdd/internal/weights"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

// NewTrainer checks the configuration, reads the networks and lists the data. Data may be missing in a Config whose
// Trainer is only used by [Trainer.Step]. With [WithDistributed] it waits for the other ranks and takes rank 0's weights.
func NewTrainer(cfg Config, opts ...TrainerOption) (*Trainer, error) {
	t := &Trainer{cfg: cfg, validated: -1, hooks: hooks{step: func(StepReport) {}, log: slog.New(slog.DiscardHandler)}}
	for _, o := range opts {
		o(t)
	}
	err := t.meet()
	if err == nil {
		if invalid := cfg.validate(t.specialist != nil, t.phi != nil); invalid != nil {
			return nil, errors.Join(t.fail(invalid), t.Close())
		}
		err = t.build()
	}
	if err == nil {
		err = t.join()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("pdd: new trainer: %w", t.fail(err)), t.Close())
	}
	return t, nil
}

// build makes everything in the order in which later parts need earlier ones.
func (t *Trainer) build() (err error) {
	if t.device, err = tensor.ParseDevice(t.cfg.Compute.Device); err != nil {
		return err
	}
	if t.worker, err = tensor.NewWorker(t.threads()); err != nil {
		return err
	}
	t.own(t.worker)
	t.prepareDevice()
	for _, step := range []func() error{t.buildGenerators, t.buildFeatures, t.buildDiscriminator, t.buildOptimizers, t.buildLoader} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// prepareDevice sets the switches that libtorch has for the whole process.
func (t *Trainer) prepareDevice() {
	switch t.cfg.Compute.Precision {
	case TF32:
		t.device.AllowTF32()
	case BFloat16:
		if t.device == tensor.CPU && !tensor.Info().BFloat16 {
			t.hooks.log.Warn("this CPU has no bfloat16: a step takes many times as long as in float32, compute.precision's default")
		}
	}
	if t.cfg.Compute.Deterministic {
		t.device.Repeatable()
	} else {
		t.device.Tune()
	}
}

// threads are the cores an operation uses: all by default, shared with the ranks on this machine.
func (t *Trainer) threads() int {
	if t.cfg.Compute.Threads == 0 && t.dist.LocalWorldSize > 1 {
		return t.dist.cores()
	}
	return t.cfg.Compute.Threads
}

// own closes c with the trainer.
func (t *Trainer) own(c io.Closer) { t.owned = append(t.owned, c) }

func (t *Trainer) buildGenerators() (err error) {
	if t.specialist == nil {
		if t.specialist, err = t.network("specialist", t.cfg.Specialist); err != nil {
			return err
		}
	}
	t.scale = t.specialist.Scale()
	t.scaler = newScaler(t.cfg.Compute.Precision)
	if n, ok := t.specialist.(models.Segmented); ok {
		g := n.Segments()
		t.segments = &g
	} else if t.cfg.Compute.Recompute {
		return fmt.Errorf("compute.recompute: a %T cannot be cut into segments: set it to false; optimizer.accumulate saves memory too", t.specialist)
	}
	if t.cfg.EMADecay > 0 {
		if t.average, err = t.clone("averaged copy"); err != nil {
			return err
		}
	}
	switch {
	case t.cfg.Method == SupervisedOnly:
		t.generalist = nil
		return nil
	case t.cfg.Generalist.Kind == MovingAverage && t.generalist != nil:
		return errors.New("a generalist is given in memory, but the configuration takes the specialist's averaged copy: set generalist.kind to frozen (presets Static, SingleFixed)")
	case t.generalist != nil && t.generalist == models.Generator(t.specialist):
		return errors.New("specialist and generalist are the same network, and the generalist must not change: give a Clone")
	case t.cfg.Generalist.Kind == MovingAverage:
		t.generalist = t.average
	case t.generalist != nil: // given
	case t.cfg.Generalist.NetworkConfig == NetworkConfig{}:
		t.generalist, err = t.clone("generalist")
	default:
		t.generalist, err = t.network("generalist", t.cfg.Generalist.NetworkConfig)
	}
	if err == nil && t.generalist.Scale() != t.scale {
		err = fmt.Errorf("the generalist enlarges by %d, the specialist by %d", t.generalist.Scale(), t.scale)
	}
	return err
}

// clone copies the specialist's start.
func (t *Trainer) clone(what string) (models.Trainable, error) {
	c, err := t.specialist.Clone()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	t.own(c)
	return c, nil
}

// network reads or makes a generator.
func (t *Trainer) network(role string, c NetworkConfig) (models.Trainable, error) {
	g, err := t.readNetwork(c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", role, err)
	}
	t.own(g)
	n, ok := g.(models.Trainable)
	if !ok {
		return nil, fmt.Errorf("%s: %q holds a network that cannot be trained: want RRDBNet or SRVGGNetCompact", role, c.Weights)
	}
	return n, nil
}

func (t *Trainer) readNetwork(c NetworkConfig) (models.Generator, error) {
	if c.Weights == "" {
		return c.New.build(int64(t.cfg.Seed), t.device)
	}
	path, err := weights.Resolve(c.Weights)
	if err != nil {
		return nil, err
	}
	var report models.Report
	g, err := models.Load(path, models.WithEntry(c.Entry), models.WithDevice(t.device), models.WithReport(&report))
	if err == nil {
		t.hooks.log.Info("read network", "file", path, "entry", report.Entry, "network", report.Network, "sizes", report.Sizes)
	}
	return g, err
}

// build makes a network with random weights.
func (n Sizes) build(seed int64, d tensor.Device) (models.Trainable, error) {
	or := func(v, preset int) int {
		if v == 0 {
			return preset
		}
		return v
	}
	if n.Kind == "rrdbnet" {
		return models.NewRRDBNet(models.RRDBNetConfig{NumInCh: 3, NumOutCh: 3, NumFeat: or(n.Feat, 64), NumBlock: or(n.Depth, 23),
			NumGrowCh: or(n.Grow, 32), Scale: n.Scale}, seed, d)
	}
	return models.NewSRVGGNetCompact(models.SRVGGNetCompactConfig{NumInCh: 3, NumOutCh: 3, NumFeat: or(n.Feat, 64),
		NumConv: or(n.Depth, 16), Upscale: n.Scale}, seed, d)
}

// buildFeatures makes Φ where a loss needs it.
func (t *Trainer) buildFeatures() (err error) {
	c := t.cfg.Features
	norm := models.InputNorm{Range: c.RangeNorm, ImageNet: c.InputNorm}
	switch {
	case len(t.cfg.allLayers()) == 0:
		t.phi, t.phiName = nil, "none"
		return nil
	case t.phi != nil:
		t.phiName = t.phi.Name() + " in memory"
		return nil
	case c.Random:
		t.phiName = "RANDOM VGG19 (for trials)"
		t.hooks.log.Warn("features: RANDOM VGG19, for trials only: distances and perceptual loss mean little")
		t.phi, err = models.NewVGG19(64, norm, int64(t.cfg.Seed), t.device)
	default:
		t.phiName = c.Weights
		var path string
		if path, err = weights.Resolve(c.Weights); err != nil {
			return fmt.Errorf("features: %w; or set features.random for a trial", err)
		}
		t.phi, err = models.LoadVGG19(path, models.WithInputNorm(norm), models.WithDevice(t.device))
	}
	if err != nil {
		return fmt.Errorf("features: %w", err)
	}
	t.own(t.phi)
	return nil
}

// adversaries tells whether a term needs the discriminator.
func (c *Config) adversaries() bool {
	g := c.Loss.GAN
	return g.Weight != 0 || g.Unlabelled == GANSeparate && g.UnlabelledWeight != 0
}

func (t *Trainer) buildDiscriminator() (err error) {
	c := t.cfg.Discriminator
	switch {
	case !t.cfg.adversaries():
		t.disc = nil
		return nil
	case t.disc != nil:
		return nil
	case c.Weights != "":
		opts := []models.LoadOption{models.WithDevice(t.device)}
		if !c.SkipConnections {
			opts = append(opts, models.WithoutSkipConnections())
		}
		t.disc, err = models.LoadDiscriminator(c.Weights, opts...)
	default:
		t.disc, err = models.NewUNetDiscriminator(models.UNetDiscriminatorConfig{NumInCh: 3, NumFeat: c.Feat, SkipConnection: c.SkipConnections},
			int64(t.cfg.Seed), t.device)
	}
	if err != nil {
		return fmt.Errorf("discriminator: %w", err)
	}
	t.own(t.disc)
	return nil
}

func (t *Trainer) buildOptimizers() (err error) {
	if t.optG, err = t.adam(t.specialist.Parameters()); err == nil && t.disc != nil {
		t.optD, err = t.adam(t.disc.Parameters())
	}
	return err
}

func (t *Trainer) adam(params []models.Named) (*optim.Adam, error) {
	list := tensors(params)
	var s *tensor.Scope
	if err := tensor.Catch(func() { s.RequiresGrad(true, list...) }); err != nil {
		return nil, err
	}
	a, err := optim.NewAdam(list)
	if err != nil {
		return nil, fmt.Errorf("optimizer: %w", err)
	}
	t.own(a)
	o := t.cfg.Optimizer
	a.Beta1, a.Beta2, a.Eps, a.WeightDecay = o.Beta1, o.Beta2, o.Eps, o.WeightDecay
	return a, nil
}

// buildLoader lists the data; without any there is no loader.
func (t *Trainer) buildLoader() (err error) {
	c := t.cfg.Data
	if t.cfg.Method == SupervisedOnly {
		t.targets = nil
	}
	needsTargets := t.cfg.Method != SupervisedOnly && t.targets == nil
	switch {
	case t.pairs == nil && len(c.HR) == 0 && t.targets == nil:
		return nil
	case t.pairs == nil && len(c.HR) == 0:
		return errors.New("data: an unlabelled data set is given without a labelled one: give both, or fill data.hr in")
	case needsTargets && len(c.Unlabelled) == 0:
		return errors.New("data: a labelled data set is given without an unlabelled one: give both, fill data.unlabelled in, or use the preset Supervised")
	case needsTargets, t.pairs == nil:
		if err := t.buildDatasets(); err != nil {
			return fmt.Errorf("data: %w", err)
		}
	}
	if c.Workers == 0 {
		c.Workers = t.dist.cores()
	}
	t.loader, err = data.NewLoader(data.LoaderConfig{
		Labelled: t.pairs, Unlabelled: t.targets, BatchSize: c.Batch, Seed: t.cfg.Seed, Workers: c.Workers, MaxBad: c.MaxBad,
		Rank: t.dist.Rank, Ranks: t.ranks(), Parts: t.cfg.Optimizer.Accumulate,
		OnBad: func(err error) { t.hooks.log.Warn("passed over a file", "error", err) },
	})
	return err
}
