package atomicfile_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/internal/atomicfile"
)

func fillWith(s string, err error) func(io.Writer) error {
	return func(w io.Writer) error {
		io.WriteString(w, s)
		return err
	}
}

func TestWrite(t *testing.T) {
	errFill := errors.New("no more data")
	long := strings.Repeat("n", 255)
	tests := []struct {
		name, reason string
		file         string
		fill         func(io.Writer) error
		wantErr      error
		want         string // content afterwards, "" = no file
	}{
		{name: "new", file: "new.txt", fill: fillWith("new", nil), want: "new", reason: "the plain case"},
		{name: "replace", file: "old.txt", fill: fillWith("new", nil), want: "new", reason: "an existing file is replaced"},
		{name: "fails", file: "old.txt", fill: fillWith("ne", errFill), wantErr: errFill, want: "old", reason: "a failed write keeps the earlier file"},
		{name: "fails new", file: "new.txt", fill: fillWith("ne", errFill), wantErr: errFill, reason: "a failed write leaves nothing"},
		{name: "no folder", file: "none/new.txt", fill: fillWith("new", nil), wantErr: os.ErrNotExist, reason: "folders are the caller's business"},
		{name: "long name", file: long, fill: fillWith("new", nil), want: "new", reason: "the temporary name must fit too"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "old.txt"), []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, tt.file)
			if err := atomicfile.Write(path, tt.fill); !errors.Is(err, tt.wantErr) {
				t.Errorf("error %v, want %v: %s", err, tt.wantErr, tt.reason)
			}
			if got, _ := os.ReadFile(path); string(got) != tt.want {
				t.Errorf("content %q, want %q: %s", got, tt.want, tt.reason)
			}
			checkNoTemporary(t, dir)
		})
	}
}

// TestCheck: it foretells whether Write works, and leaves the folder as it is.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "old.txt"), []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]bool{"new.txt": true, "old.txt": true, "none/new.txt": false, "old.txt/new.txt": false, ".": false} {
		path := filepath.Join(dir, file)
		if err := atomicfile.Check(path); (err == nil) != want {
			t.Errorf("%s: error %v, want one: %t", file, err, !want)
		}
		if err := atomicfile.Write(path, fillWith("old", nil)); (err == nil) != want {
			t.Errorf("%s: Write says otherwise: %v", file, err)
		}
		checkNoTemporary(t, dir)
	}
}

func TestWritePanic(t *testing.T) {
	dir := t.TempDir()
	func() {
		defer func() { recover() }()
		atomicfile.Write(filepath.Join(dir, "x"), func(io.Writer) error { panic("fill") })
	}()
	checkNoTemporary(t, dir)
}

func TestRemoveStale(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a[") // no pattern
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	stale, kept := ".a.txt.tmp-ABCDEFGH", []string{".a.txt.tmp-ABC", ".b.txt.tmp-ABCDEFGH", "a.txt", "a.txt.tmp-ABCDEFGH"}
	for _, name := range append([]string{stale}, kept...) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := atomicfile.RemoveStale(dir, func(base string) bool { return base == "a.txt" }); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(kept) {
		t.Errorf("files %v (%v), want %q", entries, err, kept)
	}
	if _, err := os.Stat(filepath.Join(dir, stale)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is still there", stale)
	}
}

func checkNoTemporary(t *testing.T, dir string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, ".*tmp*"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files left: %v (%v)", left, err)
	}
}
