package tensor_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/conv"
	"github.com/gopdd/gopdd/internal/libtorch"
	"github.com/gopdd/gopdd/tensor"
)

// onEachKernel runs a test with the kernels for every instruction set that this CPU has.
func onEachKernel(t *testing.T, test func(t *testing.T, set int)) {
	_, best := conv.Table()
	if best == 0 {
		t.Skip("no kernels for this CPU")
	}
	defer libtorch.SetConvKernels(best)
	for set := 1; set <= best; set++ {
		libtorch.SetConvKernels(set)
		t.Run(fmt.Sprintf("set %d", set), func(t *testing.T) { test(t, set) })
	}
}

// graph is a function of leaves.
type graph func(s *tensor.Scope, leaves []torch.Tensor) torch.Tensor

// valueAndGradients are fn's value and its gradients for fixed random ones of the value, the leaves converted to a type.
func valueAndGradients(s *tensor.Scope, dtype tensor.DType, fn graph, leaves []torch.Tensor) [][]float64 {
	var own []torch.Tensor
	for _, leaf := range leaves {
		own = append(own, s.Clone(s.Cast(leaf, dtype)))
	}
	s.RequiresGrad(true, own...)
	y := fn(s, own)
	weights := s.Cast(s.RandN(99, tensor.Float32, tensor.CPU, s.Shape(y)...), dtype)
	grads := s.Grads(s.Sum(s.Mul(y, weights), false), false, own...)
	var out [][]float64
	for _, r := range append(list(y), grads...) {
		out = append(out, s.Float64s(r))
	}
	return out
}

func list(ts ...torch.Tensor) []torch.Tensor { return ts }

// sameButRounding compares with float64: Winograd's transforms in float32 lose about one digit.
func sameButRounding(t *testing.T, got, want [][]float64) {
	t.Helper()
	for i := range want {
		var errs, power, worst float64
		for k, w := range want[i] {
			d := got[i][k] - w
			errs, power, worst = errs+d*d, power+w*w, max(worst, math.Abs(d))
		}
		rms := math.Sqrt(power / float64(len(want[i])))
		if e := math.Sqrt(errs/float64(len(want[i]))) / rms; !(e < 3e-6) || !(worst/rms < 5e-5) {
			t.Errorf("result %d: relative error %.2g in the root mean square, %.2g at worst", i, e, worst/rms)
		}
	}
}

// inKernels are valueAndGradients in float32, which the kernels of a set and libtorch alone compute to different bits just
// where the kernels are meant to.
func inKernels(t *testing.T, s *tensor.Scope, set int, meant bool, fn graph, leaves []torch.Tensor) [][]float64 {
	t.Helper()
	got := valueAndGradients(s, tensor.Float32, fn, leaves)
	libtorch.SetConvKernels(0)
	other := valueAndGradients(s, tensor.Float32, fn, leaves)
	libtorch.SetConvKernels(set)
	if slices.Equal(got[0], other[0]) == meant {
		t.Errorf("computed by the kernels: %v, want %v", !meant, meant)
	}
	return got
}

// The kernels' results and gradients are those of libtorch in float64.
func TestKernelsEqualLibtorch(t *testing.T) {
	onEachKernel(t, func(t *testing.T, set int) {
		for _, c := range []struct {
			n, in, out, h, w int64
			bias, leaky      bool
			channelsLast     bool
			shifted          bool // views that begin in the middle of a register
			byLibtorch       bool // even so
		}{
			{n: 1, in: 16, out: 16, h: 23, w: 24},
			{n: 2, in: 64, out: 32, h: 24, w: 24, bias: true, leaky: true, channelsLast: true},
			{n: 3, in: 48, out: 80, h: 13, w: 9, bias: true},
			{n: 1, in: 16, out: 48, h: 3, w: 140, leaky: true, channelsLast: true},
			{n: 1, in: 16, out: 16, h: 1, w: 140, bias: true, leaky: true, byLibtorch: true}, // too low for the kernels
			{n: 1, in: 32, out: 32, h: 22, w: 25, bias: true, leaky: true, shifted: true},
			{n: 5, in: 32, out: 16, h: 50, w: 35, bias: true, leaky: true}, // several chunks of tiles
		} {
			t.Run(fmt.Sprint(c), func(t *testing.T) {
				in(t, func(s *tensor.Scope) {
					leaves := list(s.RandN(1, tensor.Float32, tensor.CPU, c.n, c.in, c.h, c.w),
						s.RandN(2, tensor.Float32, tensor.CPU, c.out, c.in, 3, 3))
					if c.bias {
						leaves = append(leaves, s.RandN(3, tensor.Float32, tensor.CPU, c.out))
					}
					fn := func(s *tensor.Scope, leaves []torch.Tensor) torch.Tensor {
						x, w, bias := leaves[0], leaves[1], torch.Tensor{}
						if c.shifted {
							leaves = each(leaves, func(x torch.Tensor) torch.Tensor { return shifted(s, x) })
							x, w = leaves[0], leaves[1]
						}
						if c.channelsLast {
							x, w = s.ChannelsLast(x), s.ChannelsLast(w)
						}
						if c.bias {
							bias = leaves[2]
						}
						if c.leaky {
							return s.Conv2DLeaky(x, w, bias, tensor.ConvOptions{Padding: 1}, .2)
						}
						return s.Conv2D(x, w, bias, tensor.ConvOptions{Padding: 1})
					}
					want := valueAndGradients(s, tensor.Float64, fn, leaves)
					sameButRounding(t, inKernels(t, s, set, !c.byLibtorch, fn, leaves), want)
				})
			})
		}
	})
}

