package data

import (
	"math/bits"
	"sync"
)

// largestBuffer bounds the memory that is kept for use again: 4 MiB, some patches of 256×256 pixels in colour.
const largestBuffer = 1 << 20

// buffers hold memory of 1<<i samples that was given back. A sample goes through a dozen images of the size of its
// patch; new memory for each would have to be fetched from afar, cleared and collected.
var buffers [21]sync.Pool

// newBuffer returns n samples of any content.
func newBuffer(n int) []float32 {
	if n == 0 || n > largestBuffer {
		return make([]float32, n)
	}
	class := bits.Len(uint(n - 1))
	if p, ok := buffers[class].Get().(*[]float32); ok {
		return (*p)[:n]
	}
	return make([]float32, n, 1<<class)
}

// freeBuffer gives back what newBuffer returned. Nothing may use it afterwards; what is never given back is collected.
func freeBuffer(b []float32) {
	if n := cap(b); n > 0 && n <= largestBuffer && n&(n-1) == 0 {
		b = b[:0]
		buffers[bits.Len(uint(n-1))].Put(&b)
	}
}
