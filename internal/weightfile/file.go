// Package weightfile reads the files that networks' weights come in, as named arrays: PyTorch's .pth (zip and
// legacy), .safetensors, and ncnn's .param with .bin. It also writes .safetensors and .pth.
//
// It knows files, not networks: which network the names and shapes belong to is package arch's business. Nothing
// in a file is executed: pickles are read by an allow-list, and TorchScript is refused with [ErrTorchScript].
//
// Files are taken to be hostile. A damaged one gives an error, never a panic or a hang, and reading allocates no
// more than about twice the file's size (and a few MiB for small files).
//
//	f, err := weightfile.Open("RealESRGAN_x4plus.pth")
//	if err != nil { ... }
//	dict, err := f.Select("") // params_ema, else params, else ...
//	for _, a := range dict.Arrays {
//		values, err := a.Float32s()
//		...
//	}
package weightfile

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gopdd/gopdd/internal/builtin"
)

// Format is a kind of weight file.
type Format string

// The formats Open tells apart, by content.
const (
	PthZip      Format = "pth (zip)"
	PthLegacy   Format = "pth (legacy)"
	Safetensors Format = "safetensors"
	NCNN        Format = "ncnn"
)

// ErrTorchScript is wrapped by Open's error for a TorchScript archive: that is a program, and needs libtorch.
var ErrTorchScript = errors.New("this is a TorchScript program, not a file of weights")

// File is the content of a weight file, in memory. It is immutable and needs no Close.
type File struct {
	Path     string
	Parts    []string // the files that were read: Path, or .param and .bin
	Format   Format
	Size     int64             // bytes; of .param and .bin together for ncnn
	Metadata map[string]string // safetensors' __metadata__; what the graph says, for ncnn; else nil
	Dicts    []StateDict       // in the file's order, at least one

	// PostScale is the factor by which an ncnn graph resizes the network's output in the end, bicubically: 0.5 turns
	// a 4x network into a 2x one. 1 for none, as in all other formats.
	PostScale float64
}

// StateDict is a list of arrays in the file's order, with different names.
type StateDict struct {
	Key    string // of the entry of the outer dictionary, "" where the file is the state dict itself
	Arrays []Array
}

// preferred is the order in which Select looks for an entry: Real-ESRGAN's averaged weights before its raw ones,
// then what other training code calls its entries, then the bare file.
var preferred = []string{"params_ema", "params-ema", "params", "state_dict", "model_state_dict", "model", ""}

// Select returns the state dict of that key; with key "" the preferred one: params_ema, params, state_dict, the
// bare file, else the only one. The error lists the keys there are.
func (f *File) Select(key string) (StateDict, error) {
	wanted := preferred
	if key != "" {
		wanted = []string{key}
	}
	for _, k := range wanted {
		for _, d := range f.Dicts {
			if d.Key == k {
				return d, nil
			}
		}
	}
	if key == "" && len(f.Dicts) == 1 {
		return f.Dicts[0], nil
	}
	return StateDict{}, fmt.Errorf("weightfile: select entry %q of %q: it has the entries %q: name one of them", key, f.Path, f.Keys())
}

// Keys lists the entries of the file.
func (f *File) Keys() []string {
	keys := make([]string, len(f.Dicts))
	for i, d := range f.Dicts {
		keys[i] = d.Key
	}
	return keys
}

// Open reads a weight file. Its content decides the format, except that a file whose name ends in .bin is the
// weights of the ncnn graph in the .param beside it, and that builtin.Path is the program's own model. Every array's place in the file is checked here, its values
// when they are asked for.
func Open(path string) (*File, error) {
	f, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("weightfile: open %q: %w", path, err)
	}
	f.Path = path
	if f.Parts == nil {
		f.Parts = []string{path}
	}
	if f.PostScale == 0 {
		f.PostScale = 1
	}
	return f, nil
}

func open(path string) (*File, error) {
	if path == builtin.Path {
		return readSafetensors(bytes.NewReader(builtin.File), int64(len(builtin.File)))
	}
	if strings.EqualFold(filepath.Ext(path), ".bin") {
		if param := strings.TrimSuffix(path, filepath.Ext(path)) + ".param"; exists(param) {
			return openNCNN(param, path)
		}
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	magic := make([]byte, 16)
	n, err := file.ReadAt(magic, 0)
	if n == 0 {
		return nil, fmt.Errorf("the file is empty or cannot be read: %w", err)
	}
	switch sniff(magic[:n]) {
	case PthZip:
		return readPthZip(file, info.Size())
	case PthLegacy:
		return readPthLegacy(file, info.Size())
	case Safetensors:
		return readSafetensors(file, info.Size())
	case NCNN:
		return openNCNN(path, strings.TrimSuffix(path, filepath.Ext(path))+".bin")
	}
	return nil, errors.New("not a weight file: neither .pth (zip or legacy), .safetensors nor ncnn .param")
}

// sniff tells the format by the file's first bytes, "" if by none.
func sniff(magic []byte) Format {
	s := string(magic)
	switch {
	case strings.HasPrefix(s, "PK\x03\x04"):
		return PthZip
	case strings.HasPrefix(s, "7767517"):
		return NCNN
	case len(s) > 8 && s[8] == '{':
		return Safetensors
	case s[0] == 0x80: // PROTO, every pickle's first opcode since protocol 2
		return PthLegacy
	}
	return ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// indexLimit bounds the part of a file that describes the rest: zip directory, pickle, JSON header, graph. Parsed,
// it takes several times its bytes, and a real one is a few thousandths of the file.
func indexLimit(size int64) int64 { return max(512<<10, size/8) }