func each(ts []torch.Tensor, fn func(torch.Tensor) torch.Tensor) (out []torch.Tensor) {
	for _, t := range ts {
		out = append(out, fn(t))
	}
	return out
}

// shifted is x as a view of memory that begins one element earlier.
func shifted(s *tensor.Scope, x torch.Tensor) torch.Tensor {
	flat := s.Reshape(x, -1)
	longer := s.Cat(0, s.Narrow(flat, 0, 0, 1), flat)
	return s.Reshape(s.Narrow(longer, 0, 1, s.Shape(flat)[0]), s.Shape(x)...)
}

const blockInputs = 11

// blockLeaves are a dense block's input and parameters.
func blockLeaves(s *tensor.Scope, n, feat, grow, h, w int64) []torch.Tensor {
	leaves := list(s.RandN(1, tensor.Float32, tensor.CPU, n, feat, h, w))
	for i := range int64(5) {
		out := grow
		if i == 4 {
			out = feat
		}
		leaves = append(leaves, s.MulScalar(s.RandN(2+i, tensor.Float32, tensor.CPU, out, feat+i*grow, 3, 3), .05))
	}
	for i := range int64(5) {
		out := grow
		if i == 4 {
			out = feat
		}
		leaves = append(leaves, s.RandN(12+i, tensor.Float32, tensor.CPU, out))
	}
	return leaves
}

func denseBlock(s *tensor.Scope, leaves []torch.Tensor) torch.Tensor {
	return s.DenseBlock(leaves[0], leaves[1:6], leaves[6:blockInputs], .2, .2)
}

// apart is DenseBlock as its definition says it.
func apart(s *tensor.Scope, leaves []torch.Tensor) torch.Tensor {
	seen := leaves[0]
	for i := range 4 {
		y := s.LeakyReLU(s.Conv2D(seen, leaves[1+i], leaves[6+i], tensor.ConvOptions{Padding: 1}), .2)
		seen = s.Cat(1, seen, y)
	}
	return s.AddScaled(leaves[0], s.Conv2D(seen, leaves[5], leaves[10], tensor.ConvOptions{Padding: 1}), .2)
}

func TestDenseBlock(t *testing.T) {
	for _, c := range []struct{ n, feat, grow, h, w int64 }{
		{2, 64, 32, 24, 24},
		{1, 16, 16, 19, 30},
		{1, 6, 4, 9, 8}, // not in the kernels
	} {
		onEachKernel(t, func(t *testing.T, set int) {
			t.Run(fmt.Sprint(c), func(t *testing.T) {
				in(t, func(s *tensor.Scope) {
					leaves := blockLeaves(s, c.n, c.feat, c.grow, c.h, c.w)
					want := valueAndGradients(s, tensor.Float64, apart, leaves)
					sameButRounding(t, inKernels(t, s, set, c.feat%conv.Block == 0, denseBlock, leaves), want)
				})
			})
		})
	}
}

