package models

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/internal/conv"
	"github.com/gopdd/gopdd/internal/nn"
	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/tensor"
)

// inferenceOf is ForInference, closed when t ends.
func inferenceOf(t *testing.T, net Trainable) Generator {
	t.Helper()
	g, err := ForInference(net)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// eachKind runs a test with the kernels of every kind that this CPU has.
func eachKind(t *testing.T, test func(t *testing.T, k conv.Kind)) {
	for _, k := range []conv.Kind{conv.Float32, conv.BFloat16} {
		t.Run(k.String(), func(t *testing.T) { test(t, needing(t, k)) })
	}
}

// needing is k, unless this CPU has no kernels for it.
func needing(t *testing.T, k conv.Kind) conv.Kind {
	t.Helper()
	if !k.Available() {
		t.Skip("no kernels for this CPU")
	}
	return k
}

// fastOf is the network in kernels, closed when t ends.
func fastOf(t *testing.T, net Trainable, k conv.Kind) Generator {
	t.Helper()
	n, ok := forKernels(net, k)
	if !ok {
		t.Fatalf("no kernels for %T", net)
	}
	g, err := inKernels(n, k)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

// In bfloat16 kernels a network computes what it does but for the rounding of what convolutions see, to 8 binary digits,
// a few times on the way.
func TestBFloat16Kernels(t *testing.T) {
	eachSmall(t, func(t *testing.T, build func(seed int64, dt tensor.DType) Trainable) {
		exact, fast := build(1, tensor.Float64), fastOf(t, build(1, tensor.Float32), needing(t, conv.BFloat16))
		for _, size := range [][3]int64{{1, 4, 4}, {1, 8, 52}, {2, 12, 20}, {1, 148, 8}, {1, 4, 140}} {
			tensortest.Do(t, func(s *tensor.Scope) {
				x := s.Rand(2, tensor.Float32, tensor.CPU, size[0], 3, size[1], size[2])
				got := s.Float64s(fast.Forward(s.NoGrad(), x))
				var square, power float64
				for i, want := range s.Float64s(exact.Forward(s.NoGrad(), s.Cast(x, tensor.Float64))) {
					square, power = square+(got[i]-want)*(got[i]-want), power+want*want
				}
				if off := math.Sqrt(square / power); !(off <= 4./256) {
					t.Errorf("%v: off by %.2g in the root mean square", size, off)
				}
			})
		}
	})
}

// A network for inference computes what the network does, for images of any size, taller than a band of the
// enlargement and smaller than a tile, one or two at a time.
func TestForInferenceEqualsTheNetwork(t *testing.T) {
	eachSmall(t, func(t *testing.T, build func(seed int64, dt tensor.DType) Trainable) {
		exact := build(1, tensor.Float64)
		fast := inferenceOf(t, build(1, tensor.Float32))
		if fast.Scale() != exact.Scale() || fast.Multiple() != exact.Multiple() || fast.Reach() != exact.Reach() {
			t.Errorf("scale %d, multiple %d, reach %d; the network's are %d, %d, %d", fast.Scale(), fast.Multiple(), fast.Reach(),
				exact.Scale(), exact.Multiple(), exact.Reach())
		}
		for _, size := range [][3]int64{{1, 4, 4}, {1, 8, 52}, {2, 12, 20}, {1, 148, 8}} {
			tensortest.Do(t, func(s *tensor.Scope) {
				x := s.Rand(2, tensor.Float32, tensor.CPU, size[0], 3, size[1], size[2])
				got := s.Float64s(fast.Forward(s.NoGrad(), x))
				want := s.Float64s(exact.Forward(s.NoGrad(), s.Cast(x, tensor.Float64)))
				var worst, power float64
				for i := range want {
					worst = max(worst, math.Abs(got[i]-want[i]))
					power += want[i] * want[i]
				}
				if rms := math.Sqrt(power / float64(len(want))); len(got) != len(want) || !(worst <= 1e-5*rms) {
					t.Errorf("%v: off by %.2g of a root mean square of %.2g", size, worst, rms)
				}
			})
		}
	})
}

// Tiles that begin at multiples of 4 features, with an overlap the network does not reach across, give the very bits of
// the whole.
func TestForInferenceIsExactInTiles(t *testing.T) {
	eachSmall(t, func(t *testing.T, build func(seed int64, dt tensor.DType) Trainable) {
		eachKind(t, func(t *testing.T, k conv.Kind) {
			g := fastOf(t, build(1, tensor.Float32), k)
			const width, from = 12, 80
			tensortest.Do(t, func(s *tensor.Scope) {
				s = s.NoGrad()
				x := s.Rand(2, tensor.Float32, tensor.CPU, 1, 3, 160, width)
				overlap := int64((g.Reach() + 15) / 16 * 16)
				whole := g.Forward(s, x)
				part := g.Forward(s, s.Narrow(x, 2, from-overlap, 160-from+overlap))
				r := int64(g.Scale())
				got := s.Float32s(s.Narrow(part, 2, overlap*r, (160-from)*r))
				for i, want := range s.Float32s(s.Narrow(whole, 2, from*r, (160-from)*r)) {
					if got[i] != want {
						t.Fatalf("element %d: %v in the tile, %v in the whole", i, got[i], want)
					}
				}
			})
		})
	})
}

// Memory is what a forward pass takes beside its input and result.
func TestMemoryIsThePeak(t *testing.T) {
	eachSmall(t, func(t *testing.T, build func(seed int64, dt tensor.DType) Trainable) {
		eachKind(t, func(t *testing.T, k conv.Kind) {
			g := fastOf(t, build(1, tensor.Float32), k)
			tensortest.Do(t, func(s *tensor.Scope) {
				const side = 132
				x := s.Rand(2, tensor.Float32, tensor.CPU, 1, 3, side, side)
				g.Forward(s.NoGrad(), x) // what the block cache keeps may be a quarter larger than asked for
				tensor.Trim()
				peak := s.Peak(tensor.CPU, func() { s.Free(g.Forward(s.NoGrad(), x)) })
				said := g.(Sized).Memory(side, side, s.Threads()) + int64(4*3*side*side*g.Scale()*g.Scale())
				if peak > said*11/10 || said > peak*11/10 {
					t.Errorf("the peak is %d bytes, Memory says %d", peak, said)
				}
			})
		})
	})
}

// Without kernels, and for float64, the network for inference is a clone with the same results.
func TestForInferenceWithoutKernels(t *testing.T) {
	eachSmall(t, func(t *testing.T, build func(seed int64, dt tensor.DType) Trainable) {
		net := build(1, tensor.Float64)
		g := inferenceOf(t, net)
		if _, ok := g.(Sized); ok {
			t.Fatal("kernels compute in float32")
		}
		got, want := run(t, g, 8, 8), run(t, net, 8, 8)
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("element %d: %v, the network's is %v", i, got[i], want[i])
			}
		}
	})
}

