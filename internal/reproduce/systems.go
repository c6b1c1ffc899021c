package reproduce

import "slices"

// System is what is measured: a finished network, results that others made, or a network trained here.
type System struct {
	ID, About string
	// Weights is a name of the catalogue of weights. Empty: the reader brings a network or results, see [System.Files].
	Weights  string
	Training *Training // nil: nothing is trained
	Base     string    // the system that gains are taken over; empty: none
}

// Training is what a row changes in a training preset.
type Training struct {
	Preset      string  // of package pdd
	Ablation    string  // of package pdd; empty: all terms
	Specialist  string  // weights of the start, in place of the preset's
	Generalist  string  // weights of a frozen generalist, in place of the preset's
	Degradation string  // preset of package data for labelled LR; empty: the training preset's
	Intra       float64 // factor on the intra term's weight; 0: 1
	Inter       float64 // factor on the inter term's weight; 0: 1
	Steps       int     // the preset's, for plans without package pdd
}

// Starts are the weights that training needs, the specialist's first.
func (t *Training) Starts() []string {
	list := []string{t.Specialist}
	if t.Generalist != "" && t.Generalist != t.Specialist {
		list = append(list, t.Generalist)
	}
	return list
}

// Files are the names below the folder of weights that a system of the reader's may have, in the order of preference.
func (s System) Files() []string {
	names := []string{}
	for _, ext := range []string{".safetensors", ".pth", ".param", ".pt"} {
		names = append(names, s.ID+ext)
	}
	return names
}

const (
	stepsEMA    = 100000
	stepsStatic = 50000
	x4plus      = "realesrgan-x4plus"
)

// ema is the EMA preset from the start given, with all changes by f.
func ema(start string, f func(*Training)) *Training {
	t := &Training{Preset: "ema", Specialist: start, Steps: stepsEMA}
	if f != nil {
		f(t)
	}
	return t
}

// Systems are all systems, in the order of reports.
func Systems() []System { return slices.Clone(systems) }

var systems = slices.Concat([]System{
	{ID: "dan", About: "DAN, results or network of its authors"},
	{ID: "edan", About: "EDAN (DANv2), results or network of its authors"},
	{ID: "dasr", About: "DASR, results or network of its authors"},
	{ID: "femasr", About: "FeMaSR, results or network of its authors"},
	{ID: "realesrgan+tg", About: "RealESRGAN with task grouping, weights of its authors"},
	{ID: "bsrgan", About: "BSRGAN as published", Weights: "bsrgan"},
	{ID: "bsrgan+ours", About: "BSRGAN adapted, EMA", Base: "bsrgan", Training: ema("bsrgan", nil)},
	{ID: "realesrgan", About: "Real-ESRGAN x4plus as published", Weights: x4plus},
	{ID: "realesrgan+ours", About: "Real-ESRGAN adapted, EMA", Base: "realesrgan", Training: ema(x4plus, nil)},
	{ID: "esrgan+static", About: "ESRGAN as specialist, Real-ESRGAN as frozen generalist", Base: "realesrgan",
		Training: &Training{Preset: "static", Specialist: "esrgan", Generalist: x4plus, Steps: stepsStatic}},
	{ID: "realesrgan+single-fixed", About: "both from Real-ESRGAN, the generalist frozen", Base: "realesrgan",
		Training: &Training{Preset: "single-fixed", Specialist: x4plus, Steps: stepsEMA}},
	{ID: "realesrgan+naive", About: "imitation of the generalist, Eq. 3", Base: "realesrgan",
		Training: &Training{Preset: "naive", Specialist: x4plus, Steps: stepsEMA}},
}, ablations(), ratios(), degradations())

func ablations() (list []System) {
	for _, a := range []struct{ name, about string }{
		{"intra", "R_intra alone"}, {"inter", "R_inter alone"}, {"intra+inter", "both distances, no adversarial term on S_U"},
		{"intra-l1", "all terms, ℓ1 in place of the cross-entropy"},
	} {
		list = append(list, System{ID: "realesrgan+" + a.name, About: "EMA with " + a.about, Base: "realesrgan",
			Training: ema(x4plus, func(t *Training) { t.Ablation = a.name })})
	}
	return list
}

// ratios weigh R_intra to R_inter as their names say; 1:1 is realesrgan+ours. The values are ours.
func ratios() (list []System) {
	for _, r := range []struct {
		name         string
		intra, inter float64
	}{{"4:1", 4, 1}, {"2:1", 2, 1}, {"1:2", 1, 2}, {"1:4", 1, 4}} {
		list = append(list, System{ID: "realesrgan+ratio-" + r.name[:1] + "-" + r.name[2:], About: "EMA with intra:inter " + r.name, Base: "realesrgan",
			Training: ema(x4plus, func(t *Training) { t.Intra, t.Inter = r.intra, r.inter })})
	}
	return list
}

// degradations make labelled LR otherwise than by bicubic shrinking alone, which is realesrgan+ours.
func degradations() (list []System) {
	for _, d := range []string{"bicubic_blur", "bicubic_noise", "bicubic_jpeg", "first_order"} {
		list = append(list, System{ID: "realesrgan+ds-" + d, About: "EMA with labelled LR by " + d, Base: "realesrgan",
			Training: ema(x4plus, func(t *Training) { t.Degradation = d })})
	}
	return list
}

// StartNames are the catalogue's networks that rows need.
func StartNames() []string {
	var names []string
	for _, s := range systems {
		list := []string{s.Weights}
		if s.Training != nil {
			list = s.Training.Starts()
		}
		for _, n := range list {
			if n != "" && !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	slices.Sort(names)
	return names
}

// IsStart tells whether a row needs the catalogue's network of this name.
func IsStart(name string) bool { return slices.Contains(StartNames(), name) }
