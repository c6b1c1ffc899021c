//go:build !cgo

package main

import "context"

func timeForwards(context.Context, engineConfig, []pixelSize, int) (benchSurrounds, []forwardTiming, error) {
	return benchSurrounds{}, nil, errNoCgo
}
