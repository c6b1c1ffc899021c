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
	scores, total, err := firstScores(all)
	if err != nil {
		return nil, share, fmt.Errorf("metrics: project: %w", err)
	}
	if !(total > 0) {
		return nil, share, errors.New("metrics: project: all rows are equal: there is no plane")
	}
	for axis := range scores {
		if floats.Max(scores[axis]) < -floats.Min(scores[axis]) {
			floats.Scale(-1, scores[axis])
		}
		share[axis] = sumSquares(scores[axis]) / total
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

// firstScores are the projections of all rows onto the first two principal components, from the smaller one of the two
// matrices of inner products: of the rows or of the columns.
func firstScores(rows [][]float32) (scores [2][]float64, total float64, err error) {
	if err := checkRows(rows, 2); err != nil {
		return scores, 0, err
	}
	n, width := len(rows), len(rows[0])
	if n <= width {
		p, err := newComponents(rows, 2)
		if err != nil {
			return scores, 0, err
		}
		return [2][]float64{p.scores(0), p.scores(1)}, p.total, nil
	}
	x := blas64.General{Rows: n, Cols: width, Stride: width, Data: make([]float64, n*width)}
	centreColumns(x, rows, 0)
	products := blas64.General{Rows: width, Cols: width, Stride: width, Data: make([]float64, width*width)}
	blas64.Gemm(blas.Trans, blas.NoTrans, 1, x, x, 0, products)
	_, vectors, total, err := eigenvectors(mat.NewSymDense(width, products.Data))
	if err != nil {
		return scores, 0, err
	}
	for axis := range scores {
		var s mat.VecDense
		s.MulVec(mat.NewDense(n, width, x.Data), vectors.ColView(width-1-axis))
		scores[axis] = s.RawVector().Data
	}
	return scores, total, nil
}

// eigenvectors of a matrix of inner products, as columns, with their values, both ascending; total is their sum.
func eigenvectors(products *mat.SymDense) (values []float64, vectors *mat.Dense, total float64, err error) {
	total = mat.Trace(products)
	if total-total != 0 {
		return nil, nil, 0, errors.New("a row has numbers that are not finite")
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(products, true) {
		return nil, nil, 0, errors.New("the eigenvalues do not converge")
	}
	vectors = new(mat.Dense)
	eigen.VectorsTo(vectors)
	return eigen.Values(nil), vectors, total, nil
}

// components are the principal components of a set of rows, seen from the rows: the eigenvectors of their matrix of
// inner products. The components themselves, as long as the rows, are never made.
type components struct {
	vectors *mat.Dense // a column per component, largest variance first
	roots   []float64  // of the eigenvalues
	total   float64    // sum of squares over all components
}

func newComponents(rows [][]float32, k int) (*components, error) {
	if err := checkRows(rows, k); err != nil {
		return nil, err
	}
	values, ascending, total, err := eigenvectors(innerProducts(rows))
	if err != nil {
		return nil, err
	}
	p := &components{total: total}
	n := len(rows)
	p.vectors, p.roots = mat.NewDense(n, n, nil), make([]float64, n)
	for c := range n {
		p.roots[c] = math.Sqrt(max(values[n-1-c], 0))
		p.vectors.SetCol(c, mat.Col(nil, n-1-c, ascending))
	}
	return p, nil
}

// scores are the projections of all rows onto component c.
func (p *components) scores(c int) []float64 {
	s := mat.Col(nil, c, p.vectors)
	floats.Scale(p.roots[c], s)
	return s
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
