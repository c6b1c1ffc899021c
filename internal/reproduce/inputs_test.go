package reproduce

import (
	"context"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/internal/imgio"
)

// picture writes a small picture.
func picture(t *testing.T, path string, side int) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	m := image.NewGray(image.Rect(0, 0, side, side))
	for i := range m.Pix {
		m.Pix[i] = uint8(i * i / 7)
	}
	if err := imgio.WriteFile(path, m); err != nil {
		t.Fatal(err)
	}
}

func row(t *testing.T, id string) Row {
	t.Helper()
	rows, err := Select(id)
	if err != nil {
		t.Fatal(err)
	}
	return rows[0]
}

// What is missing is named with its path, address and size, and is no longer once it is there.
func TestMissing(t *testing.T) {
	dir := t.TempDir()
	s := &Sources{Datasets: dir + "/sets", Weights: dir + "/weights"}
	var text string
	for _, m := range s.Find(row(t, "realesrgan+ours@realsr-canon")).Missing {
		text += m.String() + "\n"
	}
	for _, want := range []string{"RealSR/Canon/Test/4/", "RealSR/Canon/Train/4/", "github.com/csjcai/RealSR", "weights vgg19", "RealESRGAN_x4plus.pth", "67.0 MB", "/DF2K/"} {
		if !strings.Contains(text, want) {
			t.Errorf("what is missing lacks %q:\n%s", want, text)
		}
	}
	for _, part := range []string{"Train", "Test"} {
		picture(t, dir+"/sets/RealSR/Canon/"+part+"/4/Canon_001_HR.png", 64)
		picture(t, dir+"/sets/RealSR/Canon/"+part+"/4/Canon_001_LR4.png", 16)
	}
	picture(t, dir+"/sets/DIV2K/DIV2K_train_HR/0001.png", 64)
	s.StandIns, s.RandomFeatures = map[string]string{"realesrgan-x4plus": "a.pth"}, true
	in := s.Find(row(t, "realesrgan+ours@realsr-canon"))
	if len(in.Missing) != 1 || !strings.Contains(in.Missing[0].String(), "Flickr2K") {
		t.Errorf("missing %v, want DF2K's other half", in.Missing)
	}
	picture(t, dir+"/sets/Flickr2K/Flickr2K_HR/000001.png", 64)
	in = s.Find(row(t, "realesrgan+ours@realsr-canon"))
	if len(in.Missing) != 0 || len(in.HR) != 2 || len(in.Train) != 1 || len(in.Pairs) != 1 || !strings.HasSuffix(in.Train[0], "Train/4/Canon_001_LR4.png") {
		t.Errorf("%+v", in)
	}
}

// The cameras of DRealSR do not mix, and measured pictures of NTIRE are not trained on.
func TestFindSets(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"panasonic_1", "sony_1", "P1140001", "sony/P9"} {
		picture(t, dir+"/DRealSR/Test_x4/test_HR/"+name+"_x1.png", 64)
		picture(t, dir+"/DRealSR/Test_x4/test_LR/"+name+"_x4.png", 16)
	}
	for _, path := range []string{"Corrupted-tr-x/0001.png", "Corrupted-tr-y/0001.png", "Corrupted-va-x/0801.png"} {
		picture(t, dir+"/NTIRE2020/"+path, 16)
	}
	picture(t, dir+"/NTIRE2020/DIV2K_valid_HR/0801.png", 64)
	s := &Sources{Datasets: dir}
	for id, want := range map[string]int{"drealsr-panasonic": 2, "drealsr-sony": 2, "drealsr-olympus": 0, "ntire2020": 1} {
		if in := s.Find(row(t, "realesrgan@"+id)); len(in.Pairs) != want {
			t.Errorf("%s: %d pairs, want %d", id, len(in.Pairs), want)
		}
	}
	in := s.Find(row(t, "realesrgan+ours@ntire2020"))
	if len(in.Train) != 1 || !strings.HasSuffix(in.Train[0], "Corrupted-tr-x/0001.png") {
		t.Errorf("trains on %v", in.Train)
	}
}

// Large pictures are cut to squares of which LR and GT have the same number, small ones stay whole, a damaged one is
// left out with a word; what is laid out is used again.
func TestStage(t *testing.T) {
	dir := t.TempDir()
	sets := dir + "/RealSR/Canon/Test/4/"
	for name, side := range map[string]int{"a": 40, "b": 10} {
		picture(t, sets+name+"_HR.png", side*4)
		picture(t, sets+name+"_LR4.png", side)
	}
	picture(t, sets+"c_HR.png", 160)
	if err := os.WriteFile(sets+"c_LR4.png", []byte("no picture"), 0o666); err != nil {
		t.Fatal(err)
	}
	pairs := (&Sources{Datasets: dir}).Find(row(t, "realesrgan@realsr-canon")).Pairs
	for _, again := range []string{"made", "kept"} {
		s, err := Stage(context.Background(), pairs, 16, dir+"/staged")
		if err != nil || s.Pictures != 5 || len(s.Notes) != 1 || !strings.Contains(s.Notes[0], "c_LR4.png") {
			t.Fatalf("%s: %+v, %v", again, s, err)
		}
		for _, name := range []string{"a_s001.png", "a_s004.png", "b.png"} {
			lr, _, err := imgio.ReadFile(filepath.Join(s.LR, name), imgio.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			hr, _, err := imgio.ReadFile(filepath.Join(s.GT, name), imgio.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if hr.Bounds().Dx() != 4*lr.Bounds().Dx() {
				t.Errorf("%s: %v and %v", name, lr.Bounds(), hr.Bounds())
			}
		}
	}
	before, _ := Stage(context.Background(), pairs, 16, dir+"/staged")
	picture(t, sets+"b_LR4.png", 12)
	picture(t, sets+"b_HR.png", 48)
	after, err := Stage(context.Background(), pairs, 16, dir+"/staged")
	if err != nil || after.Key == before.Key {
		t.Errorf("a changed picture leaves the key as it was (%v)", err)
	}
}
