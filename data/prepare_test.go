package data

import (
	"context"
	"errors"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCuttingStarts(t *testing.T) {
	for _, c := range []struct {
		cut    Cutting
		n      int
		want   []int
		reason string
	}{
		{Cutting{480, 240, 0}, 480, []int{0}, "fits exactly"},
		{Cutting{480, 240, 0}, 720, []int{0, 240}, "half steps"},
		{Cutting{480, 240, 0}, 721, []int{0, 240, 241}, "one pixel over: a last square at the border, as BasicSR does"},
		{Cutting{480, 240, 10}, 725, []int{0, 240}, "the rest is within the tolerated strip"},
		{Cutting{512, 512, -1}, 1500, []int{0, 512}, "no square for the rest"},
		{Cutting{480, 240, 0}, 479, nil, "too small"},
	} {
		if diff := cmp.Diff(c.want, c.cut.starts(c.n)); diff != "" {
			t.Errorf("%s: %s", c.reason, diff)
		}
	}
}

// HR squares of 48 and LR squares of 12 of the same pictures must remain pairs: found by name, each LR square the
// same part as its HR square.
func TestSubImagesStayPaired(t *testing.T) {
	src, out := t.TempDir(), t.TempDir()
	hr := photo(120, 100, 1)
	lr, _ := ResizeImage(hr, 0.25, Bicubic)
	for _, name := range []string{"hr/d/p", "hr/q_HR"} {
		writePicture(t, filepath.Join(src, name+".png"), hr)
	}
	for _, name := range []string{"lr/d/px4", "lr/q_LR4"} {
		writePicture(t, filepath.Join(src, name+".png"), lr)
	}
	for side, c := range map[string]Cutting{"hr": {48, 24, 0}, "lr": {12, 6, 0}} {
		items := mustList(t, filepath.Join(src, side))
		got, err := SubImages(t.Context(), items, filepath.Join(out, side), c, PrepareOptions{})
		if err != nil || got.Written != 32 {
			t.Fatalf("%s: %+v, %v; want 4×4 squares of 2 pictures", side, got, err)
		}
		again, err := SubImages(t.Context(), items, filepath.Join(out, side), c, PrepareOptions{})
		if err != nil || again.Written != 0 || again.Kept != 32 {
			t.Errorf("the second run: %+v, %v; want all kept", again, err)
		}
	}
	a := mustList(t, filepath.Join(out, "hr"))
	b := mustList(t, filepath.Join(out, "lr"))
	if len(a) != 32 || a[0].Key != "d/p_s001.png" || b[0].Key != "d/px4_s001.png" {
		t.Errorf("written %v and %v", itemKeys(a), itemKeys(b))
	}
	img, _ := a[5].Decode(0)
	if d := pictureDiff(img, subImage(hr, image.Rect(24, 24, 72, 72))); d != 0 {
		t.Errorf("square 6 is not the part at (24, 24): %d", d)
	}
	matched, err := MatchPairs(b, a)
	if err != nil || len(matched) != 32 {
		t.Errorf("%d pairs of 32: %v", len(matched), err)
	}
	found, err := Find(out, 4)
	if err != nil || len(found.Pairs) != 32 {
		t.Errorf("%d pairs of 32 found: %v", len(found.Pairs), err)
	}
	for _, p := range append(matched, found.Pairs...) {
		if _, hrPart := splitName(p.HR.Key); !strings.HasSuffix(p.LR.Key, hrPart+".png") {
			t.Errorf("%q is paired with %q", p.LR.Key, p.HR.Key)
		}
	}
}

func TestMultiScale(t *testing.T) {
	out := t.TempDir()
	items := mustList(t, writePhotos(t, 90, 61, "p.png"))
	got, err := MultiScale(t.Context(), items, out, Scales{Factors: []float64{0.75, 0.5, 1.0 / 3}, Short: 40}, PrepareOptions{})
	if err != nil || got.Written != 4 {
		t.Fatalf("%+v, %v", got, err)
	}
	var sizes []image.Point
	for _, it := range mustList(t, out) {
		info, err := it.Info()
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, image.Pt(info.W, info.H))
	}
	// 0.75·90 = 67.5, 0.75·61 = 45.75; halves 45, 30.5; thirds 30, 20.33; shorter side 40: 90·40/61 = 59.02.
	if want := []image.Point{{67, 45}, {45, 30}, {30, 20}, {59, 40}}; !slices.Equal(sizes, want) {
		t.Errorf("sizes %v, want %v", sizes, want)
	}
}

