package trainlog_test

import (
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gopdd/gopdd/internal/trainlog"
)

func open(t *testing.T, dir string, opt trainlog.Options) *trainlog.Log {
	t.Helper()
	l, err := trainlog.Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// put reports "a 1 b 2" as two values.
func put(t *testing.T, l *trainlog.Log, step int, values string) {
	t.Helper()
	if err := l.Scalars(step, scalars(values)); err != nil {
		t.Fatal(err)
	}
}

func scalars(values string) (list []trainlog.Scalar) {
	fields := strings.Fields(values)
	for i := 0; i < len(fields); i += 2 {
		var v float64
		fmt.Sscan(fields[i+1], &v)
		list = append(list, trainlog.Scalar{Name: fields[i], Value: v})
	}
	return list
}

var times = regexp.MustCompile(`,\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z,`)

// rows is the CSV file with T for times.
func rows(t *testing.T, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, trainlog.File))
	if err != nil {
		t.Fatal(err)
	}
	return times.ReplaceAllString(string(text), ",T,")
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func wantRows(t *testing.T, dir, want string) {
	t.Helper()
	if diff := cmp.Diff(want, rows(t, dir)); diff != "" {
		t.Errorf("the CSV file differs (-want +got):\n%s", diff)
	}
}

// TestRows: a row for each step with values, a column for each name, empty cells for what was not reported.
func TestRows(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "run")
	l := open(t, dir, trainlog.Options{})
	wantRows(t, dir, "step,time\n")
	put(t, l, 0, "val/psnr 20.5")
	put(t, l, 1, "loss/a 1 loss/b 0.1")
	put(t, l, 2, "loss/b NaN loss/a -Inf")
	put(t, l, 2, "")
	put(t, l, 5, "loss/a 1e-300")
	put(t, l, 5, "loss/a 2 val/psnr 21") // one row for the step: the row grows, a value is replaced
	put(t, l, 5, "loss/a 3 new,name 1")  // by a new column too
	put(t, l, 6, "loss/b 4")
	wantRows(t, dir, `step,time,val/psnr,loss/a,loss/b,"new,name"
0,T,20.5,,,
1,T,,1,0.1,
2,T,,-Inf,NaN,
5,T,21,3,,1
6,T,,,4,
`)
}

func TestReplacedRowShrinks(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, trainlog.Options{})
	put(t, l, 1, "a 0.123456789")
	put(t, l, 1, "a 1")
	put(t, l, 2, "a 2")
	wantRows(t, dir, "step,time,a\n1,T,1\n2,T,2\n")
}

func TestRefusals(t *testing.T) {
	l := open(t, t.TempDir(), trainlog.Options{Resume: 3})
	put(t, l, 7, "a 1")
	tests := []struct {
		step   int
		name   string
		reason string
	}{
		{6, "a", "rows are in the order of steps"},
		{8, "", "a column needs a name"},
		{8, "step", "the column has another meaning"},
		{8, "time", "the column has another meaning"},
		{8, "two\nlines", "a row is a line"},
	}
	for _, tt := range tests {
		err := l.Scalars(tt.step, []trainlog.Scalar{{Name: tt.name, Value: 1}})
		if err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("trainlog: scalars of step %d: ", tt.step)) {
			t.Errorf("step %d, name %q: error %v, want one: %s", tt.step, tt.name, err, tt.reason)
		}
	}
	if err := open(t, t.TempDir(), trainlog.Options{Resume: 3}).Scalars(2, scalars("a 1")); err == nil {
		t.Error("a step before the one that was resumed after is accepted")
	}
	if _, err := trainlog.Open(t.TempDir(), trainlog.Options{Resume: -1}); err == nil {
		t.Error("a negative step to resume after is accepted")
	}
}

// TestResume: N steps leave the same rows as N' > k steps, a stop, and going on after step k; also when the process was
// killed in the middle of a row.
func TestResume(t *testing.T) {
	whole, parts := t.TempDir(), t.TempDir()
	run := func(dir string, resume, to int) {
		l := open(t, dir, trainlog.Options{Resume: resume})
		for s := resume + 1; s <= to; s++ {
			put(t, l, s, fmt.Sprintf("a %d", s*s))
			if s > 4 {
				put(t, l, s, "b 1")
			}
		}
	}
	run(whole, 0, 12)
	run(parts, 0, 9)
	path := filepath.Join(parts, trainlog.File)
	text, _ := os.ReadFile(path)
	if err := os.WriteFile(path, text[:len(text)-7], 0o666); err != nil {
		t.Fatal(err)
	}
	run(parts, 8, 8)
	run(parts, 6, 7)
	run(parts, 7, 12)
	wantRows(t, parts, rows(t, whole))

	run(parts, 0, 1)
	wantRows(t, parts, "step,time,a\n1,T,1\n")
}

