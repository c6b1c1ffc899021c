package trainlog

import (
	"errors"
	"fmt"
	"strconv"
)

// Series is a column of the log: the values that were reported for one name, in the order of steps.
type Series struct {
	Name   string
	Steps  []int
	Values []float64 // as long as Steps; may be NaN or infinite
}

// Read reads a CSV file of a [Log], also of a run that is still going on. Series come in the order of columns. It
// returns an error if the file is not there or not a log.
func Read(path string) ([]Series, error) {
	var rows [][]string
	header, err := readSheet(path, func(cells []string, _ int) { rows = append(rows, cells) })
	if err == nil && header == nil {
		err = errors.New("the file does not exist or is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("trainlog: read %q: %w", path, err)
	}
	all := make([]Series, len(header)-2)
	for i := range all {
		all[i].Name = header[i+2]
	}
	for _, cells := range rows {
		step, _ := strconv.Atoi(cells[0]) // readSheet has checked it
		for i, cell := range cells[2:] {
			if cell == "" {
				continue
			}
			v, err := strconv.ParseFloat(cell, 64)
			if err != nil {
				return nil, fmt.Errorf("trainlog: read %q: step %d: %s is %q: not a number", path, step, all[i].Name, cell)
			}
			all[i].Steps = append(all[i].Steps, step)
			all[i].Values = append(all[i].Values, v)
		}
	}
	return all, nil
}
