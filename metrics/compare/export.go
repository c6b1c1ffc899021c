package compare

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"strconv"

	"github.com/gopdd/gopdd/metrics/report"
)

// WriteCSV writes the tables as comma-separated values without loss: a row per system and metric. Missing values are
// empty, infinite ones +Inf or -Inf.
func (c *Comparison) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	out.Write([]string{"system", "metric", "mean", "pictures", "best", "baseline", "difference", "low", "high", "better", "worse", "equal"})
	for _, s := range c.Systems {
		for m, cell := range s.Cells {
			d := cell.Delta
			out.Write([]string{s.Name, c.Metrics[m].Name, exact(cell.Mean), strconv.Itoa(cell.Count), strconv.FormatBool(cell.Best),
				c.Systems[c.Baseline].Name, exact(d.Mean), exact(d.Low), exact(d.High),
				strconv.Itoa(d.Better), strconv.Itoa(d.Worse), strconv.Itoa(d.Equal)})
		}
	}
	out.Flush()
	return out.Error()
}

// WritePicturesCSV writes a row per system and picture, without loss. The column error says why a value is missing.
func (c *Comparison) WritePicturesCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	head := []string{"system", "picture", "file"}
	for _, m := range c.Metrics {
		head = append(head, m.Name)
	}
	out.Write(append(head, "error"))
	for _, s := range c.Systems {
		for i, r := range s.Results {
			row := []string{s.Name, c.Pictures[i].Name, r.Path}
			for _, v := range r.Values {
				row = append(row, exact(v))
			}
			message := ""
			if err := r.Err(); err != nil {
				message = oneLine(err)
			}
			out.Write(append(row, message))
		}
	}
	out.Flush()
	return out.Error()
}

// The JSON form. Values are numbers, or the strings "+Inf" and "-Inf", which JSON has no numbers for; missing ones are
// null.
type (
	jsonComparison struct {
		Baseline string       `json:"baseline"`
		Metrics  []jsonMetric `json:"metrics"`
		Systems  []jsonSystem `json:"systems"`
		Pictures int          `json:"pictures"`
		Interval string       `json:"interval"`
		Notes    []string     `json:"notes,omitempty"`
		Failed   []string     `json:"failed,omitempty"`
	}
	jsonMetric struct {
		Name   string `json:"name"`
		About  string `json:"about"`
		Better string `json:"better"` // higher, lower, or 1
	}
	jsonSystem struct {
		Name     string              `json:"name"`
		About    string              `json:"about,omitempty"`
		Maker    json.RawMessage     `json:"maker,omitempty"`
		Metrics  map[string]jsonCell `json:"metrics"`
		Pictures []jsonPicture       `json:"pictures"`
	}
	jsonCell struct {
		Mean     number `json:"mean"`
		Pictures int    `json:"pictures"`
		Best     bool   `json:"best"`
		Delta    number `json:"difference"`
		Low      number `json:"low"`
		High     number `json:"high"`
		Better   int    `json:"better"`
		Worse    int    `json:"worse"`
		Equal    int    `json:"equal"`
	}
	jsonPicture struct {
		Picture string            `json:"picture"`
		File    string            `json:"file,omitempty"`
		Values  map[string]number `json:"values"`
		Errors  map[string]string `json:"errors,omitempty"`
	}
)

// WriteJSON writes everything the comparison knows, without loss.
func (c *Comparison) WriteJSON(w io.Writer) error {
	out := jsonComparison{Baseline: c.Systems[c.Baseline].Name, Pictures: len(c.Pictures), Notes: c.Notes, Failed: c.Failed(),
		Interval: aboutInterval}
	for _, m := range c.Metrics {
		out.Metrics = append(out.Metrics, jsonMetric{m.Name, m.About, betterWord(m)})
	}
	for _, s := range c.Systems {
		j := jsonSystem{Name: s.Name, About: s.About, Maker: s.Maker, Metrics: map[string]jsonCell{}}
		for m, cell := range s.Cells {
			d := cell.Delta
			j.Metrics[c.Metrics[m].Name] = jsonCell{number(cell.Mean), cell.Count, cell.Best,
				number(d.Mean), number(d.Low), number(d.High), d.Better, d.Worse, d.Equal}
		}
		for i, r := range s.Results {
			j.Pictures = append(j.Pictures, c.jsonPicture(i, r))
		}
		out.Systems = append(out.Systems, j)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

func (c *Comparison) jsonPicture(i int, r Result) jsonPicture {
	j := jsonPicture{Picture: c.Pictures[i].Name, File: r.Path, Values: map[string]number{}}
	for m, err := range r.Errors {
		if err == nil {
			j.Values[c.Metrics[m].Name] = number(r.Values[m])
			continue
		}
		if j.Errors == nil {
			j.Errors = map[string]string{}
		}
		j.Errors[c.Metrics[m].Name] = err.Error()
	}
	return j
}

func betterWord(m report.Metric) string {
	switch {
	case m.Target:
		return "1"
	case m.Higher:
		return "higher"
	}
	return "lower"
}
