package imgio

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/tiff"
)

// iccProfile is a profile of size bytes that do not compress.
func iccProfile(space string, size int) []byte {
	p := make([]byte, size)
	rand.NewChaCha8([32]byte{1}).Read(p)
	binary.BigEndian.PutUint32(p, uint32(size))
	copy(p[16:], space)
	copy(p[36:], "acsp")
	return p
}

// TestProfileKept: what is embedded is read back, in files that other decoders read and that hold the same pixels.
func TestProfileKept(t *testing.T) {
	r := image.Rect(0, 0, 13, 7)
	transparent := image.NewNRGBA(r)
	formats := []struct {
		ext    string
		decode func(io.Reader) (image.Image, error)
		images []image.Image
	}{
		{".png", png.Decode, append(opaques(r), image.NewGray(r), image.NewGray16(r), image.NewYCbCr(r, image.YCbCrSubsampleRatio420), transparent)},
		{".jpg", jpeg.Decode, append(opaques(r), image.NewGray(r), image.NewGray16(r), image.NewYCbCr(r, image.YCbCrSubsampleRatio420))},
		{".tif", tiff.Decode, append(opaques(r), image.NewGray(r), image.NewGray16(r), transparent)},
	}
	for _, format := range formats {
		for _, img := range format.images {
			sizes := []int{128, 129, 3145, jpegProfileMost, jpegProfileMost + 1, 3 * jpegProfileMost}
			if _, ok := img.(*image.Gray); ok {
				sizes = append(sizes, maxProfile)
			}
			for _, size := range sizes {
				want := iccProfile("RGB ", size)
				if isGray(img.ColorModel()) {
					want = iccProfile("GRAY", size)
				}
				dir := t.TempDir()
				plain, tagged := filepath.Join(dir, "plain"+format.ext), filepath.Join(dir, "tagged"+format.ext)
				write(t, plain, img)
				write(t, tagged, img, Profile(want))
				if got := profileOf(t, tagged); !bytes.Equal(got, want) {
					t.Errorf("%s of %T: %d bytes of profile, want the %d written", format.ext, img, len(got), size)
				}
				if got := profileOf(t, plain); got != nil {
					t.Errorf("%s of %T: %d bytes of profile, none was written", format.ext, img, len(got))
				}
				if a, b := decodeBy(t, format.decode, plain), decodeBy(t, format.decode, tagged); !bytes.Equal(pack(a).pix, pack(b).pix) {
					t.Errorf("%s of %T: other pixels with a profile", format.ext, img)
				}
			}
		}
	}
}

// profileSegment is a JPEG segment with a part of a profile.
func profileSegment(number, count byte, data []byte) string {
	head := binary.BigEndian.AppendUint16([]byte("\xff\xe2"), uint16(2+12+2+len(data)))
	return string(head) + "ICC_PROFILE\x00" + string([]byte{number, count}) + string(data)
}

// withSegments puts segments behind the first marker of a JPEG file.
func withSegments(file []byte, segments ...string) []byte {
	return slices.Concat(file[:2], []byte(strings.Join(segments, "")), file[2:])
}

