package reproduce

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// WriteMarkdown writes a table for each table or figure of the paper that a row stands in.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprint(&b, "# The paper's tables, ours beside the printed\n\n")
	for _, h := range r.Head {
		fmt.Fprintf(&b, "- %s\n", h)
	}
	for _, p := range places {
		list := slices.Clone(r.Outcomes)
		list = slices.DeleteFunc(list, func(o Outcome) bool { return !o.Row.In(p.ID) })
		if len(list) > 0 {
			r.place(&b, p, list)
		}
	}
	r.notes(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// columns are the metrics of a place that any row has.
func (r *Report) columns(p Place, list []Outcome) (columns []Metric) {
	for _, m := range metricTable {
		if p.KL && m.Name != KL {
			continue
		}
		if slices.ContainsFunc(list, func(o Outcome) bool { return o.Result != nil && has(o.Result.Plain, m.Name) }) {
			columns = append(columns, m)
		}
	}
	return columns
}

func has(values map[string]float64, name string) bool {
	_, ok := values[name]
	return ok
}

func (r *Report) place(b *strings.Builder, p Place, list []Outcome) {
	fmt.Fprintf(b, "\n## %s\n\n", p.Title)
	if p.Note != "" {
		fmt.Fprintf(b, "%s.\n\n", upper(p.Note))
	}
	columns := r.columns(p, list)
	if len(columns) > 0 {
		r.table(b, p, columns, list)
	}
	for _, o := range list {
		if o.Result == nil {
			fmt.Fprintf(b, "- %s: %s%s\n", o.Row.ID(), o.Status, because(o.Why))
		}
	}
}

// column is a metric in a table, with those of its companions that any row fills.
type column struct {
	Metric
	printed, change, stated bool
}

func (r *Report) fill(p Place, m Metric, list []Outcome) column {
	c := column{Metric: m, change: p.Gains || p.KL}
	for _, o := range list {
		if o.Result != nil {
			first := r.cell(o, o.variants()[0], m)
			c.printed = c.printed || first.printed != nil
			c.stated = c.stated || c.change && first.stated != nil
		}
	}
	return c
}

// titles are the headings of a column.
func (c column) titles() []string {
	list := []string{c.Title}
	if c.printed {
		list = append(list, "printed", "gap")
	}
	if c.change {
		list = append(list, "change")
	}
	if c.stated {
		list = append(list, "stated")
	}
	return list
}

func (r *Report) table(b *strings.Builder, p Place, metrics []Metric, list []Outcome) {
	var columns []column
	var titles, bare []string
	for _, m := range metrics {
		c := r.fill(p, m, list)
		columns, titles = append(columns, c), append(titles, c.titles()...)
		if !c.printed {
			bare = append(bare, m.Title)
		}
	}
	if len(bare) > 0 {
		fmt.Fprintf(b, "Printed numbers not at hand: %s.\n\n", strings.Join(bare, "; "))
	}
	fmt.Fprintf(b, "| row | colours | steps | %s |\n|---|---|---:|%s\n", strings.Join(titles, " | "), strings.Repeat("---:|", len(titles)))
	for _, o := range list {
		if o.Result == nil {
			continue
		}
		for _, v := range o.variants() {
			fmt.Fprintf(b, "| %s | %s | %s |", o.Row.ID(), v.name, steps(o.Result))
			for _, c := range columns {
				fmt.Fprintf(b, " %s |", strings.Join(c.cells(r.cell(o, v, c.Metric)), " | "))
			}
			fmt.Fprintln(b)
		}
	}
	fmt.Fprintln(b)
}

// cells are a row's texts below the titles.
func (c column) cells(v cell) []string {
	list := []string{"–"}
	if v.has {
		list[0] = c.digits(v.ours, false)
	}
	if c.printed {
		two := []string{"", ""}
		if v.printed != nil {
			two = []string{c.digits(*v.printed, false), c.digits(v.ours-*v.printed, true)}
		}
		list = append(list, two...)
	}
	text := ""
	if c.change {
		if v.gain != nil {
			text = c.digits(*v.gain, true)
		}
		list = append(list, text)
	}
	if c.stated {
		text = ""
		if v.stated != nil {
			text = v.stated.Text + verdict(*v.stated, *v.gain)
		}
		list = append(list, text)
	}
	return list
}

func verdict(s Stated, gain float64) string {
	if gain >= s.Low && gain <= s.High {
		return " (within)"
	}
	return " (outside)"
}

func steps(r *Result) string {
	if r.Steps == 0 {
		return "none"
	}
	return fmt.Sprint(r.Steps)
}

func (r *Report) notes(b *strings.Builder) {
	var lines []string
	for _, o := range r.Outcomes {
		if o.Result == nil {
			continue
		}
		for _, n := range o.Result.Notes {
			lines = append(lines, fmt.Sprintf("- %s: %s\n", o.Row.ID(), n))
		}
	}
	if len(lines) > 0 {
		fmt.Fprintf(b, "\n## What failed\n\n%s", strings.Join(lines, ""))
	}
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// WriteSummary writes a line per row for a terminal, after what makes a run a trial.
func (r *Report) WriteSummary(w io.Writer) error {
	var b strings.Builder
	for _, h := range r.Head {
		if strings.HasPrefix(h, "**") {
			fmt.Fprintln(&b, strings.Trim(h, "*"))
		}
	}
	width := 0
	for _, o := range r.Outcomes {
		width = max(width, len(o.Row.ID()))
	}
	for _, o := range r.Outcomes {
		fmt.Fprintf(&b, "%-*s  %-9s", width, o.Row.ID(), o.Status)
		if o.Result != nil {
			for _, m := range metricTable {
				if c := r.cell(o, o.variants()[0], m); c.has && (m.Name == "psnr_y_bt601" || m.Name == "ssim_y_bt601" || m.Name == KL) {
					fmt.Fprintf(&b, "  %s %s", m.Title, m.digits(c.ours, false))
					if c.printed != nil {
						fmt.Fprintf(&b, " (printed %s)", m.digits(*c.printed, false))
					}
				}
			}
		} else {
			b.WriteString("  " + o.Why)
		}
		fmt.Fprintln(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
