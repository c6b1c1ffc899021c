package imgio

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image/color"
	"io"
)

// maxProfile bounds a colour profile. Cameras' and screens' have a few KB, printers' up to 3 MB.
const maxProfile = 4 << 20

// How files hold profiles (ICC.1:2022, annex B; PNG 3rd edition, 11.3.2.3).
const (
	jpegProfileMarker = "\xff\xe2" // APP2
	jpegProfileHead   = "ICC_PROFILE\x00"
	jpegProfileMost   = 1<<16 - 1 - 2 - len(jpegProfileHead) - 2 // bytes in one segment
	pngProfileChunk   = "iCCP"
	webpProfileChunk  = "ICCP"
	tiffProfileTag    = 34675
)

// profile gives the colour profile of a file whose decoded picture is gray or not; see fitting.
func profile(r io.ReadSeeker, format string, gray bool) []byte {
	read := bytesOf(r)
	switch format {
	case "jpeg":
		return fitting(jpegProfile(read), gray)
	case "png":
		return fitting(pngProfile(read), gray)
	case "webp":
		return fitting(webpProfile(read), gray)
	case "tiff":
		return fitting(tiffProfile(read), gray)
	}
	return nil
}

// fitting gives the profile without what follows its end: nil if it is damaged, too long, or describes other channels
// than gray or RGB, whichever the picture has.
func fitting(profile []byte, gray bool) []byte {
	const header = 128
	space := "RGB "
	if gray {
		space = "GRAY"
	}
	if len(profile) < header || string(profile[16:20]) != space || string(profile[36:40]) != "acsp" {
		return nil
	}
	size := int64(binary.BigEndian.Uint32(profile))
	if size < header || size > int64(len(profile)) || size > maxProfile {
		return nil
	}
	return profile[:size]
}

func isGray(m color.Model) bool { return m == color.GrayModel || m == color.Gray16Model }

// jpegProfile puts the segments of a profile together, each of which says which one it is and of how many.
func jpegProfile(read readFunc) []byte {
	var segments [256][]byte
	count, found := 0, 0
	for s := range jpegSegments(read) {
		if s.name != jpegProfileMarker || string(read(s.off, len(jpegProfileHead))) != jpegProfileHead {
			continue
		}
		content := read(s.off, int(s.size))
		if len(content) < len(jpegProfileHead)+2 {
			return nil
		}
		content = content[len(jpegProfileHead):]
		number, of := int(content[0]), int(content[1])
		if number < 1 || number > of || count != 0 && of != count || segments[number] != nil {
			return nil
		}
		segments[number], count = content[2:], of
		found++
	}
	if found != count {
		return nil
	}
	return bytes.Join(segments[:], nil)
}

// pngProfile inflates the profile's chunk, which comes before the pixels: a name that ends with 0, a 0 for deflate, data.
func pngProfile(read readFunc) []byte {
	for c := range pngChunks(read) {
		switch {
		case c.name == "IDAT" || c.name == pngProfileChunk && c.size > 2*maxProfile:
			return nil
		case c.name == pngProfileChunk:
			_, deflated, _ := bytes.Cut(read(c.off, int(c.size)), []byte{0})
			if len(deflated) == 0 || deflated[0] != 0 {
				return nil
			}
			return inflate(deflated[1:])
		}
	}
	return nil
}

// inflate gives up beyond maxProfile.
func inflate(deflated []byte) []byte {
	z, err := zlib.NewReader(bytes.NewReader(deflated))
	if err != nil {
		return nil
	}
	out, err := io.ReadAll(io.LimitReader(z, maxProfile+1))
	if err != nil || len(out) > maxProfile {
		return nil
	}
	return out
}

func webpProfile(read readFunc) []byte {
	for c := range webpChunks(read) {
		if c.name == webpProfileChunk && c.size <= maxProfile {
			return read(c.off, int(c.size))
		}
	}
	return nil
}

func tiffProfile(read readFunc) []byte {
	entry, order := tiffTag(read, 0, tiffProfileTag)
	if entry == nil {
		return nil
	}
	size := order.Uint32(entry[4:])
	if size > maxProfile {
		return nil
	}
	return read(int64(order.Uint32(entry[8:])), int(size))
}
