// Package compare sets super-resolution systems side by side on the same pictures: networks, interpolation, or folders
// of results that anybody made. It upscales what is to be upscaled, measures every result with the metrics of
// metrics/report, and gives a table of means with the difference of each system to a baseline and the confidence
// interval of that difference, a sheet of enlarged crops, figures, and the material of a blind test. Command
// pdd compare is a thin layer over it.
//
//	c, err := compare.Run(ctx, compare.Options{
//		LR: "lr", GT: "hr", Out: "out", Baseline: "bicubic", Metrics: list,
//		Systems: []compare.System{{Name: "bicubic", Key: "bicubic x4", Open: openBicubic}, {Name: "paper", Dir: "results"}},
//	})
//	err = c.WriteTable(os.Stdout)
//	sheet, err := c.Sheet(compare.SheetOptions{Rows: 4, Scale: 4})
//
// Pictures are paired by name, never by order. A bad file does not stop a run: its cell of the report says what is
// wrong, and a mean leaves the picture out for all systems, so that means stay comparable. What is finished stays in
// Out: a second run, also one after an interruption, does only what is missing or has changed.
//
// Nothing depends on the order of the systems but the order of rows and colours. The package is pure Go and knows no
// networks: they come as values of [System].
package compare
