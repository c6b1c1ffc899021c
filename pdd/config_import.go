package pdd

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// ImportReport tells what became of the options of an imported file, each list in the file's order.
type ImportReport struct {
	Mapped        []ImportedOption // set a field
	Assumed       []ImportedOption // are not in the file: the value that the authors' code assumes set a field
	Ignored       []ImportedOption // change no result here
	NoCounterpart []ImportedOption // change results there, and cannot be said here
}

// ImportedOption is an option of the file.
type ImportedOption struct {
	Option string // e.g. train.ema_decay
	Value  string
	Field  string // of Config as YAML has it, e.g. ema_decay; empty where none was set
	Note   string // may be empty
}

// String is the report as lines for people.
func (r ImportReport) String() string {
	var b strings.Builder
	for _, part := range []struct {
		head string
		list []ImportedOption
	}{{"mapped", r.Mapped}, {"assumed, for the file does not say", r.Assumed}, {"ignored", r.Ignored}, {"without counterpart", r.NoCounterpart}} {
		if len(part.list) > 0 {
			fmt.Fprintf(&b, "%s:\n", part.head)
		}
		for _, o := range part.list {
			fmt.Fprintf(&b, "  %s: %s", o.Option, shortened(o.Value))
			if o.Field != "" {
				fmt.Fprintf(&b, " → %s", o.Field)
			}
			if o.Note != "" {
				fmt.Fprintf(&b, " (%s)", o.Note)
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// shortened fits a value into a line.
func shortened(s string) string {
	const most = 60
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return s
}

// ImportBasicSR makes a configuration of an option file of the authors' code (BasicSR's format, model_type
// SRGANRefModel). What such a file does not know is as in [EMAAsReleased]. Options that are missing have the value that
// the authors' code assumes. Paths stay as they are; weights with the name of a published file become the name in
// `pdd weights list`. A file of another kind of training, or one that lacks what the authors' code demands, since it is
// cut off for example, is an error.
func ImportBasicSR(text []byte) (Config, ImportReport, error) {
	im := importer{c: EMAAsReleased()}
	im.c.Validation.Metrics = nil
	if err := im.read(text); err != nil {
		return Config{}, ImportReport{}, fmt.Errorf("pdd: import: %w", err)
	}
	return im.c, im.report, nil
}

// importer is one import.
type importer struct {
	c       Config
	options []option
	report  ImportReport

	scale int
	batch int    // patches of a half on each GPU
	note  string // for the report, on the option that is being applied
	lost  bool   // that option has no counterpart
}

// option is a leaf of the file.
type option struct {
	path  string // e.g. train.optim_g.lr
	value any    // number, string, bool, nil or a list
	taken bool
}

func (im *importer) read(text []byte) error {
	root, err := parseYAML(text)
	if err != nil {
		return fmt.Errorf("%w; is the file cut off?", err)
	}
	var tree any
	if err := yaml.NodeToValue(root, &tree, yaml.UseOrderedMap()); err != nil {
		return lineError(err)
	}
	im.flatten("", tree)
	if scale, ok := number(im.look("scale")); ok {
		im.scale = int(scale)
	}
	var p problems
	var missing []string
	for _, r := range im.rules() {
		switch err := im.apply(r); {
		case errors.Is(err, errMissing):
			missing = append(missing, r.option)
		case err != nil:
			p.add(r.option, "%v", err)
		}
	}
	if len(missing) > 0 {
		p.add("missing", "%s; is the file cut off, or of another kind?", strings.Join(missing, ", "))
	}
	if len(p) > 0 {
		return p
	}
	im.c.Data.Batch = im.batch * im.c.Optimizer.Accumulate
	im.rest()
	slices.SortStableFunc(im.report.Mapped, func(a, b ImportedOption) int { return im.place(a.Option) - im.place(b.Option) })
	return nil
}

// place is where an option, or the first of those below it, is in the file.
func (im *importer) place(path string) int {
	return slices.IndexFunc(im.options, func(o option) bool { return o.path == path || strings.HasPrefix(o.path, path+".") })
}

// flatten lists the leaves of a tree of mappings.
func (im *importer) flatten(path string, v any) {
	m, ok := v.(yaml.MapSlice)
	if !ok || len(m) == 0 {
		im.options = append(im.options, option{path: path, value: v})
		return
	}
	for _, item := range m {
		im.flatten(join(path, fmt.Sprint(item.Key)), item.Value)
	}
}

// rule says what an option becomes.
type rule struct {
	option string
	field  string // of Config; "" for an option that only has to be what it is
	absent any    // the value where the file has none: nil for nothing, required for an error
	to     any    // a pointer to the field, or func(any) error
}

type demand struct{}

var required = demand{}

var errMissing = errors.New("missing")

// apply sets the field of a rule.
func (im *importer) apply(r rule) error {
	value, there := im.take(r.option)
	switch {
	case !there && r.absent == required:
		return errMissing
	case !there && r.absent == nil:
		return nil
	case !there:
		value = r.absent
	}
	im.note, im.lost = "", false
	if err := assign(value, r.to); err != nil {
		return err
	}
	entry := ImportedOption{Option: r.option, Value: show(value), Field: r.field, Note: im.note}
	switch {
	case im.lost:
		entry.Field = ""
		im.report.NoCounterpart = append(im.report.NoCounterpart, entry)
	case there:
		im.report.Mapped = append(im.report.Mapped, entry)
	case r.field != "":
		im.report.Assumed = append(im.report.Assumed, entry)
	}
	return nil
}

// take gives an option's value, or the mapping of all options below the path.
func (im *importer) take(path string) (value any, there bool) {
	below := yaml.MapSlice{}
	for i := range im.options {
		o := &im.options[i]
		if o.path == path {
			o.taken = true
			return o.value, true
		}
		if name, ok := strings.CutPrefix(o.path, path+"."); ok {
			o.taken = true
			below = append(below, yaml.MapItem{Key: name, Value: o.value})
		}
	}
	return below, len(below) > 0
}

// look is take without taking, for what other options depend on.
func (im *importer) look(path string) any {
	for _, o := range im.options {
		if o.path == path {
			return o.value
		}
	}
	return nil
}
