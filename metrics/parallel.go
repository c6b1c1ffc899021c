package metrics

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// parallel calls work(i) for every i in 0..n-1 on as many goroutines as there are processors and returns when all are
// done. Each goroutine makes its own work function with start, so that work may keep scratch memory.
func parallel(n int, start func() (work func(i int))) {
	workers := min(n, runtime.GOMAXPROCS(0))
	if workers <= 1 {
		work := start()
		for i := range n {
			work(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			work := start()
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				work(int(i))
			}
		})
	}
	wg.Wait()
}

// parallelFor is parallel for work without scratch memory.
func parallelFor(n int, work func(i int)) {
	parallel(n, func() func(int) { return work })
}
