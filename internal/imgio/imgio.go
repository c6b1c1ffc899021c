// Package imgio reads and writes image files for the command line, the data folders and the metrics: PNG, JPEG, TIFF,
// WebP, BMP and GIF (first frame) in, PNG, JPEG and TIFF out.
//
// It adds to the decoders of the standard library and golang.org/x/image what foreign files need: the content decides
// the format, never the name; sizes are checked in the header before pixels are allocated; the EXIF orientation is
// applied; CMYK becomes RGB; no damaged file makes it panic; and writing is atomic. It reads no animation beyond the
// first frame.
//
// It does no colour management: pixels are the numbers of the file. An ICC profile that says what they mean is read and
// can be embedded again; profiles of inks are dropped, as are other descriptions of colour, such as PNG's gAMA, and all
// EXIF data but the orientation.
//
//	img, info, err := imgio.ReadFile("photo.jpg", imgio.Limits{})
//	...
//	err = imgio.WriteFile("photo.png", img, imgio.Profile(info.Profile))
//
// All functions may be called from any number of goroutines.
package imgio

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// Default limits of [Limits].
const (
	DefaultMaxPixels = 1 << 28 // 268 million pixels: 16384×16384, 1 GiB at 4 bytes a pixel
	DefaultMaxBytes  = 1 << 30 // 1 GiB of file

	// maxSide bounds either side whatever Limits say: padding, such as that of TIFF tiles, costs memory in proportion to
	// a side, not to the area.
	maxSide = 1 << 20
)

// Errors that callers tell apart with errors.Is.
var (
	ErrUnknownFormat = errors.New("not a PNG, JPEG, TIFF, WebP, BMP or GIF file")
	ErrTooLarge      = errors.New("image is too large")
	ErrTransparent   = errors.New("JPEG cannot hold transparency: write a .png or .tif file")
)

// PixelBytes is about what decoding takes at most for a pixel, for a while (progressive JPEG, 16-bit TIFF).
const PixelBytes = 16

// Limits bound what a file may make the decoder allocate. The zero value stands for the defaults. Decoding takes at
// most [PixelBytes] a pixel for a while and 1 to 8 afterwards.
type Limits struct {
	MaxPixels int64 // width*height; 0 = DefaultMaxPixels
	MaxBytes  int64 // of the file; 0 = DefaultMaxBytes
}

// Info describes an image file.
type Info struct {
	Format        string // "png", "jpeg", "tiff", "webp", "bmp" or "gif"
	Width, Height int    // in pixels, as displayed: after Orientation is applied
	BitDepth      int    // bits a channel of the decoded image: 8 or 16
	Gray          bool   // one channel, no alpha
	Alpha         bool   // some pixel is transparent; from DecodeInfo: the header announces an alpha channel
	Orientation   int    // EXIF orientation as stored, 1 (upright) to 8; 1 where the file has none

	// Profile is the ICC profile embedded in a JPEG, PNG, TIFF or WebP file. It is nil from DecodeInfo and where the file has
	// none, a damaged one, one of more than 4 MiB, or one of other channels than the image's, gray or RGB.
	Profile []byte
}

// IsImageName reports whether name has the extension, in any case, of a file that this package may read.
func IsImageName(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif":
		return true
	}
	return false
}

// check refuses a w×h image of a file with size bytes; least is the smallest size that such a file can have.
func (lim Limits) check(w, h int, size, least int64) error {
	maxPixels := lim.MaxPixels
	if maxPixels == 0 {
		maxPixels = DefaultMaxPixels
	}
	switch {
	case w <= 0 || h <= 0:
		return fmt.Errorf("header says %d×%d pixels: damaged file", w, h)
	case w > maxSide || h > maxSide:
		return fmt.Errorf("%w: %d×%d, a side may have %d pixels", ErrTooLarge, w, h, maxSide)
	case int64(w)*int64(h) > maxPixels:
		return fmt.Errorf("%w: %d×%d = %d pixels, the limit is %d", ErrTooLarge, w, h, int64(w)*int64(h), maxPixels)
	case size < least:
		return fmt.Errorf("header says %d×%d pixels, which a file of %d bytes cannot hold: damaged file", w, h, size)
	}
	return nil
}

// checkBytes refuses a file of size bytes.
func (lim Limits) checkBytes(size int64) error {
	maxBytes := lim.MaxBytes
	if maxBytes == 0 {
		maxBytes = DefaultMaxBytes
	}
	if size > maxBytes {
		return fmt.Errorf("%w: file of %d bytes, the limit is %d", ErrTooLarge, size, maxBytes)
	}
	return nil
}
