// Package npzfile reads numpy's .npz archives of real arrays: a zip of .npy members, each a short text header and raw
// samples. It reads booleans, integers and floats of either byte order and gives them as float64; pickled objects,
// complex numbers and text are refused. It does not write.
//
// Source of the format: numpy.lib.format, versions 1.0 to 3.0.
//
//	arrays, err := npzfile.ReadFile("niqe_pris_params.npz", 0)
//	mu := arrays["mu_pris_param"].Data
//
// The reader is for files of unknown origin: memory stays within a small multiple of the limit, and no content makes
// it panic.
package npzfile

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// DefaultLimit bounds the bytes of all members together after decompression.
const DefaultLimit = 1 << 28

// Array is one member, in row-major order. A scalar has no dimensions and one sample.
type Array struct {
	Shape []int
	Data  []float64
}

// ReadFile reads all arrays of an archive by their names without .npy. limit bounds their decompressed bytes; 0 means
// [DefaultLimit].
func ReadFile(path string, limit int64) (map[string]Array, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("npzfile: read: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("npzfile: read: %w", err)
	}
	arrays, err := Read(f, info.Size(), limit)
	if err != nil {
		return nil, fmt.Errorf("%w (file %q)", err, path)
	}
	return arrays, nil
}

// Read is [ReadFile] for size bytes of r.
func Read(r io.ReaderAt, size, limit int64) (map[string]Array, error) {
	if limit <= 0 {
		limit = DefaultLimit
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("npzfile: read: %w", err)
	}
	arrays := map[string]Array{}
	for _, member := range z.File {
		data, err := readMember(member, limit)
		if err != nil {
			return nil, fmt.Errorf("npzfile: read member %q: %w", member.Name, err)
		}
		limit -= int64(len(data))
		a, err := parse(data)
		if err != nil {
			return nil, fmt.Errorf("npzfile: read member %q: %w", member.Name, err)
		}
		arrays[strings.TrimSuffix(member.Name, ".npy")] = a
	}
	return arrays, nil
}

func readMember(member *zip.File, limit int64) ([]byte, error) {
	r, err := member.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("more than %d bytes are left of the limit", limit)
	}
	return data, err
}

// The header is a Python dict literal with exactly these three keys, in this order since numpy 1.
var header = regexp.MustCompile(`^\{'descr': '([<>|=])([bifu])([1248])', 'fortran_order': (False|True), 'shape': \(([0-9, ]*)\), \}\s*$`)

// parse reads one .npy file.
func parse(data []byte) (Array, error) {
	if len(data) < 12 || string(data[:6]) != "\x93NUMPY" {
		return Array{}, errors.New("no .npy data")
	}
	start, length := 10, int(binary.LittleEndian.Uint16(data[8:]))
	if data[6] > 1 { // since version 2 the length has four bytes
		start, length = 12, int(binary.LittleEndian.Uint32(data[8:]))
	}
	if length > len(data)-start {
		return Array{}, errors.New("the data ends inside the header")
	}
	text, body := data[start:start+length], data[start+length:]
	m := header.FindSubmatch(text)
	if m == nil {
		return Array{}, fmt.Errorf("header %.120q: want real numbers", text)
	}
	shape, count, err := parseShape(string(m[5]))
	if err != nil {
		return Array{}, err
	}
	size := int(m[3][0] - '0')
	if count*size != len(body) {
		return Array{}, fmt.Errorf("%d bytes for shape %v of %d-byte samples", len(body), shape, size)
	}
	values, err := convert(body, string(m[2])+string(m[3]), string(m[1]) == ">")
	if err == nil && string(m[4]) == "True" {
		values = rowMajor(values, shape)
	}
	return Array{Shape: shape, Data: values}, err
}

// rowMajor reorders column-major samples: the last index becomes the one that changes fastest.
func rowMajor(columns []float64, shape []int) []float64 {
	out := make([]float64, len(columns))
	index := make([]int, len(shape))
	for at := range out {
		from := 0
		for d := len(shape) - 1; d >= 0; d-- {
			from = from*shape[d] + index[d]
		}
		out[at] = columns[from]
		for d := len(shape) - 1; d >= 0; d-- {
			if index[d]++; index[d] < shape[d] {
				break
			}
			index[d] = 0
		}
	}
	return out
}

// parseShape reads the inside of a Python tuple, such as "36, 36" or "36,".
func parseShape(s string) (shape []int, count int, err error) {
	count = 1
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		n, err := strconv.Atoi(part)
		if err != nil || n > math.MaxInt32 || (n > 0 && count > math.MaxInt32/n) {
			return nil, 0, fmt.Errorf("shape (%s) is too large", s)
		}
		shape, count = append(shape, n), count*n
	}
	return shape, count, nil
}

func convert(body []byte, kind string, big bool) ([]float64, error) {
	var order binary.ByteOrder = binary.LittleEndian
	if big {
		order = binary.BigEndian
	}
	switch kind {
	case "b1", "u1":
		return widen(body, 1, func(b []byte) float64 { return float64(b[0]) }), nil
	case "i1":
		return widen(body, 1, func(b []byte) float64 { return float64(int8(b[0])) }), nil
	case "u2":
		return widen(body, 2, func(b []byte) float64 { return float64(order.Uint16(b)) }), nil
	case "i2":
		return widen(body, 2, func(b []byte) float64 { return float64(int16(order.Uint16(b))) }), nil
	case "u4":
		return widen(body, 4, func(b []byte) float64 { return float64(order.Uint32(b)) }), nil
	case "i4":
		return widen(body, 4, func(b []byte) float64 { return float64(int32(order.Uint32(b))) }), nil
	case "u8":
		return widen(body, 8, func(b []byte) float64 { return float64(order.Uint64(b)) }), nil
	case "i8":
		return widen(body, 8, func(b []byte) float64 { return float64(int64(order.Uint64(b))) }), nil
	case "f4":
		return widen(body, 4, func(b []byte) float64 { return float64(math.Float32frombits(order.Uint32(b))) }), nil
	case "f8":
		return widen(body, 8, func(b []byte) float64 { return math.Float64frombits(order.Uint64(b)) }), nil
	}
	return nil, fmt.Errorf("sample type %q is not supported", kind)
}

func widen(body []byte, size int, sample func([]byte) float64) []float64 {
	out := make([]float64, len(body)/size)
	for i := range out {
		out[i] = sample(body[i*size:])
	}
	return out
}