// TestProfileRead: profiles as other programs embed them. A damaged one is lost, the picture is not.
func TestProfileRead(t *testing.T) {
	rgb, gray, cmyk := iccProfile("RGB ", 300), iccProfile("GRAY", 300), iccProfile("CMYK", 300)
	colour := opaques(image.Rect(0, 0, 5, 4))[0]
	file := map[string][]byte{
		"png": encoded(t, "png", colour), "gray png": encoded(t, "png", image.NewGray16(colour.Bounds())),
		"jpeg": encoded(t, "jpeg", colour), "gray jpeg": encoded(t, "jpeg", image.NewGray(colour.Bounds())), "tiff": encoded(t, "tiff", colour),
	}
	inks, err := os.ReadFile("testdata/cmyk.jpg")
	if err != nil {
		t.Fatal(err)
	}
	segment := profileSegment
	deflated := deflate(t, rgb)
	withChunk := func(file []byte, name string, data []byte) []byte {
		return slices.Concat(file[:33], pngChunk("iCCP", append([]byte(name), data...)), file[33:])
	}
	bomb := append(bytes.Clone(rgb), make([]byte, maxProfile)...)
	declared := func(size uint32) []byte {
		p := bytes.Clone(rgb)
		binary.BigEndian.PutUint32(p, size)
		return p
	}
	beyond := inTIFF(bytes.Clone(file["tiff"]), rgb)
	binary.LittleEndian.PutUint32(beyond[len(beyond)-8:], uint32(len(beyond)-299))
	tests := []struct {
		name string
		file []byte
		want []byte
	}{
		{"jpeg, in order", withSegments(file["jpeg"], segment(1, 2, rgb[:99]), segment(2, 2, rgb[99:])), rgb},
		{"jpeg, reversed", withSegments(file["jpeg"], segment(2, 2, rgb[99:]), segment(1, 2, rgb[:99])), rgb},
		{"jpeg, behind another APP2", withSegments(file["jpeg"], "\xff\xe2\x00\x06MPF\x00", segment(1, 1, rgb)), rgb},
		{"jpeg, behind fill bytes", withSegments(file["jpeg"], "\xff\xff", segment(1, 1, rgb)), rgb},
		{"jpeg, padded", withSegments(file["jpeg"], segment(1, 2, rgb), segment(2, 2, make([]byte, 9))), rgb},
		{"gray jpeg", withSegments(file["gray jpeg"], segment(1, 1, gray)), gray},
		{"png", withChunk(file["png"], "any name\x00\x00", deflated), rgb},
		{"gray png", withChunk(file["gray png"], "\x00\x00", deflate(t, gray)), gray},
		{"webp", webpWith(t, 0x20, "ICCP", rgb), rgb},
		{"tiff", inTIFF(bytes.Clone(file["tiff"]), rgb), rgb},

		{"jpeg, one missing", withSegments(file["jpeg"], segment(1, 3, rgb[:99]), segment(2, 3, rgb[99:])), nil},
		{"jpeg, one twice", withSegments(file["jpeg"], segment(1, 2, rgb[:99]), segment(1, 2, rgb[99:])), nil},
		{"jpeg, counts differ", withSegments(file["jpeg"], segment(1, 2, rgb[:99]), segment(2, 3, rgb[99:])), nil},
		{"jpeg, counted from 0", withSegments(file["jpeg"], segment(0, 2, rgb[:99]), segment(1, 2, rgb[99:])), nil},
		{"jpeg, more than counted", withSegments(file["jpeg"], segment(1, 1, rgb[:99]), segment(2, 1, rgb[99:])), nil},
		{"jpeg, a head without a number", withSegments(file["jpeg"], "\xff\xe2\x00\x0eICC_PROFILE\x00"), nil},
		{"png, truncated data", withChunk(file["png"], "x\x00\x00", deflated[:len(deflated)-5]), nil},
		{"png, no zlib data", withChunk(file["png"], "x\x00\x00", rgb), nil},
		{"png, another compression", withChunk(file["png"], "x\x00\x01", deflated), nil},
		{"png, a name without end", withChunk(file["png"], "x", nil), nil},
		{"png, a bomb", withChunk(file["png"], "x\x00\x00", deflate(t, bomb)), nil},
		{"tiff, beyond the file", beyond, nil},
		{"empty", withChunk(file["png"], "x\x00\x00", deflate(t, nil)), nil},
		{"shorter than a header", withChunk(file["png"], "x\x00\x00", deflate(t, iccProfile("RGB ", 127))), nil},
		{"shorter than it says", withChunk(file["png"], "x\x00\x00", deflate(t, declared(301))), nil},
		{"says less than a header", withChunk(file["png"], "x\x00\x00", deflate(t, declared(127))), nil},
		{"no signature", withChunk(file["png"], "x\x00\x00", deflate(t, append(bytes.Clone(rgb[:36]), make([]byte, 264)...))), nil},
		{"rgb in gray", withChunk(file["gray png"], "x\x00\x00", deflated), nil},
		{"gray in rgb", withChunk(file["png"], "x\x00\x00", deflate(t, gray)), nil},
		{"inks", withSegments(inks, segment(1, 1, cmyk)), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			img, info, err := Decode(bytes.NewReader(tt.file), Limits{})
			if err != nil || img == nil {
				t.Fatal(err)
			}
			if !bytes.Equal(info.Profile, tt.want) {
				t.Errorf("%d bytes of profile, want %d", len(info.Profile), len(tt.want))
			}
		})
	}
}

// TestProfileNotWritten: profiles that do not fit the picture leave the file as it is without.
func TestProfileNotWritten(t *testing.T) {
	r := image.Rect(0, 0, 4, 3)
	tests := []struct {
		name    string
		img     image.Image
		profile []byte
	}{
		{"rgb in gray", image.NewGray(r), iccProfile("RGB ", 200)},
		{"rgb in wide gray", image.NewGray16(r), iccProfile("RGB ", 200)},
		{"gray in rgb", opaques(r)[0], iccProfile("GRAY", 200)},
		{"inks in rgb", opaques(r)[0], iccProfile("CMYK", 200)},
		{"short", opaques(r)[0], iccProfile("RGB ", 127)},
		{"long", opaques(r)[0], iccProfile("RGB ", maxProfile+1)},
		{"none", opaques(r)[0], []byte{}},
	}
	for _, tt := range tests {
		for _, ext := range []string{".png", ".jpg", ".tif"} {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "plain"+ext), tt.img)
			write(t, filepath.Join(dir, "tagged"+ext), tt.img, Profile(tt.profile))
			plain, err := os.ReadFile(filepath.Join(dir, "plain"+ext))
			if err != nil {
				t.Fatal(err)
			}
			if tagged, err := os.ReadFile(filepath.Join(dir, "tagged"+ext)); err != nil || !bytes.Equal(plain, tagged) {
				t.Errorf("%s, %s: another file than without, error %v", tt.name, ext, err)
			}
		}
	}
}

// TestInserter: however the content is cut into writes, insert follows its first bytes.
func TestInserter(t *testing.T) {
	for step := 1; step <= 7; step++ {
		var out bytes.Buffer
		w := &inserter{&out, 3, []byte("--")}
		for part := range slices.Chunk([]byte("abcdefg"), step) {
			if n, err := w.Write(part); n != len(part) || err != nil {
				t.Errorf("%d bytes at a time: wrote %d, %v", step, n, err)
			}
		}
		if out.String() != "abc--defg" {
			t.Errorf("%d bytes at a time: %q", step, out.String())
		}
	}
}

func write(t *testing.T, path string, img image.Image, opts ...WriteOption) {
	t.Helper()
	if err := WriteFile(path, img, opts...); err != nil {
		t.Fatal(err)
	}
}

func profileOf(t *testing.T, path string) []byte {
	t.Helper()
	_, info, err := ReadFile(path, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return info.Profile
}

func decodeBy(t *testing.T, decode func(io.Reader) (image.Image, error), path string) image.Image {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	img, err := decode(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func deflate(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zlib.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