func TestPrepareReports(t *testing.T) {
	items, bad := badFolder(t)
	got, err := SubImages(t.Context(), items, t.TempDir(), Cutting{64, 64, 0}, PrepareOptions{})
	if err != nil || len(got.Bad) != len(bad) || got.Small != 1 {
		t.Errorf("%d bad files and %d small ones (%v), want %d and the good one, which has 40 pixels", len(got.Bad), got.Small, err, len(bad))
	}
	cause := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := SubImages(ctx, items, t.TempDir(), CutDF2KHR, PrepareOptions{}); !errors.Is(err, cause) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := SubImages(t.Context(), items, t.TempDir(), Cutting{}, PrepareOptions{}); err == nil {
		t.Error("no size: no error")
	}
	if _, err := MultiScale(t.Context(), items, t.TempDir(), Scales{Factors: []float64{2}}, PrepareOptions{}); err == nil {
		t.Error("factor above 1: no error")
	}
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o666)
	if _, err := SubImages(t.Context(), items, file, Cutting{8, 8, 0}, PrepareOptions{}); err == nil {
		t.Error("the output folder is a file: no error")
	}
}

// What an earlier run left is kept only if it has the size that this run would give it.
func TestPrepareKeepsOneSize(t *testing.T) {
	items := mustList(t, writePhotos(t, 90, 60, "p.png"))
	squares := func(size, step int) func(out string) (Prepared, error) {
		return func(out string) (Prepared, error) {
			return SubImages(t.Context(), items, out, Cutting{size, step, 0}, PrepareOptions{})
		}
	}
	shrunk := func(factor float64) func(out string) (Prepared, error) {
		return func(out string) (Prepared, error) {
			return MultiScale(t.Context(), items, out, Scales{Factors: []float64{factor}}, PrepareOptions{})
		}
	}
	for _, c := range []struct {
		reason       string
		first, again func(out string) (Prepared, error)
		want         string // of the error, "" for none
	}{
		{"the same squares", squares(30, 30), squares(30, 30), ""},
		{"larger squares", squares(30, 30), squares(40, 30), "p_s001.png\" is there already with 30×30 pixels, not 40×40: choose another folder, or remove it"},
		{"smaller squares", squares(30, 30), squares(20, 30), "with 30×30 pixels, not 20×20"},
		{"the same copies", shrunk(0.5), shrunk(0.5), ""},
		{"other copies", shrunk(0.5), shrunk(0.3), "pT0.png\" is there already with 45×30 pixels, not 27×18"},
		{"no picture", func(out string) (Prepared, error) {
			return Prepared{}, os.WriteFile(filepath.Join(out, "p_s001.png"), []byte("text"), 0o666)
		}, squares(30, 30), "it is there already: choose another folder, or remove it"},
	} {
		out := t.TempDir()
		if _, err := c.first(out); err != nil {
			t.Fatal(err)
		}
		before := mustList(t, out)
		got, err := c.again(out)
		switch {
		case c.want == "" && (err != nil || got.Written != 0 || got.Kept != len(before)):
			t.Errorf("%s: %+v, %v; want all kept", c.reason, got, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || len(mustList(t, out)) != len(before)):
			t.Errorf("%s: error %v, want %q and no new file", c.reason, err, c.want)
		}
	}
}

func TestOutputStems(t *testing.T) {
	stems, err := outputStems([]Item{{Key: "../../etc/x.png"}, {Key: "/abs/y.png"}, {Key: "a/z.tar.png"}}, "out")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"out/etc/x", "out/abs/y", "out/a/z.tar"} {
		if filepath.ToSlash(stems[i]) != want {
			t.Errorf("%q, want %q: keys must not lead out of the folder", stems[i], want)
		}
	}
	_, err = outputStems([]Item{{Key: "a.png", Path: "p"}, {Key: "a.jpg", Path: "q"}}, "out")
	if err == nil || !strings.Contains(err.Error(), `"p" and "q"`) {
		t.Errorf("two sources of one name: %v", err)
	}
}
