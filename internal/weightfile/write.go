package weightfile

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"strconv"

	"github.com/gopdd/gopdd/internal/atomicfile"
)

// WriteSafetensors creates or replaces path with the arrays, in this order and with their element types, and with
// metadata (say, where the weights come from) under __metadata__. The file appears whole or not at all.
func WriteSafetensors(path string, arrays []Array, metadata map[string]string) error {
	err := checkNames(arrays)
	if err == nil {
		err = atomicfile.Write(path, func(w io.Writer) error { return writeSafetensors(w, arrays, metadata) })
	}
	if err != nil {
		return fmt.Errorf("weightfile: write %q: %w", path, err)
	}
	return nil
}

// WritePth creates or replaces path with what torch.save writes for {key: OrderedDict of the arrays, …}, or for the
// OrderedDict alone where there is one dict with key "". torch.load reads it also with weights_only; Real-ESRGAN's
// scripts want the key params_ema. The file appears whole or not at all.
func WritePth(path string, dicts ...StateDict) error {
	err := checkKeys(dicts)
	for _, d := range dicts {
		err = errors.Join(err, checkNames(d.Arrays))
	}
	if err == nil {
		err = atomicfile.Write(path, func(w io.Writer) error { return writePth(w, dicts) })
	}
	if err != nil {
		return fmt.Errorf("weightfile: write %q: %w", path, err)
	}
	return nil
}

func checkKeys(dicts []StateDict) error {
	seen := map[string]bool{}
	for _, d := range dicts {
		if seen[d.Key] || d.Key == "" && len(dicts) > 1 {
			return fmt.Errorf("entry %q is empty or taken", d.Key)
		}
		seen[d.Key] = true
	}
	if len(dicts) == 0 {
		return errors.New("no entries")
	}
	return nil
}

func checkNames(arrays []Array) error {
	seen := map[string]bool{"__metadata__": true}
	for _, a := range arrays {
		if a.Name == "" || seen[a.Name] {
			return fmt.Errorf("array name %q is empty, taken or reserved", a.Name)
		}
		seen[a.Name] = true
	}
	if len(arrays) == 0 {
		return errors.New("no arrays")
	}
	return nil
}

func writeSafetensors(w io.Writer, arrays []Array, metadata map[string]string) error {
	var header bytes.Buffer
	member := func(name string, value any) error {
		quoted, err := json.Marshal(name)
		if err != nil {
			return err
		}
		text, err := json.Marshal(value)
		header.WriteByte("{,"[min(header.Len(), 1)])
		header.Write(quoted)
		header.WriteByte(':')
		header.Write(text)
		return err
	}
	if len(metadata) > 0 {
		if err := member("__metadata__", metadata); err != nil {
			return err
		}
	}
	end := int64(0)
	for _, a := range arrays {
		from := end
		end += int64(a.Bytes())
		shape := append([]int{}, a.Shape...) // never null
		if err := member(a.Name, tensorInfo{DType: a.DType, Shape: shape, Offsets: []int64{from, end}}); err != nil {
			return err
		}
	}
	header.WriteByte('}')
	for header.Len()%8 != 0 { // so that the elements are aligned
		header.WriteByte(' ')
	}
	if err := binary.Write(w, binary.LittleEndian, uint64(header.Len())); err != nil {
		return err
	}
	if _, err := w.Write(header.Bytes()); err != nil {
		return err
	}
	for _, a := range arrays {
		if _, err := w.Write(a.packed()); err != nil {
			return err
		}
	}
	return nil
}

func writePth(w io.Writer, dicts []StateDict) error {
	z := zipWriter{zip: zip.NewWriter(w)}
	z.member("data.pkl", picklePth(dicts))
	z.member("byteorder", []byte("little"))
	n := 0
	for _, d := range dicts {
		for _, a := range d.Arrays {
			z.member("data/"+strconv.Itoa(n), a.packed())
			n++
		}
	}
	z.member("version", []byte("3\n"))
	return errors.Join(z.err, z.zip.Close())
}

// zipWriter writes stored members that start at multiples of 64 bytes, as torch.save does; the first error stays.
type zipWriter struct {
	zip    *zip.Writer
	offset int
	err    error
}

