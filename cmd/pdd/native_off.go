//go:build !cgo

package main

import "errors"

var errNoCgo = errors.New("this pdd was built without cgo and cannot run networks: build it with CGO_ENABLED=1 after third_party/setup.sh")

func newEngine(engineConfig) (engine, error) { return nil, errNoCgo }

// nativeInfo describes the libtorch of this program.
func nativeInfo() (*libtorchInfo, error) { return nil, errNoCgo }
