package arch

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/gopdd/gopdd/internal/builtin"
	"github.com/gopdd/gopdd/internal/weightfile"
)

// Report is all that can be said about a weight file without running it.
type Report struct {
	File     string            `json:"file"`
	Parts    []Part            `json:"parts"` // the file, or ncnn's two
	Format   weightfile.Format `json:"format"`
	Metadata map[string]string `json:"metadata,omitempty"`
	Entries  []string          `json:"entries"` // of the file; "" where it is the state dict itself
	Entry    string            `json:"entry"`   // the one the rest speaks of

	Network   string   `json:"network,omitempty"` // e.g. "RRDBNet"; empty where Problem says why
	Sizes     Network  `json:"sizes,omitempty"`   // the network's own numbers
	Dialect   string   `json:"dialect,omitempty"`
	PostScale float64  `json:"post_scale"` // bicubic resize behind the network, 1 for none
	Ignored   []string `json:"ignored,omitempty"`

	Tensors    int            `json:"tensors"`    // of the entry, ignored ones included
	Parameters int            `json:"parameters"` // their elements
	DTypes     map[string]int `json:"dtypes"`     // tensors of each element type
	Problem    string         `json:"problem,omitempty"`
}

// Part is one file on disk.
type Part struct {
	Path   string `json:"path"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
}

// Inspect reads a weight file and describes one of its entries ("" for the preferred one). A file that cannot be read
// is an error; one whose network is unknown or whose values are not all finite is a report with a Problem.
func Inspect(path, entry string) (Report, error) {
	f, err := weightfile.Open(path)
	if err != nil {
		return Report{}, err
	}
	dict, err := f.Select(entry)
	if err != nil {
		return Report{}, err
	}
	r := Report{
		File: path, Format: f.Format, Metadata: f.Metadata, Entries: f.Keys(), Entry: dict.Key,
		PostScale: f.PostScale, Tensors: len(dict.Arrays), DTypes: map[string]int{},
	}
	for _, part := range f.Parts {
		p, err := hashFile(part)
		if err != nil {
			return Report{}, err
		}
		r.Parts = append(r.Parts, p)
	}
	for _, a := range dict.Arrays {
		r.Parameters += a.Len()
		r.DTypes[string(a.DType)]++
	}
	d, err := Detect(dict.Arrays)
	if err == nil {
		r.Network, r.Sizes, r.Dialect, r.Ignored = d.Network.Name(), d.Network, d.Dialect, d.Ignored
	}
	if err = errors.Join(err, checkFinite(dict.Arrays)); err != nil {
		r.Problem = err.Error()
	}
	return r, nil
}

// checkFinite returns the error of the first array with a value that is not finite.
func checkFinite(arrays []weightfile.Array) error {
	for _, a := range arrays {
		if _, err := a.Float32s(); err != nil {
			return err
		}
	}
	return nil
}

func hashFile(path string) (Part, error) {
	f, err := builtin.Open(path)
	if err != nil {
		return Part{}, fmt.Errorf("arch: inspect: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	if err != nil {
		return Part{}, fmt.Errorf("arch: inspect %q: %w", path, err)
	}
	return Part{Path: path, Bytes: n, SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}
