package models

import (
	"math"
	"slices"
	"strings"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/arch"
	"github.com/gopdd/gopdd/internal/nn"
	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/tensor"
)

// small are generators of each kind, small enough to run in milliseconds.
var small = []struct {
	name  string
	spec  arch.Network
	build func(src nn.Source, p placement) (Trainable, error)
}{
	{"RRDBNet x4", arch.RRDBNet(rrdbConfig(4)), rrdbBuilder(4)},
	{"RRDBNet x2", arch.RRDBNet(rrdbConfig(2)), rrdbBuilder(2)},
	{"RRDBNet x1", arch.RRDBNet(rrdbConfig(1)), rrdbBuilder(1)},
	{"SRVGGNetCompact x3", arch.SRVGGNetCompact(compactConfig), func(src nn.Source, p placement) (Trainable, error) {
		return trainable(buildSRVGG(compactConfig, src, p))
	}},
}

var compactConfig = SRVGGNetCompactConfig{NumInCh: 3, NumOutCh: 3, NumFeat: 8, NumConv: 2, Upscale: 3}

func rrdbConfig(scale int) RRDBNetConfig {
	return RRDBNetConfig{NumInCh: 3, NumOutCh: 3, NumFeat: 8, NumBlock: 1, NumGrowCh: 4, Scale: scale}
}

func rrdbBuilder(scale int) func(src nn.Source, p placement) (Trainable, error) {
	return func(src nn.Source, p placement) (Trainable, error) {
		return trainable(buildRRDBNet(rrdbConfig(scale), src, p))
	}
}

// eachSmall runs a law on every small generator.
func eachSmall(t *testing.T, law func(t *testing.T, build func(seed int64, dt tensor.DType) Trainable)) {
	for _, n := range small {
		t.Run(n.name, func(t *testing.T) {
			tensortest.Check(t)
			law(t, func(seed int64, dt tensor.DType) Trainable {
				return opened(t)(n.build(nn.He(seed), placement{dt, tensor.CPU}))
			})
		})
	}
}

// opened fails t on an error and closes the network when t ends.
func opened(t *testing.T) func(Trainable, error) Trainable {
	return func(g Trainable, err error) Trainable {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { g.Close() })
		return g
	}
}

// run gives a generator's output for a random image of side h and w, in float64 numbers.
func run(t *testing.T, g Generator, h, w int64) (y []float64) {
	t.Helper()
	tensortest.Do(t, func(s *tensor.Scope) {
		x := s.Rand(1, tensor.Float32, tensor.CPU, 1, 3, h, w)
		y = s.Float64s(g.Forward(s.NoGrad(), x))
	})
	return y
}

func tensors(list []Named) []torch.Tensor {
	ts := make([]torch.Tensor, len(list))
	for i, n := range list {
		ts[i] = n.Tensor
	}
	return ts
}

func maxDifference(t *testing.T, a, b []float64) (d float64) {
	t.Helper()
	if len(a) != len(b) {
		t.Fatalf("%d and %d values", len(a), len(b))
	}
	for i := range a {
		if d = max(d, math.Abs(a[i]-b[i])); math.IsNaN(a[i] - b[i]) {
			t.Fatal("NaN")
		}
	}
	return d
}

// Parameters come in the order in which PyTorch creates them, under its keys.
func TestParameterOrder(t *testing.T) {
	for _, n := range small {
		g := opened(t)(n.build(nn.He(1), onto(tensor.CPU)))
		var got, want []string
		for _, p := range g.Parameters() {
			got = append(got, p.Name)
		}
		for _, p := range n.spec.Spec() {
			want = append(want, p.Name)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: parameters %v, want %v", n.name, got, want)
		}
	}
}

func TestOutputSize(t *testing.T) {
	eachSmall(t, func(t *testing.T, build func(int64, tensor.DType) Trainable) {
		g := build(1, tensor.Float32)
		m, r := int64(g.Multiple()), int64(g.Scale())
		tensortest.Do(t, func(s *tensor.Scope) {
			y := g.Forward(s.NoGrad(), s.Zeros(tensor.Float32, tensor.CPU, 2, 3, m, 3*m))
			if got, want := s.Shape(y), []int64{2, 3, r * m, 3 * r * m}; !slices.Equal(got, want) || s.TypeOf(y) != tensor.Float32 {
				t.Errorf("output %v, want float32 %v", got, want)
			}
		})
	})
}

