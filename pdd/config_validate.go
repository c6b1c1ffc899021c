package pdd

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/gopdd/gopdd/data"
)

// Validate reports all that is wrong with a configuration in itself, a line for each problem: the field, what is wrong,
// what to do. It reads no file. Networks and data that are not named are no problem, for they may be given in memory:
// [NewTrainer] demands networks, [Trainer.Run] data. NewTrainer also checks what the files tell: that they can be read,
// that patches suit the network, that both generators enlarge by the same factor.
func (c Config) Validate() error { return c.validate(true, true) }

// validate is Validate; a specialist and a feature extractor that are not given in memory must be named.
func (c Config) validate(specialistGiven, featuresGiven bool) error {
	var p problems
	for _, f := range valuesOf(reflect.ValueOf(c), "") {
		if text := f.check(); text != "" {
			p.add(f.path, "%s", text)
		}
	}
	c.Specialist.check(&p, "specialist")
	if !specialistGiven && c.Specialist == (NetworkConfig{}) {
		p.add("specialist.weights", "there is no network: name a weight file or one of `pdd weights list`, or give sizes under specialist.new")
	}
	c.checkGeneralist(&p)
	c.checkFeatures(&p, featuresGiven)
	c.checkData(&p)
	c.Loss.check(&p)
	c.checkTerms(&p)
	c.checkCourse(&p)
	c.Compute.check(&p)
	c.Validation.check(&p)
	c.checkBest(&p)
	if n := c.Specialist.New; n != nil {
		c.checkPatch(&p, n.Scale, n.multiple())
	}
	if len(p) == 0 {
		return nil
	}
	return fmt.Errorf("pdd: config: %w", p)
}

// problems are lines "where: what is wrong: what to do".
type problems []string

func (p *problems) add(path, format string, args ...any) {
	*p = append(*p, path+": "+fmt.Sprintf(format, args...))
}

// Error is one line, or a line for each of several problems.
func (p problems) Error() string {
	if len(p) == 1 {
		return p[0]
	}
	return fmt.Sprintf("%d problems:\n  %s", len(p), strings.Join(p, "\n  "))
}

func (n NetworkConfig) check(p *problems, path string) {
	if n.Weights != "" && n.New != nil {
		p.add(path, "weights %q and sizes of a new network are both given: remove one", n.Weights)
	}
	if n.Entry != "" && n.Weights == "" {
		p.add(path+".entry", "%q is to be taken of a weight file, and none is named: name it, or remove the entry", n.Entry)
	}
	if n.New == nil {
		return
	}
	switch s := n.New; {
	case s.Kind != "rrdbnet" && s.Kind != "srvgg":
		p.add(path+".new.kind", "%q: want rrdbnet or srvgg", s.Kind)
	case s.Kind == "rrdbnet" && s.Scale != 1 && s.Scale != 2 && s.Scale != 4:
		p.add(path+".new.scale", "%d: an rrdbnet enlarges by 1, 2 or 4", s.Scale)
	case s.Kind == "srvgg" && s.Grow != 0:
		p.add(path+".new.grow", "%d: an srvgg has no dense blocks: remove it", s.Grow)
	}
}

// multiple is that of the network's input sides.
func (s Sizes) multiple() int {
	if s.Kind == "rrdbnet" && (s.Scale == 1 || s.Scale == 2) {
		return 4 / s.Scale
	}
	return 1
}

func (c *Config) checkGeneralist(p *problems) {
	g := c.Generalist
	switch {
	case c.Method == SupervisedOnly:
	case g.Kind == Frozen:
		g.check(p, "generalist")
	case g.NetworkConfig != NetworkConfig{}:
		p.add("generalist", "the kind is ema, the specialist's averaged copy, and a network is named: remove it, or set generalist.kind to frozen")
	case c.EMADecay == 0:
		p.add("ema_decay", "0: without an averaged copy there is no generalist of kind ema: set it to 0.999, or generalist.kind to frozen")
	}
}

func (c *Config) checkFeatures(p *problems, given bool) {
	f := c.Features
	switch {
	case len(c.allLayers()) == 0:
	case f.Weights != "" && f.Random:
		p.add("features", "weights %q and random are both given: remove one", f.Weights)
	case f.Weights == "" && !f.Random && !given:
		p.add("features.weights", "a loss compares features, and no VGG19 is named: name torchvision's file or vgg19, or set features.random for a trial")
	}
}

