// Package parallel runs loops on all cores.
package parallel

import (
	"runtime"

	"golang.org/x/sync/errgroup"
)

// Rows calls a function for each of n rows, such as those of a picture, on all cores; make is called once per goroutine.
func Rows(n int, make func() func(y int)) {
	const grain = 16 // rows that are worth a goroutine
	parts := min(runtime.GOMAXPROCS(0), (n+grain-1)/grain)
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
