package imgio

import (
	"encoding/binary"
	"io"
	"iter"
)

// maxParts bounds the chunks or segments that are walked in search of metadata.
const maxParts = 1 << 16

// readFunc gives n bytes of a file at off, nil where it has no n bytes there.
type readFunc func(off int64, n int) []byte

func bytesOf(r io.ReadSeeker) readFunc {
	return func(off int64, n int) []byte {
		buf := make([]byte, n)
		if _, err := r.Seek(off, io.SeekStart); err != nil {
			return nil
		}
		if _, err := io.ReadFull(r, buf); err != nil {
			return nil
		}
		return buf
	}
}

// part is a chunk or segment of a file: its content has size bytes at off, of which a damaged file may lack some.
type part struct {
	name      string
	off, size int64
}

// jpegSegments walks the segments before the first scan, named by their markers.
func jpegSegments(read readFunc) iter.Seq[part] {
	const startOfScan, fill = 0xda, 0xff
	return func(yield func(part) bool) {
		off := int64(2)
		for range maxParts {
			head := read(off, 4)
			switch {
			case head == nil || head[0] != 0xff || head[1] == startOfScan:
				return
			case head[1] == fill:
				off++
				continue
			}
			size := int64(binary.BigEndian.Uint16(head[2:])) // counts itself
			if size < 2 || !yield(part{string(head[:2]), off + 4, size - 2}) {
				return
			}
			off += 2 + size
		}
	}
}

func pngChunks(read readFunc) iter.Seq[part] {
	return chunks(read, 8, func(head []byte) (string, int64, int64) {
		return string(head[4:]), int64(binary.BigEndian.Uint32(head)), 4 // a checksum
	})
}

func webpChunks(read readFunc) iter.Seq[part] {
	return chunks(read, 12, func(head []byte) (string, int64, int64) {
		size := int64(binary.LittleEndian.Uint32(head[4:]))
		return string(head[:4]), size, size % 2 // padded to an even size
	})
}

// chunks walks chunks from off on, of whose first 8 bytes parse tells the name, the size of the content that follows them,
// and how many bytes follow that.
func chunks(read readFunc, off int64, parse func(head []byte) (name string, size, more int64)) iter.Seq[part] {
	return func(yield func(part) bool) {
		at := off
		for range maxParts {
			head := read(at, 8)
			if head == nil {
				return
			}
			name, size, more := parse(head)
			if !yield(part{name, at + 8, size}) {
				return
			}
			at += 8 + size + more
		}
	}
}

// tiffTag finds a tag in the first directory of the TIFF structure at base: its 12 bytes, nil where there is none.
func tiffTag(read readFunc, base int64, tag uint16) (entry []byte, order binary.ByteOrder) {
	head := read(base, 8)
	if head == nil {
		return nil, nil
	}
	order = binary.LittleEndian
	if head[0] == 'M' {
		order = binary.BigEndian
	}
	dir := base + int64(order.Uint32(head[4:]))
	count := read(dir, 2)
	if count == nil {
		return nil, nil
	}
	const size = 12
	entries := read(dir+2, size*int(order.Uint16(count)))
	for ; len(entries) > 0; entries = entries[size:] {
		if order.Uint16(entries) == tag {
			return entries[:size], order
		}
	}
	return nil, nil
}
