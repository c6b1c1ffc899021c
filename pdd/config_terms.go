package pdd

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gopdd/gopdd/losses"
	"github.com/gopdd/gopdd/metrics"
	"github.com/gopdd/gopdd/metrics/report"
)

// What Validate says about losses and metrics.

// vggLayers are the convolutions of VGG19 by their groups, each of which sees half the side of the one before.
var vggLayers = func() (groups [5][]string) {
	for g, n := range [...]int{2, 2, 4, 4, 4} {
		for i := range n {
			groups[g] = append(groups[g], fmt.Sprintf("conv%d_%d", g+1, i+1))
		}
	}
	return groups
}()

// leastSide is that of images of which a pixel is left at the deepest of the layers.
func leastSide(layers []string) int {
	side := 1
	for g, group := range vggLayers {
		if slices.ContainsFunc(layers, func(l string) bool { return slices.Contains(group, l) }) {
			side = 1 << g
		}
	}
	return side
}

// check looks at each term by itself.
func (l LossConfig) check(p *problems) {
	if b := l.Wavelet.Bands; l.Wavelet.Weight > 0 && b == (losses.Bands{}) {
		p.add("loss.wavelet.bands", "all are 0 and the wavelet loss has a weight: weigh a band, or set loss.wavelet.weight to 0")
	}
	checkLayers(p, "loss.perceptual", l.Perceptual.Layers, l.Perceptual.Weight+l.Perceptual.Style)
	checkLayers(p, "loss.intra", l.Intra.Layers, l.Intra.Weight)
	checkLayers(p, "loss.inter", l.Inter.Layers, l.Inter.Weight)
	switch g := l.GAN; {
	case g.Unlabelled == GANSeparate && g.UnlabelledWeight == 0:
		p.add("loss.gan.unlabelled_weight", "0 and loss.gan.unlabelled is separate: give it a value, or set loss.gan.unlabelled to none")
	case g.Unlabelled != GANSeparate && g.UnlabelledWeight != 0:
		p.add("loss.gan.unlabelled_weight", "%v has no effect, for loss.gan.unlabelled is %v: set that to separate, or this to 0", g.UnlabelledWeight, g.Unlabelled)
	}
}

// checkLayers looks at the layers of a term; those of a term without weight may all be missing.
func checkLayers(p *problems, term string, layers losses.Layers, weight float64) {
	weighed := false
	for _, name := range layers.Names() {
		w := layers[name]
		if !slices.ContainsFunc(vggLayers[:], func(group []string) bool { return slices.Contains(group, name) }) {
			p.add(term+".layers", "VGG19 has no %q: want conv1_1 to conv5_4", name)
		}
		if !(w >= 0 && w <= math.MaxFloat64) {
			p.add(term+".layers."+name, "%v: want at least 0", w)
		}
		weighed = weighed || w > 0
	}
	if weight > 0 && !weighed {
		p.add(term+".layers", "no layer has a weight, but the term has: weigh a layer, or set %s.weight to 0", term)
	}
}

// checkTerms looks at what the terms make of the method together.
func (c *Config) checkTerms(p *problems) {
	l := c.Loss
	images := l.L1 + l.Wavelet.Weight + l.Perceptual.Weight + l.Perceptual.Style
	labelled := images + l.GAN.Weight
	if c.Method == Imitation {
		labelled *= l.Lambda
	}
	if labelled == 0 && c.Warmup.Distillation > 0 && c.Method != SupervisedOnly {
		p.add("warmup.distillation", "%d steps with labelled terms alone, and none has a weight: set it to 0, or weigh l1, wavelet, perceptual or gan", c.Warmup.Distillation)
	}
	switch c.Method {
	case SupervisedOnly:
		if labelled == 0 {
			p.add("loss", "every labelled term has weight 0, so nothing is learnt: weigh l1, wavelet, perceptual or gan")
		}
		if c.Discriminator.Fakes == FakesBoth && c.adversaries() {
			p.add("discriminator.fakes", "both, and supervised training has no unlabelled outputs: set it to labelled")
		}
	case Imitation:
		if images == 0 {
			p.add("loss", "nothing of the generalist is imitated: weigh l1, wavelet or perceptual")
		}
		if l.GAN.Unlabelled == GANJoint && l.GAN.Weight > 0 {
			p.add("loss.gan.unlabelled", "joint, but lambda weighs the labelled half alone (Eq. 3): set it to separate with loss.gan.unlabelled_weight, or to none")
		}
	case Distillation:
		if l.Intra.Weight+l.Inter.Weight == 0 && (l.GAN.Unlabelled == GANNone || !c.adversaries()) {
			p.add("loss", "without intra, inter and an adversarial term on unlabelled pictures this is supervised training: weigh one, or set method to supervised")
		}
	}
}

// check looks at the metrics by name alone.
func (v ValidationConfig) check(p *problems) {
	if v.LR == "" && v.HR != "" {
		p.add("validation.lr", "there is ground truth without LR pictures: name them, or remove validation.hr")
	}
	if v.Tile > 0 && v.Tile < minTile {
		p.add("validation.tile", "%d pixels: want 0 (whole pictures) or at least %d", v.Tile, minTile)
	}
	var comparing []string
	for _, name := range v.Metrics {
		m, err := v.parse(name)
		if err != nil {
			p.add("validation.metrics", "%s", strings.TrimPrefix(err.Error(), "report: "))
		} else if m.NeedsTruth {
			comparing = append(comparing, name)
		}
	}
	if len(comparing) > 0 && v.LR != "" && v.HR == "" {
		p.add("validation.hr", "there is no ground truth for %s: name its folder, or choose niqe, nrqm or pi", strings.Join(comparing, ", "))
	}
	if v.LR != "" && v.Every > 0 && len(v.Metrics) == 0 && v.Samples == 0 {
		p.add("validation", "there is no metric and no sample: name metrics, or set validation.every to 0")
	}
}

// parse reads a metric's name. The models that some need are stand-ins, so that the name alone counts.
func (v ValidationConfig) parse(name string) (report.Metric, error) {
	list, err := report.Parse(name, max(v.Crop, 0), report.Models{NIQE: &metrics.NIQEPrior{}, NRQM: &metrics.NRQMModel{},
		LPIPS: func(string) (report.Distance, error) { return nil, nil }})
	switch {
	case err != nil:
		return report.Metric{}, err
	case len(list) != 1:
		return report.Metric{}, fmt.Errorf("%q: want one name in each entry of the list", name)
	}
	return list[0], nil
}

// checkBest looks at output.best: one of validation.metrics.
func (c *Config) checkBest(p *problems) {
	best, v := c.Output.Best, c.Validation
	switch {
	case best == "":
		return
	case v.LR == "" || v.Every == 0:
		p.add("output.best", "%q is measured by validation, and there is none: name validation.lr and set validation.every, or remove it", best)
	case c.Output.Dir == "":
		p.add("output.best", "%q, but nothing is kept: set output.dir", best)
	}
	wanted, err := v.parse(best)
	if err != nil || !slices.ContainsFunc(v.Metrics, func(name string) bool {
		m, err := v.parse(name)
		return err == nil && m.Name == wanted.Name
	}) {
		p.add("output.best", "%q is none of validation.metrics (%s): choose one of them", best, strings.Join(v.Metrics, ", "))
	}
}
