package trainlog

import (
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"
)

// File is the name of the CSV file in the folder of a run.
const File = "train.csv"

// Scalar is a named value of a step; it may be NaN or infinite.
type Scalar struct {
	Name  string
	Value float64
}

// Options of [Open].
type Options struct {
	// Resume is the last step whose records are kept. 0 begins anew: all rows are dropped, and TensorBoard forgets
	// all events.
	Resume int
	// TensorBoard also writes an event file. Without it Image and Text do nothing.
	TensorBoard bool
}

// Log writes the records of one run. Steps are reported in order, a step as often as needed. It is not safe for
// concurrent use. Two Logs of one folder at a time spoil each other's CSV file.
type Log struct {
	csv    *sheet
	events *events // nil without TensorBoard
}

// Open makes the folder dir if need be and opens the log in it as opt says. It refuses a CSV file that is not a log,
// and then changes nothing.
func Open(dir string, opt Options) (*Log, error) {
	if opt.Resume < 0 {
		return nil, fmt.Errorf("trainlog: open %q: resume after step %d: want 0 or more", dir, opt.Resume)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("trainlog: open: %w", err)
	}
	path := filepath.Join(dir, File)
	if err := check(path); err != nil {
		return nil, fmt.Errorf("trainlog: open %q: %w", path, err)
	}
	l := &Log{}
	if opt.TensorBoard {
		e, err := newEvents(dir, opt.Resume)
		if err != nil {
			return nil, fmt.Errorf("trainlog: open an event file in %q: %w", dir, err)
		}
		l.events = e
	}
	csv, err := openSheet(path, opt.Resume)
	if err != nil {
		if l.events != nil {
			err = errors.Join(err, l.events.remove())
		}
		return nil, fmt.Errorf("trainlog: open %q: %w", path, err)
	}
	l.csv = csv
	return l, nil
}

// Scalars records values of a step, which is no earlier than that of the call before. Several calls for one step fill
// one row; a name that comes again in them replaces its value. Names are not empty, have no control characters, and are
// not "step" or "time".
func (l *Log) Scalars(step int, values []Scalar) error {
	for _, v := range values {
		if v.Name == "" || v.Name == stepColumn || v.Name == timeColumn || strings.ContainsFunc(v.Name, unicode.IsControl) {
			return fmt.Errorf("trainlog: scalars of step %d: a value named %q: choose another name", step, v.Name)
		}
	}
	if err := l.csv.admit(step); err != nil {
		return fmt.Errorf("trainlog: scalars of step %d: %w", step, err)
	}
	if len(values) == 0 {
		return nil
	}
	now := time.Now()
	err := l.csv.put(step, now, values)
	if l.events != nil {
		err = errors.Join(err, l.events.scalars(step, now, values))
	}
	if err != nil {
		return fmt.Errorf("trainlog: scalars of step %d: %w", step, err)
	}
	return nil
}

// Image shows a picture in TensorBoard, as a PNG file inside the event.
func (l *Log) Image(step int, tag string, m image.Image) error {
	if l.events == nil {
		return nil
	}
	if err := l.events.image(step, time.Now(), tag, m); err != nil {
		return fmt.Errorf("trainlog: image %s of step %d: %w", tag, step, err)
	}
	return nil
}

// Text shows a text in TensorBoard, line by line as it is, in a type of fixed width: a configuration, a table.
func (l *Log) Text(step int, tag, text string) error {
	if l.events == nil {
		return nil
	}
	if err := l.events.text(step, time.Now(), tag, text); err != nil {
		return fmt.Errorf("trainlog: text %s of step %d: %w", tag, step, err)
	}
	return nil
}

// Sync waits until all records are on the disk. Without it they survive the end of the process, but not of the machine.
func (l *Log) Sync() error {
	err := l.csv.sync()
	if l.events != nil {
		err = errors.Join(err, l.events.sync())
	}
	if err != nil {
		return fmt.Errorf("trainlog: sync: %w", err)
	}
	return nil
}

// Close syncs and closes the files. Nothing but Close, again, may follow.
func (l *Log) Close() error {
	err := l.csv.close()
	if l.events != nil {
		err = errors.Join(err, l.events.close())
	}
	if err != nil {
		return fmt.Errorf("trainlog: close: %w", err)
	}
	return nil
}
