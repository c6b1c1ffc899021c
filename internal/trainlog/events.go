package trainlog

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// eventPrefix begins the name of an event file; the time of its making in seconds follows. TensorBoard reads the files
// of a folder in the order of their names.
const eventPrefix = "events.out.tfevents."

// events is an open event file: TFRecords of Event messages.
type events struct {
	file appender
}

// newEvents makes a further event file in dir. It tells TensorBoard to forget what earlier files say of steps after
// resume, of all steps where resume is 0.
func newEvents(dir string, resume int) (*events, error) {
	newest, err := newestEvents(dir)
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	now := time.Now()
	name := fmt.Sprintf("%s%010d.%s.%d", eventPrefix, max(now.Unix(), newest+1), host, os.Getpid())
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	e := &events{file: appender{f: f}}
	first := resume + 1
	if resume == 0 {
		first = 0
	}
	err = errors.Join(e.put(versionEvent(now)), e.put(startEvent(now, first)))
	if err != nil {
		return nil, errors.Join(err, e.remove())
	}
	return e, nil
}

// newestEvents is the largest time in names of event files in dir, 0 if there are none.
func newestEvents(dir string) (newest int64, err error) {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if rest, ok := strings.CutPrefix(e.Name(), eventPrefix); ok {
			digits, _, _ := strings.Cut(rest, ".")
			if sec, err := strconv.ParseInt(digits, 10, 64); err == nil {
				newest = max(newest, sec)
			}
		}
	}
	return newest, err
}

func (e *events) scalars(step int, now time.Time, values []Scalar) error {
	return e.put(scalarEvent(step, now, values))
}

func (e *events) image(step int, now time.Time, tag string, m image.Image) error {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		return err
	}
	return e.put(imageEvent(step, now, tag, m.Bounds().Size(), b.Bytes()))
}

// text indents every line by four spaces, with which TensorBoard's Markdown shows it as it is.
func (e *events) text(step int, now time.Time, tag, text string) error {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return e.put(textEvent(step, now, tag, "    "+strings.Join(lines, "\n    ")))
}

// put writes a TFRecord: length, its checksum, the message, its checksum.
func (e *events) put(message []byte) error {
	record := binary.LittleEndian.AppendUint64(nil, uint64(len(message)))
	record = binary.LittleEndian.AppendUint32(record, maskedCRC(record))
	record = append(record, message...)
	record = binary.LittleEndian.AppendUint32(record, maskedCRC(message))
	return e.file.append(record)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maskedCRC is CRC-32C, rotated and moved as TFRecord wants it, so that checksums of data with checksums inside differ
// from them.
func maskedCRC(data []byte) uint32 {
	c := crc32.Checksum(data, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

func (e *events) sync() error  { return e.file.f.Sync() }
func (e *events) close() error { return e.file.close() }

// remove takes the file away again.
func (e *events) remove() error {
	return errors.Join(e.file.f.Close(), os.Remove(e.file.f.Name()))
}
