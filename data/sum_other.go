//go:build !amd64

package data

func addFour(dst, a, b, c, d []float32, w *[4]float32) { addFourGo(dst, a, b, c, d, w) }

func addTaps(dst, src []float32, t taps2) { addTapsGo(dst, src, t) }
