package data

import (
	"fmt"
	"math"
)

// Kind names a family of blur kernels.
type Kind string

// The families of Real-ESRGAN (Wang et al. 2021, sec. 3.1 and 3.3), the kernel that does nothing, and BSRGAN's
// Gaussian that is moved off the centre so that taking every Scale-th sample keeps the picture in place.
const (
	Iso              Kind = "iso"
	Aniso            Kind = "aniso"
	GeneralizedIso   Kind = "generalized_iso"
	GeneralizedAniso Kind = "generalized_aniso"
	PlateauIso       Kind = "plateau_iso"
	PlateauAniso     Kind = "plateau_aniso"
	Sinc             Kind = "sinc"
	Pulse            Kind = "pulse"
	ShiftedIso       Kind = "shifted_iso"
)

// Kernel describes a blur kernel of Size × Size samples that sum to 1.
//
// With x to the right and y down from the centre, p = (x, y) and q = pᵀ (R diag(SigmaX², SigmaY²) Rᵀ)⁻¹ p, where R
// turns by Theta, the Gaussian kinds are exp(-q/2), the generalized ones exp(-q^Beta/2), the plateau ones
// 1/(1+q^Beta), and sinc is the circular low-pass Cutoff·J1(Cutoff·r)/(2πr).
type Kernel struct {
	Kind   Kind    `json:"kind" yaml:"kind"`
	Size   int     `json:"size" yaml:"size"`                           // samples per side, odd
	SigmaX float64 `json:"sigma_x,omitempty" yaml:"sigma_x,omitempty"` // pixels; all but sinc and pulse
	SigmaY float64 `json:"sigma_y,omitempty" yaml:"sigma_y,omitempty"` // pixels; anisotropic kinds
	Theta  float64 `json:"theta,omitempty" yaml:"theta,omitempty"`     // radians; anisotropic kinds
	Beta   float64 `json:"beta,omitempty" yaml:"beta,omitempty"`       // shape; generalized and plateau kinds
	Cutoff float64 `json:"cutoff,omitempty" yaml:"cutoff,omitempty"`   // radians per pixel, up to π; sinc
	Shift  float64 `json:"shift,omitempty" yaml:"shift,omitempty"`     // pixels right and down; shifted_iso
	PadTo  int     `json:"pad_to,omitempty" yaml:"pad_to,omitempty"`   // side after padding with zeros, 0: none
}

// maxKernel bounds the side of a kernel; Real-ESRGAN's have 21, its sharpening 51.
const maxKernel = 255

// Weights returns the kernel's samples row by row and their number per side, Size or PadTo. It fails when the
// description is not one of a kernel.
func (k Kernel) Weights() (weights []float32, side int, err error) {
	if err := k.validate(); err != nil {
		return nil, 0, err
	}
	at := k.function()
	values := make([]float64, 0, k.Size*k.Size)
	var sum float64
	half := k.Size / 2
	for y := -half; y <= half; y++ {
		for x := -half; x <= half; x++ {
			v := at(float64(x), float64(y))
			values = append(values, v)
			sum += v
		}
	}
	if sum == 0 || math.IsNaN(sum) || math.IsInf(sum, 0) {
		return nil, 0, fmt.Errorf("data: make kernel %+v: its samples sum to %v", k, sum)
	}
	side = max(k.Size, k.PadTo)
	weights = make([]float32, side*side)
	pad := (side - k.Size) / 2
	for i, v := range values {
		weights[(pad+i/k.Size)*side+pad+i%k.Size] = float32(v / sum)
	}
	return weights, side, nil
}

func (k Kernel) validate() error {
	if k.Size < 1 || k.Size > maxKernel || k.Size%2 == 0 {
		return fmt.Errorf("data: make kernel %q: size %d: want an odd number up to %d", k.Kind, k.Size, maxKernel)
	}
	if k.PadTo != 0 && (k.PadTo < k.Size || k.PadTo > maxKernel || k.PadTo%2 == 0) {
		return fmt.Errorf("data: make kernel %q: pad_to %d: want an odd number from size %d to %d", k.Kind, k.PadTo, k.Size, maxKernel)
	}
	for _, n := range k.needs() {
		if !(n.value > 0) {
			return fmt.Errorf("data: make kernel %q: %s is %v: want a positive number", k.Kind, n.name, n.value)
		}
	}
	if k.function() == nil {
		return fmt.Errorf("data: make kernel: unknown kind %q", k.Kind)
	}
	return nil
}

