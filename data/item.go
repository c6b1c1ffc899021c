package data

import (
	"bytes"
	"compress/flate"
	"fmt"
	"hash/crc32"
	"image"
	"io"
	"os"

	"github.com/gopdd/gopdd/internal/imgio"
)

// Item is one picture file, on disk or inside an archive. It is a small value without open handles; the file is
// looked at only when it is read.
type Item struct {
	Path string // what messages call it: the file, or archive/member
	Key  string // path below the folder or archive it was found in, slash-separated

	member *member // nil: the file Path itself
}

// member is where a file lies in an archive.
type member struct {
	archive  string
	offset   int64
	packed   int64 // bytes in the archive
	size     int64 // bytes of the file
	deflated bool
	crc      *uint32 // nil: the format has none
}

// Info are the properties of a picture file that its header tells.
type Info struct {
	Format      string // "png", "jpeg", "tiff", "webp", "bmp" or "gif"
	W, H        int    // as displayed
	BitDepth    int    // 8 or 16
	Gray, Alpha bool
	Bytes       int64 // of the file
}

// Decode reads the picture. Files of more than maxPixels pixels (0: 2^28) are refused from their header, before their
// pixels are allocated; damaged ones give an error that names the file.
func (it Item) Decode(maxPixels int64) (image.Image, error) {
	content, err := it.content()
	if err != nil {
		return nil, err
	}
	return it.decode(content, maxPixels)
}

func (it Item) decode(content []byte, maxPixels int64) (image.Image, error) {
	img, _, err := imgio.Decode(bytes.NewReader(content), imgio.Limits{MaxPixels: maxPixels})
	if err != nil {
		return nil, fmt.Errorf("data: read %q: %w", it.Path, err)
	}
	return img, nil
}

// content reads the whole file.
func (it Item) content() ([]byte, error) {
	if it.member != nil {
		content, err := it.member.read()
		if err != nil {
			return nil, fmt.Errorf("data: read %q: %w", it.Path, err)
		}
		return content, nil
	}
	r, size, err := it.open()
	if err != nil {
		return nil, fmt.Errorf("data: read %q: %w", it.Path, err)
	}
	defer r.Close()
	if size > imgio.DefaultMaxBytes {
		return nil, fmt.Errorf("data: read %q: %w: file of %d bytes, the limit is %d", it.Path, imgio.ErrTooLarge, size, imgio.DefaultMaxBytes)
	}
	content := make([]byte, size)
	if _, err := io.ReadFull(r, content); err != nil {
		return nil, fmt.Errorf("data: read %q: %w", it.Path, err)
	}
	return content, nil
}

// Info reads the picture's header.
func (it Item) Info() (Info, error) {
	r, size, err := it.open()
	if err != nil {
		return Info{}, fmt.Errorf("data: read %q: %w", it.Path, err)
	}
	defer r.Close()
	info, err := imgio.DecodeInfo(r)
	if err != nil {
		return Info{}, fmt.Errorf("data: read %q: %w", it.Path, err)
	}
	return Info{info.Format, info.Width, info.Height, info.BitDepth, info.Gray, info.Alpha, size}, nil
}

// open returns the file's content and size.
func (it Item) open() (io.ReadSeekCloser, int64, error) {
	if it.member != nil {
		content, err := it.member.read()
		return nopCloser{bytes.NewReader(content)}, int64(len(content)), err
	}
	f, err := os.Open(it.Path)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("not a regular file")
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

type nopCloser struct{ *bytes.Reader }

func (nopCloser) Close() error { return nil }

// read returns the member's content. It never allocates more than the limit on files, whatever the archive says.
func (m *member) read() ([]byte, error) {
	for _, n := range []int64{m.size, m.packed} {
		if n < 0 || n > imgio.DefaultMaxBytes {
			return nil, fmt.Errorf("%w: %d bytes, the limit is %d", imgio.ErrTooLarge, uint64(n), imgio.DefaultMaxBytes)
		}
	}
	f, err := os.Open(m.archive)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = io.NewSectionReader(f, m.offset, m.packed)
	if m.deflated {
		r = flate.NewReader(r)
	}
	const mostDeflated = 1032 // bytes that one byte can become
	var buf bytes.Buffer
	buf.Grow(int(min(m.size, mostDeflated*m.packed) + bytes.MinRead))
	n, err := io.Copy(&buf, io.LimitReader(r, m.size+1))
	switch {
	case err != nil:
		return nil, err
	case n != m.size:
		return nil, fmt.Errorf("archive holds %d bytes or more of it where its directory says %d: damaged archive", n, m.size)
	case m.crc != nil && crc32.ChecksumIEEE(buf.Bytes()) != *m.crc:
		return nil, fmt.Errorf("checksum does not match: damaged archive")
	}
	return buf.Bytes(), nil
}
