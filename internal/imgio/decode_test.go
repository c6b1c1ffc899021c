package imgio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// TestPillow compares with Pillow's reading of the same files (testdata/make.py).
func TestPillow(t *testing.T) {
	tests := []struct {
		file   string
		want   Info
		tol    int
		reason string
	}{
		{"cmyk.jpg", Info{Format: "jpeg", Width: 24, Height: 16, BitDepth: 8, Orientation: 1}, 3, "inverse DCTs may differ by 1 per ink"},
		{"lossy.webp", Info{Format: "webp", Width: 24, Height: 16, BitDepth: 8, Orientation: 1}, 25, "libwebp interpolates chroma, x/image repeats it"},
		{"lossless.webp", Info{Format: "webp", Width: 24, Height: 16, BitDepth: 8, Orientation: 1}, 0, "lossless, opaque although the format has alpha"},
		{"alpha.webp", Info{Format: "webp", Width: 24, Height: 16, BitDepth: 8, Alpha: true, Orientation: 1}, 25, "as lossy.webp; alpha is lossless"},
		{"alpha_lossless.webp", Info{Format: "webp", Width: 24, Height: 16, BitDepth: 8, Alpha: true, Orientation: 1}, 0, "lossless"},
		{"alpha.tif", Info{Format: "tiff", Width: 6, Height: 4, BitDepth: 8, Alpha: true, Orientation: 1}, 0, "uncompressed"},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			got, info, err := ReadFile(filepath.Join("testdata", tt.file), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, info); diff != "" {
				t.Errorf("info (-want +got): %s", diff)
			}
			want, _, err := ReadFile(filepath.Join("testdata", tt.file+".png"), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if d := maxDiff(got, want); d > tt.tol {
				t.Errorf("differs by %d from Pillow, tolerance %d: %s", d, tt.tol, tt.reason)
			}
		})
	}
}

// TestOrientation stores the six pixels
//
//	a b c
//	d e f
//
// with each EXIF orientation in each format that has EXIF.
func TestOrientation(t *testing.T) {
	uprights := []string{1: "abc def", 2: "cba fed", 3: "fed cba", 4: "def abc", 5: "ad be cf", 6: "da eb fc", 7: "fc eb da", 8: "cf be ad"}
	stored := image.NewGray(image.Rect(0, 0, 3, 2))
	for i := range stored.Pix {
		stored.Pix[i] = uint8(40 * i)
	}
	formats := map[string]func(o byte) []byte{
		"png":  func(o byte) []byte { return pngWithEXIF(encoded(t, "png", stored), exif(o)) },
		"jpeg": func(o byte) []byte { return jpegWithEXIF(encoded(t, "jpeg", stored), exif(o)) },
		"tiff": func(o byte) []byte { return tiffWithOrientation(encoded(t, "tiff", stored), o) },
		"webp": func(o byte) []byte { return webpWith(t, 0x08, "EXIF", exif(o)) },
	}
	for format, build := range formats {
		for o := 1; o <= 8; o++ {
			img, info, err := Decode(bytes.NewReader(build(byte(o))), Limits{})
			if err != nil {
				t.Fatalf("%s, orientation %d: %v", format, o, err)
			}
			if info.Orientation != o || info.Width != img.Bounds().Dx() || info.Height != img.Bounds().Dy() {
				t.Errorf("%s, orientation %d: info %+v of an image %v", format, o, info, img.Bounds())
			}
			if format == "webp" { // another picture: compare with the stored one turned by orient, which the others test
				upright, _, _ := ReadFile("testdata/lossless.webp", Limits{})
				if d := maxDiff(img, orient(upright, o)); d != 0 {
					t.Errorf("webp, orientation %d: differs by %d", o, d)
				}
				continue
			}
			if got := letters(img); got != uprights[o] {
				t.Errorf("%s, orientation %d: %q, want %q", format, o, got, uprights[o])
			}
		}
	}
}

// letters names the pixels of an image made of gray levels 0, 40, 80 … as a, b, c …, rows parted by blanks.
func letters(img image.Image) string {
	var s []byte
	for y := range img.Bounds().Dy() {
		if y > 0 {
			s = append(s, ' ')
		}
		for x := range img.Bounds().Dx() {
			s = append(s, 'a'+(color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y+20)/40)
		}
	}
	return string(s)
}

