package data

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gopdd/gopdd/internal/imgio"
)

// photo is a reproducible picture of 8-bit levels.
func photo(w, h int, seed uint64) *image.NRGBA {
	rng := rand.New(rand.NewPCG(seed, 9))
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	base := rng.IntN(128)
	for y := range h {
		for x := range w {
			v := uint8(base + (x*3+y*2)%64 + rng.IntN(64))
			m.SetNRGBA(x, y, color.NRGBA{v, v / 2, 255 - v, 255})
		}
	}
	return m
}

// writePhotos writes pictures of one size under the given names and returns the folder.
func writePhotos(t *testing.T, w, h int, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i, name := range names {
		writePicture(t, filepath.Join(dir, filepath.FromSlash(name)), photo(w, h, uint64(i)))
	}
	return dir
}

func writePicture(t *testing.T, path string, m image.Image) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := imgio.WriteFile(path, m); err != nil {
		t.Fatal(err)
	}
}

func pngBytes(t *testing.T, m image.Image) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := png.Encode(&buf, m); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func itemKeys(items []Item) []string {
	list := make([]string, len(items))
	for i, it := range items {
		list[i] = it.Key
	}
	return list
}

func mustList(t *testing.T, path string) []Item {
	t.Helper()
	items, err := List(path)
	if err != nil {
		t.Fatal(err)
	}
	return items
}

func TestListFolder(t *testing.T) {
	dir := writePhotos(t, 8, 8, "b.png", "a/z.PNG", "a/deep/er/y.jpg", ".hidden/x.png", "a/.DS.png", "__MACOSX/b.png")
	os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("no picture"), 0o666)
	want := []string{"a/deep/er/y.jpg", "a/z.PNG", "b.png"}
	if diff := cmp.Diff(want, itemKeys(mustList(t, dir))); diff != "" {
		t.Error(diff)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err == nil {
		if diff := cmp.Diff(want, itemKeys(mustList(t, link))); diff != "" {
			t.Errorf("through a link: %s", diff)
		}
	}
}

func TestListText(t *testing.T) {
	dir := writePhotos(t, 8, 8, "sub/a.png", "b (1).png")
	list := filepath.Join(dir, "list.txt")
	text := "# comment\n\nsub/a.png (8,8,3)\n" + filepath.Join(dir, "b (1).png") + "\r\n"
	os.WriteFile(list, []byte(text), 0o666)
	for _, it := range mustList(t, list) {
		if _, err := it.Decode(0); err != nil {
			t.Error(err)
		}
	}
}

