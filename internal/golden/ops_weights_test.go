package golden_test

import "github.com/gopdd/gopdd/internal/golden"

var weightsOps = map[string]opFunc{"weights.formula": weightsFormula}

func init() { register(weightsOps) }

func weightsFormula(c *golden.Case) (map[string]golden.Array, error) {
	var p struct {
		WeightPrefix string           `json:"weight_prefix"`
		Gain         float64          `json:"gain"`
		Shapes       map[string][]int `json:"shapes"`
		InputName    string           `json:"input_name"`
		InputShape   []int            `json:"input_shape"`
	}
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	out := map[string]golden.Array{"input": widen(p.InputShape, golden.FormulaInput(p.InputName, p.InputShape))}
	for key, shape := range p.Shapes {
		out["weight."+key] = widen(shape, golden.Formula(p.WeightPrefix, key, shape, p.Gain))
	}
	return out, nil
}

// widen makes a golden array of float32 results.
func widen(shape []int, data []float32) golden.Array {
	a := golden.Array{Shape: shape, Data: make([]float64, len(data))}
	for i, v := range data {
		a.Data[i] = float64(v)
	}
	return a
}
