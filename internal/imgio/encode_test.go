package imgio

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func typeName(img image.Image) string { return fmt.Sprintf("%T", img) }

// TestWriteRead: what is written losslessly is read back, at the same depth, whatever the type.
func TestWriteRead(t *testing.T) {
	for _, ext := range []string{".png", ".tif", ".TIFF"} {
		for _, img := range everyType(image.Rect(0, 0, 13, 7)) {
			path := filepath.Join(t.TempDir(), "x"+ext)
			if err := WriteFile(path, img); err != nil {
				t.Errorf("%s of %T: %v", ext, img, err)
				continue
			}
			got, info, err := ReadFile(path, Limits{})
			if err != nil {
				t.Errorf("%s of %T: %v", ext, img, err)
				continue
			}
			if d := maxDiff(img, got); d > 0 {
				t.Errorf("%s of %T: read back with a difference of %d", ext, img, d)
			}
			if wide := strings.HasSuffix(typeName(img), "64") || strings.HasSuffix(typeName(img), "16"); wide != (info.BitDepth == 16) {
				t.Errorf("%s of %T: %d bits", ext, img, info.BitDepth)
			}
		}
	}
}

// TestWriteDecodedJPEG: planes and inks, as decoders of JPEG return them, are written with 8 bits.
func TestWriteDecodedJPEG(t *testing.T) {
	r := image.Rect(3, 5, 16, 12)
	for _, img := range []image.Image{image.NewYCbCr(r, image.YCbCrSubsampleRatio420), image.NewCMYK(r), image.NewNYCbCrA(r, image.YCbCrSubsampleRatio444)} {
		for _, ext := range []string{".png", ".tif"} {
			path := filepath.Join(t.TempDir(), "x"+ext)
			if err := WriteFile(path, img); err != nil {
				t.Fatalf("%s of %T: %v", ext, img, err)
			}
			got, info, err := ReadFile(path, Limits{})
			if err != nil {
				t.Fatalf("%s of %T: %v", ext, img, err)
			}
			if d := maxDiff(img, got); d > 0 || info.BitDepth != 8 {
				t.Errorf("%s of %T: %d bits, off by %d", ext, img, info.BitDepth, d)
			}
		}
	}
}

