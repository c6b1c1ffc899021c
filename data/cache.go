package data

import (
	"image"
	"sync"
	"sync/atomic"

	"github.com/gopdd/gopdd/internal/imgio"
)

// Cache keeps decoded pictures up to a number of bytes. When it is full it keeps what it has: training visits every
// picture equally often, in an order that changes with each epoch, and then no replacement policy has more hits.
// It is safe for concurrent use, and several datasets may share one.
type Cache struct {
	limit        int64
	hits, misses atomic.Int64

	mu       sync.Mutex
	used     int64
	pictures map[string]image.Image
}

// NewCache returns an empty cache that holds pictures of at most limit bytes in all, as decoded: 1.5 bytes a pixel for
// most JPEG files, 4 for others, 8 for 16-bit ones.
func NewCache(limit int64) *Cache {
	return &Cache{limit: limit, pictures: map[string]image.Image{}}
}

// CacheStats count what a cache did.
type CacheStats struct {
	Hits, Misses int64
	Bytes        int64 // held now
	Pictures     int
}

// Stats returns the counts so far.
func (c *Cache) Stats() CacheStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return CacheStats{Hits: c.hits.Load(), Misses: c.misses.Load(), Bytes: c.used, Pictures: len(c.pictures)}
}

// find returns the item's picture if it is held.
func (c *Cache) find(it Item) (image.Image, bool) {
	if c == nil {
		return nil, false
	}
	c.mu.Lock()
	img, ok := c.pictures[it.Path]
	c.mu.Unlock()
	if ok {
		c.hits.Add(1)
	} else {
		c.misses.Add(1)
	}
	return img, ok
}

// room tells whether a picture of n bytes finds a place.
func (c *Cache) room(n int64) bool {
	if c == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.used+n <= c.limit
}

// keep adds a picture if there is room and it is not there yet.
func (c *Cache) keep(path string, img image.Image) {
	n := pictureBytes(img)
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, there := c.pictures[path]; there || c.used+n > c.limit {
		return
	}
	c.pictures[path] = img
	c.used += n
}

// decodedBytes is the memory that a file's picture may take, the most of what its header leaves open.
func decodedBytes(info imgio.Info) int64 {
	n := int64(info.Width) * int64(info.Height) * int64(info.BitDepth/8)
	switch {
	case info.Gray:
		return n
	case info.Format == "jpeg": // planes, of which two may be smaller
		return 3 * n
	}
	return 4 * n
}

// pictureBytes is the memory of a picture's samples.
func pictureBytes(img image.Image) int64 {
	n := int64(img.Bounds().Dx()) * int64(img.Bounds().Dy())
	switch m := img.(type) {
	case *image.Gray, *image.Paletted:
		return n
	case *image.Gray16:
		return 2 * n
	case *image.YCbCr:
		return int64(len(m.Y) + len(m.Cb) + len(m.Cr))
	case *image.NRGBA64, *image.RGBA64:
		return 8 * n
	}
	return 4 * n
}
