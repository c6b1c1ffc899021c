//go:build !cgo

package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

var errNoCgo = errors.New("this pdd was built without cgo and cannot run networks: build it with CGO_ENABLED=1 after third_party/setup.sh")

// handOver makes this process the program that can run networks: the file beside this one with -native behind its name,
// built with cgo. It returns if there is none, or with an error.
func handOver() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	native := self + "-native"
	if _, err := os.Stat(native); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("start %s: %w", native, syscall.Exec(native, os.Args, os.Environ()))
}

func newEngine(engineConfig) (engine, error) { return nil, errNoCgo }

// check leaves settings to the program that can run networks.
func (engineConfig) check() error { return nil }

// nativeInfo describes the libtorch of this program.
func nativeInfo() (*libtorchInfo, error) { return nil, errNoCgo }