// Sizes and numbers of PKWARE's APPNOTE 4.3.7: the local header's fixed part, and an extra field's id and length.
const (
	zipLocalHeader = 30
	zipExtraHeader = 4
	zipAlignment   = 64
)

func (z *zipWriter) member(name string, content []byte) {
	if z.err != nil {
		return
	}
	name = "archive/" + name
	start := z.offset + zipLocalHeader + len(name) + zipExtraHeader
	padding := (zipAlignment - start%zipAlignment) % zipAlignment
	extra := append([]byte("FB"), byte(padding), 0) // the id torch.save uses for it
	extra = append(extra, make([]byte, padding)...)
	out, err := z.zip.CreateRaw(&zip.FileHeader{
		Name: name, Method: zip.Store, Extra: extra, CRC32: crc32.ChecksumIEEE(content),
		CompressedSize64: uint64(len(content)), UncompressedSize64: uint64(len(content)),
	})
	if err == nil {
		_, err = out.Write(content)
	}
	z.err = err
	z.offset = start + padding + len(content)
}

// picklePth writes the pickle (protocol 2) that torch.save writes for the state dicts, without memo.
func picklePth(dicts []StateDict) []byte {
	p := pickler{}
	p.raw("\x80\x02") // PROTO 2
	bare := dicts[0].Key == ""
	if !bare {
		p.raw("}(") // EMPTY_DICT MARK
	}
	storage := 0
	for _, d := range dicts {
		if !bare {
			p.text(d.Key)
		}
		p.raw(emptyOrderedDict + "(") // MARK
		for _, a := range d.Arrays {
			p.text(a.Name)
			p.tensor(strconv.Itoa(storage), a)
			storage++
		}
		p.raw("u") // SETITEMS
	}
	if !bare {
		p.raw("u") // SETITEMS
	}
	p.raw(".") // STOP
	return p.buf.Bytes()
}

const emptyOrderedDict = "ccollections\nOrderedDict\n)R" // GLOBAL EMPTY_TUPLE REDUCE

type pickler struct{ buf bytes.Buffer }

func (p *pickler) raw(s string) { p.buf.WriteString(s) }

// text writes BINUNICODE.
func (p *pickler) text(s string) {
	p.buf.WriteByte('X')
	p.buf.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(s))))
	p.buf.WriteString(s)
}

// int writes BININT, or LONG1 where 32 bits are too few.
func (p *pickler) int(n int) {
	if n <= math.MaxInt32 {
		p.buf.WriteByte('J')
		p.buf.Write(binary.LittleEndian.AppendUint32(nil, uint32(n)))
		return
	}
	p.raw("\x8a\x08")
	p.buf.Write(binary.LittleEndian.AppendUint64(nil, uint64(n)))
}

func (p *pickler) ints(values []int) {
	p.raw("(")
	for _, n := range values {
		p.int(n)
	}
	p.raw("t") // TUPLE
}

// tensor writes _rebuild_tensor_v2(storage, offset 0, size, strides, requires_grad, backward hooks).
func (p *pickler) tensor(storageKey string, a Array) {
	p.raw("ctorch._utils\n_rebuild_tensor_v2\n(")
	p.raw("(") // the storage's persistent id
	p.text("storage")
	p.raw("c" + torchStorageName(a.DType))
	p.text(storageKey)
	p.text("cpu")
	p.int(a.Len())
	p.raw("tQ") // TUPLE BINPERSID
	p.int(0)
	p.ints(a.Shape)
	p.ints(packedStrides(a.Shape))
	p.raw("\x89" + emptyOrderedDict + "tR") // NEWFALSE, the hooks, TUPLE REDUCE
}

// torchStorageName is the argument of the GLOBAL opcode for the element type's storage.
func torchStorageName(d DType) string {
	for name, dtype := range storageTypes {
		if dtype == d {
			return "torch\n" + name[len("torch."):] + "\n"
		}
	}
	panic("weightfile: an array of unknown type " + d) // newView lets none in
}

func packedStrides(shape []int) []int {
	strides := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		strides[i] = n
		n *= shape[i]
	}
	return strides
}
