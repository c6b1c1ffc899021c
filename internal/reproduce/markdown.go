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

func (r *Report) table(b *strings.Builder, p Place, columns []Metric, list []Outcome) {
	fmt.Fprint(b, "| row | colours | steps |")
	for _, m := range columns {
		fmt.Fprintf(b, " %s | printed | gap |", m.Title)
		if p.Gains || p.KL {
			fmt.Fprint(b, " change | stated |")
		}
	}
	extra := 3
	if p.Gains || p.KL {
		extra = 5
	}
	fmt.Fprint(b, "\n|---|---|---:|"+strings.Repeat("---:|", extra*len(columns))+"\n")
	for _, o := range list {
		if o.Result == nil {
			continue
		}
		for _, v := range o.variants() {
			fmt.Fprintf(b, "| %s | %s | %s |", o.Row.ID(), v.name, steps(o.Result))
			for _, m := range columns {
				b.WriteString(r.markdownCell(p, m, r.cell(o, v, m), v.name == o.variants()[0].name))
			}
			fmt.Fprintln(b)
		}
	}
	fmt.Fprintln(b)
}

func (r *Report) markdownCell(p Place, m Metric, c cell, first bool) string {
	text := [5]string{"–", "", "", "", ""}
	if first {
		text[1] = "not at hand"
	}
	if c.has {
		text[0] = m.digits(c.ours, false)
	}
	if c.printed != nil {
		text[1], text[2] = m.digits(*c.printed, false), m.digits(c.ours-*c.printed, true)
	}
	if c.gain != nil {
		text[3] = m.digits(*c.gain, true)
	}
	if c.stated != nil {
		text[4] = c.stated.Text + verdict(*c.stated, *c.gain)
	}
	n := 3
	if p.Gains || p.KL {
		n = 5
	}
	return " " + strings.Join(text[:n], " | ") + " |"
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
