package lpips

import (
	"image"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/gopdd/gopdd/internal/arch"
	"github.com/gopdd/gopdd/internal/golden"
	"github.com/gopdd/gopdd/internal/tensortest"
	"github.com/gopdd/gopdd/internal/weightfile"
)

var nets = []Net{Alex, VGG, Squeeze}

var specs = map[Net]arch.Network{Alex: arch.AlexNet{}, VGG: arch.VGG{Depth: 16, Width: 64}, Squeeze: arch.SqueezeNet11{}}

// files writes a backbone by the golden cases' formula (gain √2, no prefix), and heads that are the absolute values of
// the same with gain 1, and returns their paths.
func files(t testing.TB, net Net) (backbone, heads string) {
	t.Helper()
	dir := t.TempDir()
	var body, lins []weightfile.Array
	for _, p := range specs[net].Spec() {
		body = append(body, array(t, p.Name, p.Shape, golden.Formula("", p.Name, p.Shape, math.Sqrt2)))
	}
	for i, l := range networks[net].layers {
		name, shape := "lin"+string(rune('0'+i))+".model.1.weight", []int{1, int(l.channels), 1, 1}
		values := golden.Formula("", name, shape, 1)
		for k, v := range values {
			values[k] = float32(math.Abs(float64(v)))
		}
		lins = append(lins, array(t, name, shape, values))
	}
	return write(t, dir, "backbone", body), write(t, dir, "heads", lins)
}

func array(t testing.TB, name string, shape []int, values []float32) weightfile.Array {
	t.Helper()
	a, err := weightfile.NewFloat32(name, shape, values)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func write(t testing.TB, dir, name string, arrays []weightfile.Array) string {
	t.Helper()
	path := filepath.Join(dir, name+".safetensors")
	if err := weightfile.WriteSafetensors(path, arrays, nil); err != nil {
		t.Fatal(err)
	}
	return path
}

// open loads a network by formula, closes it at the test's end, and looks for leaks then.
func open(t testing.TB, net Net, opts ...Option) *Model {
	t.Helper()
	tensortest.Check(t)
	backbone, heads := files(t, net)
	m, err := Load(net, backbone, heads, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// noisy is a smooth picture with some noise, the same for the same seed.
func noisy(w, h int, seed uint64) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	rnd := rand.New(rand.NewPCG(seed, 1))
	for i := range m.Pix {
		x, y, c := i/4%w, i/4/w, i%4
		m.Pix[i] = uint8(100 + (x*(c+1)/7+y/3)%120 + rnd.IntN(24))
		if c == 3 {
			m.Pix[i] = 0xff
		}
	}
	return m
}

// near tells whether two distances are equal up to what float32 convolutions round differently.
func near(a, b float64) bool { return math.Abs(a-b) <= 2e-5*math.Abs(b) }
