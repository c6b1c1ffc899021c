//go:build !amd64

package data

func addFour(dst, a, b, c, d []float32, w *[4]float32) { addFourGo(dst, a, b, c, d, w) }

func addTaps(dst, src []float32, step int, w []float32) { addTapsGo(dst, src, step, w) }
