package imgio

import (
	"encoding/binary"
	"io"
)

// maxParts bounds the chunks or segments that are walked in search of EXIF data.
const maxParts = 1 << 16

// orientation finds the EXIF orientation, 1 to 8, of a file. Files without one or with damaged metadata are upright: 1.
func orientation(r io.ReadSeeker, format string) int {
	read := func(off int64, n int) []byte { // nil where the file has no n bytes at off
		buf := make([]byte, n)
		if _, err := r.Seek(off, io.SeekStart); err != nil {
			return nil
		}
		if _, err := io.ReadFull(r, buf); err != nil {
			return nil
		}
		return buf
	}
	switch format {
	case "jpeg":
		return jpegOrientation(read)
	case "png":
		return pngOrientation(read)
	case "webp":
		return webpOrientation(read)
	case "tiff":
		return tiffOrientation(read, 0)
	}
	return 1
}

type readFunc func(off int64, n int) []byte

// jpegOrientation looks for an APP1 segment that starts with "Exif\0\0", before the first scan.
func jpegOrientation(read readFunc) int {
	const app1, startOfScan, fill = 0xe1, 0xda, 0xff
	off := int64(2)
	for range maxParts {
		head := read(off, 4)
		switch {
		case head == nil || head[0] != 0xff || head[1] == startOfScan:
			return 1
		case head[1] == fill:
			off++
			continue
		case head[1] == app1 && string(read(off+4, 6)) == "Exif\x00\x00":
			return tiffOrientation(read, off+10)
		}
		off += 2 + int64(binary.BigEndian.Uint16(head[2:]))
	}
	return 1
}

// pngOrientation looks for an eXIf chunk (PNG 3rd edition, 11.3.4.5), which may follow the pixels.
func pngOrientation(read readFunc) int {
	off := int64(8)
	for range maxParts {
		head := read(off, 8)
		switch {
		case head == nil:
			return 1
		case string(head[4:]) == "eXIf":
			return tiffOrientation(read, off+8)
		}
		off += 12 + int64(binary.BigEndian.Uint32(head))
	}
	return 1
}

// webpOrientation looks for an EXIF chunk. Some writers put JPEG's "Exif\0\0" in front of its content.
func webpOrientation(read readFunc) int {
	off := int64(12)
	for range maxParts {
		head := read(off, 8)
		switch {
		case head == nil:
			return 1
		case string(head[:4]) == "EXIF" && string(read(off+8, 6)) == "Exif\x00\x00":
			return tiffOrientation(read, off+14)
		case string(head[:4]) == "EXIF":
			return tiffOrientation(read, off+8)
		}
		size := int64(binary.LittleEndian.Uint32(head[4:]))
		off += 8 + size + size%2 // chunks are padded to an even size
	}
	return 1
}

// tiffOrientation reads tag 0x0112 from the first directory of the TIFF structure at base.
func tiffOrientation(read readFunc, base int64) int {
	head := read(base, 8)
	if head == nil {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if head[0] == 'M' {
		order = binary.BigEndian
	}
	dir := base + int64(order.Uint32(head[4:]))
	count := read(dir, 2)
	if count == nil {
		return 1
	}
	const tagOrientation, typeShort, entry = 0x0112, 3, 12
	tags := read(dir+2, entry*int(order.Uint16(count)))
	for ; len(tags) > 0; tags = tags[entry:] {
		if order.Uint16(tags) != tagOrientation || order.Uint16(tags[2:]) != typeShort {
			continue
		}
		if o := order.Uint16(tags[8:]); o >= 1 && o <= 8 {
			return int(o)
		}
	}
	return 1
}
