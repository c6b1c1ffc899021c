package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"

	"github.com/gopdd/gopdd/internal/atomicfile"
	"github.com/gopdd/gopdd/internal/imgio"
	"github.com/gopdd/gopdd/metrics/compare"
)

// Names in the folder of a comparison.
const (
	blindDir = "blind"
	blindKey = "blind-key.json"
)

// sheetFlags say what to draw.
type sheetFlags struct {
	Crops       int      `default:"4" placeholder:"4" help:"Crops on the contact sheet, chosen where the systems differ most; 0: no sheet." group:"Sheets and figures"`
	CropSize    int      `default:"96" placeholder:"96" help:"Their side in pixels of the results." group:"Sheets and figures"`
	CropAt      []string `sep:"none" placeholder:"[PIC:]X,Y,SIZE" help:"Show this crop instead, of one picture or of all; once for each." group:"Sheets and figures"`
	FeatureNet  string   `placeholder:"NAME|FILE" help:"Weights of VGG19, VGG16, AlexNet or SqueezeNet for the figures of features. Default: features made by hand (DCT of patches)." group:"Sheets and figures"`
	NoFigures   bool     `help:"Draw no figures." group:"Sheets and figures"`
	Blind       bool     `help:"Also make a blind test: sheets and a page in DIR/blind, the key in DIR/blind-key.json." group:"Sheets and figures"`
	BlindSheets int      `placeholder:"N" help:"At most N sheets. Default: each pair of systems on each picture." group:"Sheets and figures"`
	Seed        uint64   `default:"0" placeholder:"0" help:"Seed of the blind test's order." group:"Sheets and figures"`
}

func (f *sheetFlags) windows() (list []compare.Window, err error) {
	if f.Crops < 0 || f.CropSize < 1 || f.BlindSheets < 0 {
		return nil, usagef("--crops and --blind-sheets cannot be negative, and --crop-size must be at least 1")
	}
	for _, text := range f.CropAt {
		w, err := compare.ParseWindow(text)
		if err != nil {
			return nil, usageError{err}
		}
		list = append(list, w)
	}
	return list, nil
}

// draw makes the sheet, the figures and the blind test; one that has nothing to show is left out with a word.
func (f *sheetFlags) draw(e *env, out string, r *compare.Comparison) error {
	deeds := []func(*env, string, *compare.Comparison) error{f.sheet, f.figures, f.blind}
	bar := newCounter(e, "draw")
	defer bar.close()
	var failures []error
	for i, deed := range deeds {
		bar.at(i, len(deeds))
		failures = append(failures, f.forgive(e, deed(e, out, r)))
		if e.ctx.Err() != nil {
			return e.ctx.Err()
		}
	}
	return errors.Join(failures...)
}

// forgive tells what there is nothing to draw of, and passes other errors on.
func (f *sheetFlags) forgive(e *env, err error) error {
	if errors.Is(err, compare.ErrNothing) {
		e.complain(err.Error() + ": left out")
		return nil
	}
	return err
}

func (f *sheetFlags) sheet(e *env, out string, r *compare.Comparison) error {
	windows, err := f.windows()
	if err != nil || f.Crops == 0 && len(windows) == 0 {
		return err
	}
	sheet, err := r.Sheet(e.ctx, compare.SheetOptions{Rows: f.Crops, Size: f.CropSize, At: windows})
	if err != nil {
		return err
	}
	return imgio.WriteFile(filepath.Join(out, "sheet.png"), sheet)
}

func (f *sheetFlags) figures(e *env, out string, r *compare.Comparison) error {
	if f.NoFigures {
		return nil
	}
	tradeoff, err := r.TradeoffFigure()
	if err == nil {
		err = tradeoff.Save(filepath.Join(out, "tradeoff.png"))
	}
	if err := f.forgive(e, err); err != nil {
		return err
	}
	features, closeNet, err := f.features()
	if err != nil {
		return err
	}
	defer closeNet()
	study, err := r.Study(e.ctx, features)
	if err != nil {
		return err
	}
	return f.featureFigures(out, r, study)
}

func (f *sheetFlags) features() (compare.Features, func() error, error) {
	if f.FeatureNet == "" {
		return compare.DCT(), func() error { return nil }, nil
	}
	path, err := weightsPath(f.FeatureNet)
	if err != nil {
		return compare.Features{}, nil, err
	}
	return newDeepFeatures(path)
}

func (f *sheetFlags) featureFigures(out string, r *compare.Comparison, study *compare.FeatureStudy) error {
	if err := atomicfile.Write(filepath.Join(out, "features.csv"), func(w io.Writer) error { return writeStudy(w, study) }); err != nil {
		return err
	}
	scatter, err := r.ScatterFigure(study)
	if err != nil {
		return err
	}
	if err := scatter.Save(filepath.Join(out, "features.png")); err != nil {
		return err
	}
	bars, err := r.KLFigure(study)
	if err != nil {
		return err
	}
	return bars.Save(filepath.Join(out, "kl.png"))
}

// writeStudy writes the numbers of the figure of divergences.
func writeStudy(w io.Writer, s *compare.FeatureStudy) error {
	out := csv.NewWriter(w)
	out.Write([]string{"set", "features", "patches", "components", "kl_from_truth", "kl_reverse", "srga", "sigma", "shape"})
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	row := func(name string, kl, reverse, srga, sigma, shape float64) {
		out.Write([]string{name, s.Features, fmt.Sprint(s.Patches), fmt.Sprint(s.Components), number(kl), number(reverse), number(srga), number(sigma), number(shape)})
	}
	if s.Floor != nil {
		row("two halves of the ground truth", s.Floor.KL, s.Floor.Reverse, s.Floor.SRGA, s.Floor.Test.Fit.Sigma, s.Floor.Test.Fit.Shape)
	}
	for _, set := range s.Sets {
		if k := set.KL; k != nil {
			row(set.Name, k.KL, k.Reverse, k.SRGA, k.Test.Fit.Sigma, k.Test.Fit.Shape)
		}
	}
	out.Flush()
	return out.Error()
}

func (f *sheetFlags) blind(e *env, out string, r *compare.Comparison) error {
	if !f.Blind {
		return nil
	}
	key, err := r.Blind(e.ctx, filepath.Join(out, blindDir), filepath.Join(out, blindKey), compare.BlindOptions{Seed: f.Seed, Sheets: f.BlindSheets})
	if err != nil {
		return err
	}
	fmt.Fprintf(e.stderr, "blind test %s: %d sheets and index.html in %s; count votes with: pdd compare votes %s votes.csv\n",
		key.Test, len(key.Sheets), filepath.Join(out, blindDir), filepath.Join(out, blindKey))
	return nil
}
