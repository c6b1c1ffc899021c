package lpips

import (
	"errors"
	"slices"
	"sync"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

// ErrClosed is returned by measurements with a closed Model.
var ErrClosed = errors.New("the model is closed")

// Model is LPIPS with one network. Any number of goroutines may measure pictures with it: their tiles take turns on
// [tensor.Do]'s worker. Close it when done.
type Model struct {
	network  *network
	device   tensor.Device
	pixels   int // of a tile, at most
	backbone *models.Features
	heads    []torch.Tensor // [1,C,1,1], of scope
	scope    *tensor.Scope

	mu     sync.RWMutex // read-held by measurements, so that Close waits for them
	closed bool
}

// Close waits for the measurements in work and frees the network. It may be called twice. A Forward that runs
// meanwhile is the caller's to wait for.
func (m *Model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return errors.Join(m.backbone.Close(), m.scope.Close())
}

// Forward compares x with y, both [N,3,H,W] in [0,1] on the model's device, and returns [N,L]: a row per pair with the
// distance in each layer; LPIPS is the sum of a row. Gradients flow to x and y where they ask for them, with 0 where
// all channels of a feature are 0. It does not cut pictures into tiles: VGG takes about 1.1 KB a pixel without
// gradients. It runs inside a scope and panics with a *tensor.Error, as all networks do.
func (m *Model) Forward(s *tensor.Scope, x, y torch.Tensor) torch.Tensor {
	m.check(s, x, y)
	return s.Local(func(s *tensor.Scope) torch.Tensor {
		means := make([]torch.Tensor, len(m.heads))
		m.compare(s, x, y, func(layer int, d torch.Tensor) { means[layer] = s.Mean(d, false, 2, 3) }) // (N, 1)
		return s.Cat(1, means...)
	})
}

func (m *Model) check(s *tensor.Scope, x, y torch.Tensor) {
	a, b := s.Shape(x), s.Shape(y)
	least := int64(m.network.minSide)
	if !slices.Equal(a, b) || len(a) != 4 || a[1] != 3 || a[2] < least || a[3] < least {
		tensor.Failf("lpips", "want two of [N,3,H,W] with sides of at least %d, got %v and %v", least, a, b)
	}
}

// compare calls use with the weighted squared difference [N,1,h,w] of each layer, the deepest first, and frees what it
// can as it goes: features of the first layers are many times larger than the pictures.
func (m *Model) compare(s *tensor.Scope, x, y torch.Tensor, use func(layer int, d torch.Tensor)) {
	names := m.layerNames()
	fx, fy := m.backbone.Forward(s, x, names...), m.backbone.Forward(s, y, names...)
	for i := len(names) - 1; i >= 0; i-- {
		a, b := unit(s, fx[names[i]]), unit(s, fy[names[i]])
		difference := s.Sub(a, b)
		s.Free(a, b)
		square := s.Mul(difference, difference)
		s.Free(difference)
		d := s.Conv2D(square, m.heads[i], torch.Tensor{}, tensor.ConvOptions{})
		s.Free(square)
		use(i, d)
		s.Free(d)
	}
}

func (m *Model) layerNames() []string {
	names := make([]string, len(m.network.layers))
	for i, l := range m.network.layers {
		names[i] = l.name
	}
	return names
}

// unit divides features [N,C,h,w] by their length over the channels, plus 1e-10, and frees them.
func unit(s *tensor.Scope, f torch.Tensor) torch.Tensor {
	u := s.Local(func(s *tensor.Scope) torch.Tensor {
		return s.Div(f, s.AddScalar(s.Norm(f, true, 1), 1e-10))
	})
	s.Free(f)
	return u
}
