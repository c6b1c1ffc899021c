package pdd

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
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

// WeightsSHA256 is the SHA-256, in hexadecimal, of the raw specialist's values in the order of its parameters, as
// little-endian float32. Runs that are equal bit by bit have equal ones; [Trainer.Run] logs it with every checkpoint. Of
// a run's model.pth it is, in Python,
//
//	hashlib.sha256(b"".join(v.numpy().tobytes() for v in torch.load("model.pth")["params"].values())).hexdigest()
func (t *Trainer) WeightsSHA256() (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return "", ErrTrainerClosed
	}
	sum := sha256.New()
	err := t.background(func(s *tensor.Scope) error {
		for _, p := range t.specialist.Parameters() {
			if err := binary.Write(sum, binary.LittleEndian, s.Float32s(p.Tensor)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("pdd: hash weights: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
