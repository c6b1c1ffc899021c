package metrics

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Project gives every row of every set its place in the plane of the first two principal components of all rows
// together: points[set][row]. share is the part of the variance that each of the two axes explains. An axis' sign is
// such that its farthest point is positive. Rows are as for [FeatureKL], at least two in all.
func Project(sets ...[][]float32) (points [][][2]float64, share [2]float64, err error) {
	var all [][]float32
	for _, rows := range sets {
		all = append(all, rows...)
	}
	scores, total, err := principalScores(all, 2)
	if err != nil {
		return nil, share, fmt.Errorf("metrics: project: %w", err)
	}
	if !(total > 0) {
		return nil, share, errors.New("metrics: project: all rows are equal: there is no plane")
	}
	for axis, score := range scores {
		share[axis] = sumSquares(score) / total
	}
	at := 0
	for _, rows := range sets {
		set := make([][2]float64, len(rows))
		for i := range set {
			set[i] = [2]float64{scores[0][at], scores[1][at]}
			at++
		}
		points = append(points, set)
	}
	return points, share, nil
}

// principalScores projects rows onto their first k principal components: scores[component][row], largest variance
// first. total is the sum of squares over all components. The scores are eigenvectors of the rows' matrix of inner
// products times the roots of its eigenvalues, so the components themselves, as long as the rows, are never made.
func principalScores(rows [][]float32, k int) (scores [][]float64, total float64, err error) {
	if err := checkRows(rows, k); err != nil {
		return nil, 0, err
	}
	n := len(rows)
	products := innerProducts(rows)
	total = mat.Trace(products)
	if total-total != 0 {
		return nil, 0, errors.New("a row has numbers that are not finite")
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(products, true) {
		return nil, 0, errors.New("the eigenvalues do not converge")
	}
	values := eigen.Values(nil) // ascending
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	for c := range k {
		score := mat.Col(nil, n-1-c, &vectors)
		root := math.Sqrt(max(values[n-1-c], 0))
		if floats.Max(score) < -floats.Min(score) {
			root = -root
		}
		floats.Scale(root, score)
		scores = append(scores, score)
	}
	return scores, total, nil
}

func checkRows(rows [][]float32, k int) error {
	if len(rows) < 2 || k > min(len(rows), len(rows[0])) {
		return fmt.Errorf("%d rows for %d components: want at least two rows, and no fewer rows or columns than components", len(rows), k)
	}
	for i, row := range rows {
		if len(row) != len(rows[0]) {
			return fmt.Errorf("row %d has %d numbers, row 0 has %d", i, len(row), len(rows[0]))
		}
	}
	return nil
}

// innerProducts is X Xᵀ of the rows with each column's mean taken off, summed over blocks of columns.
func innerProducts(rows [][]float32) *mat.SymDense {
	const block = 1024
	n, width := len(rows), len(rows[0])
	x := blas64.General{Rows: n, Stride: block, Data: make([]float64, n*block)}
	sum := blas64.General{Rows: n, Cols: n, Stride: n, Data: make([]float64, n*n)}
	for from := 0; from < width; from += block {
		x.Cols = min(block, width-from)
		centreColumns(x, rows, from)
		blas64.Gemm(blas.NoTrans, blas.Trans, 1, x, x, 1, sum)
	}
	return mat.NewSymDense(n, sum.Data)
}

// centreColumns fills x with a block of columns, less their means.
func centreColumns(x blas64.General, rows [][]float32, from int) {
	mean := make([]float64, x.Cols)
	for i, row := range rows {
		line := x.Data[i*x.Stride : i*x.Stride+x.Cols]
		for j := range line {
			line[j] = float64(row[from+j])
		}
		floats.AddScaled(mean, 1/float64(x.Rows), line)
	}
	for i := range rows {
		floats.Sub(x.Data[i*x.Stride:i*x.Stride+x.Cols], mean)
	}
}
