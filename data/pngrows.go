package data

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"io"

	"github.com/klauspost/compress/zlib"
)

// pngRows decodes the first rows of a PNG file of the kind that photos have: 8 bits, gray or RGB, not interlaced, no
// transparent colour. It returns nil for other kinds, and for damage, so that the full decoder finds the words for it.
func pngRows(content []byte, rows int) image.Image {
	d, ok := newPNGReader(content)
	if !ok || rows > d.h {
		return nil
	}
	z, err := zlib.NewReader(d)
	if err != nil {
		return nil
	}
	defer z.Close()
	channels := 1
	if !d.gray {
		channels = 3
	}
	write, img := newPNGImage(d.gray, d.w, rows)
	line, above := make([]byte, 1+d.w*channels), make([]byte, 1+d.w*channels)
	for y := range rows {
		if _, err := io.ReadFull(z, line); err != nil || !unfilter(line[0], line[1:], above[1:], channels) {
			return nil
		}
		write(y, line[1:])
		line, above = above, line
	}
	return img
}

// newPNGImage returns a picture and what writes its rows.
func newPNGImage(gray bool, w, h int) (write func(y int, line []byte), img image.Image) {
	r := image.Rect(0, 0, w, h)
	if gray {
		m := image.NewGray(r)
		return func(y int, line []byte) { copy(m.Pix[y*m.Stride:], line) }, m
	}
	m := image.NewNRGBA(r)
	return func(y int, line []byte) {
		dst := m.Pix[y*m.Stride : (y+1)*m.Stride]
		for x := 0; len(line) >= 3 && x+4 <= len(dst); x += 4 {
			dst[x], dst[x+1], dst[x+2], dst[x+3] = line[0], line[1], line[2], 255
			line = line[3:]
		}
	}, m
}

// pngReader reads the compressed data of a PNG file, chunk after chunk.
type pngReader struct {
	w, h  int
	gray  bool
	rest  []byte // chunks not looked at yet
	chunk []byte // what is left of the current one
}

// newPNGReader reads the chunks before the pixels.
func newPNGReader(content []byte) (*pngReader, bool) {
	const signature = "\x89PNG\r\n\x1a\n"
	rest, ok := bytes.CutPrefix(content, []byte(signature))
	d := &pngReader{rest: rest}
	kind, head := d.next()
	if !ok || kind != "IHDR" || len(head) != 13 {
		return nil, false
	}
	d.w, d.h = int(binary.BigEndian.Uint32(head)), int(binary.BigEndian.Uint32(head[4:]))
	depth, colour, interlaced := head[8], head[9], head[12]
	d.gray = colour == 0
	if depth != 8 || colour != 0 && colour != 2 || interlaced != 0 {
		return nil, false
	}
	for {
		switch kind, data := d.next(); kind {
		case "IDAT":
			d.chunk = data
			return d, true
		case "tRNS", "IEND", "":
			return nil, false
		}
	}
}

// next takes a chunk off; its kind is empty where the file is damaged or ends.
func (d *pngReader) next() (kind string, data []byte) {
	if len(d.rest) < 12 {
		return "", nil
	}
	n := int(binary.BigEndian.Uint32(d.rest))
	if n > len(d.rest)-12 {
		return "", nil
	}
	body, sum := d.rest[4:8+n], binary.BigEndian.Uint32(d.rest[8+n:])
	d.rest = d.rest[12+n:]
	if crc32.ChecksumIEEE(body) != sum {
		return "", nil
	}
	return string(body[:4]), body[4:]
}

// Read reads on through consecutive IDAT chunks.
func (d *pngReader) Read(p []byte) (int, error) {
	for len(d.chunk) == 0 {
		kind, data := d.next()
		if kind != "IDAT" {
			return 0, io.ErrUnexpectedEOF
		}
		d.chunk = data
	}
	n := copy(p, d.chunk)
	d.chunk = d.chunk[n:]
	return n, nil
}

// ReadByte lets the decompressor read without a buffer of its own.
func (d *pngReader) ReadByte() (byte, error) {
	var one [1]byte
	_, err := d.Read(one[:])
	return one[0], err
}

// unfilter undoes the filter of a row in place, given the row above (PNG specification, section 9).
func unfilter(filter byte, line, above []byte, bpp int) bool {
	above = above[:len(line)]
	switch filter {
	case 0:
	case 1:
		for i := bpp; i < len(line); i++ {
			line[i] += line[i-bpp]
		}
	case 2:
		for i, b := range above {
			line[i] += b
		}
	case 3:
		for i := range line {
			left := 0
			if i >= bpp {
				left = int(line[i-bpp])
			}
			line[i] += byte((left + int(above[i])) / 2)
		}
	case 4:
		for i := range min(bpp, len(line)) {
			line[i] += above[i]
		}
		for i := bpp; i < len(line); i++ {
			line[i] += paeth(int(line[i-bpp]), int(above[i]), int(above[i-bpp]))
		}
	default:
		return false
	}
	return true
}

// paeth is the one of a (left), b (above), c (above left) that is nearest to a+b-c.
func paeth(a, b, c int) byte {
	pa, pb := b-c, a-c
	pc := max(pa+pb, -pa-pb)
	pa, pb = max(pa, -pa), max(pb, -pb)
	switch {
	case pa <= pb && pa <= pc:
		return byte(a)
	case pb <= pc:
		return byte(b)
	}
	return byte(c)
}
