// Package report measures folders of pictures: it pairs results with their ground truth by file name, measures every
// pair with a list of [Metric], and writes the outcome as a table, CSV, JSON or Markdown with a row per picture, the
// means, and the conventions that were used. Command pdd eval is a thin layer over it.
//
//	pairs, err := report.Match("results", "truth")
//	list, err := report.Parse("psnr_y_bt601,ssim_y_bt601", 4, report.Models{})
//	r, err := report.Run(ctx, pairs, list, report.Options{})
//	err = r.WriteTable(os.Stdout)
//
// A bad file does not stop a run: its row says what is wrong, and the means leave it out. The package knows no
// networks; metrics that need one are values of [Metric] that the caller makes.
package report
