package imgio

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"
)

// ReadFile reads the image file path: [Decode] with the path in the error. What is no regular file, such as a pipe, goes
// into memory first.
func ReadFile(path string, lim Limits) (image.Image, Info, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, Info{}, fmt.Errorf("imgio: read: %w", err)
	}
	defer f.Close()
	var content io.ReadSeeker = f
	if stat, statErr := f.Stat(); statErr == nil && !stat.Mode().IsRegular() {
		if content, err = lim.readAll(f); err != nil {
			return nil, Info{}, fmt.Errorf("imgio: read: %w", err)
		}
	}
	img, info, err := decode(content, lim)
	if err != nil {
		return nil, info, fmt.Errorf("imgio: read %q: %w", path, err)
	}
	return img, info, nil
}

// Decode reads an image from the start of r (which may be anywhere) and returns it upright. Its bounds start at (0,0).
//
// The type says what the file held: *image.Gray and *image.Gray16 for gray, *image.Paletted for palettes, *image.NRGBA
// and *image.NRGBA64 for images with transparency, *image.RGBA, *image.RGBA64 and *image.YCbCr without. An alpha
// channel that is opaque everywhere counts as none. Transparent JPEG-like WebP gives *image.NYCbCrA, and TIFF with
// premultiplied alpha a *image.RGBA that is not opaque.
//
// An image or a file beyond lim is refused with [ErrTooLarge] before pixels are allocated.
func Decode(r io.ReadSeeker, lim Limits) (image.Image, Info, error) {
	img, info, err := decode(r, lim)
	if err != nil {
		return nil, info, fmt.Errorf("imgio: decode: %w", err)
	}
	return img, info, nil
}

// DecodeInfo reads the header only, without the colour profile. It applies no limits, since it allocates no pixels.
func DecodeInfo(r io.ReadSeeker) (Info, error) {
	h, err := readHeader(r)
	if err != nil {
		return h.info, fmt.Errorf("imgio: decode header: %w", err)
	}
	return h.info, nil
}

func decode(r io.ReadSeeker, lim Limits) (img image.Image, info Info, err error) {
	size, err := r.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, Info{}, err
	}
	if err := lim.checkBytes(size); err != nil {
		return nil, Info{}, err
	}
	h, err := readHeader(r)
	if err != nil {
		return nil, h.info, err
	}
	if err := lim.check(h.width, h.height, size, h.leastBytes()); err != nil {
		return nil, h.info, err
	}
	if img, err = h.decodePixels(r); err != nil {
		return nil, h.info, err
	}
	if b := img.Bounds(); b != image.Rect(0, 0, h.width, h.height) {
		return nil, h.info, fmt.Errorf("header says %d×%d pixels, the content %v: damaged file", h.width, h.height, b)
	}
	img = withoutOpaqueAlpha(withoutCMYK(img))
	h.info.setModel(img.ColorModel())
	h.info.Alpha = !isOpaque(img)
	h.info.Profile = profile(r, h.info.Format, h.info.Gray)
	return orient(img, h.info.Orientation), h.info, nil
}

// header is what is known of a file before its pixels are read.
type header struct {
	info          Info
	width, height int      // as stored
	head          [32]byte // the first bytes of the file
	codec         codec
}