// Forward of a closed network is an error, and so is a network for inference made of one.
func TestForInferenceClosed(t *testing.T) {
	eachSmall(t, func(t *testing.T, build func(seed int64, dt tensor.DType) Trainable) {
		net := build(1, tensor.Float32)
		g := inferenceOf(t, net)
		g.Close()
		g.Close()
		err := tensor.Do(t.Context(), func(s *tensor.Scope) error {
			g.Forward(s, s.Zeros(tensor.Float32, tensor.CPU, 1, 3, 8, 8))
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), "freed") {
			t.Errorf("Forward of a closed network: %v, want an error that says so", err)
		}
		net.Close()
		if g, err := ForInference(net); err == nil {
			g.Close()
			t.Error("for inference, of a closed network: no error")
		}
	})
}

// Libtorch's convolutions in bfloat16 use the tiles of AMX as well, on the same threads: neither disturbs the other.
func TestBFloat16KernelsBesideLibtorch(t *testing.T) {
	needing(t, conv.BFloat16)
	c := RRDBNetConfig{NumInCh: 3, NumOutCh: 3, NumFeat: 64, NumBlock: 1, NumGrowCh: 32, Scale: 4}
	build := func(dt tensor.DType) Trainable {
		return opened(t)(trainable(buildRRDBNet(c, nn.He(1), placement{dt, tensor.CPU})))
	}
	ours, theirs := fastOf(t, build(tensor.Float32), conv.BFloat16), build(tensor.BFloat16)
	tensortest.Do(t, func(s *tensor.Scope) {
		s = s.NoGrad()
		x := s.Rand(2, tensor.Float32, tensor.CPU, 1, 3, 40, 40)
		results := map[Generator][]float32{}
		for _, g := range []Generator{ours, theirs, theirs, ours, ours, theirs} {
			got := s.Float32s(g.Forward(s, x))
			if want, again := results[g]; again && !slices.Equal(got, want) {
				t.Errorf("%T gives other results than before", g)
			}
			results[g] = got
		}
	})
}

// Rows and columns of every small size, which are less than a tile or a little more, and channels that fill no block.
func TestKernelsOfOddSizes(t *testing.T) {
	for _, c := range []RRDBNetConfig{
		rrdbConfig(4),
		{NumInCh: 3, NumOutCh: 8, NumFeat: 40, NumBlock: 1, NumGrowCh: 20, Scale: 4},
		{NumInCh: 2, NumOutCh: 1, NumFeat: 33, NumBlock: 1, NumGrowCh: 5, Scale: 2},
	} {
		build := func(p placement) Trainable {
			return opened(t)(trainable(buildRRDBNet(c, nn.He(1), p)))
		}
		eachKind(t, func(t *testing.T, k conv.Kind) {
			net, fast := build(placement{tensor.Float64, tensor.CPU}), fastOf(t, build(onto(tensor.CPU)), k)
			limit := map[conv.Kind]float64{conv.Float32: 1e-5, conv.BFloat16: 0.05}[k]
			m := int64(fast.Multiple())
			for _, size := range [][2]int64{{1, 1}, {1, 9}, {9, 1}, {2, 3}, {5, 3}, {7, 6}, {3, 130}, {33, 2}} {
				tensortest.Do(t, func(s *tensor.Scope) {
					x := s.Rand(2, tensor.Float32, tensor.CPU, 1, int64(c.NumInCh), m*size[0], m*size[1])
					y, z := net.Forward(s.NoGrad(), s.Cast(x, tensor.Float64)), fast.Forward(s.NoGrad(), x)
					if !slices.Equal(s.Shape(y), s.Shape(z)) {
						t.Fatalf("%v: shape %v, want %v", size, s.Shape(z), s.Shape(y))
					}
					want := s.Float64s(y)
					for i, got := range s.Float64s(z) {
						if math.Abs(got-want[i]) > limit {
							t.Fatalf("%v: element %d is %v, want %v", size, i, got, want[i])
						}
					}
				})
			}
		})
	}
}
