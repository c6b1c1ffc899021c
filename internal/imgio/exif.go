package imgio

import "io"

// orientation finds the EXIF orientation, 1 to 8, of a file. Files without one or with damaged metadata are upright: 1.
func orientation(r io.ReadSeeker, format string) int {
	read := bytesOf(r)
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

// jpegOrientation looks for an APP1 segment that starts with "Exif\0\0".
func jpegOrientation(read readFunc) int {
	const app1 = "\xff\xe1"
	for s := range jpegSegments(read) {
		if s.name == app1 && string(read(s.off, 6)) == "Exif\x00\x00" {
			return tiffOrientation(read, s.off+6)
		}
	}
	return 1
}

// pngOrientation looks for an eXIf chunk (PNG 3rd edition, 11.3.4.5), which may follow the pixels.
func pngOrientation(read readFunc) int {
	for c := range pngChunks(read) {
		if c.name == "eXIf" {
			return tiffOrientation(read, c.off)
		}
	}
	return 1
}

// webpOrientation looks for an EXIF chunk. Some writers put JPEG's "Exif\0\0" in front of its content.
func webpOrientation(read readFunc) int {
	for c := range webpChunks(read) {
		switch {
		case c.name == "EXIF" && string(read(c.off, 6)) == "Exif\x00\x00":
			return tiffOrientation(read, c.off+6)
		case c.name == "EXIF":
			return tiffOrientation(read, c.off)
		}
	}
	return 1
}

func tiffOrientation(read readFunc, base int64) int {
	const tagOrientation, typeShort = 0x0112, 3
	entry, order := tiffTag(read, base, tagOrientation)
	if entry == nil || order.Uint16(entry[2:]) != typeShort {
		return 1
	}
	if o := order.Uint16(entry[8:]); o >= 1 && o <= 8 {
		return int(o)
	}
	return 1
}
