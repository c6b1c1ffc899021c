package weightfile

import (
	"archive/zip"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
)

// readPthZip reads what torch.save writes since PyTorch 1.6: a zip archive (stored, but deflate is read too) with
// the pickle NAME/data.pkl and one member NAME/data/KEY for each storage.
func readPthZip(r io.ReaderAt, size int64) (*File, error) {
	archive, err := openArchive(r, size)
	if err != nil {
		return nil, fmt.Errorf("zip: %w", err)
	}
	pickled, err := archive.read("data.pkl", indexLimit(size))
	if err != nil {
		return nil, err
	}
	storages := map[string][]byte{}
	m := machine{data: pickled, budget: pickleBudget(size), hooks: pickleHooks{
		global: torchGlobal,
		call:   callTorch,
		persistent: func(id any) (any, error) {
			return archive.storage(id, storages)
		},
	}}
	root, err := m.load()
	if err != nil {
		return nil, err
	}
	dicts, err := collectDicts(root, size)
	if err != nil {
		return nil, err
	}
	return &File{Format: PthZip, Size: size, Dicts: dicts}, nil
}

// pickleBudget is the memory that a pickle's objects may take. A weight takes about 1.5 kB of them.
func pickleBudget(size int64) int64 { return max(4<<20, size/8) }

// archive is a zip file whose members have a common folder, its name.
type archive struct {
	members map[string]*zip.File // by the name inside the folder
	left    int64                // bytes that may still be unpacked
}

func openArchive(r io.ReaderAt, size int64) (*archive, error) {
	guarded := &limitedReaderAt{r: r, left: indexLimit(size) / 2} // zip.Reader takes 7 times the directory
	z, err := zip.NewReader(guarded, size)
	if err != nil {
		return nil, err
	}
	guarded.unlimited = true
	a := &archive{members: make(map[string]*zip.File, len(z.File)), left: max(1<<20, size+size/2)}
	for _, f := range z.File {
		_, name, ok := strings.Cut(f.Name, "/")
		if !ok {
			return nil, fmt.Errorf("member %.100q lies in no folder: not what torch.save writes", f.Name)
		}
		if a.members[name] != nil {
			return nil, fmt.Errorf("member %.100q comes twice", f.Name)
		}
		a.members[name] = f
	}
	if a.members["data.pkl"] == nil {
		return nil, errors.New("no data.pkl: not what torch.save writes")
	}
	if a.members["constants.pkl"] != nil {
		return nil, ErrTorchScript
	}
	return a, a.checkByteOrder()
}

func (a *archive) checkByteOrder() error {
	if a.members["byteorder"] == nil {
		return nil // written before PyTorch 2.1, always little
	}
	order, err := a.read("byteorder", 16)
	if err == nil && string(order) != "little" {
		err = fmt.Errorf("byte order %q: only little-endian files are read", order)
	}
	return err
}

// read unpacks a member of at most limit bytes and checks its CRC-32.
func (a *archive) read(name string, limit int64) ([]byte, error) {
	f := a.members[name]
	if f == nil {
		return nil, fmt.Errorf("zip: no member %.100q: the file is damaged", name)
	}
	n := f.UncompressedSize64
	if n > uint64(min(limit, a.left)) {
		return nil, fmt.Errorf("zip: member %.100q of %d bytes is too large for this file", name, n)
	}
	a.left -= int64(n)
	content := make([]byte, n)
	if err := unpack(f, content); err != nil {
		return nil, fmt.Errorf("zip: member %.100q: the file is damaged: %w", name, err)
	}
	return content, nil
}

// unpack fills content, which must be the member's size, and checks the CRC-32. A recorded 0 means that there is none,
// which torch.save can be told to write; zip.File.Open refuses that.
func unpack(f *zip.File, content []byte) error {
	r, err := f.OpenRaw()
	if err != nil {
		return err
	}
	switch f.Method {
	case zip.Store:
	case zip.Deflate:
		r = flate.NewReader(r)
	default:
		return fmt.Errorf("%w %d", zip.ErrAlgorithm, f.Method)
	}
	if _, err := io.ReadFull(r, content); err != nil {
		return err
	}
	if k, err := r.Read(make([]byte, 1)); k != 0 || err != io.EOF {
		return fmt.Errorf("longer than the %d bytes in the directory", len(content))
	}
	if f.CRC32 != 0 && crc32.ChecksumIEEE(content) != f.CRC32 {
		return zip.ErrChecksum
	}
	return nil
}

// storage reads the storage of a persistent id; each member is unpacked once.
func (a *archive) storage(id any, unpacked map[string][]byte) (*storage, error) {
	s, err := parseStorageID(id)
	if err != nil {
		return nil, err
	}
	data, ok := unpacked[s.key]
	if !ok {
		if data, err = a.read("data/"+s.key, a.left); err != nil {
			return nil, err
		}
		unpacked[s.key] = data
	}
	if s.count != len(data)/s.dtype.Size() {
		return nil, fmt.Errorf("storage %.100q: %d bytes for %d elements of %s", s.key, len(data), s.count, s.dtype)
	}
	return &storage{dtype: s.dtype, count: s.count, data: data}, nil
}

