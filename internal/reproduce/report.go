package reproduce

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gopdd/gopdd/internal/atomicfile"
)

// Outcome is a row with what became of it.
type Outcome struct {
	Row    Row
	Result *Result // nil: none
	Status string  // done, kept, skipped, failed, stopped
	Why    string  // of skipped and failed
}

// Report is what a run of the harness gives.
type Report struct {
	Outcomes []Outcome
	Printed  Printed
	Head     []string // what must be known before any number is read: features, fraction, changed settings
}

// Files of a report in the folder of a run.
const (
	MarkdownFile = "reproduce.md"
	CSVFile      = "reproduce.csv"
	JSONFile     = "reproduce.json"
)

// Write writes all three files into dir.
func (r *Report) Write(dir string) error {
	for _, f := range []struct {
		name string
		fill func(io.Writer) error
	}{{MarkdownFile, r.WriteMarkdown}, {CSVFile, r.WriteCSV}, {JSONFile, r.WriteJSON}} {
		if err := atomicfile.Write(filepath.Join(dir, f.name), f.fill); err != nil {
			return err
		}
	}
	return nil
}

// WriteCSV writes a line per row, variant and metric.
func (r *Report) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.Write([]string{"row", "places", "colours", "metric", "ours", "printed", "gap", "gain_over_base", "stated_gain", "steps", "pictures", "status"})
	for _, o := range r.Outcomes {
		r.csvRows(out, o)
	}
	out.Flush()
	return out.Error()
}

func (r *Report) csvRows(out *csv.Writer, o Outcome) {
	places := strings.Join(o.Row.Places, " ")
	if o.Result == nil {
		out.Write([]string{o.Row.ID(), places, "", "", "", "", "", "", "", "", "", o.Status})
		return
	}
	for _, v := range o.variants() {
		for _, m := range metricTable {
			c := r.cell(o, v, m)
			if !c.has {
				continue
			}
			line := []string{o.Row.ID(), places, v.name, m.Name, number(c.ours), "", "", "", "", strconv.Itoa(o.Result.Steps), strconv.Itoa(o.Result.Pictures), o.Status}
			if c.printed != nil {
				line[5], line[6] = number(*c.printed), number(c.ours-*c.printed)
			}
			if c.gain != nil {
				line[7] = number(*c.gain)
			}
			if c.stated != nil {
				line[8] = c.stated.Text
			}
			out.Write(line)
		}
	}
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// WriteJSON writes the results with the paper's numbers and gaps.
func (r *Report) WriteJSON(w io.Writer) error {
	type row struct {
		ID      string             `json:"row"`
		About   string             `json:"about"`
		Places  []string           `json:"places"`
		Status  string             `json:"status"`
		Why     string             `json:"why,omitempty"`
		Result  *Result            `json:"result,omitempty"`
		Printed map[string]float64 `json:"printed,omitempty"`
		Gap     map[string]float64 `json:"gap,omitempty"`
		Gain    map[string]float64 `json:"gain_over_base,omitempty"`
	}
	doc := struct {
		Head []string `json:"head"`
		Rows []row    `json:"rows"`
	}{Head: r.Head, Rows: []row{}}
	for _, o := range r.Outcomes {
		line := row{ID: o.Row.ID(), About: o.Row.System.About, Places: o.Row.Places, Status: o.Status, Why: o.Why, Result: o.Result, Printed: r.Printed[o.Row.ID()]}
		if o.Result != nil {
			line.Gap, line.Gain = map[string]float64{}, map[string]float64{}
			for _, m := range metricTable {
				c := r.cell(o, o.variants()[0], m)
				if c.has && c.printed != nil {
					line.Gap[m.Name] = c.ours - *c.printed
				}
				if c.gain != nil {
					line.Gain[m.Name] = *c.gain
				}
			}
		}
		doc.Rows = append(doc.Rows, line)
	}
	return writeJSON(w, doc)
}

// variant is one way of measuring a row's results.
type variant struct {
	name   string
	values map[string]float64
}

// variants are those of a row, the one to be set beside printed numbers first.
func (o Outcome) variants() []variant {
	plain, corrected := variant{"as they are", o.Result.Plain}, variant{"corrected", o.Result.Corrected}
	switch {
	case o.Result.Corrected == nil:
		return []variant{plain}
	case o.Row.Corrected():
		return []variant{corrected, plain}
	}
	return []variant{plain, corrected}
}

// cell is a number with all that stands beside it.
type cell struct {
	has           bool
	ours          float64
	printed, gain *float64
	stated        *Stated
}

// cell gives the number of one metric. Printed numbers and what is stated stand beside a row's first variant alone; gains
// are over the base's same variant, so that colour correction alone is no gain.
func (r *Report) cell(o Outcome, v variant, m Metric) cell {
	var c cell
	c.ours, c.has = v.values[m.Name]
	if !c.has {
		return c
	}
	first := v.name == o.variants()[0].name
	if p, ok := r.Printed[o.Row.ID()][m.Name]; ok && first {
		c.printed = &p
	}
	if base, ok := r.base(o, v)[m.Name]; ok {
		gain := c.ours - base
		c.gain = &gain
		if first {
			c.stated = StatedGain(o.Row.System.ID, m.Name)
		}
	}
	return c
}

// base are the base's values of the same variant; nil: it was not run.
func (r *Report) base(o Outcome, v variant) map[string]float64 {
	for _, b := range r.Outcomes {
		if b.Row.ID() != o.Row.BaseID() || b.Result == nil {
			continue
		}
		for _, same := range b.variants() {
			if same.name == v.name {
				return same.values
			}
		}
	}
	return nil
}

// digits prints a number of a metric.
func (m Metric) digits(v float64, sign bool) string {
	format := "%.*f"
	if sign {
		format = "%+.*f"
	}
	if math.Abs(v)*math.Pow10(m.Digits) < 0.5 {
		format, v = "%.*f", 0 // no sign of what rounds to 0
	}
	return strings.ReplaceAll(fmt.Sprintf(format, m.Digits, v), "-", "−")
}
