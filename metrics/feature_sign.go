package metrics

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/lapack"
	lapackgonum "gonum.org/v1/gonum/lapack/gonum"
	"gonum.org/v1/gonum/mat"
)

// The sign of a principal component is arbitrary, yet SRGA's fit depends on it: once anomalies are dropped the mean of
// the projections is not 0, and mirroring one component moves it (by up to 3 % of KL on sets of 64). To give the
// numbers that numpy gives, this file finds the signs that LAPACK's divide-and-conquer SVD (dgesdd, which is
// numpy.linalg.svd) leaves on the left singular vectors, without running it. Rows must be at least 11/6 times as long
// as they are many, the shape for which dgesdd starts with an LQ factorisation; other shapes get some fixed sign.
//
// dgesdd reduces L of X = LQ to an upper bidiagonal B, and splits B at a middle row until the parts have at most 25
// rows (dlasdt). Where it joins two parts (dlasd3), every vector that both take part in is negative in the middle row.
// A vector that lives in one part alone keeps that part's sign; the smallest parts are left to the QR iteration
// (dlasdq).

// leafSize is LAPACK's SMLSIZ.
const leafSize = 25

// jointEntry is the size from which an entry in the middle row shows that both parts take part.
const jointEntry = 1e-15

var lapackImpl lapackgonum.Implementation

// bidiagonal is B, d on the diagonal and e above it, with its left singular vectors as columns, by descending value.
type bidiagonal struct {
	d, e []float64
	u    *mat.Dense
}

// componentSigns returns 1 or -1 for each column of vectors, so that column times sign is numpy's left singular vector.
// roots are the singular values, descending.
func componentSigns(vectors *mat.Dense, roots []float64) []float64 {
	n := len(roots)
	factor := mat.NewDense(n, n, nil) // any X with the same X Xᵀ has the same L
	factor.Apply(func(_, c int, v float64) float64 { return v * roots[c] }, vectors)
	b, rotate := bidiagonalize(factor)
	levels := 0
	if n > leafSize {
		levels = int(math.Log2(float64(n)/(leafSize+1))) + 1
	}
	for c := range n {
		if b.sign(c, 0, n, levels) < 0 {
			column := b.u.ColView(c).(*mat.VecDense)
			column.ScaleVec(-1, column)
		}
	}
	u := rotate(b.u)
	signs := make([]float64, n)
	for c := range signs {
		signs[c] = math.Copysign(1, mat.Dot(u.ColView(c), vectors.ColView(c)))
	}
	return signs
}

// bidiagonalize overwrites the square matrix a = L Q with what the returned function needs: it turns B's left vectors
// into a's, in place.
func bidiagonalize(a *mat.Dense) (b bidiagonal, rotate func(u *mat.Dense) *mat.Dense) {
	n, _ := a.Dims()
	data := a.RawMatrix().Data
	tau, tauRight, work := make([]float64, n), make([]float64, n), make([]float64, 64*n)
	lapackImpl.Dgelqf(n, n, data, n, tau, work, len(work))
	for i := range n {
		clear(data[i*n+i+1 : (i+1)*n])
	}
	b.d, b.e = make([]float64, n), make([]float64, n-1)
	lapackImpl.Dgebrd(n, n, data, n, b.d, b.e, tau, tauRight, work, len(work))
	b.u = leftVectors(b.d, b.e)
	return b, func(u *mat.Dense) *mat.Dense {
		lapackImpl.Dormbr(lapack.ApplyQ, blas.Left, blas.NoTrans, n, n, n, data, n, tau, u.RawMatrix().Data, n, work, len(work))
		return u
	}
}

// leftVectors are the left singular vectors of a bidiagonal matrix as the QR iteration dlasdq leaves them. e may have
// one entry more than a square matrix has: the matrix then has another column.
func leftVectors(d, e []float64) *mat.Dense {
	n := len(d)
	d, e = append([]float64{}, d...), append(append([]float64{}, e...), 0)
	u := mat.NewDense(n, n, nil)
	for i := range n {
		u.Set(i, i, 1)
	}
	if len(e) > n {
		rotateSquare(d, e) // to a lower bidiagonal square matrix, from the right
		c, s := rotateSquare(d, e)
		lapackImpl.Dlasr(blas.Right, lapack.Variable, lapack.Forward, n, n, c, s, u.RawMatrix().Data, n)
	}
	lapackImpl.Dbdsqr(blas.Upper, n, 0, n, 0, d, e[:n-1], nil, 1, u.RawMatrix().Data, n, nil, 1, make([]float64, 4*n))
	return u
}

// rotateSquare moves the second diagonal to the other side of the first by plane rotations, which it returns, and
// drops what stood in the column beyond the square.
func rotateSquare(d, e []float64) (c, s []float64) {
	n := len(d)
	c, s = make([]float64, n-1), make([]float64, n-1)
	for i := range n - 1 {
		c[i], s[i], d[i] = lapackImpl.Dlartg(d[i], e[i])
		e[i], d[i+1] = s[i]*d[i+1], c[i]*d[i+1]
	}
	_, _, d[n-1] = lapackImpl.Dlartg(d[n-1], e[n-1])
	e[n-1] = 0
	return c, s
}

// sign is the factor that gives column c of u the sign it gets in the part of size rows from first on, which is split
// levels times.
func (b bidiagonal) sign(c, first, size, levels int) float64 {
	if levels == 0 {
		return b.leafSign(c, first, size)
	}
	left := size / 2
	middle := first + left
	if v := b.u.At(middle, c); math.Abs(v) > jointEntry {
		return -math.Copysign(1, v)
	}
	column := mat.Col(nil, c, b.u)
	if floats.Norm(column[first:middle], 2) > floats.Norm(column[middle+1:first+size], 2) {
		return b.sign(c, first, left, levels-1)
	}
	return b.sign(c, middle+1, size-left-1, levels-1)
}

// leafSign compares column c with the vector of a smallest part that it equals.
func (b bidiagonal) leafSign(c, first, size int) float64 {
	end := first + size
	vectors := leftVectors(b.d[first:end], b.e[first:min(end, len(b.e))])
	column := mat.NewVecDense(size, mat.Col(nil, c, b.u)[first:end])
	var match mat.VecDense
	match.MulVec(vectors.T(), column)
	best := 0.0
	for i := range size {
		if v := match.AtVec(i); math.Abs(v) > math.Abs(best) {
			best = v
		}
	}
	return math.Copysign(1, best)
}