// TestResumedRowGrows: values for the step after which a run is resumed go to its row.
func TestResumedRowGrows(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, trainlog.Options{})
	put(t, l, 4, "a 1")
	put(t, l, 5, "a 1")
	l = open(t, dir, trainlog.Options{Resume: 4})
	put(t, l, 4, "b 2")
	wantRows(t, dir, "step,time,a,b\n4,T,1,2\n")
}

// TestForeignFile: what is no log is refused and neither changed nor joined by an event file.
func TestForeignFile(t *testing.T) {
	tests := []struct{ name, content string }{
		{"other table", "epoch,loss\n1,2\n"},
		{"no line", "hello"},
		{"wrong step", "step,time,a\nx,T,1\n"},
		{"steps out of order", "step,time,a\n2,T,1\n2,T,1\n"},
		{"ragged", "step,time,a\n1,T,1,9\n"},
		{"quotes", "step,time,a\n\"1,T,1\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, trainlog.File)
			if err := os.WriteFile(path, []byte(tt.content), 0o666); err != nil {
				t.Fatal(err)
			}
			for _, resume := range []int{0, 5} {
				_, err := trainlog.Open(dir, trainlog.Options{Resume: resume, TensorBoard: true})
				if err == nil || !strings.Contains(err.Error(), "move the file away") {
					t.Errorf("resume %d: error %v, want one with a way out", resume, err)
				}
			}
			if _, err := trainlog.Read(path); err == nil {
				t.Error("Read accepts the file")
			}
			wantRows(t, dir, tt.content)
			if entries, _ := os.ReadDir(dir); len(entries) != 1 {
				t.Errorf("%d files in the folder, want the one", len(entries))
			}
		})
	}
}

func TestNoFolder(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "taken", trainlog.File), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, d := range []string{filepath.Join(file, "run"), filepath.Join(dir, "taken")} {
		if _, err := trainlog.Open(d, trainlog.Options{TensorBoard: true}); err == nil {
			t.Errorf("Open(%s) succeeds", d)
		}
	}
	if entries, _ := os.ReadDir(filepath.Join(dir, "taken")); len(entries) != 1 {
		t.Errorf("%d files are left in the folder, want none beside what was there", len(entries))
	}
}

// TestRead: what Scalars takes, Read returns, non-finite values and gaps included, also while the log is open.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, trainlog.Options{})
	put(t, l, 1, "a 0.1 b NaN")
	put(t, l, 3, "b -Inf")
	put(t, l, 4, "b +Inf a 1e-310")
	got, err := trainlog.Read(filepath.Join(dir, trainlog.File))
	want := []trainlog.Series{
		{Name: "a", Steps: []int{1, 4}, Values: []float64{0.1, 1e-310}},
		{Name: "b", Steps: []int{1, 3, 4}, Values: []float64{math.NaN(), math.Inf(-1), math.Inf(1)}},
	}
	if err != nil || !cmp.Equal(want, got, cmpopts.EquateNaNs()) {
		t.Errorf("error %v, difference (-want +got):\n%s", err, cmp.Diff(want, got, cmpopts.EquateNaNs()))
	}
	if _, err := trainlog.Read(filepath.Join(dir, "none.csv")); err == nil {
		t.Error("Read accepts a file that is not there")
	}
	bad := filepath.Join(dir, "bad.csv")
	os.WriteFile(bad, []byte("step,time,a\n1,T,1\n2,T,one\n"), 0o666)
	if _, err := trainlog.Read(bad); err == nil || !strings.Contains(err.Error(), `step 2: a is "one"`) {
		t.Errorf("error %v for a cell that is no number, want one that names it", err)
	}
}

// TestWithoutTensorBoard: only the CSV file is there, and the other records are no errors.
func TestWithoutTensorBoard(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir, trainlog.Options{})
	if err := l.Image(1, "a", image.NewGray(image.Rect(0, 0, 2, 2))); err != nil {
		t.Error(err)
	}
	if err := l.Text(1, "a", "b"); err != nil {
		t.Error(err)
	}
	for range 2 { // Close may be repeated
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if l.Scalars(2, scalars("a 1")) == nil || l.Sync() == nil {
		t.Error("a closed log takes values")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 || entries[0].Name() != trainlog.File {
		t.Errorf("files %v, want %s alone", entries, trainlog.File)
	}
}
