// Command results compares training runs: a Markdown table of their validations, before and after, and a picture of
// their curves.
//
//	go run ./recipes/adapt --curves curves.png out/ema out/single-fixed out/naive out/supervised
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gopdd/gopdd/internal/atomicfile"
	"github.com/gopdd/gopdd/internal/trainlog"
)

func main() {
	curves := flag.String("curves", "", "picture to write")
	flag.Parse()
	if err := compare(os.Stdout, *curves, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "results:", err)
		os.Exit(1)
	}
}

func compare(w io.Writer, curves string, dirs []string) error {
	runs := make([]trainlog.Run, len(dirs))
	for i, dir := range dirs {
		series, err := trainlog.Read(filepath.Join(dir, trainlog.File))
		if err != nil {
			return err
		}
		runs[i] = trainlog.Run{Name: filepath.Base(dir), Series: series}
	}
	if len(runs) == 0 {
		return fmt.Errorf("no runs: name their folders")
	}
	if err := table(w, runs); err != nil || curves == "" {
		return err
	}
	for i, r := range runs {
		runs[i].Series = slices.DeleteFunc(slices.Clone(r.Series), func(s trainlog.Series) bool { return !shown(s.Name) })
	}
	return atomicfile.Write(curves, func(w io.Writer) error { return trainlog.Curves(w, runs...) })
}

// shown are the values worth a panel.
func shown(name string) bool {
	val, isVal := strings.CutPrefix(name, "val/")
	return isVal && !strings.HasPrefix(val, "ssim") && !strings.Contains(val, "_raw") || strings.HasPrefix(name, "loss/i") || name == "loss/perceptual"
}

// variants are the endings of a validation's names and what they mean.
var variants = []struct{ suffix, text string }{{"", "average"}, {"_cc", "average, colour corrected"}, {"_raw", "raw"}, {"_raw_cc", "raw, colour corrected"}}

// table has a row for the start and one for the end of each run, for each variant.
func table(w io.Writer, runs []trainlog.Run) error {
	var metrics []string
	for _, s := range runs[0].Series {
		if name, ok := strings.CutPrefix(s.Name, "val/"); ok && !strings.HasSuffix(name, "_cc") && !strings.HasSuffix(name, "_raw") {
			metrics = append(metrics, name)
		}
	}
	fmt.Fprintf(w, "| run | steps | weights | %s |\n|---|---|---|%s\n", strings.Join(metrics, " | "), strings.Repeat("---|", len(metrics)))
	for _, v := range variants[:2] {
		row(w, "start", runs[0], v.suffix, v.text, metrics, func(values []value) value { return values[0] })
	}
	for _, run := range runs {
		for _, v := range variants {
			row(w, run.Name, run, v.suffix, v.text, metrics, func(values []value) value { return values[len(values)-1] })
		}
	}
	return nil
}

type value struct {
	step int
	v    float64
}

func row(w io.Writer, name string, run trainlog.Run, suffix, text string, metrics []string, pick func([]value) value) {
	cells, step := make([]string, len(metrics)), 0
	for i, metric := range metrics {
		values := find(run, "val/"+metric+suffix)
		if len(values) == 0 {
			return
		}
		picked := pick(values)
		cells[i], step = fmt.Sprintf("%.4f", picked.v), picked.step
	}
	fmt.Fprintf(w, "| %s | %d | %s | %s |\n", name, step, text, strings.Join(cells, " | "))
}

// find are the values of a series, which come in the order of their steps.
func find(run trainlog.Run, name string) []value {
	var values []value
	for _, s := range run.Series {
		if s.Name != name {
			continue
		}
		for i, step := range s.Steps {
			values = append(values, value{step, s.Values[i]})
		}
	}
	return values
}
