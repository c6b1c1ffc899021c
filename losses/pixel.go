package losses

import (
	"math"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/tensor"
)

// L1 is the mean absolute difference of images.
func L1(s *tensor.Scope, x, gt torch.Tensor) torch.Tensor {
	same(s, "l1", named{"x", x}, named{"gt", gt})
	return absolute(s.Autocast(0), x, gt)
}

// Charbonnier is the mean of √(d² + eps) over the differences d of images: L1 with a round kink, whose radius is about
// √eps (Charbonnier et al. 1994; eps is where BasicSR has it, which takes 1e-12). At eps 0 it is L1.
func Charbonnier(s *tensor.Scope, x, gt torch.Tensor, eps float64) torch.Tensor {
	same(s, "charbonnier", named{"x", x}, named{"gt", gt})
	if !(eps >= 0) || math.IsInf(eps, 1) {
		tensor.Failf("charbonnier", "eps %v: want a number from 0", eps)
	}
	return charbonnier(s.Autocast(0), x, gt, eps)
}

// absolute is L1 of tensors of any shape.
func absolute(s *tensor.Scope, a, b torch.Tensor) torch.Tensor {
	return s.Local(func(s *tensor.Scope) torch.Tensor { return s.Mean(s.AbsDiff(a, b), false) })
}

// least is a number whose root still has a finite inverse in float32.
const least = 1e-38

func charbonnier(s *tensor.Scope, a, b torch.Tensor, eps float64) torch.Tensor {
	if eps < least {
		return absolute(s, a, b)
	}
	return s.Local(func(s *tensor.Scope) torch.Tensor {
		return s.Mean(s.Sqrt(s.AddScalar(s.Pow(difference(s, a, b), 2), eps)), false)
	})
}