func (c *Config) checkData(p *problems) {
	d := c.Data
	for path, list := range map[string][]string{"data.hr": d.HR, "data.lr": d.LR, "data.unlabelled": d.Unlabelled} {
		for _, place := range list {
			if strings.TrimSpace(place) == "" {
				p.add(path, "a path is empty: remove it")
			}
		}
	}
	unlabelled := c.Method != SupervisedOnly
	switch {
	case len(d.HR) == 0 && len(d.LR) > 0:
		p.add("data.hr", "there are LR pictures without HR: name the HR pictures, or remove data.lr")
	case len(d.HR) == 0 && len(d.Unlabelled) > 0:
		p.add("data.hr", "there are unlabelled pictures alone: name HR pictures")
	case len(d.HR) > 0 && len(d.Unlabelled) == 0 && unlabelled:
		p.add("data.unlabelled", "the method is %v, and there are no pictures of the target domain: name them, or set method to supervised", c.Method)
	}
	if len(d.LR) == 0 {
		d.Degradation.check(p, c.scaleOr(4))
	}
	if n := c.Optimizer.Accumulate; n > 0 && d.Batch%n != 0 {
		p.add("data.batch", "%d patches cannot be worked through in %d equal parts: change it, or optimizer.accumulate", d.Batch, n)
	}
}

// scaleOr is the scale that a new specialist states.
func (c *Config) scaleOr(scale int) int {
	if c.Specialist.New != nil {
		return c.Specialist.New.Scale
	}
	return scale
}

func (d DegradationConfig) check(p *problems, scale int) {
	if !slices.Contains(data.Presets, d.Preset) {
		p.add("data.degradation.preset", "%q: want one of %s", d.Preset, strings.Join(data.Presets, ", "))
		return
	}
	made, err := d.build(scale)
	switch {
	case err != nil:
		p.add("data.degradation.settings", "%s", strings.TrimPrefix(yamlMessage(err), "data: "))
	case made.Factor() != scale:
		p.add("data.degradation.settings", "the scale is %d, the network's %d: remove it", made.Factor(), scale)
	}
}

// checkCourse looks at what happens in which step.
func (c *Config) checkCourse(p *problems) {
	w := c.Warmup
	switch {
	case c.Steps < 1: // reported by itself
	case w.Discriminator >= c.Steps:
		p.add("warmup.discriminator", "%d of %d steps: the specialist never learns: use fewer, or more steps", w.Discriminator, c.Steps)
	case w.Discriminator+w.Distillation >= c.Steps && c.Method != SupervisedOnly:
		p.add("warmup.distillation", "it ends after step %d of %d: the unlabelled pictures never count: use fewer, or more steps",
			w.Discriminator+w.Distillation, c.Steps)
	}
	last := 0
	for _, m := range c.Optimizer.Milestones {
		if m <= last {
			p.add("optimizer.milestones", "%d after %d: want ascending steps from 1", m, last)
		}
		last = m
	}
}

var deviceName = regexp.MustCompile(`^(cpu|cuda(:[0-9]+)?)$`)

func (c ComputeConfig) check(p *problems) {
	if !deviceName.MatchString(c.Device) {
		p.add("compute.device", "%q: want cpu or cuda:N", c.Device)
	}
	if (c.Precision == Float16 || c.Precision == TF32) && c.Device == "cpu" {
		p.add("compute.precision", "%v needs a CUDA device: choose bfloat16 or float32", c.Precision)
	}
}

// checkPatch compares the patch with what the networks and the losses can take. It needs the specialist's scale.
func (c *Config) checkPatch(p *problems, scale, multiple int) {
	patch, side := c.Data.Patch, c.Data.Patch*scale
	if patch < 1 || scale < 1 {
		return // reported by itself
	}
	if patch%multiple != 0 {
		p.add("data.patch", "%d pixels: the specialist takes multiples of %d", patch, multiple)
	}
	if c.adversaries() && side%8 != 0 {
		p.add("data.patch", "%d pixels, %d in HR: the discriminator takes multiples of 8 in HR: choose a multiple of %d", patch, side, 8/gcd(8, scale))
	}
	if c.Loss.Wavelet.Weight > 0 && side%2 != 0 {
		p.add("data.patch", "%d pixels, %d in HR: the wavelet loss takes even sides: choose a multiple of 2", patch, side)
	}
	if least := leastSide(c.allLayers()); side < least {
		p.add("data.patch", "%d pixels, %d in HR: nothing is left of it at the deepest layer of features: choose at least %d",
			patch, side, (least+scale-1)/scale)
	}
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
