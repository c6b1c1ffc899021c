package data

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// variants writes the same kind of content in every form that takes another way through the decoders.
func variants(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	img := photo(83, 117, 4)
	gray, deep, palette := image.NewGray(img.Rect), image.NewNRGBA64(img.Rect), image.NewPaletted(img.Rect, color.Palette{color.Black, color.White, color.NRGBA{200, 9, 9, 255}})
	clear := photo(83, 117, 5)
	for y := range 117 {
		for x := range 83 {
			gray.Set(x, y, img.At(x, y))
			deep.Set(x, y, color.NRGBA64{uint16(x * 700), uint16(y * 500), uint16(x * y * 3), 65535})
			palette.SetColorIndex(x, y, uint8((x/3+y/5)%3))
			clear.Pix[clear.PixOffset(x, y)+3] = uint8(x + y)
		}
	}
	for name, m := range map[string]image.Image{"rgb": img, "gray": gray, "deep": deep, "palette": palette, "alpha": clear} {
		for level, encoder := range []png.Encoder{{CompressionLevel: png.BestCompression}, {CompressionLevel: png.NoCompression}} {
			var buf bytes.Buffer
			if err := encoder.Encode(&buf, m); err != nil {
				t.Fatal(err)
			}
			os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s%d.png", name, level)), buf.Bytes(), 0o666)
		}
	}
	for name, m := range map[string]image.Image{"colour.jpg": img, "gray.jpg": gray} {
		var buf bytes.Buffer
		if err := jpeg.Encode(&buf, m, &jpeg.Options{Quality: 80}); err != nil {
			t.Fatal(err)
		}
		os.WriteFile(filepath.Join(dir, name), buf.Bytes(), 0o666)
		turned := slices.Concat(buf.Bytes()[:2], exifTurned, buf.Bytes()[2:])
		os.WriteFile(filepath.Join(dir, "turned-"+name), turned, 0o666)
	}
	writePicture(t, filepath.Join(dir, "x.tif"), img)
	return dir
}

// exifTurned is an APP1 segment with EXIF orientation 6: rows are stored as columns.
var exifTurned = []byte("\xff\xe1\x00\x22Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00")

// A part decoded by itself must equal that part of the whole picture, for every format and every part.
func TestPartEqualsWhole(t *testing.T) {
	for _, it := range append(mustList(t, variants(t)), mustList(t, "testdata/progressive.jpg")...) {
		img, err := it.Decode(0)
		if err != nil {
			t.Fatal(err)
		}
		size := img.Bounds().Size()
		if strings.HasPrefix(it.Key, "turned") != (size == image.Pt(117, 83)) {
			t.Fatalf("%s: size %v", it.Key, size)
		}
		for _, r := range []image.Rectangle{image.Rect(0, 0, 1, 1), image.Rect(3, 5, 40, 31), image.Rect(7, 20, 70, 33), image.Rect(0, 60, 70, 83), {Max: size}} {
			p, err := Options{}.open(it)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.planes(r)
			if err != nil {
				t.Fatalf("%s, part %v: %v", it.Key, r, err)
			}
			if want := FromImage(subImage(img, r)).RGB(); !slices.Equal(got.Pix, want.Pix) {
				t.Errorf("%s: part %v differs from the whole picture's", it.Key, r)
			}
		}
	}
}

// The fast way must be taken for the kinds of files that training folders are made of.
func TestPNGPartTakesPhotos(t *testing.T) {
	dir := variants(t)
	for name, want := range map[string]bool{"rgb0.png": true, "rgb1.png": true, "gray0.png": true, "deep0.png": false, "palette0.png": false, "alpha0.png": false} {
		content := readFile(t, filepath.Join(dir, name))
		if m := pngPart(content, image.Rect(3, 5, 83, 20)); (m != nil) != want {
			t.Errorf("%s: fast way %v, want %v", name, m != nil, want)
		}
		for cut := range len(content) {
			pngPart(content[:cut], image.Rect(0, 0, 83, 20)) // must not panic
		}
		for at := range min(len(content), 400) {
			broken := slices.Clone(content)
			broken[at] ^= 0x55
			pngPart(broken, image.Rect(0, 0, 83, 20))
			lowerJPEG(broken, 20)
		}
	}
}
