package imgio

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// TestStreams: a picture that goes through Encode, a pipe and Read or ReadFile is what it was, and limits hold.
func TestStreams(t *testing.T) {
	want := image.NewGray(image.Rect(0, 0, 3, 2))
	copy(want.Pix, "abcdef")
	for _, ext := range []string{".png", ".tif"} {
		var content bytes.Buffer
		if err := Encode(&content, ext, want); err != nil {
			t.Fatal(err)
		}
		size := int64(content.Len())
		for _, tt := range []struct {
			limit int64
			err   error
		}{{0, nil}, {size, nil}, {size - 1, ErrTooLarge}} {
			lim := Limits{MaxBytes: tt.limit}
			got, _, err := Read(bytes.NewBuffer(content.Bytes()), lim)
			if !errors.Is(err, tt.err) || err == nil && !reflect.DeepEqual(got, image.Image(want)) {
				t.Errorf("%s, limit %d: %v, error %v", ext, tt.limit, got, err)
			}
			got, _, err = ReadFile(pipe(t, content.Bytes()), lim)
			if !errors.Is(err, tt.err) || err == nil && !reflect.DeepEqual(got, image.Image(want)) {
				t.Errorf("%s from a pipe, limit %d: %v, error %v", ext, tt.limit, got, err)
			}
		}
	}
	if err := Encode(new(bytes.Buffer), ".webp", want); err == nil {
		t.Error("WebP was written")
	}
}

// pipe gives the path of a pipe that holds content, little enough to fit.
func pipe(t *testing.T, content []byte) string {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return filepath.Join("/dev/fd", fmt.Sprint(r.Fd()))
}
