package trainlog_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/gopdd/gopdd/internal/trainlog"
)

// fields are those of a message: numbers as uint64, bytes as []byte, by field number.
type fields map[protowire.Number][]any

func parse(t *testing.T, b []byte) fields {
	t.Helper()
	f := fields{}
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		var v any
		switch typ {
		case protowire.VarintType:
			v, n = consume(protowire.ConsumeVarint(b))
		case protowire.Fixed64Type:
			v, n = consume(protowire.ConsumeFixed64(b))
		case protowire.Fixed32Type:
			var v32 uint32
			v32, n = protowire.ConsumeFixed32(b)
			v = uint64(v32)
		case protowire.BytesType:
			v, n = protowire.ConsumeBytes(b)
		}
		if n <= 0 && typ != protowire.BytesType {
			t.Fatalf("field %d of wire type %d: %v", num, typ, protowire.ParseError(n))
		}
		f[num] = append(f[num], v)
		b = b[n:]
	}
	return f
}

func consume(v uint64, n int) (any, int) { return v, n }

func (f fields) number(n protowire.Number) uint64 {
	if len(f[n]) == 0 {
		return 0
	}
	return f[n][0].(uint64)
}

func (f fields) text(n protowire.Number) string {
	if len(f[n]) == 0 {
		return ""
	}
	return string(f[n][0].([]byte))
}

func (f fields) message(t *testing.T, n protowire.Number) fields {
	t.Helper()
	return parse(t, []byte(f.text(n)))
}

// crc32c is the checksum bit by bit, from its polynomial (RFC 3720, B.4).
func crc32c(data []byte) uint32 {
	crc := ^uint32(0)
	for _, b := range data {
		crc ^= uint32(b)
		for range 8 {
			if crc&1 == 1 {
				crc = crc>>1 ^ 0x82f63b78
			} else {
				crc >>= 1
			}
		}
	}
	return ^crc
}

// masked is the checksum as TFRecord files hold it.
func masked(data []byte) uint32 {
	c := crc32c(data)
	return (c>>15 | c<<17) + 0xa282ead8
}

// TestChecksum holds the test's own checksum to the check value of the catalogue of CRCs.
func TestChecksum(t *testing.T) {
	if got := crc32c([]byte("123456789")); got != 0xe3069283 {
		t.Errorf("CRC-32C of 123456789 is %#x, want 0xe3069283", got)
	}
}

// readEvents reads a file of TFRecords and returns how many bytes follow the last whole one.
func readEvents(t *testing.T, path string) (events []fields, rest int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for len(b) >= 12 {
		n := int(binary.LittleEndian.Uint64(b))
		if len(b) < 16+n {
			break
		}
		if got := binary.LittleEndian.Uint32(b[8:]); got != masked(b[:8]) {
			t.Fatalf("%s: checksum of a length is %#x, want %#x", path, got, masked(b[:8]))
		}
		message := b[12 : 12+n]
		if got := binary.LittleEndian.Uint32(b[12+n:]); got != masked(message) {
			t.Fatalf("%s: checksum of a message is %#x, want %#x", path, got, masked(message))
		}
		events = append(events, parse(t, message))
		b = b[16+n:]
	}
	return events, len(b)
}

// eventFiles are those of a folder, as TensorBoard orders them.
func eventFiles(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no event files (%v)", err)
	}
	slices.Sort(paths)
	return paths
}

// TestEvents reads every kind of record back. The numbers of fields are those of TensorBoard's event.proto,
// summary.proto and tensor.proto; that TensorBoard itself reads the files, TestTensorBoardReads shows.
func TestEvents(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, trainlog.Options{TensorBoard: true})
	put(t, l, 3, "loss/a 0.25 loss/b NaN")
	m := image.NewNRGBA(image.Rect(10, 10, 15, 12))
	m.Set(11, 11, color.NRGBA{200, 100, 50, 255})
	if err := l.Image(4, "val/photo", m); err != nil {
		t.Fatal(err)
	}
	if err := l.Text(5, "config", "a: 1\nb:\n  c: *x* \xff\n"); err != nil {
		t.Fatal(err)
	}
	if err := l.Sync(); err != nil {
		t.Fatal(err)
	}
	events, rest := readEvents(t, eventFiles(t, dir)[0])
	if len(events) != 5 || rest != 0 {
		t.Fatalf("%d events and %d bytes more, want version, start and three records", len(events), rest)
	}
	if v := events[0].text(3); v != "brain.Event:2" {
		t.Errorf("the first event has file version %q", v)
	}
	for i, step := range []uint64{0, 0, 3, 4, 5} {
		wall := math.Float64frombits(events[i].number(1))
		if got := events[i].number(2); got != step || math.Abs(wall-float64(time.Now().Unix())) > 60 {
			t.Errorf("event %d has step %d, want %d, and time %f", i, got, step, wall)
		}
	}

	summary := events[2].message(t, 5)
	for i, want := range scalars("loss/a 0.25 loss/b NaN") {
		v := parse(t, summary[1][i].([]byte))
		got := float64(math.Float32frombits(uint32(v.number(2))))
		if v.text(1) != want.Name || got != want.Value && !(math.IsNaN(got) && math.IsNaN(want.Value)) {
			t.Errorf("scalar %q is %v, want %v", v.text(1), got, want)
		}
	}

	v := events[3].message(t, 5).message(t, 1)
	img := v.message(t, 4)
	decoded, err := png.Decode(bytes.NewReader([]byte(img.text(4))))
	if err != nil {
		t.Fatal(err)
	}
	if v.text(1) != "val/photo" || img.number(1) != 2 || img.number(2) != 5 || img.number(3) != 3 || decoded.Bounds().Size() != m.Bounds().Size() {
		t.Errorf("image %q of height %d, width %d, colorspace %d with a picture of %v", v.text(1), img.number(1), img.number(2), img.number(3), decoded.Bounds())
	}
	if got := color.NRGBAModel.Convert(decoded.At(1, 1)); got != m.At(11, 11) {
		t.Errorf("pixel %v, want %v", got, m.At(11, 11))
	}

	v = events[4].message(t, 5).message(t, 1)
	metadata, tensor := v.message(t, 9), v.message(t, 8)
	if v.text(1) != "config" || metadata.message(t, 1).text(1) != "text" || metadata.number(4) != 2 || tensor.number(1) != 7 || len(tensor[2]) != 1 {
		t.Errorf("text %q: metadata %v, tensor %v", v.text(1), metadata, tensor)
	}
	if got, want := tensor.text(8), "    a: 1\n    b:\n      c: *x* \uFFFD"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
}

