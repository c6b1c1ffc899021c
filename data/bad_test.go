package data

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// pngHeader is a PNG file of the given size that has no pixels.
func pngHeader(w, h uint32) []byte {
	chunk := []byte("IHDR")
	chunk = binary.BigEndian.AppendUint32(chunk, w)
	chunk = binary.BigEndian.AppendUint32(chunk, h)
	chunk = append(chunk, 8, 2, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	out = append(out, chunk...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(chunk))
}

func truncatedJPEG(t *testing.T) []byte {
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, photo(200, 200, 1), nil); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()[:buf.Len()/2]
}

// bomb is a zip file whose member claims, or really has, far more bytes than the archive.
func bomb(t *testing.T) []byte {
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	big, err := w.Create("bomb.png")
	if err != nil {
		t.Fatal(err)
	}
	big.Write(pngHeader(30000, 30000))
	zeros := make([]byte, 1<<20)
	for range 64 {
		big.Write(zeros)
	}
	lie, err := w.CreateRaw(&zip.FileHeader{Name: "lie.png", Method: zip.Deflate, UncompressedSize64: 1 << 40, CompressedSize64: 3})
	if err != nil {
		t.Fatal(err)
	}
	lie.Write([]byte{3, 0, 0})
	w.Close()
	return buf.Bytes()
}

// badFolder has one good picture and every kind of bad one; gone.png is in the returned list but not on disk.
func badFolder(t *testing.T) (items []Item, bad []string) {
	t.Helper()
	dir := writePhotos(t, 40, 40, "good.png", "gone.png")
	for name, content := range map[string][]byte{
		"truncated.jpg": truncatedJPEG(t),
		"huge.png":      pngHeader(100_000, 100_000),
		"text.png":      []byte("I am a letter, not a picture.\n"),
		"empty.tif":     nil,
		"half.png":      pngBytes(t, photo(64, 64, 2))[:300],
		"random.webp":   []byte("RIFF\x10\x00\x00\x00WEBPVP8 \xff\xff\xff\xff"),
		"bomb.zip":      bomb(t),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if os.Getuid() != 0 { // root reads everything
		os.WriteFile(filepath.Join(dir, "secret.png"), pngBytes(t, photo(40, 40, 3)), 0o000)
	}
	os.Symlink("nowhere.png", filepath.Join(dir, "dangling.png"))
	items = append(mustList(t, dir), mustList(t, filepath.Join(dir, "bomb.zip"))...)
	os.Remove(filepath.Join(dir, "gone.png"))
	for _, it := range items {
		if it.Key != "good.png" {
			bad = append(bad, it.Path)
		}
	}
	return items, bad
}

func TestBadFilesAreNamedAndBounded(t *testing.T) {
	items, bad := badFolder(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	failed := map[string]bool{}
	for _, it := range items {
		img, err := it.Decode(0)
		if err == nil && it.Key != "good.png" {
			t.Errorf("%q was read as %v", it.Key, img.Bounds())
		}
		if err != nil {
			failed[it.Path] = true
			if !strings.Contains(err.Error(), it.Path) {
				t.Errorf("%q: error %v does not name the file", it.Key, err)
			}
		}
	}
	runtime.ReadMemStats(&after)
	for _, path := range bad {
		if !failed[path] {
			t.Errorf("%q: no error", path)
		}
	}
	// The true bomb of 64 MiB is inflated once, under the race detector, whose pools forget, twice; nothing is allocated
	// for the pixels, which would be 40 GB.
	if n := (after.TotalAlloc - before.TotalAlloc) >> 20; n > 160 {
		t.Errorf("%d MiB were allocated for files of a few KiB", n)
	}
}

func TestLoaderSkipsEveryBadKind(t *testing.T) {
	items, bad := badFolder(t)
	d, err := NewUnpaired(items, Options{Patch: 16})
	if err != nil {
		t.Fatal(err)
	}
	var reported []string
	l, err := NewLoader(LoaderConfig{Unlabelled: d, BatchSize: 4, Workers: 4, MaxBad: len(bad),
		OnBad: func(err error) { reported = append(reported, err.Error()) }})
	if err != nil {
		t.Fatal(err)
	}
	take(t, l, 0, 2*len(items)/4+1) // two epochs
	if len(reported) != len(bad) {
		t.Errorf("%d files reported, want %d: %s", len(reported), len(bad), strings.Join(reported, "\n"))
	}
}

func TestCheckFindsEverything(t *testing.T) {
	items, bad := badFolder(t)
	dir := t.TempDir()
	put := func(name string, m image.Image) {
		writePicture(t, filepath.Join(dir, name), m)
	}
	put("hr/a.png", photo(160, 160, 5))
	put("lr/a.png", photo(40, 40, 6))
	put("hr/b.png", photo(150, 160, 7)) // 150 is not 4·40
	put("lr/b.png", photo(40, 40, 8))
	put("hr/copy.png", photo(160, 160, 5)) // of a.png
	put("hr/gray.png", image.NewGray(image.Rect(0, 0, 160, 160)))
	put("hr/deep.png", deepPhoto(t, 160))
	put("hr/tiny.png", photo(20, 300, 9))
	clear := photo(160, 160, 10)
	clear.Pix[3] = 7
	put("hr/alpha.png", clear)
	found, err := Find(dir, 4)
	if err != nil {
		t.Fatal(err)
	}
	found.LR = items
	done := 0
	r, err := Check(t.Context(), found, CheckOptions{Scale: 4, Patch: 32, Progress: func(d, _ int) { done = d }})
	if err != nil {
		t.Fatal(err)
	}
	got := map[Trouble][]string{}
	for _, f := range r.Findings {
		got[f.Trouble] = append(got[f.Trouble], filepath.Base(f.Path))
		if f.Detail == "" {
			t.Errorf("%+v has no detail", f)
		}
	}
	for trouble, want := range map[Trouble]string{
		WrongRatio: "b.png", Duplicate: "copy.png", GrayTone: "gray.png", Deep: "deep.png", TooSmall: "tiny.png", HasAlpha: "alpha.png",
	} {
		if strings.Join(got[trouble], " ") != want {
			t.Errorf("%s: %v, want %s", trouble, got[trouble], want)
		}
	}
	if len(got[Unreadable]) != len(bad) {
		t.Errorf("unreadable: %v, want the %d bad files", got[Unreadable], len(bad))
	}
	if r.Stopping() != len(bad)+2 || r.Pairs != 2 || r.Pictures != 10 || done != 10+len(bad) {
		t.Errorf("%d stop training, %d pairs, %d pictures, %d examined", r.Stopping(), r.Pairs, r.Pictures, done)
	}
	if r.Formats["png"] != 10 || r.Largest != image.Pt(160, 160) || r.Smallest != image.Pt(40, 40) {
		t.Errorf("formats %v, sizes %v to %v", r.Formats, r.Smallest, r.Largest)
	}
}

// deepPhoto is a 16-bit picture.
func deepPhoto(t *testing.T, side int) image.Image {
	t.Helper()
	m, err := noisy(3, side, side).ToImage(16)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