// TestWriteReadWide checks all 16 bits, which maxDiff does not see.
func TestWriteReadWide(t *testing.T) {
	img := image.NewNRGBA64(image.Rect(0, 0, 256, 256))
	for i := range 1 << 16 {
		img.SetNRGBA64(i%256, i/256, color.NRGBA64{R: uint16(i), G: ^uint16(i), B: uint16(i * 31), A: uint16(i)})
	}
	for _, ext := range []string{".png", ".tif"} {
		path := filepath.Join(t.TempDir(), "x"+ext)
		if err := WriteFile(path, img); err != nil {
			t.Fatal(err)
		}
		got, _, err := ReadFile(path, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if same, ok := got.(*image.NRGBA64); !ok || string(same.Pix) != string(img.Pix) {
			t.Errorf("%s: a %T with other pixels", ext, got)
		}
	}
}

// TestWriteSubImage: a part of an image is written from its own corner.
func TestWriteSubImage(t *testing.T) {
	part := everyType(image.Rect(0, 0, 13, 7))[4].(*image.NRGBA).SubImage(image.Rect(3, 2, 9, 6))
	path := filepath.Join(t.TempDir(), "x.tif")
	if err := WriteFile(path, part); err != nil {
		t.Fatal(err)
	}
	got, _, err := ReadFile(path, Limits{})
	if err != nil || got.Bounds() != image.Rect(0, 0, 6, 4) {
		t.Fatalf("%v, error %v", got, err)
	}
	if got.At(0, 0) != part.At(3, 2) || got.At(5, 3) != part.At(8, 5) {
		t.Error("corners differ")
	}
}

// TestJPEGFastPath: the encoder is handed a type that it reads fast, and makes the same file of it as through At.
func TestJPEGFastPath(t *testing.T) {
	for _, img := range opaques(image.Rect(3, 5, 40, 28)) {
		if _, ok := forJPEG(img).(*image.RGBA); !ok {
			t.Errorf("%T: handed to the encoder as %T", img, forJPEG(img))
		}
		if fast, slow := encoded(t, "jpeg", forJPEG(img)), encoded(t, "jpeg", struct{ image.Image }{img}); !bytes.Equal(fast, slow) {
			t.Errorf("%T: another file than through At", img)
		}
	}
}

// TestJPEGGray: 16-bit gray becomes a gray file with the high bytes of its pixels.
func TestJPEGGray(t *testing.T) {
	wide, narrow := image.NewGray16(image.Rect(0, 0, 9, 5)), image.NewGray(image.Rect(0, 0, 9, 5))
	for i := range wide.Pix {
		wide.Pix[i] = byte(37 * i)
		narrow.Pix[i/2] = wide.Pix[i&^1]
	}
	if !bytes.Equal(encoded(t, "jpeg", forJPEG(wide)), encoded(t, "jpeg", narrow)) {
		t.Error("another file than of 8 bits")
	}
}

// opaques draws one opaque picture, whose corner is not that of its pixels, in each packed colour type that Decode returns.
func opaques(r image.Rectangle) []image.Image {
	out := make([]image.Image, 0, 4)
	for _, img := range []draw.Image{image.NewRGBA(r.Inset(-2)), image.NewNRGBA(r.Inset(-2)), image.NewRGBA64(r.Inset(-2)), image.NewNRGBA64(r.Inset(-2))} {
		for y := r.Min.Y - 2; y < r.Max.Y+2; y++ {
			for x := r.Min.X - 2; x < r.Max.X+2; x++ {
				img.Set(x, y, color.NRGBA64{R: uint16(x * 401), G: uint16(y * 701), B: uint16(x * y), A: 0xffff})
			}
		}
		out = append(out, img.(interface {
			SubImage(image.Rectangle) image.Image
		}).SubImage(r))
	}
	return out
}

func TestJPEGQuality(t *testing.T) {
	img := everyType(image.Rect(0, 0, 64, 48))[2]
	sizes := map[int]int64{}
	for _, q := range []int{50, DefaultQuality, 100} {
		path := filepath.Join(t.TempDir(), "x.jpg")
		if err := WriteFile(path, img, Quality(q)); err != nil {
			t.Fatal(err)
		}
		stat, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		sizes[q] = stat.Size()
	}
	if !(sizes[50] < sizes[95] && sizes[95] < sizes[100]) {
		t.Errorf("sizes %v do not grow with the quality", sizes)
	}
}

func TestWriteRefused(t *testing.T) {
	opaque := everyType(image.Rect(0, 0, 4, 4))[2]
	tests := []struct {
		name, file, reason string
		img                image.Image
		opts               []WriteOption
		want               string
	}{
		{name: "webp", file: "x.webp", img: opaque, want: "use .png", reason: "no encoder"},
		{name: "no extension", file: "x", img: opaque, want: "use .png", reason: "the extension decides"},
		{name: "transparent jpeg", file: "x.jpg", img: image.NewNRGBA(image.Rect(0, 0, 2, 2)), want: "transparency", reason: "it would be lost"},
		{name: "quality", file: "x.jpg", img: opaque, opts: []WriteOption{Quality(0)}, want: "1 to 100", reason: "out of range"},
		{name: "empty", file: "x.png", img: image.NewGray(image.Rectangle{}), want: "no pixels", reason: "no format has empty images"},
		{name: "wide tiff", file: "x.tif", img: image.NewGray(image.Rect(0, 0, 1<<16, 1)), want: "too many", reason: "16-bit sides"},
		{name: "wide jpeg", file: "x.jpg", img: image.NewGray(image.Rect(0, 0, 1<<16, 1)), want: "too large", reason: "16-bit sides"},
		{name: "no folder", file: "none/x.png", img: opaque, want: "no such file", reason: "folders are the caller's business"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			err := WriteFile(filepath.Join(dir, tt.file), tt.img, tt.opts...)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "imgio: write ") {
				t.Errorf("error %v, want %q: %s", err, tt.want, tt.reason)
			}
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Errorf("left %v behind", left)
			}
		})
	}
}

func TestIsImageName(t *testing.T) {
	for name, want := range map[string]bool{"a.png": true, "b/c.JPEG": true, "d.webp": true, "e.txt": false, "png": false, "": false} {
		if IsImageName(name) != want {
			t.Errorf("IsImageName(%q) = %v", name, !want)
		}
	}
}
