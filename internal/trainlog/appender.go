package trainlog

import (
	"errors"
	"os"
)

// appender adds records to a file. A record that cannot be written is taken back; only the end of the process in the
// middle of a write leaves a part of one, at the end of the file.
type appender struct {
	f    *os.File
	size int64  // of the records, all of them whole
	last []byte // the last record, or nil if there is none to replace
}

func (a *appender) append(record []byte) error {
	if _, err := a.f.WriteAt(record, a.size); err != nil {
		return errors.Join(err, a.f.Truncate(a.size))
	}
	a.size += int64(len(record))
	a.last = record
	return nil
}

// replace puts record in the place of the last one.
func (a *appender) replace(record []byte) error {
	begin := a.size - int64(len(a.last))
	_, err := a.f.WriteAt(record, begin)
	if err == nil {
		err = a.f.Truncate(begin + int64(len(record)))
	}
	if err != nil {
		_, undo := a.f.WriteAt(a.last, begin)
		return errors.Join(err, undo, a.f.Truncate(a.size))
	}
	a.size = begin + int64(len(record))
	a.last = record
	return nil
}

// close may be called twice.
func (a *appender) close() error {
	err := a.f.Sync()
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return errors.Join(err, a.f.Close())
}