func TestSeeds(t *testing.T) {
	eachSmall(t, func(t *testing.T, build func(int64, tensor.DType) Trainable) {
		a, same, other := build(1, tensor.Float32), build(1, tensor.Float32), build(2, tensor.Float32)
		y := run(t, a, 8, 8)
		if !slices.Equal(y, run(t, same, 8, 8)) {
			t.Error("the same seed gave another network")
		}
		if slices.Equal(y, run(t, other, 8, 8)) {
			t.Error("another seed gave the same network")
		}
	})
}

func TestClone(t *testing.T) {
	eachSmall(t, func(t *testing.T, build func(int64, tensor.DType) Trainable) {
		for _, dt := range []tensor.DType{tensor.Float32, tensor.BFloat16} {
			g := build(1, dt)
			c := opened(t)(g.Clone())
			y := run(t, g, 8, 8)
			if !slices.Equal(y, run(t, c, 8, 8)) {
				t.Error("the clone differs")
			}
			tensortest.Do(t, func(s *tensor.Scope) { s.ScaleInPlace(c.Parameters()[0].Tensor, 2) })
			if !slices.Equal(y, run(t, g, 8, 8)) {
				t.Error("the original changed with its clone")
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			if !slices.Equal(y, run(t, g, 8, 8)) {
				t.Error("the original changed when its clone was closed")
			}
		}
	})
}

func TestEMAOfDecayZeroIsACopy(t *testing.T) {
	eachSmall(t, func(t *testing.T, build func(int64, tensor.DType) Trainable) {
		average, g := build(1, tensor.Float32), build(2, tensor.Float32)
		tensortest.Do(t, func(s *tensor.Scope) {
			s.EMA(0, tensors(average.Parameters()), tensors(g.Parameters()))
		})
		if !slices.Equal(run(t, average, 8, 8), run(t, g, 8, 8)) {
			t.Error("the average differs from what it copied")
		}
	})
}

func TestClosed(t *testing.T) {
	eachSmall(t, func(t *testing.T, build func(int64, tensor.DType) Trainable) {
		g := build(1, tensor.Float32)
		for range 2 {
			if err := g.Close(); err != nil {
				t.Fatal(err)
			}
		}
		err := tensor.Do(t.Context(), func(s *tensor.Scope) error {
			g.Forward(s, s.Zeros(tensor.Float32, tensor.CPU, 1, 3, 8, 8))
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), "freed") {
			t.Errorf("Forward of a closed network: %v, want an error that says so", err)
		}
		if _, err := g.Clone(); err == nil {
			t.Error("Clone of a closed network: no error")
		}
	})
}

func TestRefusedImages(t *testing.T) {
	g := opened(t)(rrdbBuilder(2)(nn.He(1), onto(tensor.CPU)))
	for _, c := range []struct {
		shape  []int64
		reason string
	}{
		{[]int64{3, 8, 8}, "no batch dimension"},
		{[]int64{1, 4, 8, 8}, "four channels"},
		{[]int64{1, 3, 8, 7}, "not a multiple of 2"},
		{[]int64{1, 3, 0, 8}, "no pixel"},
	} {
		err := tensor.Do(t.Context(), func(s *tensor.Scope) error {
			g.Forward(s, s.Zeros(tensor.Float32, tensor.CPU, c.shape...))
			return nil
		})
		if err == nil {
			t.Errorf("shape %v (%s): no error", c.shape, c.reason)
		}
	}
}

func TestRefusedSizes(t *testing.T) {
	tensortest.Check(t)
	if _, err := NewRRDBNet(RRDBNetConfig{3, 3, 8, 0, 4, 4}, 1, tensor.CPU); err == nil {
		t.Error("RRDBNet without blocks: no error")
	}
	if _, err := NewRRDBNet(RRDBNetConfig{3, 3, 8, 1, 4, 3}, 1, tensor.CPU); err == nil {
		t.Error("RRDBNet of scale 3: no error")
	}
	if _, err := NewSRVGGNetCompact(SRVGGNetCompactConfig{3, 1, 8, 2, 4}, 1, tensor.CPU); err == nil {
		t.Error("SRVGGNetCompact with one output channel for three: no error")
	}
	if _, err := NewUNetDiscriminator(UNetDiscriminatorConfig{NumInCh: 3}, 1, tensor.CPU); err == nil {
		t.Error("discriminator without features: no error")
	}
}
