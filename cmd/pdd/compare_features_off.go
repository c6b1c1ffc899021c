//go:build !cgo

package main

import (
	"errors"

	"github.com/gopdd/gopdd/metrics/compare"
)

func newDeepFeatures(string) (f compare.Features, closeNet func() error, err error) {
	return f, nil, errors.New("--feature-net needs libtorch, and this program was built without cgo")
}
