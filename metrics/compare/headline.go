package compare

import (
	"slices"
	"strings"

	"github.com/gopdd/gopdd/metrics/report"
)

// headline picks the metrics for small places: the first one, and the first that judges what a picture looks like.
func (c *Comparison) headline() []int {
	second := slices.IndexFunc(c.Metrics, func(m report.Metric) bool { return perceptual(m) && !m.Target })
	if second < 0 {
		second = slices.IndexFunc(c.Metrics, perceptual)
	}
	if second <= 0 {
		return []int{0}
	}
	return []int{0, second}
}

// perceptual reports whether a metric judges what a picture looks like rather than how near its samples are.
func perceptual(m report.Metric) bool {
	return !strings.HasPrefix(m.Name, "psnr") && !strings.HasPrefix(m.Name, "ssim")
}
