//go:build cgo

package main

import (
	"github.com/gopdd/gopdd/metrics/lpips"
	measure "github.com/gopdd/gopdd/metrics/report"
)

// loadLPIPS makes the LPIPS of a network from its files. closeNet frees it.
func loadLPIPS(net, backbone, heads, device string) (d measure.Distance, closeNet func() error, err error) {
	n, err := lpips.ParseNet(net)
	if err != nil {
		return nil, nil, err
	}
	m, err := lpips.Load(n, backbone, heads, lpips.WithDevice(device))
	if err != nil {
		return nil, nil, err
	}
	return m.Distance, m.Close, nil
}
