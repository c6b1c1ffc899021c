// Package atomicfile writes files that appear whole or not at all: the content goes to a temporary name in the same
// folder, is synced to disk, and takes the final name by a rename. A failure or a panic leaves no partial file behind
// and an earlier file under that name untouched; only a killed process can leave the temporary one.
//
// It is used by the writers of images, weights and downloads. It does not lock: of two concurrent writers the last
// rename wins, and each file is whole.
//
//	err := atomicfile.Write("out.txt", func(w io.Writer) error {
//		_, err := io.WriteString(w, "hello\n")
//		return err
//	})
package atomicfile

import (
	"bufio"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Write creates or replaces the file path with what fill writes. The file gets mode 0666 less the umask. fill's writer
// is buffered and must not be used after fill returns. Errors of fill are returned as they are.
func Write(path string, fill func(w io.Writer) error) (err error) {
	f, err := create(path)
	if err != nil {
		return err
	}
	defer func() {
		f.Close() // the second time after a success, and then without effect
		if _, statErr := os.Lstat(f.Name()); statErr == nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	buf := bufio.NewWriterSize(f, 1<<16)
	if err := fill(buf); err != nil {
		return err
	}
	if err := buf.Flush(); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// Check fails where Write would not find a folder that takes the file path, and leaves nothing behind.
func Check(path string) error {
	if stat, err := os.Stat(path); err == nil && stat.IsDir() {
		return &os.PathError{Op: "write", Path: path, Err: syscall.EISDIR}
	}
	f, err := create(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// RemoveStale removes from dir what killed processes left half written of the files whose names match accepts. Nobody
// may be writing such files.
func RemoveStale(dir string, accepts func(base string) bool) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		base, random, ok := strings.Cut(strings.TrimPrefix(e.Name(), "."), infix)
		if ok && e.Name()[0] == '.' && len(random) == randomLength && accepts(base) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// Temporary files are named .BASE.tmp-RANDOM.
const (
	infix        = ".tmp-"
	randomLength = 8
)

// create opens a new file beside path. os.CreateTemp is no help here: its files are private to the user (mode 0600).
func create(path string) (*os.File, error) {
	dir, base := filepath.Split(path)
	if len(base) > 200 { // leave room below the usual limit of 255 bytes for a name
		base = base[:200]
	}
	name := filepath.Join(dir, "."+base+infix+rand.Text()[:randomLength])
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}
