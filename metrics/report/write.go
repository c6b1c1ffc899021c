package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
)

// meanName is the name of the row of means.
const meanName = "mean"

// cell formats a value for people; a missing one is a dash.
func cell(v float64) string {
	if math.IsNaN(v) {
		return "-"
	}
	return strconv.FormatFloat(v, 'f', 4, 64)
}

// exact formats a value without loss; infinite ones are +Inf and -Inf, a missing one is empty.
func exact(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func (r *Report) means() []float64 {
	means := make([]float64, len(r.Metrics))
	for i := range means {
		means[i], _ = r.Mean(i)
	}
	return means
}

// lines are the rows as text, the means last.
func (r *Report) lines(format func(float64) string) [][]string {
	var lines [][]string
	add := func(name string, values []float64) {
		line := []string{name}
		for _, v := range values {
			line = append(line, format(v))
		}
		lines = append(lines, line)
	}
	for _, row := range r.Rows {
		add(row.Name, row.Values)
	}
	add(meanName, r.means())
	return lines
}

func (r *Report) header() []string {
	header := []string{"file"}
	for _, m := range r.Metrics {
		header = append(header, m.Name)
	}
	return header
}

// notes are where the pictures come from, the conventions, then what went wrong: one line each.
func (r *Report) notes() []string {
	var notes []string
	if r.About != "" {
		notes = append(notes, "pictures: "+r.About)
	}
	for i, m := range r.Metrics {
		note := m.Name + ": " + m.About
		if _, n := r.Mean(i); n < len(r.Rows) {
			note += fmt.Sprintf(" (mean of %d of %d pictures)", n, len(r.Rows))
		}
		notes = append(notes, note)
	}
	for _, row := range r.Failed() {
		notes = append(notes, fmt.Sprintf("failed: %s: %s", row.Name, oneLine(row.err())))
	}
	return notes
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// WriteTable writes aligned columns for a terminal, four decimals, the conventions below.
func (r *Report) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range append([][]string{r.header()}, r.lines(cell)...) {
		fmt.Fprintln(t, strings.Join(line, "\t"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s\n", strings.Join(r.notes(), "\n"))
	return err
}

// WriteMarkdown writes a table for documents, four decimals, the conventions below as a list.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	row := func(cells []string) {
		for i, c := range cells {
			cells[i] = strings.ReplaceAll(c, "|", `\|`)
		}
		b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
	}
	row(r.header())
	b.WriteString("|---" + strings.Repeat("|---:", len(r.Metrics)) + "|\n")
	for _, line := range r.lines(cell) {
		row(line)
	}
	for _, note := range r.notes() {
		b.WriteString("\n- " + note)
	}
	_, err := io.WriteString(w, b.String()+"\n")
	return err
}

// WriteCSV writes comma-separated values without loss: a header, a row per picture, the means. Missing values are
// empty, infinite ones +Inf or -Inf. The column error says why a value is missing.
func (r *Report) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	c.Write(append(r.header(), "error"))
	for i, line := range r.lines(exact) {
		message := ""
		if i < len(r.Rows) {
			if err := r.Rows[i].err(); err != nil {
				message = oneLine(err)
			}
		}
		c.Write(append(line, message))
	}
	c.Flush()
	return c.Error()
}

// The JSON form. Values are numbers, or the strings "+Inf" and "-Inf", which JSON has no numbers for; missing ones are
// absent.
type (
	jsonReport struct {
		About   string         `json:"about,omitempty"`
		Metrics []jsonMetric   `json:"metrics"`
		Mean    map[string]any `json:"mean"`
		Files   []jsonRow      `json:"files"`
	}
	jsonMetric struct {
		Name   string `json:"name"`
		About  string `json:"about"`
		Better string `json:"better"` // higher, lower, or 1
		Count  int    `json:"count"`  // of the pictures in the mean
	}
	jsonRow struct {
		File   string            `json:"file"`
		Values map[string]any    `json:"values"`
		Errors map[string]string `json:"errors,omitempty"`
	}
)

// WriteJSON writes everything the report knows, without loss.
func (r *Report) WriteJSON(w io.Writer) error {
	out := jsonReport{About: r.About, Mean: r.values(r.means())}
	for i, m := range r.Metrics {
		_, n := r.Mean(i)
		out.Metrics = append(out.Metrics, jsonMetric{Name: m.Name, About: m.About, Better: m.better(), Count: n})
	}
	for _, row := range r.Rows {
		j := jsonRow{File: row.Name, Values: r.values(row.Values)}
		for i, err := range row.Errors {
			if err != nil {
				if j.Errors == nil {
					j.Errors = map[string]string{}
				}
				j.Errors[r.Metrics[i].Name] = err.Error()
			}
		}
		out.Files = append(out.Files, j)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

func (m Metric) better() string {
	switch {
	case m.Target:
		return "1"
	case m.Higher:
		return "higher"
	}
	return "lower"
}

// values names the values that are there.
func (r *Report) values(values []float64) map[string]any {
	named := map[string]any{}
	for i, v := range values {
		switch {
		case math.IsInf(v, 0):
			named[r.Metrics[i].Name] = exact(v)
		case !math.IsNaN(v):
			named[r.Metrics[i].Name] = v
		}
	}
	return named
}
