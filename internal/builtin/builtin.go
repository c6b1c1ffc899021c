// Package builtin carries the model that the program upscales with when nobody names another: docs/MODEL_CARD.md says
// what it is, recipes/default how it is made.
package builtin

import (
	"bytes"
	_ "embed"
	"io"
	"os"
)

// Path stands for the model where a weight file's path is wanted.
const Path = "builtin:default"

// File is the weight file: .safetensors, float16.
//
//go:embed default-x4.safetensors
var File []byte

// Open opens a weight file to be read byte by byte, the model among them. The caller closes it.
func Open(path string) (io.ReadCloser, error) {
	if path == Path {
		return io.NopCloser(bytes.NewReader(File)), nil
	}
	return os.Open(path)
}
