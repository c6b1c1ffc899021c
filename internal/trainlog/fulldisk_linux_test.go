package trainlog_test

import (
	"bytes"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/gopdd/gopdd/internal/trainlog"
)

// alone runs the calling test in a process of its own, since the limit on file sizes holds for a whole process: go test
// writes files too. It tells the process that only waits for the result.
func alone(t *testing.T) (waited bool) {
	t.Helper()
	const child = "GOPDD_TEST_CHILD"
	if os.Getenv(child) != "" {
		return false
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
		t.Errorf("%v\n%s", err, out)
	}
	return true
}

// limitFiles makes writes beyond n bytes of a file fail, as on a full disk, until the returned function is called.
func limitFiles(t *testing.T, n int64) (lift func()) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: uint64(n), Max: old.Max}); err != nil {
		t.Fatal(err)
	}
	lift = func() { syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old) }
	t.Cleanup(lift)
	return lift
}

// TestDiskFull: a record that does not fit is an error, changes neither file, and can be reported again when there is
// room.
func TestDiskFull(t *testing.T) {
	if alone(t) {
		return
	}
	tests := []struct {
		name   string
		step   int
		values string
	}{
		{"new row", 3, "a 0.333 b 0.4444"},
		{"longer row", 2, "a 0.123456789012345 b 0.123456789012345"},
		{"new column", 3, "a_name_longer_than_the_room 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, trainlog.File)
			l := open(t, dir, trainlog.Options{})
			put(t, l, 1, "a 1 b 2")
			put(t, l, 2, "a 3")
			before := rows(t, dir)
			lift := limitFiles(t, size(t, path)+5)
			if err := l.Scalars(tt.step, scalars(tt.values)); err == nil {
				t.Error("no error")
			}
			lift()
			wantRows(t, dir, before)
			put(t, l, tt.step, tt.values)
			put(t, l, 4, "a 9")
			if _, err := trainlog.Read(path); err != nil {
				t.Error(err)
			}
			if rows(t, dir) == before {
				t.Error("later rows are not there")
			}
		})
	}
}

func TestDiskFullEvents(t *testing.T) {
	if alone(t) {
		return
	}
	dir := t.TempDir()
	l := open(t, dir, trainlog.Options{TensorBoard: true})
	put(t, l, 1, "a 1")
	path := eventFiles(t, dir)[0]
	lift := limitFiles(t, size(t, path)+9)
	if err := l.Text(1, "note", "a text that does not fit"); err == nil {
		t.Error("no error")
	}
	lift()
	put(t, l, 2, "a 2")
	events, rest := readEvents(t, path)
	if len(events) != 4 || rest != 0 {
		t.Errorf("%d events and %d bytes after them, want 4 and none", len(events), rest)
	}
}

// TestDiskFullOpen: a log that cannot be opened leaves the folder as it was.
func TestDiskFullOpen(t *testing.T) {
	if alone(t) {
		return
	}
	dir := t.TempDir()
	l := open(t, dir, trainlog.Options{TensorBoard: true})
	for s := 1; s < 20; s++ {
		put(t, l, s, "a 1")
	}
	before := rows(t, dir)
	for _, limit := range []int64{10, 200} { // too little for the event file, for the CSV file
		lift := limitFiles(t, limit)
		_, err := trainlog.Open(dir, trainlog.Options{Resume: 15, TensorBoard: true})
		lift()
		if err == nil {
			t.Errorf("%d bytes: no error", limit)
		}
		wantRows(t, dir, before)
		if entries, _ := os.ReadDir(dir); len(entries) != 2 {
			t.Errorf("%d bytes: files %v, want the CSV file and the first event file", limit, entries)
		}
	}
}
