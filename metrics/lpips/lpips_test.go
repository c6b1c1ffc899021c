package lpips

import (
	"context"
	"errors"
	"math"
	"os"
	"strings"
	"sync"
	"testing"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/golden"
	"github.com/gopdd/gopdd/tensor"
)

// The Python package lpips 0.1.4 in float64 (torch 2.15), with the weights of files, on the inputs "x" and "y" of
// [2,3,67,70] by formula, normalize=True, retPerLayer=True.
var references = map[Net][2][]float64{
	Alex: {
		{0.121298705, 0.0134908395, 0.00384506449, 0.00508050662, 0.0036922137},
		{0.121887981, 0.0140956446, 0.00418265292, 0.00441796483, 0.0040547084},
	},
	VGG: {
		{0.09716366, 0.0224402958, 0.00723748771, 0.00175902228, 0.0010288384},
		{0.098416337, 0.0227007566, 0.00744358404, 0.00185351029, 0.00110916101},
	},
	Squeeze: {
		{0.118024645, 0.0261427103, 0.009573664, 0.00220316623, 0.00261766148, 0.00193539854, 0.00183247805},
		{0.119254163, 0.0271290661, 0.0111361148, 0.00248408401, 0.00214674579, 0.00184355949, 0.00226029513},
	},
}

func inputs(s *tensor.Scope, shape ...int64) (x, y torch.Tensor) {
	dims := make([]int, len(shape))
	for i, d := range shape {
		dims[i] = int(d)
	}
	return s.FromFloat32s(golden.FormulaInput("x", dims), shape...), s.FromFloat32s(golden.FormulaInput("y", dims), shape...)
}

func do(t *testing.T, fn func(s *tensor.Scope)) {
	t.Helper()
	if err := tensor.Do(t.Context(), func(s *tensor.Scope) error { fn(s); return nil }); err != nil {
		t.Fatal(err)
	}
}

func TestForwardAgainstReference(t *testing.T) {
	for _, net := range nets {
		m := open(t, net)
		do(t, func(s *tensor.Scope) {
			x, y := inputs(s, 2, 3, 67, 70)
			got := s.Float64s(m.Forward(s.NoGrad(), x, y))
			for i, want := range references[net] {
				for k, w := range want {
					if g := got[i*len(want)+k]; !near(g, w) {
						t.Errorf("%v: pair %d, layer %s: %v, want %v", net, i, net.Layers()[k], g, w)
					}
				}
			}
		})
	}
}

// Moving x along the gradient by a small step must change the distance as the gradient says.
func TestGradient(t *testing.T) {
	for _, net := range nets {
		m := open(t, net)
		do(t, func(s *tensor.Scope) {
			x, y := inputs(s, 1, 3, 33, 35)
			s.RequiresGrad(true, x)
			grad := s.Grads(s.Sum(m.Forward(s, x, y), false), false, x)[0]
			length := s.Item(s.Norm(grad, false))
			at := func(step float64) float64 {
				s := s.NoGrad()
				return s.Item(s.Sum(m.Forward(s, s.AddScaled(x, grad, step/length), y), false))
			}
			const step = 2e-3 // over 3465 values: too small for many kinks
			slope := (at(step) - at(-step)) / (2 * step)
			if !(length > 0) || math.Abs(slope-length) > 0.02*length {
				t.Errorf("%v: gradient of length %v, slope %v", net, length, slope)
			}
			// Equal pictures are a minimum, and features that are 0 in all channels must not give NaN.
			flat := s.Zeros(tensor.Float32, tensor.CPU, 1, 3, 33, 35)
			s.RequiresGrad(true, flat)
			grad = s.Grads(s.Sum(m.Forward(s, flat, s.Detach(flat)), false), false, flat)[0]
			if got := s.Item(s.Norm(grad, false)); got != 0 {
				t.Errorf("%v: gradient %v between equal pictures, want 0", net, got)
			}
		})
	}
}

