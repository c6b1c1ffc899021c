package parallel

import (
	"sync/atomic"
	"testing"
)

// Each row is worked on once, by no more goroutines than asked for.
func TestRows(t *testing.T) {
	for _, threads := range []int{0, 1, 3} {
		var makers atomic.Int32
		seen := make([]atomic.Int32, 1000)
		Rows(threads, len(seen), func() func(int) {
			makers.Add(1)
			return func(y int) { seen[y].Add(1) }
		})
		for y := range seen {
			if n := seen[y].Load(); n != 1 {
				t.Fatalf("%d threads: row %d was worked on %d times", threads, y, n)
			}
		}
		if n := int(makers.Load()); threads > 0 && n != threads {
			t.Errorf("%d goroutines, want %d", n, threads)
		}
	}
}