type need struct {
	name  string
	value float64
}

// needs lists the fields that must be positive.
func (k Kernel) needs() []need {
	sx, sy, beta := need{"sigma_x", k.SigmaX}, need{"sigma_y", k.SigmaY}, need{"beta", k.Beta}
	switch k.Kind {
	case Iso, ShiftedIso:
		return []need{sx}
	case Aniso:
		return []need{sx, sy}
	case GeneralizedIso, PlateauIso:
		return []need{sx, beta}
	case GeneralizedAniso, PlateauAniso:
		return []need{sx, sy, beta}
	case Sinc:
		return []need{{"cutoff", k.Cutoff}}
	}
	return nil
}

// function is the kernel as a function of position, not normalised; nil for an unknown kind.
func (k Kernel) function() func(x, y float64) float64 {
	round := k
	round.SigmaY, round.Theta = k.SigmaX, 0
	switch k.Kind {
	case Iso:
		return round.gaussian
	case Aniso:
		return k.gaussian
	case GeneralizedIso:
		return round.generalized
	case GeneralizedAniso:
		return k.generalized
	case PlateauIso:
		return round.plateau
	case PlateauAniso:
		return k.plateau
	case Sinc:
		return k.sinc
	case Pulse:
		return func(x, y float64) float64 {
			if x == 0 && y == 0 {
				return 1
			}
			return 0
		}
	case ShiftedIso:
		return round.shifted
	}
	return nil
}

// form is q = pᵀ Σ⁻¹ p.
func (k Kernel) form(x, y float64) float64 {
	sin, cos := math.Sincos(k.Theta)
	a, b := (cos*x+sin*y)/k.SigmaX, (cos*y-sin*x)/k.SigmaY
	return a*a + b*b
}

func (k Kernel) gaussian(x, y float64) float64 { return math.Exp(-k.form(x, y) / 2) }

func (k Kernel) generalized(x, y float64) float64 {
	return math.Exp(-math.Pow(k.form(x, y), k.Beta) / 2)
}

func (k Kernel) plateau(x, y float64) float64 { return 1 / (1 + math.Pow(k.form(x, y), k.Beta)) }

func (k Kernel) sinc(x, y float64) float64 {
	r := math.Hypot(x, y)
	if r == 0 {
		return k.Cutoff * k.Cutoff / (4 * math.Pi)
	}
	return k.Cutoff * math.J1(k.Cutoff*r) / (2 * math.Pi * r)
}

// shifted samples the sampled Gaussian between its samples, bilinearly and with clamped coordinates, as BSRGAN's
// shift_pixel does, turned by 180° so that correlating with it is the convolution of that code.
func (k Kernel) shifted(x, y float64) float64 {
	half := float64(k.Size / 2)
	u, v := min(max(k.Shift-x, -half), half), min(max(k.Shift-y, -half), half)
	x0, y0 := math.Floor(u), math.Floor(v)
	x1, y1 := min(x0+1, half), min(y0+1, half)
	fx, fy := u-x0, v-y0
	top := (1-fx)*k.gaussian(x0, y0) + fx*k.gaussian(x1, y0)
	bottom := (1-fx)*k.gaussian(x0, y1) + fx*k.gaussian(x1, y1)
	return (1-fy)*top + fy*bottom
}

// VarianceKernel is the anisotropic Gaussian with variance l1 along (cos theta, sin theta) and l2 across: BSRGAN's
// way to describe one.
func VarianceKernel(size int, theta, l1, l2 float64) Kernel {
	return Kernel{Kind: Aniso, Size: size, SigmaX: math.Sqrt(l1), SigmaY: math.Sqrt(l2), Theta: theta}
}