func TestForwardRefusals(t *testing.T) {
	m := open(t, Alex)
	for reason, shapes := range map[string][2][]int64{
		"different sizes":         {{1, 3, 40, 40}, {1, 3, 40, 41}},
		"a batch against a frame": {{2, 3, 40, 40}, {1, 3, 40, 40}},
		"gray":                    {{1, 1, 40, 40}, {1, 1, 40, 40}},
		"no batch":                {{3, 40, 40}, {3, 40, 40}},
		"too small":               {{1, 3, 40, 30}, {1, 3, 40, 30}},
	} {
		err := tensor.Do(t.Context(), func(s *tensor.Scope) error {
			m.Forward(s, s.Zeros(tensor.Float32, tensor.CPU, shapes[0]...), s.Zeros(tensor.Float32, tensor.CPU, shapes[1]...))
			return nil
		})
		if err == nil || !strings.Contains(err.Error(), "sides of at least 31") {
			t.Errorf("%s: error %v", reason, err)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	m := open(t, Alex)
	a, b := noisy(90, 70, 1), noisy(90, 70, 2)
	want, err := m.Distance(t.Context(), a, b, 0)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got, err := m.Distance(t.Context(), a, b, 0); err != nil || got != want {
				t.Errorf("%v, %v, want %v", got, err, want)
			}
		})
	}
	wg.Wait()
}

func TestEndOfUse(t *testing.T) {
	m := open(t, Alex)
	a := noisy(40, 40, 1)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Distance(ctx, a, a, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	err := tensor.Do(t.Context(), func(s *tensor.Scope) error {
		_, err := m.Distance(s.Context(), a, a, 0)
		return err
	})
	if !errors.Is(err, tensor.ErrNested) {
		t.Errorf("inside Do: error %v, want ErrNested", err)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Distance(t.Context(), a, a, 0); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: error %v, want ErrClosed", err)
	}
}

func TestLoadRefusals(t *testing.T) {
	backbone, heads := files(t, Alex)
	_, others := files(t, Squeeze)
	text := t.TempDir() + "/note.pth"
	if err := os.WriteFile(text, []byte("no weights at all"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		reason          string
		net             Net
		backbone, heads string
		opt             Option
		want            []string
	}{
		{"heads of another network: all that is wrong", Alex, backbone, others, WithMemory(1 << 30),
			[]string{"lin1.model.1.weight: shape [1 128 1 1], want [1 192 1 1]", "lin4.model.1.weight: shape", "lin5.model.1.weight: unexpected"}},
		{"heads of fewer layers", Squeeze, backbone, heads, WithMemory(1 << 30), []string{"lin5.model.1.weight: missing", "lin6.model.1.weight: missing"}},
		{"a backbone of another network", VGG, backbone, "", WithMemory(1 << 30), []string{"linear heads", "no such file"}},
		{"heads in place of the backbone", Alex, heads, heads, WithMemory(1 << 30), []string{"backbone"}},
		{"no weight file", Alex, backbone, text, WithMemory(1 << 30), []string{"linear heads", "not a weight file"}},
		{"memory for no tile", Alex, backbone, heads, WithMemory(1 << 20), []string{"at least"}},
		{"no such device", Alex, backbone, heads, WithDevice("tpu"), []string{"want cpu, cuda"}},
		{"no such network", Net(9), backbone, heads, WithMemory(1 << 30), []string{"Net(9)"}},
	} {
		m, err := Load(tt.net, tt.backbone, tt.heads, tt.opt)
		if err == nil {
			m.Close()
			t.Errorf("%s: no error", tt.reason)
			continue
		}
		for _, want := range tt.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: error %v, want one with %q", tt.reason, err, want)
			}
		}
	}
}

func TestParseNet(t *testing.T) {
	for _, net := range nets {
		if got, err := ParseNet(net.String()); err != nil || got != net {
			t.Errorf("ParseNet(%q) = %v, %v", net, got, err)
		}
	}
	if _, err := ParseNet("vgg19"); err == nil {
		t.Error("vgg19: no error")
	}
}
