package main

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gopdd/gopdd/internal/reproduce"
)

type reproduceCmd struct {
	Datasets string `required:"" placeholder:"DIR" help:"Folder with RealSR, DRealSR, NTIRE2020 and DF2K; docs/REPRODUCE.md shows their layout."`
	Weights  string `required:"" placeholder:"DIR" help:"Folder of weights, by their names in the catalogue, and of results/SYSTEM/DATASET that other programs made."`
	Out      string `required:"" placeholder:"DIR" help:"Folder for runs, results and the report. What is finished there is not made again."`
	Rows     string `placeholder:"LIST" help:"SYSTEM@DATASET, * for all on either side, or tab1 tab2 tab3 fig4 fig5 fig6 fig9 sup-da sup-db; separated by commas. Default: all."`
	Printed  string `type:"existingfile" placeholder:"FILE" help:"The paper's numbers as CSV: row, metric, value. They are set beside ours."`

	DryRun bool `help:"List what is missing and what would be run, and stop; exit code 1 if something is missing."`
	JSON   bool `name:"json" help:"Print JSON in place of the table."`

	Fraction float64           `default:"1" placeholder:"1" help:"Of the steps, warm-ups, milestones and pictures, for trials." group:"Trials"`
	Features string            `default:"vgg19" enum:"vgg19,random" placeholder:"vgg19" help:"vgg19, or random for a VGG19 with random weights." group:"Trials"`
	StandIn  map[string]string `placeholder:"NAME=FILE" help:"Take a file in place of the catalogue's weights of this name." group:"Trials"`
	Set      []string          `sep:"none" placeholder:"FIELD=VALUE" help:"Change a field of all trainings, as pdd train --set." group:"Trials"`

	Device           string `default:"cpu" placeholder:"cpu" help:"cpu, cuda:0, …"`
	AllowTorchScript bool   `name:"allow-torchscript" help:"Run TorchScript weights (.pt). They are programs: only for files you trust."`

	sources reproduce.Sources
	hashes  map[string]string
}

// Run measures the rows, and trains those that need it.
func (c *reproduceCmd) Run(e *env) error {
	rows, printed, err := c.prepare()
	if err != nil {
		return err
	}
	plans := make([]*rowPlan, len(rows))
	for i, r := range rows {
		if plans[i], err = c.plan(r); err != nil {
			return err
		}
	}
	if c.DryRun {
		return c.dryRun(e, plans)
	}
	return c.runAll(e, plans, printed)
}

// prepare checks all flags before any work.
func (c *reproduceCmd) prepare() ([]reproduce.Row, reproduce.Printed, error) {
	if !(c.Fraction > 0 && c.Fraction <= 1) || math.IsNaN(c.Fraction) {
		return nil, nil, usagef("--fraction %v: must be more than 0 and at most 1", c.Fraction)
	}
	if !deviceName.MatchString(c.Device) {
		return nil, nil, usagef("--device %s: must be cpu, cuda or cuda:N", c.Device)
	}
	rows, err := reproduce.Select(c.Rows)
	if err != nil {
		return nil, nil, usageError{err}
	}
	var printed reproduce.Printed
	if c.Printed != "" {
		if printed, err = reproduce.ReadPrinted(c.Printed); err != nil {
			return nil, nil, usageError{err}
		}
	}
	for _, dir := range []*string{&c.Datasets, &c.Weights} {
		if *dir, err = filepath.Abs(*dir); err != nil {
			return nil, nil, err
		}
	}
	files := map[string]string{}
	for name, value := range c.StandIn {
		if !reproduce.IsStart(name) {
			return nil, nil, usagef("--stand-in %s: no row needs weights of this name: want one of %s", name, strings.Join(reproduce.StartNames(), ", "))
		}
		if files[name], err = weightsPath(value); err != nil {
			return nil, nil, usagef("--stand-in %s: %w", name, err)
		}
	}
	c.sources = reproduce.Sources{Datasets: c.Datasets, Weights: c.Weights, StandIns: files, RandomFeatures: c.Features == "random"}
	c.hashes = map[string]string{}
	return rows, printed, nil
}

// rowPlan is a row with its files and what is to be done.
type rowPlan struct {
	row   reproduce.Row
	in    reproduce.Inputs
	train *rowTraining // nil: nothing is trained
}

func (c *reproduceCmd) plan(r reproduce.Row) (*rowPlan, error) {
	p := &rowPlan{row: r, in: c.sources.Find(r)}
	p.in.Pairs = reproduce.Spread(p.in.Pairs, c.Fraction)
	p.in.HR = reproduce.Spread(p.in.HR, c.Fraction)
	p.in.Train = reproduce.Spread(p.in.Train, c.Fraction)
	if strings.HasSuffix(p.in.Network, ".pt") && !c.AllowTorchScript {
		p.in.Missing = append(p.in.Missing, reproduce.Missing{What: p.in.Network + " is TorchScript, a program: give --allow-torchscript if you trust it"})
	}
	if r.System.Training == nil {
		return p, nil
	}
	var err error
	if p.train, err = c.planTraining(p); err != nil {
		return nil, fmt.Errorf("%s: %w", r.ID(), err)
	}
	return p, nil
}

