package imgio

import (
	"bytes"
	"cmp"
	"fmt"
	"image"
	"io"
)

// Read reads an image from a stream, such as a pipe: [Decode] of what it holds, which goes into memory first. One beyond lim
// is refused with [ErrTooLarge] and not read further.
func Read(r io.Reader, lim Limits) (image.Image, Info, error) {
	content, err := lim.readAll(r)
	if err != nil {
		return nil, Info{}, fmt.Errorf("imgio: read: %w", err)
	}
	return Decode(content, lim)
}

// readAll reads at most a byte more than the limit, which [decode] then refuses.
func (lim Limits) readAll(r io.Reader) (io.ReadSeeker, error) {
	content, err := io.ReadAll(io.LimitReader(r, cmp.Or(lim.MaxBytes, DefaultMaxBytes)+1))
	return bytes.NewReader(content), err
}
