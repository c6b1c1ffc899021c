package pdd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
)

// lockFolder keeps other runs, of any process, out of a folder until it is closed or the process ends. Where the file
// system has no locks nobody is kept out.
func lockFolder(dir string) (io.Closer, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errors.Join(fmt.Errorf("another run is at work in %q: choose another output.dir", dir), f.Close())
	}
	return f, nil
}