// TestKernelsAreExact: results and gradients do not depend on the number of threads, on gradients being asked for, or on
// the images beside an image; and what nobody asks for is not computed wrongly.
func TestKernelsAreExact(t *testing.T) {
	onEachKernel(t, func(t *testing.T, _ int) {
		results := func(threads int) (r [][]float64) {
			w, err := tensor.NewWorker(threads)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			if err := w.Do(t.Context(), func(s *tensor.Scope) error {
				r = valueAndGradients(s, tensor.Float32, denseBlock, blockLeaves(s, 2, 32, 16, 26, 21))
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			return r
		}
		one, all := results(1), results(0)
		for i := range one {
			if !slices.Equal(one[i], all[i]) {
				t.Errorf("result %d of all threads differs from that of one", i)
			}
		}
		in(t, func(s *tensor.Scope) {
			leaves := blockLeaves(s, 2, 32, 16, 26, 21)
			if !slices.Equal(s.Float64s(denseBlock(s.NoGrad(), leaves)), one[0]) {
				t.Error("the result without gradients differs")
			}
			both := s.Float32s(denseBlock(s, leaves))
			second := append(list(s.Narrow(leaves[0], 0, 1, 1)), leaves[1:]...)
			if !slices.Equal(s.Float32s(denseBlock(s, second)), both[len(both)/2:]) {
				t.Error("an image beside another one comes out different")
			}
			own := slices.Clone(leaves)
			own[3] = s.Clone(leaves[3]) // the third convolution alone is trained
			s.RequiresGrad(true, own[3])
			y := denseBlock(s, own)
			weights := s.RandN(99, tensor.Float32, tensor.CPU, s.Shape(y)...)
			g := s.Grads(s.Sum(s.Mul(y, weights), false), false, own[3])[0]
			if !slices.Equal(s.Float64s(g), one[1+3]) {
				t.Error("the gradient for one convolution's weights differs where the others have none")
			}
		})
	})
}

// A negative slope, whose derivative the result does not tell, is libtorch's to refuse.
func TestNegativeSlopeHasNoGradient(t *testing.T) {
	in(t, func(s *tensor.Scope) {
		x := s.Clone(s.RandN(1, tensor.Float32, tensor.CPU, 1, 16, 24, 24))
		s.RequiresGrad(true, x)
		y := s.Conv2DLeaky(x, s.RandN(2, tensor.Float32, tensor.CPU, 16, 16, 3, 3), torch.Tensor{}, tensor.ConvOptions{Padding: 1}, -.5)
		wantError(t, func() { s.Grads(s.Sum(y, false), false, x) })
	})
}

// TestKernelsKeepWhatIsNotFinite: where libtorch's results and a filter's gradients are not finite for a pixel that is
// not, those of the kernels are not either, nor in more than the rest of the tiles of 4×4 pixels.
func TestKernelsKeepWhatIsNotFinite(t *testing.T) {
	const channels, side, at = 16, 24, 10
	onEachKernel(t, func(t *testing.T, _ int) {
		for _, bad := range []float64{math.NaN(), math.Inf(1)} {
			in(t, func(s *tensor.Scope) {
				x := s.Clone(s.RandN(1, tensor.Float32, tensor.CPU, 1, channels, side, side))
				w := s.Clone(s.RandN(2, tensor.Float32, tensor.CPU, channels, channels, 3, 3))
				s.Fill(s.Narrow(s.Narrow(s.Narrow(x, 2, at, 1), 3, at, 1), 1, 3, 1), bad)
				s.RequiresGrad(true, w)
				y := s.Conv2DLeaky(x, w, torch.Tensor{}, tensor.ConvOptions{Padding: 1}, .2)
				for i, v := range s.Float64s(y) {
					row, col := i/side%side, i%side
					near := max(row-at, at-row, col-at, at-col) <= 1
					sameTiles := row/4 >= (at-1)/4 && row/4 <= (at+1)/4 && col/4 >= (at-1)/4 && col/4 <= (at+1)/4
					if finite := !math.IsNaN(v - v); finite && near || !finite && !sameTiles {
						t.Fatalf("%v at row and column %d: row %d, column %d is %v", bad, at, row, col, v)
					}
				}
				for i, v := range s.Float64s(s.Grads(s.Sum(y, false), false, w)[0]) {
					if finite := !math.IsNaN(v - v); finite == (i/9%channels == 3) {
						t.Fatalf("%v in channel 3: the gradient for weight %d is %v", bad, i, v)
					}
				}
			})
		}
	})
}
