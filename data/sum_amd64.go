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

// addTaps is addTapsGo with 32 samples at a time where the processor can.
func addTaps(dst, src []float32, step int, w []float32) {
	n := 0
	if cpu.X86.HasAVX && len(w) > 0 {
		_ = src[:len(dst)+(len(w)-1)*step] // everything that is read
		if n = len(dst) &^ 7; n > 0 {
			addTapsAVX(&dst[0], &src[0], n, step, &w[0], len(w))
		}
	}
	addTapsGo(dst[n:], src[n:], step, w)
}

// addFourAVX does what addFourGo does to n samples, a multiple of 8 above 0. See sum_amd64.s.
//
//go:noescape
func addFourAVX(dst, a, b, c, d *float32, n int, w *[4]float32)

// addTapsAVX does what addTapsGo does to n samples, a multiple of 8, with at least one tap.
//
//go:noescape
func addTapsAVX(dst, src *float32, n, step int, w *float32, taps int)
