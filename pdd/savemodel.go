package pdd

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gopdd/gopdd/models"
)

// SaveModel writes what the run trains for, for inference: a .pth file has the raw specialist as params and its average
// as params_ema, which Real-ESRGAN's scripts, spandrel and this package load; a .safetensors file has the average alone,
// or the specialist where there is none. The file appears whole or not at all.
func (t *Trainer) SaveModel(path string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return ErrTrainerClosed
	}
	if err := t.saveModel(path); err != nil {
		return fmt.Errorf("pdd: save model: %w", err)
	}
	return nil
}

func (t *Trainer) saveModel(path string) error {
	if t.average != nil && strings.EqualFold(filepath.Ext(path), ".pth") {
		return models.SaveBoth(path, t.specialist, t.average)
	}
	return models.Save(path, t.Result(), map[string]string{"gopdd.step": strconv.Itoa(t.Done()), "gopdd.features": t.phiName})
}
