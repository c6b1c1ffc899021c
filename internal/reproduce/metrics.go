package reproduce

import "slices"

// Metric is a column of the report.
type Metric struct {
	Name   string // as package metrics/report calls it, without implementation; kl is ours
	Title  string
	Digits int
	Higher bool   // is better
	Needs  string // a name of the catalogue of weights that it needs; empty: none
}

// Metrics are all columns. PSNR and SSIM are in both luma conventions: the paper says YCbCr, pyiqa's default is YIQ.
func Metrics() []Metric { return slices.Clone(metricTable) }

var metricTable = []Metric{
	{Name: "psnr_y_bt601", Title: "PSNR, YCbCr", Digits: 2, Higher: true},
	{Name: "psnr_y_yiq", Title: "PSNR, YIQ", Digits: 2, Higher: true},
	{Name: "ssim_y_bt601", Title: "SSIM, YCbCr", Digits: 4, Higher: true},
	{Name: "ssim_y_yiq", Title: "SSIM, YIQ", Digits: 4, Higher: true},
	{Name: "lpips_alex", Title: "LPIPS", Digits: 4, Needs: "alexnet"},
	{Name: "nrqm_y_yiq", Title: "NRQM", Digits: 3, Higher: true, Needs: "nrqm"},
	{Name: "sharpness", Title: "sharpness →1", Digits: 3, Higher: true},
	{Name: KL, Title: "KL of features", Digits: 4},
}

// KL is the divergence of the results' low-level features from the ground truth's.
const KL = "kl"

func metricNames() []string {
	return idsOf(metricTable, func(m Metric) string { return m.Name })
}
