package nn

import (
	"fmt"
	"hash/fnv"
	"math"
	"strings"
	"unsafe"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/weightfile"
	"github.com/gopdd/gopdd/tensor"
)

// Request is a tensor that a constructor asks for.
type Request struct {
	Name  string
	Shape []int64
	Gain  float64 // for random weights
}

// Source gives tensors their values. Tensor returns a new tensor of s, on the CPU or any device, of any float type.
type Source interface {
	Tensor(s *tensor.Scope, r Request) (torch.Tensor, error)
}

// Func is a function that returns a request's values, row-major.
type Func func(r Request) ([]float32, error)

// Tensor implements Source.
func (f Func) Tensor(s *tensor.Scope, r Request) (torch.Tensor, error) {
	v, err := f(r)
	if err != nil {
		return torch.Tensor{}, err
	}
	return s.FromFloat32s(v, r.Shape...), nil
}

// Arrays serves the arrays of a weight file by their canonical names.
type Arrays map[string]weightfile.Array

// Tensor implements Source. A value that is not finite is an error.
func (a Arrays) Tensor(s *tensor.Scope, r Request) (torch.Tensor, error) {
	array, ok := a[r.Name]
	if !ok {
		return torch.Tensor{}, fmt.Errorf("%s: missing", r.Name)
	}
	shape := make([]int64, len(array.Shape))
	for i, d := range array.Shape {
		shape[i] = int64(d)
	}
	t := s.Empty(tensor.Float32, tensor.CPU, shape...)
	return t, array.Decode(unsafe.Slice((*float32)(s.Data(t)), array.Len()))
}

// Copies serves copies of another store's tensors; equal stores make bit-equal networks.
type Copies []Named

// Tensor implements Source. Requests in the order of the original are found at once.
func (c *Copies) Tensor(s *tensor.Scope, r Request) (torch.Tensor, error) {
	if len(*c) == 0 || (*c)[0].Name != r.Name {
		return torch.Tensor{}, fmt.Errorf("%s: missing in the original", r.Name)
	}
	t := (*c)[0].Tensor
	*c = (*c)[1:]
	return s.Clone(s.Detach(t)), nil
}

// preluSlope is PyTorch's start of a PReLU.
const preluSlope = 0.25

// He draws weights from the normal distribution of He et al. 2015 (variance 2/fan-in, times the path's gain squared);
// biases are 0, PReLU slopes 0.25, vectors of a power iteration random of length 1. What a tensor gets depends on the
// seed and its name alone.
func He(seed int64) Source { return he(seed) }

type he int64

func (seed he) Tensor(s *tensor.Scope, r Request) (torch.Tensor, error) {
	leaf := r.Name[strings.LastIndexByte(r.Name, '.')+1:]
	switch {
	case leaf == "bias":
		return s.Zeros(tensor.Float32, tensor.CPU, r.Shape...), nil
	case leaf == "weight" && len(r.Shape) == 1:
		return s.Full(preluSlope, tensor.Float32, tensor.CPU, r.Shape...), nil
	}
	z := s.RandN(seed.of(r.Name), tensor.Float32, tensor.CPU, r.Shape...)
	if len(r.Shape) == 1 {
		return s.Div(z, s.Norm(z, false)), nil
	}
	fanIn := s.Numel(z) / r.Shape[0]
	return s.MulScalar(z, r.Gain*math.Sqrt(2/float64(fanIn))), nil
}

func (seed he) of(name string) int64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %s", seed, name)
	return int64(h.Sum64() >> 1)
}
