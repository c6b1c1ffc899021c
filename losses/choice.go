package losses

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gopdd/gopdd/tensor"
)

// choices are the texts of a type's values, in the order of the values.
type choices struct {
	what  string
	texts []string
}

func (c choices) text(v uint8) string {
	if int(v) < len(c.texts) {
		return c.texts[v]
	}
	return fmt.Sprintf("%s(%d)", c.what, v)
}

func (c choices) marshal(v uint8) ([]byte, error) {
	if int(v) >= len(c.texts) {
		return nil, fmt.Errorf("losses: %s %d: there are 0 to %d", c.what, v, len(c.texts)-1)
	}
	return []byte(c.texts[v]), nil
}

func unmarshal[T ~uint8](c choices, text []byte, v *T) error {
	i := slices.Index(c.texts, string(text))
	if i < 0 {
		return fmt.Errorf("losses: %s %q: choose from %s", c.what, text, strings.Join(c.texts, ", "))
	}
	*v = T(i)
	return nil
}

// refuse panics for a value that has no text.
func (c choices) refuse(op string, v uint8) {
	_, err := c.marshal(v)
	tensor.Failf(op, "%w", err)
}
