// Package matfile reads MATLAB's level 5 MAT-files (save -v6 and, compressed, -v7), the form in which quality metrics
// publish their parameters. It reads real numeric, logical and char arrays, cells and structs; what else a file holds
// (sparse arrays, objects, function handles, imaginary parts) is passed over. HDF5 files (save -v7.3) and level 4 files
// are refused. It does not write.
//
// Source of the format: The MathWorks, "MAT-File Format", the chapter on level 5.
//
//	vars, err := matfile.ReadFile("model.mat", 0)
//	mu, err := vars["mu_prisparam"].Float64s()
//
// The reader is for files of unknown origin: memory stays within the limit, and no content makes it panic.
package matfile

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// DefaultLimit bounds the bytes of a file and of all its variables after decompression.
const DefaultLimit = 1 << 30

// Class is the kind of an array, with MATLAB's numbers (mxCELL_CLASS and so on).
type Class uint8

// The classes this package looks into; numeric ones run from Double to Uint64.
const (
	Cell   Class = 1
	Struct Class = 2
	Char   Class = 4
	Double Class = 6
	Uint64 Class = 15
)

// Array is one MATLAB array. It is immutable and may be read by many goroutines.
type Array struct {
	Class  Class
	Dims   []int    // at least two
	Fields []string // of a struct, in the file's order
	// Elems are the elements of a cell in column-major order, or of a struct: for each element of the array its
	// fields in order. Never nil pointers.
	Elems []*Array

	order binary.ByteOrder
	kind  dataType
	raw   []byte // column-major samples of type kind
}

// ReadFile reads all variables of a file. limit bounds its size and that of its decompressed content in bytes; 0 means
// [DefaultLimit].
func ReadFile(path string, limit int64) (map[string]*Array, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("matfile: read: %w", err)
	}
	defer f.Close()
	vars, err := Read(f, limit)
	if err != nil {
		return nil, fmt.Errorf("%w (file %q)", err, path)
	}
	return vars, nil
}

// Read is [ReadFile] for a stream.
func Read(r io.Reader, limit int64) (map[string]*Array, error) {
	if limit <= 0 {
		limit = DefaultLimit
	}
	data, err := readBounded(r, limit)
	if err == nil {
		var vars map[string]*Array
		if vars, err = parse(data, limit); err == nil {
			return vars, nil
		}
	}
	return nil, fmt.Errorf("matfile: read: %w", err)
}

func readBounded(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("more than %d bytes, the limit", limit)
	}
	return data, nil
}

const headerSize = 128

// parse reads the header and the variables after it.
func parse(data []byte, limit int64) (map[string]*Array, error) {
	order, err := byteOrder(data)
	if err != nil {
		return nil, err
	}
	vars := map[string]*Array{}
	arrays := maxArrays
	in := cursor{order: order, data: data[headerSize:], arrays: &arrays}
	for len(in.data) > 0 {
		kind, body, err := in.element()
		if err != nil {
			return nil, err
		}
		if kind == miCompressed {
			if body, err = inflate(body, order, limit); err != nil {
				return nil, err
			}
			limit -= int64(len(body))
			packed := in.inside(body)
			if kind, body, err = packed.element(); err != nil {
				return nil, err
			}
		}
		if kind != miMatrix {
			continue // the format lets readers skip what they do not know
		}
		name, a, err := parseMatrix(in.inside(body), 0)
		if err != nil {
			return nil, fmt.Errorf("variable %q: %w", name, err)
		}
		vars[name] = a
	}
	return vars, nil
}

func byteOrder(data []byte) (binary.ByteOrder, error) {
	if bytes.HasPrefix(data, []byte("\x89HDF")) || bytes.HasPrefix(data, []byte("MATLAB 7.3 MAT-file")) {
		return nil, errors.New("this is a version 7.3 file (HDF5): save it again in MATLAB with -v7")
	}
	if len(data) >= headerSize {
		switch string(data[124:128]) {
		case "\x00\x01IM":
			return binary.LittleEndian, nil
		case "\x01\x00MI":
			return binary.BigEndian, nil
		}
	}
	return nil, errors.New("this is no level 5 MAT-file")
}

// maxRatio is more than zlib can shrink anything by.
const maxRatio = 1040

// inflate decompresses a variable. The element inside says how large it is, which saves growing step by step; it is
// believed as far as the packed bytes can hold that much.
func inflate(packed []byte, order binary.ByteOrder, limit int64) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("compressed variable: %w", err)
	}
	var head [8]byte
	if _, err := io.ReadFull(z, head[:]); err != nil {
		return nil, fmt.Errorf("compressed variable: %w", err)
	}
	said := int64(order.Uint32(head[4:])) + 8
	var data bytes.Buffer
	data.Grow(int(min(said, limit, maxRatio*int64(len(packed)))) + bytes.MinRead)
	data.Write(head[:])
	if _, err := data.ReadFrom(io.LimitReader(z, limit-7)); err != nil {
		return nil, fmt.Errorf("compressed variable: %w", err)
	}
	if int64(data.Len()) > limit {
		return nil, fmt.Errorf("compressed variable: more than %d bytes, the limit", limit)
	}
	return data.Bytes(), z.Close()
}
