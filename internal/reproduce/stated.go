package reproduce

import "math"

// Stated is what is known of the paper's gains without its tables.
type Stated struct {
	System, Metric string
	Low, High      float64 // of the gain over the base; ±Inf: no bound
	Text           string
}

// stated are the gains that the paper is known to claim; all other printed numbers are the reader's to give.
var stated = []Stated{
	{"realesrgan+ours", "psnr_y_bt601", 0.67, 1.34, "+0.67 to +1.34"},
	{"bsrgan+ours", "psnr_y_bt601", 0.28, 0.93, "+0.28 to +0.93"},
	{"realesrgan+ours", "lpips_alex", math.Inf(-1), 0, "never worse"},
	{"bsrgan+ours", "lpips_alex", math.Inf(-1), 0, "never worse"},
	{"realesrgan+ours", "nrqm_y_yiq", -0.03, math.Inf(1), "no worse than −0.03"},
	{"bsrgan+ours", "nrqm_y_yiq", -0.03, math.Inf(1), "no worse than −0.03"},
}

// StatedGain is what is known of a system's gain, nil where nothing is.
func StatedGain(system, metric string) *Stated {
	for i, s := range stated {
		if s.System == system && s.Metric == metric {
			return &stated[i]
		}
	}
	return nil
}