// The same pictures from a folder, a zip (stored and deflated) and a tar.
func TestArchivesReadInPlace(t *testing.T) {
	dir := t.TempDir()
	var zipped, tarred bytes.Buffer
	zw, tw := zip.NewWriter(&zipped), tar.NewWriter(&tarred)
	for i, name := range []string{"set/a.png", "set/b.png", "set/readme.md", "__MACOSX/set/._a.png"} {
		content := pngBytes(t, photo(20+i, 10, uint64(i)))
		w, err := zw.CreateHeader(&zip.FileHeader{Name: name, Method: []uint16{zip.Store, zip.Deflate}[i%2]})
		if err != nil {
			t.Fatal(err)
		}
		w.Write(content)
		tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg})
		tw.Write(content)
	}
	zw.Close()
	tw.Close()
	for name, content := range map[string][]byte{"x.zip": zipped.Bytes(), "x.tar": tarred.Bytes()} {
		path := filepath.Join(dir, name)
		os.WriteFile(path, content, 0o666)
		items := mustList(t, path)
		if diff := cmp.Diff([]string{"set/a.png", "set/b.png"}, itemKeys(items)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		for i, it := range items {
			img, err := it.Decode(0)
			if err != nil {
				t.Fatal(err)
			}
			if d := pictureDiff(img, photo(20+i, 10, uint64(i))); d != 0 {
				t.Errorf("%s: %q differs from what was put in", name, it.Key)
			}
			info, err := it.Info()
			if err != nil || info.W != 20+i || info.H != 10 || info.Format != "png" {
				t.Errorf("%s: info %+v, %v", name, info, err)
			}
		}
		if err := os.WriteFile(path, content[:len(content)/3], 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := items[1].Decode(0); err == nil || !strings.Contains(err.Error(), items[1].Path) {
			t.Errorf("%s cut off while in use: error %v does not name the member", name, err)
		}
	}
}

func TestFindLayouts(t *testing.T) {
	for _, c := range []struct {
		name          string
		files         []string
		pairs         []string // LR key < HR key
		hr, lr, other int
	}{
		{"RealSR V3, all scales and both halves", []string{
			"Canon/Train/4/Canon_001_HR.png", "Canon/Train/4/Canon_001_LR4.png",
			"Canon/Test/4/Canon_001_HR.png", "Canon/Test/4/Canon_001_LR4.png",
			"Canon/Train/2/Canon_001_HR.png", "Canon/Train/2/Canon_001_LR2.png",
			"Nikon/Train/4/Nikon_001_HR.png", "Nikon/Train/4/Nikon_001_LR4.png",
		}, []string{
			"Canon/Test/4/Canon_001_LR4.png < Canon/Test/4/Canon_001_HR.png",
			"Canon/Train/4/Canon_001_LR4.png < Canon/Train/4/Canon_001_HR.png",
			"Nikon/Train/4/Nikon_001_LR4.png < Nikon/Train/4/Nikon_001_HR.png",
		}, 0, 0, 2},
		{"DRealSR", []string{
			"Train_x4/train_HR/panasonic_102_x1.png", "Train_x4/train_LR/panasonic_102_x4.png",
			"Train_x4/train_HR/DSC_1_x1.png", "Train_x4/train_LR/DSC_1_x4.png",
		}, []string{
			"Train_x4/train_LR/DSC_1_x4.png < Train_x4/train_HR/DSC_1_x1.png",
			"Train_x4/train_LR/panasonic_102_x4.png < Train_x4/train_HR/panasonic_102_x1.png",
		}, 0, 0, 0},
		{"NTIRE 2020: training halves share names but are no pairs", []string{
			"Corrupted-tr-x/0001.png", "Corrupted-tr-y/0001.png", "Corrupted-va-x/0801.png", "DIV2K_valid_HR/0801.png",
		}, []string{"Corrupted-va-x/0801.png < DIV2K_valid_HR/0801.png"}, 1, 1, 0},
		{"DF2K", []string{
			"DIV2K/DIV2K_train_HR/0001.png", "DIV2K/DIV2K_train_LR_bicubic/X4/0001x4.png", "DIV2K/DIV2K_train_LR_bicubic/X2/0001x2.png",
			"Flickr2K/Flickr2K_HR/000001.png", "Flickr2K/Flickr2K_LR_bicubic/X4/000001x4.png", "Flickr2K/Flickr2K_HR/000002.png",
		}, []string{
			"DIV2K/DIV2K_train_LR_bicubic/X4/0001x4.png < DIV2K/DIV2K_train_HR/0001.png",
			"Flickr2K/Flickr2K_LR_bicubic/X4/000001x4.png < Flickr2K/Flickr2K_HR/000001.png",
		}, 1, 0, 1},
		{"DF2K sub-images", []string{
			"DIV2K_train_HR_sub/0001_s001.png", "DIV2K_train_LR_bicubic/X4_sub/0001_s001.png",
		}, []string{"DIV2K_train_LR_bicubic/X4_sub/0001_s001.png < DIV2K_train_HR_sub/0001_s001.png"}, 0, 0, 0},
		{"DF2K sub-images that keep the scale in their names", []string{
			"DIV2K_train_HR/0001_s001.png", "DIV2K_train_HR/0001_s002.png",
			"DIV2K_train_LR_bicubic/X4/0001x4_s001.png", "DIV2K_train_LR_bicubic/X4/0001x4_s002.png",
		}, []string{
			"DIV2K_train_LR_bicubic/X4/0001x4_s001.png < DIV2K_train_HR/0001_s001.png",
			"DIV2K_train_LR_bicubic/X4/0001x4_s002.png < DIV2K_train_HR/0001_s002.png",
		}, 0, 0, 0},
		{"RealSR sub-images, also of another scale", []string{
			"Train/4/Canon_001_HR_s001.png", "Train/4/Canon_001_LR4_s001.png", "Train/2/Canon_001_LR2_s001.png",
		}, []string{"Train/4/Canon_001_LR4_s001.png < Train/4/Canon_001_HR_s001.png"}, 0, 0, 1},
		{"DRealSR sub-images", []string{"train_HR/DSC_1_x1_s012.png", "train_LR/DSC_1_x4_s012.png"},
			[]string{"train_LR/DSC_1_x4_s012.png < train_HR/DSC_1_x1_s012.png"}, 0, 0, 0},
		{"Set5", []string{"Set5/GTmod12/baby.png", "Set5/LRbicx4/baby.png", "Set5/LRbicx2/baby.png"},
			[]string{"Set5/LRbicx4/baby.png < Set5/GTmod12/baby.png"}, 0, 0, 1},
		{"Set14, other packing", []string{"Set14/image_SRF_4/img_001_SRF_4_HR.png", "Set14/image_SRF_4/img_001_SRF_4_LR.png", "Set14/image_SRF_2/img_001_SRF_2_LR.png"},
			[]string{"Set14/image_SRF_4/img_001_SRF_4_LR.png < Set14/image_SRF_4/img_001_SRF_4_HR.png"}, 0, 0, 1},
		{"plain folders; names that end like a scale", []string{"hr/box2.png", "lr/box2.png", "hr/matrix4.png", "lr/matrix4.png"},
			[]string{"lr/box2.png < hr/box2.png", "lr/matrix4.png < hr/matrix4.png"}, 0, 0, 0},
		{"just photos", []string{"IMG_1.jpg", "IMG_2.jpg"}, nil, 0, 0, 2},
	} {
		f, err := Find(writePhotos(t, 8, 8, c.files...), 4)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got []string
		for _, p := range f.Pairs {
			got = append(got, p.LR.Key+" < "+p.HR.Key)
		}
		slices.Sort(got)
		if diff := cmp.Diff(c.pairs, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		if len(f.HR) != c.hr || len(f.LR) != c.lr || len(f.Other) != c.other {
			t.Errorf("%s: left over HR %v, LR %v, other %v; want %d, %d, %d", c.name, itemKeys(f.HR), itemKeys(f.LR), itemKeys(f.Other), c.hr, c.lr, c.other)
		}
	}
}

func TestMatchPairs(t *testing.T) {
	item := func(names ...string) (list []Item) {
		for _, n := range names {
			list = append(list, Item{Path: n, Key: n})
		}
		return list
	}
	for _, c := range []struct {
		lr, hr []Item
		want   string // of the error, "" for none
		reason string
	}{
		{item("a.png"), item("a.jpg", "b.png"), "", "another format, HR left over"},
		{item("ax4.png"), item("a.png"), "", "scale in the LR name"},
		{item("p_LR4_s001.png", "p_LR4_s002.png"), item("p_HR_s002.png", "p_HR_s001.png"), "", "sub-images after the marks"},
		{item("ax4_s002.png"), item("a_s001.png"), `"ax4_s002.png"`, "a sub-image without its number"},
		{item("a.png", "c.png"), item("a.png"), `"c.png"`, "an LR picture without HR is named"},
		{item("a.png", "ax4.png"), item("a.png"), "two LR", "ambiguous LR"},
		{item("x/a.png"), item("a.png", "a.jpg"), "both", "ambiguous HR"},
	} {
		pairs, err := MatchPairs(c.lr, c.hr)
		if c.want == "" && (err != nil || len(pairs) != len(c.lr)) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, %v", c.reason, pairs, err)
		}
	}
}

func TestReadPairs(t *testing.T) {
	dir := writePhotos(t, 8, 8, "hr/a.png", "lr/a.png")
	list := filepath.Join(dir, "meta.txt")
	os.WriteFile(list, []byte("hr/a.png, lr/a.png\n"), 0o666)
	pairs, err := ReadPairs(list)
	if err != nil || len(pairs) != 1 || pairs[0].HR.Key != "hr/a.png" || pairs[0].LR.Key != "lr/a.png" {
		t.Errorf("got %+v, %v", pairs, err)
	}
	os.WriteFile(list, []byte("hr/a.png\n"), 0o666)
	if _, err := ReadPairs(list); err == nil {
		t.Error("a line without a comma is accepted")
	}
}

func TestListErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		os.WriteFile(path, []byte(content), 0o666)
		return path
	}
	for reason, path := range map[string]string{
		"missing":             filepath.Join(dir, "nothing"),
		"compressed archive":  write("a.tar.gz", "x"),
		"zip that is none":    write("a.zip", "x"),
		"tar that is none":    write("a.tar", strings.Repeat("x", 1024)),
		"list of missing set": write("b", ""),
	} {
		if _, err := List(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want one that names %q", reason, err, path)
		}
	}
	if _, err := List(dir + "/."); !errors.Is(err, ErrNoPictures) {
		t.Errorf("folder without pictures: %v, want ErrNoPictures", err)
	}
}
