package reproduce

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Printed are the paper's numbers that a reader typed in, by row and metric.
type Printed map[string]map[string]float64

// ReadPrinted reads a CSV file with the columns row, metric, value, with or without a line of these words; lines that
// begin with # are passed over. All faults are reported at once, with their lines.
func ReadPrinted(path string) (Printed, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reproduce: printed numbers: %w", err)
	}
	defer f.Close()
	p, err := parsePrinted(f)
	if err != nil {
		return nil, fmt.Errorf("reproduce: printed numbers: %s: %w", path, err)
	}
	return p, nil
}

func parsePrinted(r io.Reader) (Printed, error) {
	in := csv.NewReader(r)
	in.Comment, in.TrimLeadingSpace, in.FieldsPerRecord = '#', true, -1
	p, rows := Printed{}, rowIDs(Rows())
	var faults []error
	for first := true; ; first = false {
		record, err := in.Read()
		if err == io.EOF {
			return p, errors.Join(faults...)
		}
		line, _ := in.FieldPos(0)
		if err != nil {
			return nil, errors.Join(append(faults, err)...)
		}
		for i := range record {
			record[i] = strings.TrimSpace(record[i])
		}
		if first && slices.Equal(record, []string{"row", "metric", "value"}) {
			continue
		}
		if err := p.add(record, rows); err != nil {
			faults = append(faults, fmt.Errorf("line %d: %w", line, err))
		}
	}
}

func (p Printed) add(record, rows []string) error {
	if len(record) != 3 {
		return fmt.Errorf("%d columns, want 3: row, metric, value", len(record))
	}
	row, metric := record[0], record[1]
	if !slices.Contains(rows, row) {
		return fmt.Errorf("no row %q%s", row, suggest(row, rows))
	}
	if !slices.Contains(metricNames(), metric) {
		return fmt.Errorf("no metric %q%s", metric, suggest(metric, metricNames()))
	}
	value, err := strconv.ParseFloat(record[2], 64)
	if err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
		return fmt.Errorf("value %q is no number", record[2])
	}
	if _, twice := p[row][metric]; twice {
		return fmt.Errorf("%s of %s is there twice", metric, row)
	}
	if p[row] == nil {
		p[row] = map[string]float64{}
	}
	p[row][metric] = value
	return nil
}
