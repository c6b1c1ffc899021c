package weightfile

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// tensorInfo is one entry of a safetensors header; offsets count from the header's end.
type tensorInfo struct {
	DType   DType   `json:"dtype"`
	Shape   []int   `json:"shape"`
	Offsets []int64 `json:"data_offsets"`
}

// readSafetensors reads the format of github.com/huggingface/safetensors: the header's length as uint64, the header
// as a JSON object, the elements. As the format demands, the arrays must cover the rest of the file exactly.
// The library nlpodyssey/safetensors is no help here: it takes headers of 100 MB into maps of interfaces, several
// times their size, does not notice a name that comes twice, and gives the arrays back in no order.
func readSafetensors(r io.ReaderAt, size int64) (*File, error) {
	var length [8]byte
	if _, err := r.ReadAt(length[:], 0); err != nil {
		return nil, fmt.Errorf("safetensors: header length: %w", io.ErrUnexpectedEOF)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > uint64(size-8) || int64(n) > indexLimit(size) {
		return nil, fmt.Errorf("safetensors: a header of %d bytes in a file of %d: damaged or cut off", n, size)
	}
	content := make([]byte, size-8)
	if _, err := r.ReadAt(content, 8); err != nil {
		return nil, fmt.Errorf("safetensors: %w", err)
	}
	f := &File{Format: Safetensors, Size: size}
	dict := StateDict{}
	var spans [][2]int64
	data := content[n:]
	err := eachMember(content[:n], func(name string, value *json.Decoder) error {
		if name == "__metadata__" {
			return value.Decode(&f.Metadata)
		}
		a, span, err := parseTensor(name, value, data)
		if err != nil {
			return err
		}
		spans = append(spans, span)
		dict.Arrays = append(dict.Arrays, a)
		return nil
	})
	if err == nil {
		err = checkCover(spans, int64(len(data)))
	}
	if err != nil {
		return nil, fmt.Errorf("safetensors: header: %w", err)
	}
	f.Dicts = []StateDict{dict}
	return f, nil
}

// checkCover fails unless the spans, in any order, cover 0..size without hole or overlap.
func checkCover(spans [][2]int64, size int64) error {
	slices.SortFunc(spans, func(a, b [2]int64) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	end := int64(0)
	for _, s := range spans {
		if s[0] != end {
			return fmt.Errorf("a hole or an overlap of arrays at byte %d: damaged", min(s[0], end))
		}
		end = s[1]
	}
	if end != size {
		return fmt.Errorf("the arrays have %d bytes, the file %d: damaged or cut off", end, size)
	}
	return nil
}

// parseTensor reads one header entry; it also returns the place of the array's bytes.
func parseTensor(name string, value *json.Decoder, data []byte) (a Array, span [2]int64, err error) {
	var info tensorInfo
	if err := value.Decode(&info); err != nil {
		return a, span, fmt.Errorf("array %q: %w", name, err)
	}
	if info.Shape == nil || len(info.Offsets) != 2 {
		return a, span, fmt.Errorf("array %q: no shape, or not two data_offsets", name)
	}
	span = [2]int64(info.Offsets)
	from, to := span[0], span[1]
	if from < 0 || to < from || to > int64(len(data)) {
		return a, span, fmt.Errorf("array %q: bytes %d to %d of %d: damaged or cut off", name, from, to, len(data))
	}
	a, err = newArray(name, info.DType, info.Shape, data[from:to])
	if err == nil && int64(a.Bytes()) != to-from {
		err = fmt.Errorf("array %q: %d bytes for shape %v of %s", name, to-from, a.Shape, a.DType)
	}
	return a, span, err
}

// eachMember calls visit for every member of a JSON object, in order; visit decodes the member's value. A name that
// comes twice is an error, and so is anything but blanks after the object.
func eachMember(object []byte, visit func(name string, value *json.Decoder) error) error {
	dec := json.NewDecoder(bytes.NewReader(object))
	dec.DisallowUnknownFields()
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return errors.New("not a JSON object")
	}
	seen := map[string]bool{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return err
		}
		name, ok := t.(string)
		if !ok || seen[name] {
			return fmt.Errorf("the name %v comes twice or is no name", t)
		}
		seen[name] = true
		if err := visit(name, dec); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more after the JSON object")
	}
	return nil
}