// deed says in one line what the row does.
func (p *rowPlan) deed() string {
	measure := "measure " + pictures(len(p.in.Pairs), "")
	if d := p.row.Dataset; d.Crop > 0 {
		measure += fmt.Sprintf(", LR cut to %d×%d", d.Crop, d.Crop)
	}
	switch {
	case p.train != nil:
		return fmt.Sprintf("train %s, %d steps on %s and %s; %s", p.row.System.Training.Preset, p.train.steps,
			pictures(len(p.in.HR), "labelled "), pictures(len(p.in.Train), "unlabelled "), measure)
	case p.in.Results != "":
		return measure + " in " + p.in.Results
	case p.in.Network != "":
		return "upscale with " + p.in.Network + "; " + measure
	}
	return measure
}

func pictures(n int, kind string) string {
	if n == 1 {
		return "1 " + kind + "picture"
	}
	return fmt.Sprintf("%d %spictures", n, kind)
}

// dryRun lists what would be done, and fails if something is missing.
func (c *reproduceCmd) dryRun(e *env, plans []*rowPlan) error {
	type line struct {
		Row     string              `json:"row"`
		Deed    string              `json:"deed"`
		Places  []string            `json:"places"`
		Missing []reproduce.Missing `json:"missing"`
	}
	list := []line{}
	incomplete, wanted := 0, map[string]int{} // rows by what they lack
	for _, p := range plans {
		l := line{p.row.ID(), p.deed(), p.row.Places, append([]reproduce.Missing{}, p.in.Missing...)}
		if len(l.Missing) > 0 {
			incomplete++
		}
		list = append(list, l)
		if c.JSON {
			continue
		}
		fmt.Fprintf(e.stdout, "%s (%s)\n  %s\n", l.Row, strings.Join(l.Places, ", "), l.Deed)
		for _, m := range l.Missing {
			fmt.Fprintf(e.stdout, "  missing: %s\n", m.What)
			wanted[m.String()]++
		}
	}
	if c.JSON {
		if err := writeJSON(e.stdout, list); err != nil {
			return err
		}
	} else {
		c.wanted(e, wanted)
	}
	if incomplete > 0 {
		return fmt.Errorf("%d of %d rows lack something: see above", incomplete, len(plans))
	}
	return nil
}

// wanted prints what is missing, once each, and the metrics that rows run without.
func (c *reproduceCmd) wanted(e *env, rows map[string]int) {
	for _, text := range slices.Sorted(maps.Keys(rows)) {
		fmt.Fprintf(e.stdout, "missing for %d rows: %s\n", rows[text], text)
	}
	for _, m := range c.leftOut() {
		fmt.Fprintf(e.stdout, "left out: %s\n", m)
	}
}

// leftOut names the metrics whose files are not there: rows run without them.
func (c *reproduceCmd) leftOut() (lines []string) {
	for _, m := range reproduce.Metrics() {
		for _, name := range needs(m) {
			if _, gap := c.sources.FindWeights(name); gap != nil {
				lines = append(lines, fmt.Sprintf("%s, for its %s is not there (pdd weights get %s --dir %s)", m.Name, gap.What, name, c.Weights))
				break
			}
		}
	}
	return lines
}

// needs are the weights that a metric is made of.
func needs(m reproduce.Metric) []string {
	switch m.Needs {
	case "":
		return nil
	case "alexnet":
		return []string{"alexnet", "lpips-alex"}
	}
	return []string{m.Needs}
}

// head says what must be known before any number of the report is read.
func (c *reproduceCmd) head() []string {
	head := []string{"Features Φ of the trainings: VGG19 of torchvision."}
	if c.Features == "random" {
		head[0] = "**Features Φ of the trainings: VGG19 with RANDOM weights. This is a trial, not a reproduction.**"
	}
	if c.Fraction < 1 {
		head = append(head, fmt.Sprintf("**Fraction %v of steps, warm-ups, milestones and pictures (at least 2 steps and 1 picture). This is a trial, not a reproduction.**", c.Fraction))
	} else {
		head = append(head, "All steps and all pictures.")
	}
	for _, name := range reproduce.StartNames() {
		if file, ok := c.StandIn[name]; ok {
			head = append(head, fmt.Sprintf("**STAND-IN: %s takes the place of %s. This is a trial, not a reproduction.**", file, name))
		}
	}
	if len(c.Set) > 0 {
		head = append(head, fmt.Sprintf("**Trainings were changed: %s.**", strings.Join(c.Set, ", ")))
	}
	head = append(head, "Means over whole pictures (DRealSR: LR cut to 512×512), no border left out, pyiqa's conventions. `corrected`: colours corrected, as the paper does with its own results; those stand first in trained rows.",
		"Printed numbers stand here where a reader typed them in (--printed); otherwise they are not at hand.")
	for _, m := range c.leftOut() {
		head = append(head, "Left out: "+m+".")
	}
	return head
}

// hash is the sha256 of a weight file, computed once.
func (c *reproduceCmd) hash(path string) (string, error) {
	if h, ok := c.hashes[path]; ok {
		return h, nil
	}
	if path == "" {
		return "", nil
	}
	h, err := fileKey(path)
	c.hashes[path] = h
	return h, err
}

// startHashes are those of all files of a row, in the order of their names.
func (c *reproduceCmd) startHashes(in reproduce.Inputs) (list []string, err error) {
	files := []string{}
	for _, name := range slices.Sorted(maps.Keys(in.Starts)) {
		files = append(files, in.Starts[name])
	}
	for _, file := range append(files, in.Phi) {
		h, err := c.hash(file)
		if err != nil {
			return nil, err
		}
		list = append(list, h)
	}
	return list, nil
}
