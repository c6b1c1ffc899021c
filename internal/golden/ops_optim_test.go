//go:build cgo

package golden_test

import (
	"context"
	"fmt"
	"slices"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/golden"
	"github.com/gopdd/gopdd/tensor"
)

var optimOps = map[string]opFunc{
	"optim.adam": optimAdam,
	"optim.ema":  optimEMA,
}

func init() { register(optimOps) }

func optimAdam(c *golden.Case) (map[string]golden.Array, error) {
	var p struct {
		LR          float64   `json:"lr"`
		Betas       []float64 `json:"betas"`
		Eps         float64   `json:"eps"`
		WeightDecay float64   `json:"weight_decay"`
		Steps       int       `json:"steps"`
		Milestones  []int     `json:"milestones"`
		Gamma       float64   `json:"gamma"`
		Names       []string  `json:"names"`
	}
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	out := map[string]golden.Array{"lr": {Shape: []int{p.Steps}}}
	return out, tensor.Do(context.Background(), func(s *tensor.Scope) error {
		params, err := inputs(s, c, "param.", p.Names)
		if err != nil {
			return err
		}
		means, squares := zerosLike(s, params), zerosLike(s, params)
		o := tensor.AdamOptions{LR: p.LR, Beta1: p.Betas[0], Beta2: p.Betas[1], Eps: p.Eps, WeightDecay: p.WeightDecay}
		for step := 1; step <= p.Steps; step++ {
			if slices.Contains(p.Milestones, step-1) {
				o.LR *= p.Gamma
			}
			grads, err := inputs(s, c, fmt.Sprintf("grad.%d.", step), p.Names)
			if err != nil {
				return err
			}
			o.Step = int64(step)
			s.Adam(o, params, grads, means, squares)
			lr := out["lr"]
			lr.Data = append(lr.Data, o.LR)
			out["lr"] = lr
			for i, name := range p.Names {
				out[fmt.Sprintf("param.%d.%s", step, name)] = read(s, params[i])
				out[fmt.Sprintf("exp_avg.%d.%s", step, name)] = read(s, means[i])
				out[fmt.Sprintf("exp_avg_sq.%d.%s", step, name)] = read(s, squares[i])
			}
		}
		return nil
	})
}

func optimEMA(c *golden.Case) (map[string]golden.Array, error) {
	var p struct {
		Decay float64  `json:"decay"`
		Steps int      `json:"steps"`
		Names []string `json:"names"`
	}
	if err := c.DecodeParams(&p); err != nil {
		return nil, err
	}
	out := map[string]golden.Array{}
	return out, tensor.Do(context.Background(), func(s *tensor.Scope) error {
		averages, err := inputs(s, c, "ema.", p.Names)
		if err != nil {
			return err
		}
		params, err := inputs(s, c, "net.", p.Names)
		if err != nil {
			return err
		}
		for step := 1; step <= p.Steps; step++ {
			s.EMA(p.Decay, averages, params)
			for i, name := range p.Names {
				out[fmt.Sprintf("ema.%d.%s", step, name)] = read(s, averages[i])
			}
		}
		return nil
	})
}

func inputs(s *tensor.Scope, c *golden.Case, prefix string, names []string) ([]torch.Tensor, error) {
	ts := make([]torch.Tensor, len(names))
	for i, name := range names {
		var err error
		if ts[i], err = input(s, c, prefix+name); err != nil {
			return nil, err
		}
	}
	return ts, nil
}

func zerosLike(s *tensor.Scope, ts []torch.Tensor) []torch.Tensor {
	zeros := make([]torch.Tensor, len(ts))
	for i, t := range ts {
		zeros[i] = s.Zeros(s.TypeOf(t), s.DeviceOf(t), s.Shape(t)...)
	}
	return zeros
}
