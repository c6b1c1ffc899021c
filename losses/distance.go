package losses

import (
	"math"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/tensor"
)

// Criterion says how [Intra] compares the distances of both models.
type Criterion uint8

const (
	CrossEntropy Criterion = iota // of the channels' softmaxes: the paper's
	CriterionL1                   // mean absolute difference: an ablation of the paper (Tab. 3)
	CriterionL2                   // mean square of the difference
	Cosine                        // mean of 1 − cosine of the channels
)

var criteria = choices{"criterion", []string{"ce", "l1", "l2", "cosine"}}

// String gives "ce", "l1", "l2" or "cosine".
func (c Criterion) String() string { return criteria.text(uint8(c)) }

// MarshalText gives String; a value without a name is an error.
func (c Criterion) MarshalText() ([]byte, error) { return criteria.marshal(uint8(c)) }

// UnmarshalText reads what String gives.
func (c *Criterion) UnmarshalText(text []byte) error { return unmarshal(criteria, text, c) }

// Intra is the intra-model distance between specialist and generalist at one layer: how the features change from
// labelled to unlabelled images must be alike in both models (Eq. 5 and 6). With the elementwise distances
//
//	dS = |sU − sL|    dG = |gU − gL|
//
// it is, for [CrossEntropy], the mean over all N·H·W positions of −Σ_c P·log(Q+eps), where P and Q are the softmaxes
// over the channels of dG and dS. All four features have one shape [N,C,H,W]; a labelled and an unlabelled image are a
// pair by their place in the batch. Only the cross-entropy uses eps.
//
// The paper sums over positions divided by H·W for one pair and writes no eps (use 0 for that; it is computed without
// overflow); the authors' code has eps 1e-6 and the mean over the pairs too. Their cosine rewards dissimilarity
// (its sign is reversed); this one does not. A position where one of the distances is 0 in all channels has cosine 0.
func Intra(s *tensor.Scope, sU, gU, sL, gL torch.Tensor, c Criterion, eps float64) torch.Tensor {
	same(s, "intra", named{"sU", sU}, named{"gU", gU}, named{"sL", sL}, named{"gL", gL})
	if !(eps >= 0) || math.IsInf(eps, 1) {
		tensor.Failf("intra", "eps %v: want a number from 0", eps)
	}
	return local(s, func(s *tensor.Scope) torch.Tensor {
		dS, dG := s.AbsDiff(sU, sL), s.AbsDiff(gU, gL)
		switch c {
		case CrossEntropy:
			return s.ChannelCrossEntropy(dS, dG, eps)
		case CriterionL1:
			return s.Mean(s.AbsDiff(dS, dG), false)
		case CriterionL2:
			return s.MSE(dS, dG)
		case Cosine:
			return dissimilarity(s, dS, dG)
		}
		criteria.refuse("intra", uint8(c))
		return torch.Tensor{}
	})
}

// shortest is the length below which a vector counts as this long in a cosine (PyTorch's eps).
const shortest = 1e-8

// dissimilarity is the mean over positions of 1 − cosine of the channels.
func dissimilarity(s *tensor.Scope, a, b torch.Tensor) torch.Tensor {
	length := func(x torch.Tensor) torch.Tensor { // (N, H, W)
		return s.Clamp(s.Norm(x, false, 1), shortest, math.Inf(1))
	}
	cosine := s.Div(s.Sum(s.Mul(a, b), false, 1), s.Mul(length(a), length(b)))
	return s.AddScalar(s.MulScalar(s.Mean(cosine, false), -1), 1)
}

// Norm says over what [Inter] takes Frobenius norms.
type Norm uint8

const (
	WholeBatch Norm = iota // one norm of the batch's differences: the authors' code; it grows like √N
	PerSample              // the mean of each pair's norm: Eq. 8 for every pair
)

var norms = choices{"norm", []string{"whole", "per_sample"}}

// String gives "whole" or "per_sample".
func (n Norm) String() string { return norms.text(uint8(n)) }

// MarshalText gives String; a value without a name is an error.
func (n Norm) MarshalText() ([]byte, error) { return norms.marshal(uint8(n)) }

// UnmarshalText reads what String gives.
func (n *Norm) UnmarshalText(text []byte) error { return unmarshal(norms, text, n) }

// Inter is the inter-model distance at one layer: what the specialist changes against the generalist must be alike on
// unlabelled and labelled images (Eq. 7 and 8). With
//
//	ΔU = Gram(sU − gU)    ΔL = Gram(sL − gL)    [N,C,C]
//
// it is the Frobenius norm ‖ΔU − ΔL‖, see [Norm]. For equal models loss and gradient are exactly 0. sU and gU have one
// shape, sL and gL have one; N and C are the same in both.
//
// Eq. 8 is written for one pair. The authors' code takes one norm over the batch's [N,C,C] (with several processes:
// over each one's share) and divides the Gram matrices by C·H·W.
func Inter(s *tensor.Scope, sU, gU, sL, gL torch.Tensor, n Norm) torch.Tensor {
	u := same(s, "inter", named{"sU", sU}, named{"gU", gU})
	l := same(s, "inter", named{"sL", sL}, named{"gL", gL})
	if u[0] != l[0] || u[1] != l[1] {
		tensor.Failf("inter", "sU is %v and sL is %v: want as many images and channels", u, l)
	}
	return local(s, func(s *tensor.Scope) torch.Tensor {
		change := s.Sub(s.GramDiff(sU, gU), s.GramDiff(sL, gL)) // (N, C, C)
		switch n {
		case WholeBatch:
			return s.Norm(change, false)
		case PerSample:
			return s.Mean(s.Norm(change, false, 1, 2), false)
		}
		norms.refuse("inter", uint8(n))
		return torch.Tensor{}
	})
}

// Gram gives the Gram matrices [N,C,C] of features f [N,C,H,W]: F·Fᵀ/(C·H·W) with F [C,H·W] (Gatys et al. 2016; the
// paper does not say by what it divides, this is the authors' code).
func Gram(s *tensor.Scope, f torch.Tensor) torch.Tensor {
	batch(s, "gram", named{"f", f})
	return s.Gram(f)
}