// TestOrientTypes turns every type four times by 90°, which must give the same pixels.
func TestOrientTypes(t *testing.T) {
	for _, img := range everyType(image.Rect(0, 0, 5, 3)) {
		turned := image.Image(img)
		for range 4 {
			turned = orient(turned, 6)
		}
		if d := maxDiff(img, turned); d > 0 {
			t.Errorf("%T: four turns differ by %d", img, d)
		}
	}
}

func TestGIFFrameOnCanvas(t *testing.T) {
	frame := image.NewPaletted(image.Rect(2, 1, 4, 3), color.Palette{color.White, color.Black})
	var buf bytes.Buffer
	if err := gif.EncodeAll(&buf, &gif.GIF{Image: []*image.Paletted{frame}, Delay: []int{0}, Config: image.Config{Width: 6, Height: 4, ColorModel: frame.Palette}}); err != nil {
		t.Fatal(err)
	}
	img, info, err := Decode(bytes.NewReader(buf.Bytes()), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if want := (Info{Format: "gif", Width: 6, Height: 4, BitDepth: 8, Alpha: true, Orientation: 1}); !cmp.Equal(info, want) {
		t.Errorf("info %+v, want %+v", info, want)
	}
	if _, _, _, a := img.At(0, 0).RGBA(); a != 0 {
		t.Errorf("alpha %d outside the frame, want 0", a)
	}
	if r, _, _, a := img.At(3, 2).RGBA(); a != 0xffff || r != 0xffff {
		t.Errorf("(%d, alpha %d) in the frame, want white", r, a)
	}
}

func TestDecodeInfo(t *testing.T) {
	src := image.NewNRGBA64(image.Rect(0, 0, 7, 5))
	got, err := DecodeInfo(bytes.NewReader(encoded(t, "png", src)))
	if want := (Info{Format: "png", Width: 7, Height: 5, BitDepth: 16, Alpha: true, Orientation: 1}); err != nil || !cmp.Equal(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}

func TestRefused(t *testing.T) {
	small := encoded(t, "png", image.NewGray(image.Rect(0, 0, 10, 10)))
	animated := append([]byte("RIFF\x16\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x02"), make([]byte, 9)...)
	tests := []struct {
		name, reason string
		file         []byte
		lim          Limits
		want         error // nil: any error
	}{
		{name: "empty", reason: "an empty file has no format", want: ErrUnknownFormat},
		{name: "text", file: []byte("hello, this is no image"), reason: "unknown content", want: ErrUnknownFormat},
		{name: "huge png", file: pngHeader(100_000, 100_000), reason: "10 gigapixels", want: ErrTooLarge},
		{name: "long png", file: pngHeader(1<<30, 1), reason: "one side beyond any sense", want: ErrTooLarge},
		{name: "lying png", file: pngHeader(16_000, 16_000), reason: "within the limit of pixels, but 57 bytes cannot hold them"},
		{name: "huge tiff", file: tiffFile(100_000, 100_000, 1), reason: "10 gigapixels", want: ErrTooLarge},
		{name: "tiff strips", file: tiffFile(16_000, 16_000, 1), reason: "16,000 strips at offset 8 of an empty file"},
		{name: "huge gif", file: append([]byte("GIF89a\xff\xff\xff\xff"), make([]byte, 20)...), reason: "65535²", want: ErrTooLarge},
		{name: "huge bmp", file: bmpHeader(16_000, 16_000), reason: "54 bytes cannot hold them"},
		{name: "animated webp", file: animated, reason: "animations are not decoded"},
		{name: "pixels", file: small, lim: Limits{MaxPixels: 99}, reason: "10×10 > 99", want: ErrTooLarge},
		{name: "bytes", file: small, lim: Limits{MaxBytes: int64(len(small)) - 1}, reason: "file one byte too long", want: ErrTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			img, _, err := Decode(bytes.NewReader(tt.file), tt.lim)
			runtime.ReadMemStats(&after)
			if err == nil || img != nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("image %v, error %v, want %v: %s", img != nil, err, tt.want, tt.reason)
			}
			if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
				t.Errorf("allocated %d bytes before refusing: %s", n, tt.reason)
			}
		})
	}
}

