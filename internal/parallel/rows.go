// Package parallel runs loops on several cores.
package parallel

import (
	"cmp"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// Rows calls a function for each of n rows, such as those of a picture, on so many threads at most, 0 being one for each
// core; make is called once per goroutine.
func Rows(threads, n int, make func() func(y int)) {
	const grain = 16 // rows that are worth a goroutine
	parts := min(cmp.Or(threads, runtime.GOMAXPROCS(0)), (n+grain-1)/grain)
	var g errgroup.Group
	for i := range parts {
		g.Go(func() error {
			work := make()
			for y := n * i / parts; y < n*(i+1)/parts; y++ {
				work(y)
			}
			return nil
		})
	}
	_ = g.Wait() // the functions return no errors
}
