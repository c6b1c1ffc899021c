// Package report measures folders of pictures: it pairs results with their ground truth by file name, measures every
// pair with a list of [Metric], and writes the outcome as a table, CSV, JSON or Markdown with a row per picture, the
// means, and the conventions that were used. Command pdd eval is a thin layer over it.
//
//	pairs, err := report.Match("results", "truth")
//	list, err := report.Parse("psnr_y_bt601,ssim_y_bt601", 4, report.Models{})
//	r, err := report.Run(ctx, pairs, list, report.Options{})
//	err = r.WriteTable(os.Stdout)
//
// With [Options].Picture it measures what a network makes of the pictures of a folder; with [Models].LPIPS, networks
// measure:
//
//	pairs, err := report.Match("lr", "truth")
//	list, err := report.Parse("lpips_alex", 4, report.Models{LPIPS: func(string) (report.Distance, error) { return alex.Distance, nil }})
//	r, err := report.Run(ctx, pairs, list, report.Options{Picture: func(ctx context.Context, p report.Pair) (image.Image, error) {
//		return upscaler.Upscale(ctx, open(p.Image))
//	}})
//
// A bad file does not stop a run: its row says what is wrong, and the means leave it out. The package knows no
// networks: the caller brings them.
package report