// TestDamage truncates each file at every byte and flips 500 bits: an error or an image of the size that the header
// says, never a panic.
func TestDamage(t *testing.T) {
	lim := Limits{MaxPixels: 1 << 16}
	rng := rand.New(rand.NewPCG(1, 2))
	for name, file := range seeds(t) {
		for n := range file {
			checkDecode(t, file[:n], lim)
		}
		for range 500 {
			damaged := bytes.Clone(file)
			damaged[rng.IntN(len(damaged))] ^= 1 << rng.IntN(8)
			checkDecode(t, damaged, lim)
		}
		if img, _, err := Decode(bytes.NewReader(file), lim); err != nil || img == nil {
			t.Errorf("%s, undamaged: %v", name, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, file := range seeds(f) {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) { checkDecode(t, file, Limits{MaxPixels: 1 << 16}) })
}

func checkDecode(t *testing.T, file []byte, lim Limits) {
	t.Helper()
	img, info, err := Decode(bytes.NewReader(file), lim)
	if err != nil {
		if img != nil {
			t.Errorf("an image besides the error %v", err)
		}
		return
	}
	if !bytes.Equal(info.Profile, fitting(info.Profile, info.Gray)) {
		t.Errorf("a profile of %d bytes that does not fit", len(info.Profile))
	}
	if b := img.Bounds(); b != image.Rect(0, 0, info.Width, info.Height) || b.Empty() {
		t.Errorf("bounds %v, header %+v", b, info)
	}
}

// seeds gives one small file of each kind.
func seeds(t testing.TB) map[string][]byte {
	out := map[string][]byte{
		"exif.jpg": jpegWithEXIF(encoded(t, "jpeg", everyType(image.Rect(0, 0, 9, 9))[2]), exif(6)),
		"exif.png": pngWithEXIF(encoded(t, "png", image.NewGray16(image.Rect(0, 0, 5, 4))), exif(3)),
	}
	for _, img := range everyType(image.Rect(0, 0, 11, 6)) {
		for _, format := range []string{"png", "tiff"} {
			out[format+filepath.Ext(typeName(img))] = encoded(t, format, img)
		}
	}
	for _, format := range []string{"jpeg", "bmp", "gif"} {
		out[format] = encoded(t, format, everyType(image.Rect(0, 0, 11, 6))[2])
	}
	for _, ext := range []string{".png", ".jpg", ".tif"} {
		var buf bytes.Buffer
		if err := Encode(&buf, ext, opaques(image.Rect(0, 0, 3, 2))[0], Quality(90), Profile(iccProfile("RGB ", 140))); err != nil {
			t.Fatal(err)
		}
		out["profile"+ext] = buf.Bytes()
	}
	out["profile.webp"] = webpWith(t, 0x20, "ICCP", iccProfile("RGB ", 140))
	for _, name := range []string{"cmyk.jpg", "lossy.webp", "lossless.webp", "alpha.webp", "alpha.tif"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		out[name] = b
	}
	return out
}

func encoded(t testing.TB, format string, img image.Image) []byte {
	t.Helper()
	var buf bytes.Buffer
	var err error
	switch format {
	case "png":
		err = png.Encode(&buf, img)
	case "jpeg":
		err = jpeg.Encode(&buf, img, &jpeg.Options{Quality: 100})
	case "tiff":
		err = tiff.Encode(&buf, img, &tiff.Options{Compression: tiff.Deflate})
	case "bmp":
		err = bmp.Encode(&buf, img)
	case "gif":
		err = gif.Encode(&buf, img, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// exif is a big-endian TIFF structure with one tag: Orientation (0x0112), type SHORT, count 1.
func exif(o byte) []byte {
	return append([]byte("MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00"), o, 0, 0, 0, 0, 0, 0)
}

func jpegWithEXIF(file, exif []byte) []byte {
	app1 := append([]byte("\xff\xd8\xff\xe1"), byte(0), byte(len(exif)+8))
	return append(append(append(app1, "Exif\x00\x00"...), exif...), file[2:]...)
}

func pngWithEXIF(file, exif []byte) []byte {
	const ihdrEnd = 8 + 25
	return append(append(bytes.Clone(file[:ihdrEnd]), pngChunk("eXIf", exif)...), file[ihdrEnd:]...)
}

func pngChunk(name string, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, name...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

func pngHeader(w, h uint32) []byte {
	ihdr := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	ihdr = append(ihdr, 8, 2, 0, 0, 0) // 8 bits, RGB
	b := append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", ihdr)...)
	return append(append(b, pngChunk("IDAT", nil)...), pngChunk("IEND", nil)...)
}

func bmpHeader(w, h uint32) []byte {
	b := append([]byte("BM"), make([]byte, 52)...)
	binary.LittleEndian.PutUint32(b[10:], 54)
	binary.LittleEndian.PutUint32(b[14:], 40)
	binary.LittleEndian.PutUint32(b[18:], w)
	binary.LittleEndian.PutUint32(b[22:], h)
	binary.LittleEndian.PutUint16(b[26:], 1)
	binary.LittleEndian.PutUint16(b[28:], 24)
	return b
}

// tiffFile is a gray deflated TIFF without pixels, whose strip tables lie beyond its end.
func tiffFile(w, h, rowsPerStrip uint32) []byte {
	tags := [][4]uint32{{256, 4, 1, w}, {257, 4, 1, h}, {258, 3, 1, 8}, {259, 3, 1, 8}, {262, 3, 1, 1},
		{273, 4, h, 8}, {278, 4, 1, rowsPerStrip}, {279, 4, h, 8}}
	b := append([]byte("II*\x00\x08\x00\x00\x00"), byte(len(tags)), 0)
	for _, tag := range tags {
		b = binary.LittleEndian.AppendUint16(b, uint16(tag[0]))
		b = binary.LittleEndian.AppendUint16(b, uint16(tag[1]))
		b = binary.LittleEndian.AppendUint32(b, tag[2])
		b = binary.LittleEndian.AppendUint32(b, tag[3])
	}
	return append(b, 0, 0, 0, 0)
}

// tiffWithOrientation copies the directory of a little-endian TIFF to its end and adds the tag there, in order.
func tiffWithOrientation(file []byte, o byte) []byte {
	dir := binary.LittleEndian.Uint32(file[4:])
	n := binary.LittleEndian.Uint16(file[dir:])
	out := bytes.Clone(file)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)))
	out = binary.LittleEndian.AppendUint16(out, n+1)
	entries := file[dir+2 : dir+2+12*uint32(n)]
	tag := []byte{0x12, 0x01, 3, 0, 1, 0, 0, 0, o, 0, 0, 0}
	for ; len(entries) > 0; entries = entries[12:] {
		if tag != nil && binary.LittleEndian.Uint16(entries) > 0x112 {
			out, tag = append(out, tag...), nil
		}
		out = append(out, entries[:12]...)
	}
	return append(out, 0, 0, 0, 0)
}

// webpWith puts testdata/lossless.webp into the extended format, with a chunk before the pixels and its flag.
func webpWith(t testing.TB, flag byte, name string, content []byte) []byte {
	simple, err := os.ReadFile("testdata/lossless.webp")
	if err != nil {
		t.Fatal(err)
	}
	body := append([]byte("WEBPVP8X\x0a\x00\x00\x00"), flag)
	body = append(body, "\x00\x00\x00\x17\x00\x00\x0f\x00\x00"...) // 24×16
	body = append(body, name...)
	body = append(binary.LittleEndian.AppendUint32(body, uint32(len(content))), content...)
	body = append(body, simple[12:]...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

// everyType draws one half-transparent (where the type allows) picture in each type that Decode returns.
func everyType(r image.Rectangle) []draw.Image {
	types := []draw.Image{image.NewGray(r), image.NewGray16(r), image.NewRGBA(r), image.NewRGBA64(r), image.NewNRGBA(r), image.NewNRGBA64(r),
		image.NewPaletted(r, color.Palette{color.White, color.Black, color.NRGBA{R: 200, A: 128}, color.Transparent})}
	for _, img := range types {
		for y := range r.Dy() {
			for x := range r.Dx() {
				c := color.NRGBA64{R: uint16(x * 5003), G: uint16(y * 9001), B: uint16(x*y) << 7, A: 0xffff}
				if _, premultiplied := img.(*image.RGBA); !premultiplied && x%2 == 1 {
					c.A = 0x8000
				}
				img.Set(x, y, c)
			}
		}
	}
	return types
}

// maxDiff is the largest difference of 8-bit straight channels.
func maxDiff(a, b image.Image) int {
	if a.Bounds().Size() != b.Bounds().Size() {
		return 1 << 16
	}
	worst := 0
	for y := range a.Bounds().Dy() {
		for x := range a.Bounds().Dx() {
			p, q := nrgba(a.At(x, y)), nrgba(b.At(x, y))
			for _, d := range []int{int(p.R) - int(q.R), int(p.G) - int(q.G), int(p.B) - int(q.B), int(p.A) - int(q.A)} {
				worst = max(worst, d, -d)
			}
		}
	}
	return worst
}

func nrgba(c color.Color) color.NRGBA {
	if c, ok := c.(color.NYCbCrA); ok {
		r, g, b := color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
		return color.NRGBA{R: r, G: g, B: b, A: c.A}
	}
	return color.NRGBAModel.Convert(c).(color.NRGBA)
}
