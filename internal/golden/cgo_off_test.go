//go:build !cgo

package golden_test

const withCgo = false
