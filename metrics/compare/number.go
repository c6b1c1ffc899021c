package compare

import (
	"fmt"
	"math"
	"strconv"
)

// number is a float64 whose JSON form knows infinite and missing values: "+Inf", "-Inf" and null.
type number float64

// MarshalJSON writes the shortest form that loses nothing.
func (n number) MarshalJSON() ([]byte, error) {
	v := float64(n)
	switch {
	case math.IsNaN(v):
		return []byte("null"), nil
	case math.IsInf(v, 0):
		return fmt.Appendf(nil, "%q", exact(v)), nil
	}
	return strconv.AppendFloat(nil, v, 'g', -1, 64), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (n *number) UnmarshalJSON(text []byte) error {
	s := string(text)
	switch s {
	case "null":
		*n = number(math.NaN())
		return nil
	case `"+Inf"`, `"-Inf"`:
		s = s[1:5]
	}
	v, err := strconv.ParseFloat(s, 64)
	*n = number(v)
	return err
}

// exact formats a value without loss; infinite ones are +Inf and -Inf, a missing one is empty.
func exact(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
