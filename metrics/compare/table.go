package compare

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gopdd/gopdd/metrics/report"
)

// shortNames are the beginnings of the metrics' names, as far as they need to be to tell them apart: psnr of
// psnr_y_bt601_pyiqa where there is no other PSNR.
func shortNames(list []report.Metric) []string {
	short := make([]string, len(list))
	for i, m := range list {
		parts := strings.Split(m.Name, "_")
		for n := 1; n <= len(parts); n++ {
			short[i] = strings.Join(parts[:n], "_")
			if beginsOnly(list, short[i], i) {
				break
			}
		}
	}
	return short
}

// beginsOnly reports whether no metric but number i has a name that begins with the words of prefix.
func beginsOnly(list []report.Metric, prefix string, i int) bool {
	for k, m := range list {
		if k != i && strings.HasPrefix(m.Name+"_", prefix+"_") {
			return false
		}
	}
	return true
}

// arrow says which direction of a metric is better.
func arrow(m report.Metric) string {
	switch {
	case m.Target:
		return "→1"
	case m.Higher:
		return "↑"
	}
	return "↓"
}

// decimals to show of a metric: about four digits.
func (c *Comparison) decimals(m int) int {
	var largest float64
	for _, s := range c.Systems {
		if v := math.Abs(s.Cells[m].Mean); !math.IsInf(v, 0) && v > largest {
			largest = v
		}
	}
	switch {
	case largest >= 10:
		return 2
	case largest >= 1:
		return 3
	}
	return 4
}

// decimal formats a value for people; a missing one is a dash.
func decimal(v float64, decimals int) string {
	if math.IsNaN(v) {
		return "-"
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// signed is decimal with the sign that a difference should have.
func signed(v float64, decimals int) string {
	text := decimal(v, decimals)
	if v > 0 && !strings.HasPrefix(text, "+") {
		text = "+" + text
	}
	return text
}

// grid is a table of text; the first row is its head.
type grid [][]string

// means is the main table: a row per system, a column per metric with the difference to the baseline.
func (c *Comparison) means(best func(text string) string) grid {
	head := []string{"system"}
	for i, short := range shortNames(c.Metrics) {
		head = append(head, short+" "+arrow(c.Metrics[i]), "")
	}
	g := grid{head}
	for i, s := range c.Systems {
		row := []string{s.Name}
		for m, cell := range s.Cells {
			n := c.decimals(m)
			value, delta := decimal(cell.Mean, n), ""
			if cell.Best {
				value = best(value)
			}
			if i != c.Baseline && !math.IsNaN(cell.Delta.Mean) {
				delta = "(" + signed(cell.Delta.Mean, n) + ")"
			}
			row = append(row, value, delta)
		}
		g = append(g, row)
	}
	return g
}

// deltas is the second table: a row per metric and system.
func (c *Comparison) deltas() grid {
	g := grid{{"metric", "system", "difference", "95 % interval", "better", "worse", "equal"}}
	for m, short := range shortNames(c.Metrics) {
		for i, s := range c.Systems {
			if i == c.Baseline {
				continue
			}
			d, n := s.Cells[m].Delta, c.decimals(m)
			interval := "-"
			if !math.IsNaN(d.Low) {
				interval = fmt.Sprintf("%s … %s", signed(d.Low, n), signed(d.High, n))
			}
			g = append(g, []string{short + " " + arrow(c.Metrics[m]), s.Name, signed(d.Mean, n), interval,
				strconv.Itoa(d.Better), strconv.Itoa(d.Worse), strconv.Itoa(d.Equal)})
		}
	}
	return g
}

// aboutInterval says how intervals were computed.
const aboutInterval = "95 % interval: bootstrap over pictures, 20000 draws, percentiles expanded for small samples"

// notes explain the tables and name what is missing, one line each.
func (c *Comparison) notes() []string {
	var notes []string
	for m, short := range shortNames(c.Metrics) {
		line := c.Metrics[m].Name + ": " + c.Metrics[m].About
		if short != c.Metrics[m].Name {
			line = short + " is " + line
		}
		if n := len(c.common(m)); n < len(c.Pictures) {
			line += fmt.Sprintf(" (mean of the %d of %d pictures that all systems have)", n, len(c.Pictures))
		}
		notes = append(notes, line)
	}
	notes = append(notes, fmt.Sprintf("difference: to %s, mean over pictures; %s; better, worse, equal: pictures", c.Systems[c.Baseline].Name, aboutInterval))
	notes = append(notes, c.Notes...)
	for _, f := range c.Failed() {
		notes = append(notes, "failed: "+f)
	}
	return notes
}

func (c *Comparison) title() string {
	return fmt.Sprintf("%d systems on %d pictures, differences to %s", len(c.Systems), len(c.Pictures), c.Systems[c.Baseline].Name)
}

// WriteTable writes both tables for a terminal, the best mean marked with *, the conventions below.
func (c *Comparison) WriteTable(w io.Writer) error {
	var b strings.Builder
	b.WriteString(c.title() + "; * best mean\n\n")
	c.means(func(text string) string { return text + "*" }).text(&b, "<"+strings.Repeat("><", len(c.Metrics)))
	if len(c.Systems) > 1 {
		b.WriteString("\n")
		c.deltas().text(&b, "<<><>>>")
	}
	b.WriteString("\n" + strings.Join(c.notes(), "\n") + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// text writes aligned columns: < left, > right. The mark * of a right column stands outside of it.
func (g grid) text(b *strings.Builder, align string) {
	widths := make([]int, len(g[0]))
	for _, row := range g {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(strings.TrimSuffix(cell, "*")))
		}
	}
	for _, row := range g {
		var line strings.Builder
		for i, cell := range row {
			bare, starred := strings.CutSuffix(cell, "*")
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(bare))
			mark := " "
			if starred {
				mark = "*"
			}
			if align[i] == '>' {
				line.WriteString(pad + bare + mark + " ")
			} else {
				line.WriteString(bare + pad + "  ")
			}
		}
		b.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
}

// WriteMarkdown writes both tables for documents, the best mean in bold, the conventions below as a list.
func (c *Comparison) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString(c.title() + "; best mean in bold.\n\n")
	c.means(func(text string) string { return "**" + text + "**" }).joined().markdown(&b, "<"+strings.Repeat(">", len(c.Metrics)))
	if len(c.Systems) > 1 {
		b.WriteString("\n")
		c.deltas().markdown(&b, "<<>>>>>")
	}
	b.WriteString("\n")
	for _, note := range c.notes() {
		b.WriteString("- " + note + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// joined puts each value and its difference into one cell.
func (g grid) joined() grid {
	var out grid
	for _, row := range g {
		cells := []string{row[0]}
		for i := 1; i < len(row); i += 2 {
			cells = append(cells, strings.TrimSpace(row[i]+" "+row[i+1]))
		}
		out = append(out, cells)
	}
	return out
}

func (g grid) markdown(b *strings.Builder, align string) {
	for i, row := range g {
		for _, cell := range row {
			b.WriteString("| " + strings.ReplaceAll(cell, "|", `\|`) + " ")
		}
		b.WriteString("|\n")
		if i > 0 {
			continue
		}
		for _, a := range align {
			b.WriteString(map[rune]string{'<': "|---", '>': "|---:"}[a])
		}
		b.WriteString("|\n")
	}
}
