package matfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

const (
	maxDepth  = 32      // of cells and structs inside each other
	maxArrays = 1 << 20 // in a file: an array costs memory beyond the bytes it is read from
)

// parseMatrix reads the content of a miMATRIX element: flags, dimensions, name, then what the class has.
func parseMatrix(in cursor, depth int) (name string, a *Array, err error) {
	if *in.arrays--; *in.arrays < 0 {
		return "", nil, fmt.Errorf("more than %d arrays", maxArrays)
	}
	if len(in.data) == 0 { // how MATLAB writes [] inside cells and structs
		return "", &Array{Class: Double, Dims: []int{0, 0}, order: in.order, kind: miDouble}, nil
	}
	if depth > maxDepth {
		return "", nil, fmt.Errorf("more than %d arrays inside each other", maxDepth)
	}
	flags, err := in.want(miUint32, "array flags")
	if err != nil {
		return "", nil, err
	}
	if len(flags) < 4 {
		return "", nil, errTruncated
	}
	a = &Array{Class: Class(in.order.Uint32(flags)), order: in.order}
	count, err := a.parseDims(&in)
	if err != nil {
		return "", nil, err
	}
	label, err := in.want(miInt8, "array name")
	if err != nil {
		return "", nil, err
	}
	return string(label), a, a.parseContent(&in, count, depth)
}

// parseDims sets Dims and returns their product.
func (a *Array) parseDims(in *cursor) (int, error) {
	body, err := in.want(miInt32, "dimensions")
	if err != nil {
		return 0, err
	}
	count := int64(1)
	for ; len(body) >= 4; body = body[4:] {
		d := int64(int32(in.order.Uint32(body)))
		if d < 0 || (d > 0 && count > math.MaxInt32/d) {
			return 0, fmt.Errorf("dimensions %v × %d", a.Dims, d)
		}
		count *= d
		a.Dims = append(a.Dims, int(d))
	}
	if len(a.Dims) < 2 {
		return 0, fmt.Errorf("%d dimensions, want at least 2", len(a.Dims))
	}
	return int(count), nil
}

func (a *Array) parseContent(in *cursor, count, depth int) error {
	switch {
	case a.Class == Cell:
		return a.parseElems(in, count, depth)
	case a.Class == Struct:
		if err := a.parseFields(in); err != nil {
			return err
		}
		return a.parseElems(in, count*len(a.Fields), depth)
	case a.Class == Char || (a.Class >= Double && a.Class <= Uint64):
		return a.parseSamples(in, count)
	}
	return nil
}

// parseFields reads the names of a struct's fields: one length for all, then the names, padded with zeros.
func (a *Array) parseFields(in *cursor) error {
	length, err := in.want(miInt32, "field name length")
	if err != nil {
		return err
	}
	names, err := in.want(miInt8, "field names")
	if err != nil {
		return err
	}
	if len(length) < 4 {
		return errTruncated
	}
	n := int64(int32(in.order.Uint32(length)))
	if n < 1 || int64(len(names))%n != 0 {
		return fmt.Errorf("%d bytes of field names, each %d long", len(names), n)
	}
	for ; len(names) > 0; names = names[n:] {
		name, _, _ := bytes.Cut(names[:n], []byte{0})
		a.Fields = append(a.Fields, string(name))
	}
	return nil
}

func (a *Array) parseElems(in *cursor, count, depth int) error {
	if count > min(*in.arrays, len(in.data)/8) { // each takes eight bytes at least
		return fmt.Errorf("%d elements do not fit into the file", count)
	}
	a.Elems = make([]*Array, count)
	for i := range a.Elems {
		body, err := in.want(miMatrix, "element")
		if err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
		if _, a.Elems[i], err = parseMatrix(in.inside(body), depth+1); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	return nil
}

func (a *Array) parseSamples(in *cursor, count int) error {
	kind, body, err := in.element()
	if err != nil {
		return fmt.Errorf("samples: %w", err)
	}
	if kind.size() == 0 || (a.Class != Char && len(body) != count*kind.size()) {
		return fmt.Errorf("samples: %d bytes of data type %d for %v elements", len(body), kind, a.Dims)
	}
	a.kind, a.raw = kind, body
	return nil
}

// Len is the number of elements.
func (a *Array) Len() int {
	n := 1
	for _, d := range a.Dims {
		n *= d
	}
	return n
}

// Samples are the real numbers of an array in column-major order, converted as they are asked for.
type Samples struct {
	order binary.ByteOrder
	kind  dataType
	raw   []byte
}

// Len is their number.
func (s Samples) Len() int { return len(s.raw) / s.kind.size() }

// At is number i, counted from 0; there must be one.
func (s Samples) At(i int) float64 { return s.kind.sample(s.order, s.raw[i*s.kind.size():]) }

// Samples gives access to the numbers of an array without copying them.
func (a *Array) Samples() (Samples, error) {
	if a == nil {
		return Samples{}, errors.New("matfile: no such variable")
	}
	if a.Class < Double || a.Class > Uint64 {
		return Samples{}, fmt.Errorf("matfile: array of class %d holds no real numbers", a.Class)
	}
	return Samples{a.order, a.kind, a.raw}, nil
}

// Float64s returns the numbers of an array in column-major order, as a copy.
func (a *Array) Float64s() ([]float64, error) {
	s, err := a.Samples()
	if err != nil {
		return nil, err
	}
	out := make([]float64, s.Len())
	for i := range out {
		out[i] = s.At(i)
	}
	return out, nil
}

// Field returns field name of the first element of a struct, or nil where there is none.
func (a *Array) Field(name string) *Array {
	if a == nil || a.Class != Struct {
		return nil
	}
	for i, f := range a.Fields {
		if f == name && i < len(a.Elems) {
			return a.Elems[i]
		}
	}
	return nil
}