// limitedReaderAt fails after left bytes, until it is told to be unlimited.
type limitedReaderAt struct {
	r         io.ReaderAt
	left      int64
	unlimited bool
}

func (l *limitedReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if !l.unlimited {
		if l.left -= int64(len(p)); l.left < 0 {
			return 0, errors.New("the directory is too large for this file")
		}
	}
	return l.r.ReadAt(p, off)
}

// legacyMagic is the number that the first pickle of a legacy file holds: 0x1950a86a20f9469cfc6c.
const legacyMagic = bigInt("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19")

// readPthLegacy reads what torch.save wrote before PyTorch 1.6: pickles of a magic number, the version 1001, the
// writer's number sizes, the object, and the keys of the storages; then each storage as its number of elements
// (int64) and the elements.
func readPthLegacy(r io.ReaderAt, size int64) (*File, error) {
	content := make([]byte, size)
	if _, err := r.ReadAt(content, 0); err != nil {
		return nil, err
	}
	l := legacy{storages: map[string]*storage{}}
	m := machine{data: content, budget: pickleBudget(size), hooks: pickleHooks{
		global: torchGlobal, call: callTorch, persistent: l.persistent,
	}}
	var parts [5]any
	for i := range parts {
		var err error
		if parts[i], err = m.load(); err != nil {
			return nil, err
		}
		if i == 0 && parts[0] != any(legacyMagic) {
			return nil, errors.New("a pickle, but not one of torch.save")
		}
	}
	if parts[1] != any(int64(1001)) {
		return nil, fmt.Errorf("legacy format version %v, known is 1001", parts[1])
	}
	if info, ok := parts[2].(*dict); ok && info.values["little_endian"] == any(false) {
		return nil, errors.New("big-endian numbers: only little-endian files are read")
	}
	if err := l.fill(parts[4], content[m.pos:]); err != nil {
		return nil, err
	}
	dicts, err := collectDicts(parts[3], size)
	if err != nil {
		return nil, err
	}
	return &File{Format: PthLegacy, Size: size, Dicts: dicts}, nil
}

// legacy collects the storages that the pickle of a legacy file mentions.
type legacy struct {
	storages map[string]*storage
	views    []storageView
}

// storageView is a part of a storage that has its own element count.
type storageView struct {
	part, root *storage
	offset     int // in elements
}

func (l *legacy) persistent(id any) (any, error) {
	s, err := parseStorageID(id)
	if err != nil {
		return nil, err
	}
	root := l.storages[s.key]
	if root == nil {
		root = &storage{dtype: s.dtype, count: s.count}
		l.storages[s.key] = root
	}
	if root.dtype != s.dtype || root.count != s.count {
		return nil, fmt.Errorf("storage %.100q is both %d of %s and %d of %s", s.key, root.count, root.dtype, s.count, s.dtype)
	}
	if s.view == nil {
		return root, nil
	}
	view, _ := s.view.(tuple) // (key, offset, elements)
	if len(view) != 3 {
		return nil, fmt.Errorf("storage %.100q: a view of %d fields", s.key, len(view))
	}
	offset, ok1 := view[1].(int64)
	count, ok2 := view[2].(int64)
	if !ok1 || !ok2 || offset < 0 || count < 0 || offset > int64(root.count) || count > int64(root.count)-offset {
		return nil, fmt.Errorf("storage %.100q: a view of %v elements from %v", s.key, view[2], view[1])
	}
	part := &storage{dtype: s.dtype, count: int(count)}
	l.views = append(l.views, storageView{part: part, root: root, offset: int(offset)})
	return part, nil
}

// fill gives the storages their data, in the order of the keys.
func (l *legacy) fill(keys any, data []byte) error {
	order, ok := keys.(*list)
	if !ok || len(order.items) != len(l.storages) {
		return errors.New("legacy: the list of storages does not fit the pickle: the file is damaged")
	}
	for _, k := range order.items {
		key, _ := k.(string)
		s := l.storages[key]
		if s == nil || s.data != nil {
			return fmt.Errorf("legacy: storage %.100q is unknown or comes twice", key)
		}
		if len(data) < 8 {
			return fmt.Errorf("legacy: storage %.100q: %w", key, io.ErrUnexpectedEOF)
		}
		count, rest := binary.LittleEndian.Uint64(data), data[8:]
		if count != uint64(s.count) || s.count > len(rest)/s.dtype.Size() {
			return fmt.Errorf("legacy: storage %.100q: %d elements of %s, %d wanted, in %d bytes: damaged or cut off",
				key, count, s.dtype, s.count, len(rest))
		}
		n := s.count * s.dtype.Size()
		s.data, data = rest[:n:n], rest[n:]
	}
	for _, v := range l.views {
		size := v.part.dtype.Size()
		v.part.data = v.root.data[v.offset*size : (v.offset+v.part.count)*size]
	}
	return nil
}
