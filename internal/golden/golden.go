// Package golden reads golden cases and compares results with them. A case is a folder with a case.json (operation,
// parameters, tolerances) and a tensors.safetensors (inputs and expected outputs); testdata/golden/README.md defines
// them. Which function computes an operation is not known here: the runner is the package's test.
//
//	go test ./internal/golden -v                                  # the cases of testdata/golden
//	GOPDD_GOLDEN=../shared/golden go test ./internal/golden -v    # the cases of another folder
package golden

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gopdd/gopdd/internal/weightfile"
)

// Array is a tensor of any element type, widened to float64.
type Array struct {
	Shape []int     // row-major, outermost first
	Data  []float64 // as many as the shape says
}

// Case is one golden case. It is immutable after Load and may be used by many goroutines.
type Case struct {
	Name    string // of its folder
	Dir     string
	Op      string
	Source  string          // who computed the expected outputs
	Expect  string          // "error" where the operation must fail, else ""
	Params  json.RawMessage // see DecodeParams
	Inputs  []string
	Outputs []string

	rtol, atol float64
	tol        map[string]tolerance
	arrays     map[string]weightfile.Array
}

// tolerance allows |got-want| <= Atol + Rtol*|want|; at most Outliers elements may miss that, by OutlierAtol at most.
type tolerance struct {
	Rtol        float64 `json:"rtol"`
	Atol        float64 `json:"atol"`
	Outliers    int     `json:"outliers"`
	OutlierAtol float64 `json:"outlier_atol"`
}

// caseFile is the content of case.json.
type caseFile struct {
	Op      string               `json:"op"`
	Params  json.RawMessage      `json:"params"`
	Inputs  []string             `json:"inputs"`
	Outputs []string             `json:"outputs"`
	Rtol    float64              `json:"rtol"`
	Atol    float64              `json:"atol"`
	Tol     map[string]tolerance `json:"tol"`
	Expect  string               `json:"expect"`
	Source  string               `json:"source"`
}

// Load reads all cases of the folder root, sorted by name. A folder without a case.json is not a case; a root
// without any case is an error.
func Load(root string) ([]*Case, error) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, fmt.Errorf("golden: load %q: %w", root, err)
	}
	var cases []*Case
	for _, e := range entries {
		dir := filepath.Join(root, e.Name())
		if _, err := os.Stat(filepath.Join(dir, "case.json")); err != nil {
			continue
		}
		c, err := loadCase(dir)
		if err != nil {
			return nil, fmt.Errorf("golden: load %q: %w", dir, err)
		}
		cases = append(cases, c)
	}
	if len(cases) == 0 {
		return nil, fmt.Errorf("golden: load %q: no folder in it has a case.json", root)
	}
	return cases, nil
}

func loadCase(dir string) (*Case, error) {
	text, err := os.ReadFile(filepath.Join(dir, "case.json"))
	if err != nil {
		return nil, err
	}
	var f caseFile
	if err := decodeStrict(text, &f); err != nil {
		return nil, fmt.Errorf("case.json: %w", err)
	}
	if f.Op == "" || (f.Expect != "" && f.Expect != "error") {
		return nil, fmt.Errorf("case.json: op %q, expect %q", f.Op, f.Expect)
	}
	tensors, err := weightfile.Open(filepath.Join(dir, "tensors.safetensors"))
	if err != nil {
		return nil, err
	}
	c := &Case{
		Name: filepath.Base(dir), Dir: dir, Op: f.Op, Source: f.Source, Expect: f.Expect, Params: f.Params,
		Inputs: f.Inputs, Outputs: f.Outputs,
		rtol: f.Rtol, atol: f.Atol, tol: f.Tol, arrays: map[string]weightfile.Array{},
	}
	for _, a := range tensors.Dicts[0].Arrays {
		c.arrays[a.Name] = a
	}
	for _, name := range append(append([]string{}, f.Inputs...), f.Outputs...) {
		if _, ok := c.arrays[name]; !ok {
			return nil, fmt.Errorf("tensors.safetensors: no tensor %q", name)
		}
	}
	return c, nil
}

// Array returns an input (or an expected output) as a copy that is the caller's.
func (c *Case) Array(name string) (Array, error) {
	a, ok := c.arrays[name]
	if !ok {
		return Array{}, fmt.Errorf("golden: case %q: no tensor %q", c.Name, name)
	}
	return Array{Shape: append([]int{}, a.Shape...), Data: a.Float64s()}, nil
}

// DecodeParams decodes the parameters into the struct v points to. A parameter that v has no field for is an error,
// so that no operation overlooks one.
func (c *Case) DecodeParams(v any) error {
	if err := decodeStrict(c.Params, v); err != nil {
		return fmt.Errorf("golden: case %q: params: %w", c.Name, err)
	}
	return nil
}

func decodeStrict(text []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if dec.More() {
		return errors.New("more after the JSON value")
	}
	return nil
}

// tolerance returns the tolerance of an output and the key under which its outliers are counted: its own entry of
// tol, else the longest one with a * that fits, else the whole case's.
func (c *Case) tolerance(output string) (string, tolerance) {
	if t, ok := c.tol[output]; ok {
		return output, t
	}
	best := ""
	for key := range c.tol {
		if stem, ok := strings.CutSuffix(key, "*"); ok && strings.HasPrefix(output, stem) && len(key) > len(best) {
			best = key
		}
	}
	if best != "" {
		return best, c.tol[best]
	}
	return "", tolerance{Rtol: c.rtol, Atol: c.atol}
}
