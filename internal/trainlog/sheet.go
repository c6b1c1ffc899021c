package trainlog

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/gopdd/gopdd/internal/atomicfile"
)

// The first two columns of the CSV file.
const (
	stepColumn = "step"
	timeColumn = "time"
)

const timeFormat = "2006-01-02T15:04:05.000Z07:00"

// sheet is the CSV file, open for further rows.
type sheet struct {
	path   string
	file   *appender // nil: to be opened before the next row
	header []string  // step, time, names
	step   int       // no row may come for an earlier one
	row    []string  // the last row in the file, as wide as header; nil: none
	closed bool
}

// check reads the file as openSheet does and changes nothing.
func check(path string) error {
	_, err := readSheet(path, func([]string, int) {})
	return err
}

// openSheet opens the file or makes it. Rows of steps after resume are dropped, all of them where resume is 0.
func openSheet(path string, resume int) (*sheet, error) {
	s := &sheet{path: path, step: resume}
	var keep [][]string
	header, err := readSheet(path, func(row []string, step int) {
		if resume > 0 && step <= resume {
			keep = append(keep, row)
		}
	})
	if err != nil {
		return nil, err
	}
	if len(keep) == 0 {
		header = []string{stepColumn, timeColumn}
	}
	if err := s.rewrite(header, keep); err != nil {
		return nil, err
	}
	return s, s.open()
}

// readSheet calls row with every whole row of the file and its step, which grows from row to row, and returns the
// header. A file that does not exist or is empty has neither.
func readSheet(path string, row func(cells []string, step int)) (header []string, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(text) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1] // without the row that a killed process left unfinished
	r := csv.NewReader(bytes.NewReader(text))
	header, err = r.Read()
	if err != nil || len(header) < 2 || header[0] != stepColumn || header[1] != timeColumn {
		return nil, errors.New("its first line does not begin with step,time: no log of a training run: move the file away or choose another folder")
	}
	for last := -1; ; {
		cells, err := r.Read()
		if err == io.EOF {
			return header, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: mend the line or move the file away", err)
		}
		line, _ := r.FieldPos(0)
		step, err := strconv.Atoi(cells[0])
		if err != nil || step <= last {
			return nil, fmt.Errorf("line %d: step %q after step %d: mend the line or move the file away", line, cells[0], last)
		}
		row(cells, step)
		last = step
	}
}

// rewrite makes the file anew of the header and rows, which may be narrower. The next row opens it.
func (s *sheet) rewrite(header []string, rows [][]string) error {
	err := atomicfile.Write(s.path, func(w io.Writer) error {
		c := csv.NewWriter(w)
		c.Write(header)
		for _, row := range rows {
			c.Write(widened(row, len(header)))
		}
		c.Flush()
		return c.Error()
	})
	if err != nil {
		return err
	}
	s.header, s.row = header, nil
	if len(rows) > 0 {
		s.row = widened(rows[len(rows)-1], len(header))
	}
	old := s.file
	s.file = nil
	if old != nil {
		return old.f.Close()
	}
	return nil
}

// open opens the file for further rows unless it is open.
func (s *sheet) open() error {
	if s.file != nil {
		return nil
	}
	f, err := os.OpenFile(s.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	s.file = &appender{f: f, size: size}
	if s.row != nil {
		s.file.last = line(s.row)
	}
	return nil
}

// admit refuses a step before the last one, and all when the sheet is closed.
func (s *sheet) admit(step int) error {
	if s.closed {
		return os.ErrClosed
	}
	if step < s.step {
		return fmt.Errorf("it comes after step %d", s.step)
	}
	return nil
}

// put adds values to the row of the step, which is the last one or new.
func (s *sheet) put(step int, now time.Time, values []Scalar) error {
	if err := s.widen(values); err != nil {
		return err
	}
	if err := s.open(); err != nil {
		return err
	}
	row := make([]string, len(s.header))
	same := s.row != nil && s.row[0] == strconv.Itoa(step)
	if same {
		copy(row, s.row)
	} else {
		row[0], row[1] = strconv.Itoa(step), now.UTC().Format(timeFormat)
	}
	for _, v := range values {
		row[slices.Index(s.header, v.Name)] = strconv.FormatFloat(v.Value, 'g', -1, 64)
	}
	write := s.file.append
	if same {
		write = s.file.replace
	}
	if err := write(line(row)); err != nil {
		return err
	}
	s.step, s.row = step, row
	return nil
}

// widen adds columns for the names that have none.
func (s *sheet) widen(values []Scalar) error {
	header := slices.Clone(s.header)
	for _, v := range values {
		if !slices.Contains(header, v.Name) {
			header = append(header, v.Name)
		}
	}
	if len(header) == len(s.header) {
		return nil
	}
	var rows [][]string
	if _, err := readSheet(s.path, func(cells []string, _ int) { rows = append(rows, cells) }); err != nil {
		return err
	}
	return s.rewrite(header, rows)
}

func (s *sheet) sync() error {
	if s.closed {
		return os.ErrClosed
	}
	if s.file == nil {
		return nil
	}
	return s.file.f.Sync()
}

// close may be called twice.
func (s *sheet) close() error {
	s.closed = true
	if s.file == nil {
		return nil
	}
	return s.file.close()
}

// widened is row with empty cells up to n.
func widened(row []string, n int) []string {
	return append(slices.Clone(row), make([]string, n-len(row))...)
}

// line is row as the file has it.
func line(row []string) []byte {
	var b bytes.Buffer
	c := csv.NewWriter(&b)
	c.Write(row)
	c.Flush()
	return b.Bytes()
}
