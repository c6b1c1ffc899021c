package data

import (
	"fmt"
	"math"
)

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
// the threshold, or Weight is 0, the result is m itself.
func Sharpen(m *Image, u USM) (*Image, error) {
	if err := u.validate(); err != nil {
		return nil, err
	}
	if u.Weight == 0 {
		return m, nil
	}
	weights, side, err := u.kernel()
	if err != nil {
		return nil, err
	}
	blur, err := Filter2D(m, weights, side)
	if err != nil {
		return nil, err
	}
	mask, some := aboveThreshold(m, blur, float32(u.Threshold))
	if !some {
		return m, nil
	}
	soft, err := Filter2D(mask, weights, side)
	if err != nil {
		return nil, err
	}
	mask.free()
	sharpenMasked(m.Pix, blur.Pix, soft.Pix, float32(u.Weight))
	blur.free()
	return soft, nil
}

// sharpenMasked replaces each sample of mask by that of p, sharpened as far as the mask says.
func sharpenMasked(p, blur, mask []float32, weight float32) {
	blur, mask = blur[:len(p)], mask[:len(p)]
	for i, v := range p {
		sharp := clamp01(v + weight*(v-blur[i]))
		mask[i] = mask[i]*sharp + (1-mask[i])*v
	}
}

// aboveThreshold is 1 where a and b differ by more than t levels of 255, else 0, and tells whether it is 1 anywhere. In
// textures a branch would go either way: the comparison is a subtraction of bits, whose order is that of numbers from
// 0 on.
func aboveThreshold(a, b *Image, t float32) (mask *Image, some bool) {
	const one, sign = 0x3f800000, 1 << 31
	mask = rawImage(a.C, a.H, a.W)
	limit, any := math.Float32bits(t), uint32(0)
	q, out := b.Pix[:len(a.Pix)], mask.Pix[:len(a.Pix)]
	for i, v := range a.Pix {
		d := 255 * (v - q[i])
		above := (limit - math.Float32bits(d)&^sign) >> 31
		any |= above
		out[i] = math.Float32frombits(above * one)
	}
	return mask, any != 0
}

func (u USM) validate() error {
	if u.Weight == 0 {
		return nil
	}
	if u.Radius < 1 || u.Radius > maxKernel {
		return fmt.Errorf("data: sharpen: radius %d: want 1 to %d", u.Radius, maxKernel)
	}
	if !(u.Threshold >= 0) {
		return fmt.Errorf("data: sharpen: threshold %v: want 0 or more", u.Threshold)
	}
	return nil
}

func (u USM) kernel() ([]float32, int, error) {
	size := u.Radius | 1
	sigma := u.Sigma
	if sigma <= 0 {
		sigma = 0.3*(float64(size-1)*0.5-1) + 0.8
	}
	return Kernel{Kind: Iso, Size: size, SigmaX: sigma}.Weights()
}
