package tensor

import (
	"errors"
	"fmt"
	"runtime"
	"sync"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/libtorch"
)

// Script is a TorchScript module in evaluation mode. Such a file is a program: load only what you trust. Forward may be
// called by many goroutines; Close waits for them.
type Script struct {
	mu     sync.RWMutex
	module libtorch.Module // nil when closed
}

// LoadScript is torch::jit::load. The caller closes the result.
func LoadScript(path string, d Device) (*Script, error) {
	m, err := libtorch.LoadModule(path, int(d))
	if err != nil {
		return nil, fmt.Errorf("tensor: load TorchScript %q: %w", path, err)
	}
	return &Script{module: m}, nil
}

// Forward calls the module with one tensor; it must return one.
func (m *Script) Forward(s *Scope, x torch.Tensor) torch.Tensor {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.module == nil {
		fail("torchscript", errors.New("the module is closed"), x)
	}
	h, err := libtorch.ForwardModule(m.module, s.modes(), handles("torchscript", list(x))[0])
	runtime.KeepAlive(x)
	if err != nil {
		fail("torchscript", err, x)
	}
	return s.wrap(h)
}

// Close frees the module. It may be called twice.
func (m *Script) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	libtorch.FreeModule(m.module)
	m.module = nil
	return nil
}
