package reproduce

import (
	"slices"
	"strings"
)

// Place is a table or figure of the paper, or a section of its supplement.
type Place struct {
	ID    string // as in selections
	Title string
	Note  string // what a reader must know of it
	Gains bool   // shows differences to the base
	KL    bool   // shows divergences of low-level features
}

// Row is a system on a data set.
type Row struct {
	System  System
	Dataset Dataset
	Places  []string // ids, in the order of reports
}

// ID is SYSTEM@DATASET.
func (r Row) ID() string { return r.System.ID + "@" + r.Dataset.ID }

// BaseID is the row that gains are taken over; empty: none.
func (r Row) BaseID() string {
	if r.System.Base == "" {
		return ""
	}
	return r.System.Base + "@" + r.Dataset.ID
}

// In tells whether the row stands in the place.
func (r Row) In(place string) bool { return slices.Contains(r.Places, place) }

// Corrected tells whether the row's first numbers are those with corrected colours: the paper corrects its own results.
func (r Row) Corrected() bool { return r.System.Training != nil }

const (
	supplement = "the supplement is not at hand: the values are ours"
	ownReading = "which systems and data sets stand here is our reading: the paper was not at hand"
)

// places are the tables and figures, in the order of reports.
var places = []Place{
	{ID: "tab1", Title: "Tab. 1: the configurations Static and EMA", Note: ownReading},
	{ID: "tab2", Title: "Tab. 2: systems on real data", Note: "the header of the paper's Tab. 2 swaps the citations of RealESRGAN and BSRGAN; rows here go by name"},
	{ID: "tab3", Title: "Tab. 3: baselines and ablations", Note: ownReading},
	{ID: "fig4", Title: "Fig. 4: gains over the start", Note: "follows from Tab. 2", Gains: true},
	{ID: "fig5", Title: "Fig. 5: low-level features, divergence from the ground truth before and after", KL: true},
	{ID: "fig6", Title: "Fig. 6: low-level features, divergence by configuration", Note: ownReading, KL: true},
	{ID: "fig9", Title: "Fig. 9: terms of the loss and their ratio", Note: ownReading, Gains: true},
	{ID: "sup-da", Title: "Supplement D.a: ratio of R_intra to R_inter", Note: supplement},
	{ID: "sup-db", Title: "Supplement D.b: other labelled degradations D_S", Note: supplement},
}

// contents say what stands where: systems by data sets.
var contents = []struct{ place, systems, datasets string }{
	{"tab1", "realesrgan esrgan+static realesrgan+ours", allSets},
	{"tab2", "dan edan dasr femasr realesrgan+tg bsrgan bsrgan+ours realesrgan realesrgan+ours", allSets},
	{"tab3", "realesrgan realesrgan+naive realesrgan+single-fixed realesrgan+intra-l1 realesrgan+ours", allSets},
	{"fig4", "bsrgan bsrgan+ours realesrgan realesrgan+ours", allSets},
	{"fig5", "realesrgan realesrgan+ours", allSets},
	{"fig6", "realesrgan realesrgan+single-fixed realesrgan+naive realesrgan+ours", "realsr-canon"},
	{"fig9", "realesrgan realesrgan+intra realesrgan+inter realesrgan+intra+inter realesrgan+ours " + ratioSweep, "realsr-canon"},
	{"sup-da", ratioSweep + " realesrgan+ours", "realsr-canon"},
	{"sup-db", "realesrgan+ds-bicubic_blur realesrgan+ds-bicubic_noise realesrgan+ds-bicubic_jpeg realesrgan+ds-first_order realesrgan+ours", "realsr-canon"},
}

const (
	allSets    = "realsr-canon realsr-nikon drealsr-panasonic drealsr-olympus drealsr-sony ntire2020"
	ratioSweep = "realesrgan+ratio-4-1 realesrgan+ratio-2-1 realesrgan+ratio-1-2 realesrgan+ratio-1-4"
)

// Rows are all rows, by data set and system.
func Rows() []Row {
	var list []Row
	for _, d := range datasets {
		for _, s := range systems {
			r := Row{System: s, Dataset: d}
			for _, c := range contents {
				if slices.Contains(strings.Fields(c.systems), s.ID) && slices.Contains(strings.Fields(c.datasets), d.ID) {
					r.Places = append(r.Places, c.place)
				}
			}
			if len(r.Places) > 0 {
				list = append(list, r)
			}
		}
	}
	return list
}
