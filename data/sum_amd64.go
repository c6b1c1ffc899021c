package data

import "golang.org/x/sys/cpu"

// addFour is addFourGo with eight samples at a time where the processor can.
func addFour(dst, a, b, c, d []float32, w *[4]float32) {
	n := 0
	if cpu.X86.HasAVX {
		if n = len(dst) &^ 7; n > 0 {
			addFourAVX(&dst[:n][0], &a[:n][0], &b[:n][0], &c[:n][0], &d[:n][0], n, w)
		}
	}
	addFourGo(dst[n:], a[n:], b[n:], c[n:], d[n:], w)
}

// addFourAVX does what addFourGo does to n samples, a multiple of 8. See sum_amd64.s.
//
//go:noescape
func addFourAVX(dst, a, b, c, d *float32, n int, w *[4]float32)