// codec is one file format.
type codec struct {
	name   string
	magics []string // how a file starts; '?' stands for any byte
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

var codecs = []codec{
	{"png", []string{"\x89PNG\r\n\x1a\n"}, png.DecodeConfig, png.Decode},
	{"jpeg", []string{"\xff\xd8\xff"}, jpeg.DecodeConfig, jpeg.Decode},
	{"tiff", []string{"II*\x00", "MM\x00*"}, tiff.DecodeConfig, tiff.Decode},
	{"webp", []string{"RIFF????WEBP"}, webp.DecodeConfig, webp.Decode},
	{"bmp", []string{"BM"}, bmp.DecodeConfig, bmp.Decode},
	{"gif", []string{"GIF87a", "GIF89a"}, gif.DecodeConfig, decodeGIF},
}

func readHeader(r io.ReadSeeker) (h header, err error) {
	defer recoverDecoder(&err)
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return h, err
	}
	n, err := io.ReadFull(r, h.head[:])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return h, err
	}
	var ok bool
	if h.codec, ok = sniff(h.head[:n]); !ok {
		return h, ErrUnknownFormat
	}
	h.info = Info{Format: h.codec.name, Orientation: 1}
	in, err := h.reader(r)
	if err != nil {
		return h, err
	}
	cfg, err := h.codec.config(in)
	if err != nil {
		return h, err
	}
	h.width, h.height = cfg.Width, cfg.Height
	h.info.setModel(cfg.ColorModel)
	h.info.Orientation = orientation(r, h.codec.name)
	h.info.Width, h.info.Height = h.width, h.height
	if h.info.Orientation >= 5 { // 5 to 8 swap rows and columns
		h.info.Width, h.info.Height = h.height, h.width
	}
	return h, nil
}

func sniff(head []byte) (codec, bool) {
	for _, c := range codecs {
		for _, magic := range c.magics {
			if len(head) >= len(magic) && matches(head, magic) {
				return c, true
			}
		}
	}
	return codec{}, false
}

func matches(head []byte, magic string) bool {
	for i := range len(magic) {
		if magic[i] != '?' && magic[i] != head[i] {
			return false
		}
	}
	return true
}

// reader rewinds r and wraps it as the codec likes it: TIFF wants random access, the others buffering.
func (h *header) reader(r io.ReadSeeker) (io.Reader, error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	if h.codec.name == "tiff" {
		return r, nil
	}
	return bufio.NewReader(r), nil
}

func (h *header) decodePixels(r io.ReadSeeker) (img image.Image, err error) {
	defer recoverDecoder(&err)
	in, err := h.reader(r)
	if err != nil {
		return nil, err
	}
	if img, err = h.codec.decode(in); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("%s: truncated file: %w", h.codec.name, err)
	}
	return img, err
}

// recoverDecoder turns a panic of a foreign decoder, which only a damaged file can cause, into an error.
func recoverDecoder(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("damaged file: decoder failed: %v", p)
	}
}

// leastBytes is a lower bound on the size of a file with this header, so that a header alone cannot ask for memory.
// Formats that store a blank image in next to nothing (all but PNG and BMP) give 0.
func (h *header) leastBytes() int64 {
	const deflateRatio = 1032 // the most that deflate can compress, see zlib's technical details
	switch h.codec.name {
	case "png":
		depth, colorType := int64(h.head[24]), h.head[25]
		channels := map[byte]int64{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colorType]
		return (int64(h.width)*depth*channels + 7) / 8 * int64(h.height) / deflateRatio
	case "bmp":
		depth := int64(binary.LittleEndian.Uint16(h.head[28:]))
		return int64(h.width) * depth / 8 * int64(h.height)
	}
	return 0
}

// setModel fills in what a colour model says.
func (info *Info) setModel(m color.Model) {
	info.BitDepth, info.Gray, info.Alpha = 8, false, false
	if p, ok := m.(color.Palette); ok {
		for _, c := range p {
			_, _, _, a := c.RGBA()
			info.Alpha = info.Alpha || a != 0xffff
		}
		return
	}
	switch m {
	case color.Gray16Model, color.RGBA64Model, color.NRGBA64Model:
		info.BitDepth = 16
	}
	info.Gray = isGray(m)
	info.Alpha = m == color.NRGBAModel || m == color.NRGBA64Model || m == color.NYCbCrAModel
}

// decodeGIF gives the first frame on the whole canvas, of which it may cover a part.
func decodeGIF(r io.Reader) (image.Image, error) {
	var head strings.Builder
	cfg, err := gif.DecodeConfig(io.TeeReader(r, &head))
	if err != nil {
		return nil, err
	}
	frame, err := gif.Decode(io.MultiReader(strings.NewReader(head.String()), r))
	if err != nil {
		return nil, err
	}
	canvas := image.Rect(0, 0, cfg.Width, cfg.Height)
	if frame.Bounds() == canvas {
		return frame, nil
	}
	return onCanvas(frame, canvas), nil
}
