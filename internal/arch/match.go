package arch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gopdd/gopdd/internal/weightfile"
)

// MismatchError says how the arrays of a file differ from the network they were taken for.
type MismatchError struct {
	Network    string
	Missing    []string    // canonical names
	Unexpected []string    // names in the file
	Misshapen  []Misshapen // in the network's order
}

// Misshapen is an array whose shape is not the network's.
type Misshapen struct {
	Name      string // in the file
	Got, Want []int
}

// String is, for example, "conv_up1.weight [64 63 3 3], want [64 64 3 3]".
func (m Misshapen) String() string { return fmt.Sprintf("%s %v, want %v", m.Name, m.Got, m.Want) }

// Error lists everything that is wrong, on one line.
func (e *MismatchError) Error() string {
	misshapen := make([]string, len(e.Misshapen))
	for i, m := range e.Misshapen {
		misshapen[i] = m.String()
	}
	var parts []string
	for _, p := range []struct {
		what  string
		names []string
	}{{"missing", e.Missing}, {"unexpected", e.Unexpected}, {"misshapen", misshapen}} {
		if len(p.names) > 0 {
			parts = append(parts, fmt.Sprintf("%d %s: %s", len(p.names), p.what, strings.Join(p.names, ", ")))
		}
	}
	return fmt.Sprintf("not the weights of %s: %s", e.Network, strings.Join(parts, "; "))
}

// match checks that the arrays are exactly the network's, none of them empty, and returns them by canonical name.
func match(net Network, f *folded) (map[string]weightfile.Array, error) {
	problem := &MismatchError{Network: fmt.Sprintf("%s%+v", net.Name(), net)}
	arrays := make(map[string]weightfile.Array, len(f.names))
	for _, p := range net.Spec() {
		if slices.Min(p.Shape) < 1 {
			return nil, fmt.Errorf("%s needs an array %s of shape %v: a network of no size", problem.Network, p.Name, p.Shape)
		}
		a, ok := f.arrays[p.Name]
		switch {
		case !ok:
			problem.Missing = append(problem.Missing, p.Name)
		case !slices.Equal(a.Shape, p.Shape):
			problem.Misshapen = append(problem.Misshapen, Misshapen{a.Name, a.Shape, p.Shape})
		}
		arrays[p.Name] = a
	}
	for _, name := range f.names {
		if _, wanted := arrays[name]; !wanted {
			problem.Unexpected = append(problem.Unexpected, f.arrays[name].Name)
		}
	}
	if len(problem.Missing)+len(problem.Unexpected)+len(problem.Misshapen) > 0 {
		return nil, problem
	}
	return arrays, nil
}
