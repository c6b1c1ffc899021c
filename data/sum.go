package data

// weightedSum sets dst to the sum of weight[k]·rows[k]; rows have at least len(dst) samples. Four rows are added per
// sweep over dst. The order of additions is the same on every machine; only the instructions differ.
func weightedSum(dst []float32, rows [][]float32, weight []float32) {
	clear(dst)
	for len(rows) >= 4 {
		addFour(dst, rows[0], rows[1], rows[2], rows[3], (*[4]float32)(weight))
		rows, weight = rows[4:], weight[4:]
	}
	if len(rows) > 0 { // fill up with rows of weight 0
		var four [4][]float32
		var w [4]float32
		for k := range four {
			four[k] = rows[0]
			if k < len(rows) {
				four[k], w[k] = rows[k], weight[k]
			}
		}
		addFour(dst, four[0], four[1], four[2], four[3], &w)
	}
}

// addFourGo adds (w0·a + w1·b) + (w2·c + w3·d) to dst. The conversions keep compilers from fusing a multiplication
// with an addition, which rounds differently.
func addFourGo(dst, a, b, c, d []float32, w *[4]float32) {
	w0, w1, w2, w3 := w[0], w[1], w[2], w[3]
	a, b, c, d = a[:len(dst)], b[:len(dst)], c[:len(dst)], d[:len(dst)]
	for i := range dst {
		ab := float32(w0*a[i]) + float32(w1*b[i])
		cd := float32(w2*c[i]) + float32(w3*d[i])
		dst[i] += ab + cd
	}
}

// taps2 are weights of a two-dimensional neighbourhood, row by row, and how far apart its samples lie: rows rowStep,
// columns colStep. One row, or one column, is a neighbourhood too.
type taps2 struct {
	weight           []float32
	cols             int
	rowStep, colStep int
}

// addTapsGo adds the sum over j and k of weight[j·cols+k]·src[i+j·rowStep+k·colStep] to each dst[i], tap after tap.
func addTapsGo(dst, src []float32, t taps2) {
	for i, sum := range dst {
		for k, weight := range t.weight {
			sum += float32(weight * src[i+k/t.cols*t.rowStep+k%t.cols*t.colStep])
		}
		dst[i] = sum
	}
}
