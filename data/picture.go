package data

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"

	"github.com/gopdd/gopdd/internal/imgio"
)

// picture is a file whose size is known; its pixels are decoded when a part of them is asked for.
type picture struct {
	item      Item
	size      image.Point
	maxPixels int64
	decoded   image.Image // from or for the cache; nil: content and info are there
	content   []byte
	info      imgio.Info
}

// open finds a picture in the cache or reads its file. It decodes the whole picture only if the cache can keep it.
func (o Options) open(it Item) (*picture, error) {
	if img, ok := o.Cache.find(it); ok {
		return &picture{item: it, size: img.Bounds().Size(), decoded: img}, nil
	}
	content, err := it.content()
	if err != nil {
		return nil, err
	}
	info, err := imgio.DecodeInfo(bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("data: read %q: %w", it.Path, err)
	}
	p := &picture{item: it, size: image.Pt(info.Width, info.Height), maxPixels: o.MaxPixels, content: content, info: info}
	if o.Cache.room(decodedBytes(info)) {
		if p.decoded, err = it.decode(content, o.MaxPixels); err != nil {
			return nil, err
		}
		o.Cache.keep(it.Path, p.decoded)
	}
	return p, nil
}

// planes decodes the part r, counted from the top left corner, to three planes. Files are stored from top to bottom, so
// that what lies below a patch, half of a file on average, costs no decoding; nor is damage there noticed.
func (p *picture) planes(r image.Rectangle) (*Image, error) {
	img := p.decoded
	if img == nil {
		if p.isPlain() && p.info.Format == "png" {
			if m := pngPart(p.content, r); m != nil {
				return m, nil
			}
		}
		if p.isPlain() && p.info.Format == "jpeg" {
			lowerJPEG(p.content, r.Max.Y)
		}
		var err error
		if img, err = p.item.decode(p.content, p.maxPixels); err != nil {
			return nil, err
		}
	}
	return FromImage(subImage(img, r)).RGB(), nil
}

// isPlain tells whether rows are stored as they are displayed and the picture is within its limit.
func (p *picture) isPlain() bool {
	limit := p.maxPixels
	if limit == 0 {
		limit = imgio.DefaultMaxPixels
	}
	return p.info.Orientation <= 1 && int64(p.size.X)*int64(p.size.Y) <= limit
}

// lowerJPEG makes a sequential JPEG file's header say that the picture ends soon after the given row, at a multiple of
// 32 where every kind of block ends. Decoders then pass over the rest. Progressive files stay as they are.
func lowerJPEG(content []byte, rows int) {
	const (
		baseline, extended = 0xc0, 0xc1
		startOfScan        = 0xda
	)
	for at := 2; at+9 < len(content) && content[at] == 0xff; {
		marker := content[at+1]
		switch {
		case marker == 0xff: // padding
			at++
			continue
		case marker == baseline || marker == extended:
			height := content[at+5 : at+7]
			lowered := (rows + 31) &^ 31
			if lowered < int(binary.BigEndian.Uint16(height)) {
				binary.BigEndian.PutUint16(height, uint16(lowered))
			}
			return
		case marker == startOfScan:
			return
		}
		at += 2 + int(binary.BigEndian.Uint16(content[at+2:]))
	}
}
