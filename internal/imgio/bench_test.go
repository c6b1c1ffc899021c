package imgio

import (
	"image"
	"io"
	"testing"
)

// One megapixel.
func BenchmarkEncodeJPEG(b *testing.B) {
	for _, img := range opaques(image.Rect(0, 0, 1024, 1024)) {
		b.Run(typeName(img), func(b *testing.B) {
			encode, err := encoder("x.jpg", img, nil)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if err := encode(io.Discard, img); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
