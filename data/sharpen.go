package data

import "fmt"

// USM is Real-ESRGAN's unsharp mask, which sharpens the ground truth before it is degraded: where a pixel differs
// from its Gaussian blur by more than Threshold, Weight times the difference is added, with a blurred mask.
type USM struct {
	Weight    float64 `json:"weight" yaml:"weight"`
	Radius    int     `json:"radius" yaml:"radius"`       // side of the Gaussian in pixels, made odd by adding 1
	Threshold float64 `json:"threshold" yaml:"threshold"` // in levels of 255
	Sigma     float64 `json:"sigma" yaml:"sigma"`         // pixels; 0: 0.3·((Radius-1)/2 - 1) + 0.8
}

// DefaultUSM is the setting of Real-ESRGAN's training.
var DefaultUSM = USM{Weight: 0.5, Radius: 50, Threshold: 10}

// Sharpen applies the mask to m, whose values are in [0, 1]. The filter reaches Radius/2 pixels. Where nothing is above
// the threshold the result is m itself.
func Sharpen(m *Image, u USM) (*Image, error) {
	weights, side, err := u.kernel()
	if err != nil {
		return nil, err
	}
	blur, err := Filter2D(m, weights, side)
	if err != nil {
		return nil, err
	}
	mask := newImage(m.C, m.H, m.W)
	flat := true
	for i, v := range m.Pix {
		if d := 255 * (v - blur.Pix[i]); d > float32(u.Threshold) || -d > float32(u.Threshold) {
			mask.Pix[i], flat = 1, false
		}
	}
	if flat {
		return m, nil
	}
	soft, err := Filter2D(mask, weights, side)
	if err != nil {
		return nil, err
	}
	out := mask
	for i, v := range m.Pix {
		sharp := clamp01(v + float32(u.Weight)*(v-blur.Pix[i]))
		out.Pix[i] = soft.Pix[i]*sharp + (1-soft.Pix[i])*v
	}
	return out, nil
}

func (u USM) kernel() ([]float32, int, error) {
	if u.Radius < 1 || u.Radius > maxKernel {
		return nil, 0, fmt.Errorf("data: sharpen: radius %d: want 1 to %d", u.Radius, maxKernel)
	}
	size := u.Radius | 1
	sigma := u.Sigma
	if sigma <= 0 {
		sigma = 0.3*(float64(size-1)*0.5-1) + 0.8
	}
	return Kernel{Kind: Iso, Size: size, SigmaX: sigma}.Weights()
}
