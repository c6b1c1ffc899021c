package data

import (
	"runtime"
	"sync"
)

// parallel calls fn on consecutive ranges [lo, hi) that cover 0..n, on as many goroutines as there are processors but
// with at least grain items each, and returns when all are done. Results must not depend on where ranges are cut.
func parallel(n, grain int, fn func(lo, hi int)) {
	parts := min(runtime.GOMAXPROCS(0), n/max(grain, 1))
	if parts <= 1 {
		fn(0, n)
		return
	}
	var wg sync.WaitGroup
	for p := range parts {
		lo, hi := p*n/parts, (p+1)*n/parts
		wg.Go(func() { fn(lo, hi) })
	}
	wg.Wait()
}

// grain is the number of rows that are worth a goroutine, given the multiplications of one row: those of a patch are
// not, since a loader keeps the processors busy with other patches.
func grain(perRow int) int { return 1 + (1<<23)/max(perRow, 1) }