// replay does with event files what TensorBoard does: a start, but the first, purges events from its step on. It
// returns the values of a tag by step, in the order of the events.
func replay(t *testing.T, dir, tag string) (steps []int, values map[int]float64) {
	t.Helper()
	started := false
	values = map[int]float64{}
	for _, path := range eventFiles(t, dir) {
		events, _ := readEvents(t, path)
		for _, e := range events {
			step := int(e.number(2))
			if len(e[7]) > 0 && e.message(t, 7).number(1) == 1 {
				if started {
					steps = slices.DeleteFunc(steps, func(s int) bool { return s >= step })
				}
				started = true
			}
			for _, b := range e.message(t, 5)[1] {
				if v := parse(t, b.([]byte)); v.text(1) == tag {
					steps = append(steps, step)
					values[step] = float64(math.Float32frombits(uint32(v.number(2))))
				}
			}
		}
	}
	return steps, values
}

// runTwice writes steps 0 to 20, cuts the event file in the middle of a record, goes on after step 10 to 15 and after
// step 12 to 25, without closing a log properly. The value of a step tells which run wrote it.
func runTwice(t *testing.T, dir string) {
	t.Helper()
	write := func(resume, to int, value string) {
		l := open(t, dir, trainlog.Options{Resume: resume, TensorBoard: true})
		first := resume + 1
		if resume == 0 {
			first = 0
			if err := l.Text(0, "config", "a: *1*\n"); err != nil {
				t.Fatal(err)
			}
		}
		for s := first; s <= to; s++ {
			put(t, l, s, "loss/a "+value)
			if err := l.Image(s, "val/photo", image.NewGray(image.Rect(0, 0, 4, 3))); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(0, 20, "1")
	path := eventFiles(t, dir)[0]
	if err := os.Truncate(path, size(t, path)-17); err != nil {
		t.Fatal(err)
	}
	write(10, 15, "2")
	write(12, 25, "NaN")
}

// TestEventsResume: TensorBoard shows each step once, as the last run to make it saw it, which is what the CSV file has.
func TestEventsResume(t *testing.T) {
	dir := t.TempDir()
	runTwice(t, dir)
	steps, values := replay(t, dir, "loss/a")
	series, err := trainlog.Read(filepath.Join(dir, trainlog.File))
	if err != nil {
		t.Fatal(err)
	}
	if want := series[0].Steps; len(want) != 26 || !slices.Equal(steps, want) {
		t.Errorf("steps %v, want those of the CSV file, %v", steps, want)
	}
	for i, s := range series[0].Steps {
		if got, want := values[s], series[0].Values[i]; got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("step %d has value %v, want %v", s, got, want)
		}
	}
	if _, rest := readEvents(t, eventFiles(t, dir)[0]); rest == 0 {
		t.Error("the first file is whole: the test is to have a cut one")
	}

	open(t, dir, trainlog.Options{TensorBoard: true}) // anew
	if steps, _ := replay(t, dir, "loss/a"); len(steps) != 0 {
		t.Errorf("steps %v after a new beginning, want none", steps)
	}
}

// TestEventFilesSort: a file that is made in the same second as another, or after the clock was set back, comes later in
// the order of names.
func TestEventFilesSort(t *testing.T) {
	dir := t.TempDir()
	future := filepath.Join(dir, "events.out.tfevents.4000000000.host.1")
	if err := os.WriteFile(future, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		open(t, dir, trainlog.Options{TensorBoard: true})
		if paths := eventFiles(t, dir); len(paths) != i+2 || paths[0] != future {
			t.Fatalf("files %v, want %d later ones", paths, i+1)
		}
	}
}
