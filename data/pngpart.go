package data

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"io"

	"github.com/klauspost/compress/zlib"
)

// pngPart decodes the part r of a PNG file of the kind that photos have: 8 bits, gray or RGB, not interlaced, no
// transparent colour. Rows below the part are not looked at. It returns three planes, or nil for other kinds, and for
// damage, so that the full decoder finds the words for it.
func pngPart(content []byte, r image.Rectangle) *Image {
	d, ok := newPNGReader(content)
	if !ok || !r.In(image.Rect(0, 0, d.w, d.h)) {
		return nil
	}
	z, err := zlib.NewReader(bytes.NewReader(d.data))
	if err != nil {
		return nil
	}
	defer z.Close()
	out := rawImage(d.channels, r.Dy(), r.Dx())
	line, above := make([]byte, 1+d.w*d.channels), make([]byte, 1+d.w*d.channels)
	for y := range r.Max.Y {
		if _, err := io.ReadFull(z, line); err != nil || !unfilter(line[0], line[1:], above[1:], d.channels) {
			return nil
		}
		if y >= r.Min.Y {
			out.setRow(y-r.Min.Y, line[1+r.Min.X*d.channels:])
		}
		line, above = above, line
	}
	return out.RGB()
}

// setRow sets row y of all planes to the 8-bit levels of line, where those of a pixel stand side by side.
func (m *Image) setRow(y int, line []byte) {
	for c := range m.C {
		at := c
		row := m.Row(c, y)
		for x := range row {
			row[x] = levels[line[at]]
			at += m.C
		}
	}
}

// pngReader reads the chunks of a PNG file.
type pngReader struct {
	w, h, channels int
	rest           []byte // chunks not looked at yet
	data           []byte // the compressed pixels
}

// newPNGReader reads the chunks up to the end of the pixels, or to the first one that is damaged.
func newPNGReader(content []byte) (*pngReader, bool) {
	const signature = "\x89PNG\r\n\x1a\n"
	rest, ok := bytes.CutPrefix(content, []byte(signature))
	d := &pngReader{rest: rest, channels: 3}
	kind, head := d.next()
	if !ok || kind != "IHDR" || len(head) != 13 {
		return nil, false
	}
	d.w, d.h = int(binary.BigEndian.Uint32(head)), int(binary.BigEndian.Uint32(head[4:]))
	depth, colour, interlaced := head[8], head[9], head[12]
	if colour == 0 {
		d.channels = 1
	}
	if depth != 8 || colour != 0 && colour != 2 || interlaced != 0 {
		return nil, false
	}
	d.data = make([]byte, 0, len(d.rest))
	for {
		switch kind, data := d.next(); {
		case kind == "IDAT":
			d.data = append(d.data, data...)
		case len(d.data) > 0:
			return d, true
		case kind == "tRNS", kind == "IEND", kind == "":
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
		if bpp == 3 {
			unfilterPaeth3(line, above)
			break
		}
		for i := range min(bpp, len(line)) {
			line[i] += above[i]
		}
		for i := bpp; i < len(line); i++ {
			line[i] += byte(paeth(int(line[i-bpp]), int(above[i]), int(above[i-bpp])))
		}
	default:
		return false
	}
	return true
}

// unfilterPaeth3 undoes the commonest filter of photos. It keeps the pixels to the left at hand.
func unfilterPaeth3(line, above []byte) {
	var a0, a1, a2, c0, c1, c2 int // left, above left
	for len(line) >= 3 && len(above) >= 3 {
		b0, b1, b2 := int(above[0]), int(above[1]), int(above[2])
		a0 = (int(line[0]) + paeth(a0, b0, c0)) & 255
		a1 = (int(line[1]) + paeth(a1, b1, c1)) & 255
		a2 = (int(line[2]) + paeth(a2, b2, c2)) & 255
		line[0], line[1], line[2] = byte(a0), byte(a1), byte(a2)
		c0, c1, c2 = b0, b1, b2
		line, above = line[3:], above[3:]
	}
}

// paeth is the one of a (left), b (above), c (above left) that is nearest to a+b-c, the first of those equally near.
// The choices are written so that they become conditional moves: no branch could be guessed.
func paeth(a, b, c int) int {
	pa, pb := b-c, a-c
	pc := pa + pb
	pa, pb, pc = max(pa, -pa), max(pb, -pb), max(pc, -pc)
	best := a
	if pb < pa {
		best, pa = b, pb
	}
	if pc < pa {
		best = c
	}
	return best
}
