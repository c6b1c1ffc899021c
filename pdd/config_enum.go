package pdd

import (
	"fmt"
	"slices"
	"strings"
)

// words are the texts of a type's values, in the order of the values: what YAML files and messages say.
type words[T ~uint8 | ~int] struct {
	what  string
	texts []string
}

func (w words[T]) has(v T) bool { return v >= 0 && int(v) < len(w.texts) }

func (w words[T]) text(v T) string {
	if w.has(v) {
		return w.texts[v]
	}
	return fmt.Sprintf("%s(%d)", w.what, int(v))
}

func (w words[T]) marshal(v T) ([]byte, error) {
	if !w.has(v) {
		return nil, fmt.Errorf("pdd: %s %d: want 0 to %d (%s)", w.what, int(v), len(w.texts)-1, w.list())
	}
	return []byte(w.texts[v]), nil
}

func (w words[T]) unmarshal(text []byte, v *T) error {
	i := slices.Index(w.texts, string(text))
	if i < 0 {
		return fmt.Errorf("pdd: %s %q: want %s", w.what, text, w.list())
	}
	*v = T(i)
	return nil
}

func (w words[T]) list() string {
	last := len(w.texts) - 1
	return strings.Join(w.texts[:last], ", ") + " or " + w.texts[last]
}

var (
	methodWords        = words[Method]{"method", []string{"distillation", "naive", "supervised"}}
	generalistWords    = words[GeneralistKind]{"generalist kind", []string{"ema", "frozen"}}
	fakesWords         = words[Fakes]{"fakes", []string{"labelled", "both"}}
	unlabelledGANWords = words[UnlabelledGAN]{"unlabelled GAN", []string{"none", "joint", "separate"}}
	precisionWords     = words[Precision]{"precision", precisionNames[:]}
)

// String gives "distillation", "naive" or "supervised".
func (m Method) String() string { return methodWords.text(m) }

// MarshalText gives String; a value without a name is an error.
func (m Method) MarshalText() ([]byte, error) { return methodWords.marshal(m) }

// UnmarshalText reads what String gives.
func (m *Method) UnmarshalText(text []byte) error { return methodWords.unmarshal(text, m) }

// String gives "ema" or "frozen".
func (k GeneralistKind) String() string { return generalistWords.text(k) }

// MarshalText gives String; a value without a name is an error.
func (k GeneralistKind) MarshalText() ([]byte, error) { return generalistWords.marshal(k) }

// UnmarshalText reads what String gives.
func (k *GeneralistKind) UnmarshalText(text []byte) error { return generalistWords.unmarshal(text, k) }

// String gives "labelled" or "both".
func (f Fakes) String() string { return fakesWords.text(f) }

// MarshalText gives String; a value without a name is an error.
func (f Fakes) MarshalText() ([]byte, error) { return fakesWords.marshal(f) }

// UnmarshalText reads what String gives.
func (f *Fakes) UnmarshalText(text []byte) error { return fakesWords.unmarshal(text, f) }

// String gives "none", "joint" or "separate".
func (u UnlabelledGAN) String() string { return unlabelledGANWords.text(u) }

// MarshalText gives String; a value without a name is an error.
func (u UnlabelledGAN) MarshalText() ([]byte, error) { return unlabelledGANWords.marshal(u) }

// UnmarshalText reads what String gives.
func (u *UnlabelledGAN) UnmarshalText(text []byte) error {
	return unlabelledGANWords.unmarshal(text, u)
}

// MarshalText gives String; a value without a name is an error.
func (p Precision) MarshalText() ([]byte, error) { return precisionWords.marshal(p) }

// UnmarshalText reads what String gives.
func (p *Precision) UnmarshalText(text []byte) error { return precisionWords.unmarshal(text, p) }
