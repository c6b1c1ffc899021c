package data

import (
	"fmt"
	"math"
)

// Mode is a way to resample in a degradation. The first three are torch.nn.functional.interpolate's (align_corners and
// antialias off): they do not widen the filter when shrinking, and networks trained on Real-ESRGAN's data have seen
// exactly that aliasing.
type Mode string

const (
	ModeArea     Mode = "area"           // adaptive average pooling
	ModeBilinear Mode = "bilinear"       // half-pixel centres, clamped borders; also OpenCV's INTER_LINEAR
	ModeBicubic  Mode = "bicubic"        // the same with a = -0.75; also OpenCV's INTER_CUBIC
	ModeCVArea   Mode = "cv2_area"       // OpenCV's INTER_AREA: pixels weighted by the area they share
	ModeMATLAB   Mode = "matlab_bicubic" // imresize: [Resize] with [Bicubic]
)

// Interpolate resamples m to h rows and w columns; the step between outputs is input / output side. Bicubic results
// may leave [0, 1].
func Interpolate(m *Image, h, w int, mode Mode) (*Image, error) {
	if err := m.check("interpolate"); err != nil {
		return nil, err
	}
	if err := checkSize(h, w); err != nil {
		return nil, err
	}
	return interpolate(m, h, w, float64(m.H)/float64(h), float64(m.W)/float64(w), mode)
}

// InterpolateScale resamples m to floor(side·factor) rows and columns; the step between outputs is 1/factor, as
// torch's with scale_factor, not input / output side. With [ModeMATLAB] sides are rounded up, as [Resize] does.
func InterpolateScale(m *Image, factor float64, mode Mode) (*Image, error) {
	if err := m.check("interpolate"); err != nil {
		return nil, err
	}
	if mode == ModeMATLAB {
		return Resize(m, factor, Bicubic)
	}
	if !(factor >= 1e-6 && factor <= 1e6) {
		return nil, fmt.Errorf("data: interpolate: factor %v: want a number from 1e-6 to 1e6", factor)
	}
	h, w := int(math.Floor(float64(m.H)*factor)), int(math.Floor(float64(m.W)*factor))
	if err := checkSize(h, w); err != nil {
		return nil, err
	}
	return interpolate(m, h, w, 1/factor, 1/factor, mode)
}

func interpolate(m *Image, h, w int, stepY, stepX float64, mode Mode) (*Image, error) {
	switch mode {
	case ModeArea:
		return resize(m, poolTaps(m.H, h), poolTaps(m.W, w))
	case ModeBilinear:
		return resize(m, pointTaps(m.H, h, stepY, 2, linear), pointTaps(m.W, w, stepX, 2, linear))
	case ModeBicubic:
		return resize(m, pointTaps(m.H, h, stepY, 4, torchCubic), pointTaps(m.W, w, stepX, 4, torchCubic))
	case ModeCVArea:
		if h > m.H || w > m.W {
			return resize(m, enlargeTaps(m.H, h), enlargeTaps(m.W, w))
		}
		return resize(m, overlapTaps(m.H, h), overlapTaps(m.W, w))
	case ModeMATLAB:
		return ResizeTo(m, h, w, Bicubic)
	}
	return nil, fmt.Errorf("data: interpolate: unknown mode %q", mode)
}

func linear(x float64) float64 { return max(0, 1-math.Abs(x)) }

// torchCubic is the cubic convolution kernel with a = -3/4.
func torchCubic(x float64) float64 {
	const a = -0.75
	x = math.Abs(x)
	switch {
	case x <= 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return ((a*x-5*a)*x+8*a)*x - 4*a
	}
	return 0
}

// blankTaps has room for n weights per output.
func blankTaps(in, out, n int) taps {
	return taps{in: in, n: n, first: make([]int, out), weight: make([]float32, out*n)}
}

// pointTaps weights the n inputs around (i+0.5)·step - 0.5.
func pointTaps(in, out int, step float64, n int, at func(float64) float64) taps {
	t := blankTaps(in, out, n)
	for i := range out {
		u := (float64(i)+0.5)*step - 0.5
		t.first[i] = int(math.Floor(u)) - n/2 + 1
		for k := range n {
			t.weight[i*n+k] = float32(at(u - float64(t.first[i]+k)))
		}
	}
	return t.clampEnds()
}

// poolTaps is adaptive average pooling: the mean of floor(i·in/out) … ceil((i+1)·in/out)-1.
func poolTaps(in, out int) taps {
	t := blankTaps(in, out, (in+out-1)/out+1)
	for i := range out {
		lo, hi := i*in/out, ((i+1)*in+out-1)/out
		t.first[i] = lo
		for k := range hi - lo {
			t.weight[i*t.n+k] = 1 / float32(hi-lo)
		}
	}
	return t.clampEnds()
}

// overlapTaps weights each input by the share of output cell [i·in/out, (i+1)·in/out) that it covers.
func overlapTaps(in, out int) taps {
	step := float64(in) / float64(out)
	t := blankTaps(in, out, int(math.Ceil(step))+1)
	for i := range out {
		lo, hi := float64(i)*step, float64(i+1)*step
		t.first[i] = int(math.Floor(lo))
		for k := range t.n {
			x := float64(t.first[i] + k)
			t.weight[i*t.n+k] = float32(max(0, min(hi, x+1)-max(lo, x)) / step)
		}
	}
	return t.clampEnds()
}

// enlargeTaps is what INTER_AREA does when an axis grows: linear interpolation inside the part of a cell that
// crosses into the next input, the nearest input elsewhere.
func enlargeTaps(in, out int) taps {
	step := float64(in) / float64(out)
	t := blankTaps(in, out, 2)
	for i := range out {
		x := math.Floor(float64(i) * step)
		f := max(0, float64(i+1)-(x+1)/step)
		f -= math.Floor(f)
		t.first[i] = int(x)
		t.weight[2*i], t.weight[2*i+1] = float32(1-f), float32(f)
	}
	return t.clampEnds()
}

// clampEnds moves weights of inputs outside the axis to its first or last input.
func (t taps) clampEnds() taps {
	n := min(t.n, t.in)
	out := blankTaps(t.in, len(t.first), n)
	for i, first := range t.first {
		at := min(max(first, 0), t.in-n)
		out.first[i] = at
		for k := range t.n {
			x := min(max(first+k, 0), t.in-1)
			if w := t.weight[i*t.n+k]; w != 0 {
				out.weight[i*n+x-at] += w
			}
		}
	}
	return out
}
