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

// addTaps is addTapsGo with 32 samples at a time where the processor can. The last samples, less than eight, are the
// end of a block of eight that begins before them.
func addTaps(dst, src []float32, t taps2) {
	n := len(dst) &^ 7
	if !cpu.X86.HasAVX || n == 0 || len(t.weight) == 0 {
		addTapsGo(dst, src, t)
		return
	}
	rows := len(t.weight) / t.cols
	_ = src[:len(dst)+(rows-1)*t.rowStep+(t.cols-1)*t.colStep] // everything that is read
	end := len(dst) - 8
	last := [8]float32(dst[end:])
	addTapsAVX(&dst[0], &src[0], n, &t.weight[0], rows, t.cols, t.rowStep, t.colStep)
	if n < len(dst) {
		addTapsAVX(&last[0], &src[end], 8, &t.weight[0], rows, t.cols, t.rowStep, t.colStep)
		copy(dst[n:], last[n-end:])
	}
}

// addFourAVX does what addFourGo does to n samples, a multiple of 8 above 0. See sum_amd64.s.
//
//go:noescape
func addFourAVX(dst, a, b, c, d *float32, n int, w *[4]float32)

// addTapsAVX does what addTapsGo does to n samples, a multiple of 8, with at least one tap.
//
//go:noescape
func addTapsAVX(dst, src *float32, n int, w *float32, rows, cols, rowStep, colStep int)
