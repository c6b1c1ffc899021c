package imgio

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// inserter passes on what is written, with insert behind the first bytes.
type inserter struct {
	w      io.Writer
	first  int
	insert []byte
}

func (i *inserter) Write(p []byte) (n int, err error) {
	if i.insert != nil && len(p) >= i.first {
		if n, err = i.w.Write(p[:i.first]); err != nil {
			return n, err
		}
		if _, err = i.w.Write(i.insert); err != nil {
			return n, err
		}
		i.insert, p = nil, p[n:]
	}
	i.first -= len(p)
	m, err := i.w.Write(p)
	return n + m, err
}

// inPNG puts the profile behind the IHDR chunk of the PNG file that is written.
func inPNG(w io.Writer, profile []byte) (io.Writer, error) {
	const signature, ihdr = 8, 25
	if profile == nil {
		return w, nil
	}
	var content bytes.Buffer
	content.WriteString("ICC profile\x00\x00")
	z := zlib.NewWriter(&content)
	if _, err := z.Write(profile); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	chunk := binary.BigEndian.AppendUint32(nil, uint32(content.Len()))
	chunk = append(append(chunk, pngProfileChunk...), content.Bytes()...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	return &inserter{w, signature + ihdr, chunk}, nil
}

// inJPEG puts the profile behind the first marker of the JPEG file that is written.
func inJPEG(w io.Writer, profile []byte) io.Writer {
	const startOfImage = 2
	count := (len(profile) + jpegProfileMost - 1) / jpegProfileMost
	var segments []byte
	for number := 1; number <= count; number++ {
		data := profile[:min(len(profile), jpegProfileMost)]
		profile = profile[len(data):]
		segments = append(segments, jpegProfileMarker...)
		segments = binary.BigEndian.AppendUint16(segments, uint16(2+len(jpegProfileHead)+2+len(data)))
		segments = append(segments, jpegProfileHead...)
		segments = append(segments, byte(number), byte(count))
		segments = append(segments, data...)
	}
	return &inserter{w, startOfImage, segments}
}

// inTIFF appends the profile to a little-endian file, and a copy of its directory with the profile's tag, which comes
// after all that golang.org/x/image/tiff writes.
func inTIFF(file, profile []byte) []byte {
	const entry, typeUndefined = 12, 7
	le := binary.LittleEndian
	dir := file[le.Uint32(file[4:]):]
	count := le.Uint16(dir)
	entries := dir[2:][:entry*int(count)]
	at := len(file)
	out := append(file, profile...)
	out = append(out, make([]byte, len(out)%2)...) // directories start at even offsets
	le.PutUint32(out[4:], uint32(len(out)))
	out = le.AppendUint16(out, count+1)
	out = append(out, entries...)
	out = le.AppendUint16(out, tiffProfileTag)
	out = le.AppendUint16(out, typeUndefined)
	out = le.AppendUint32(out, uint32(len(profile)))
	out = le.AppendUint32(out, uint32(at))
	return le.AppendUint32(out, 0) // no further directory
}
