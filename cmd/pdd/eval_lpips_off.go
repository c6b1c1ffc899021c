//go:build !cgo

package main

import measure "github.com/gopdd/gopdd/metrics/report"

func loadLPIPS(net, backbone, heads, device string) (measure.Distance, func() error, error) {
	return nil, nil, errNoCgo
}
