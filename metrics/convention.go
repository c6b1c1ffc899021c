package metrics

import (
	"fmt"
	"strings"
)

// Color says which samples of a picture are measured.
type Color uint8

const (
	// RGB: all three channels.
	RGB Color = iota
	// YBT601 is the luma of ITU-R BT.601 in its studio range, 65.481 R + 128.553 G + 24.966 B + 16 with R, G, B in
	// 0..1: what MATLAB's rgb2ycbcr gives and super-resolution papers report ("Y channel", 16 to 235).
	YBT601
	// YYIQ is the full-range luma of YIQ, 255 (0.299 R + 0.587 G + 0.114 B). pyiqa's metrics named psnry, ssim, niqe
	// and nrqm use it by default: about 1.3 dB lower PSNR than [YBT601].
	YYIQ
)

var colorNames = [...]string{RGB: "rgb", YBT601: "y_bt601", YYIQ: "y_yiq"}

// String is the color's name in reports: rgb, y_bt601 or y_yiq.
func (c Color) String() string {
	if int(c) < len(colorNames) {
		return colorNames[c]
	}
	return fmt.Sprintf("Color(%d)", c)
}

// Impl says whose rounding and clamping is followed where the field's two implementations differ.
type Impl uint8

const (
	// PyIQA is pyiqa (IQA-PyTorch). PSNR: values are not rounded, and 1e-8 is added to the mean squared error of values
	// in 0..1, so equal pictures have 80 dB. SSIM: values are rounded to whole numbers in 0..255 first and the
	// contrast-structure factor is not allowed below 0.
	PyIQA Impl = iota
	// BasicSR: nothing is rounded, added or clamped. Equal pictures have a PSNR of +Inf, and SSIM may be negative.
	BasicSR
)

var implNames = [...]string{PyIQA: "pyiqa", BasicSR: "basicsr"}

// String is the implementation's name in reports: pyiqa or basicsr.
func (i Impl) String() string {
	if int(i) < len(implNames) {
		return implNames[i]
	}
	return fmt.Sprintf("Impl(%d)", i)
}

// Convention is everything besides the pictures that a PSNR or SSIM depends on. The zero value is pyiqa's RGB without
// a border.
type Convention struct {
	Impl  Impl
	Color Color
	Crop  int // pixels left out at each border; papers leave out as many as the upscaling factor
}

// String names the convention as reports do, for example y_bt601_pyiqa or rgb_basicsr_crop4.
func (c Convention) String() string {
	s := c.Color.String() + "_" + c.Impl.String()
	if c.Crop != 0 {
		s += fmt.Sprintf("_crop%d", c.Crop)
	}
	return s
}

// ParseConvention reads the names that [Convention.String] writes, without the crop: rgb, y_bt601 or y_yiq, then
// optionally _pyiqa (the default) or _basicsr.
func ParseConvention(s string) (Convention, error) {
	for i, color := range colorNames {
		rest, ok := strings.CutPrefix(s, color)
		if !ok {
			continue
		}
		for j, impl := range implNames {
			if rest == "_"+impl || rest == "" {
				return Convention{Impl: Impl(j), Color: Color(i)}, nil
			}
		}
	}
	return Convention{}, fmt.Errorf("metrics: parse convention %q: want rgb, y_bt601 or y_yiq, optionally followed by _pyiqa or _basicsr", s)
}

func (c Convention) check() error {
	if int(c.Impl) >= len(implNames) {
		return fmt.Errorf("unknown implementation %v: use PyIQA or BasicSR", c.Impl)
	}
	return checkColor(c.Color, c.Crop)
}

func checkColor(c Color, crop int) error {
	if int(c) >= len(colorNames) {
		return fmt.Errorf("unknown color %v: use RGB, YBT601 or YYIQ", c)
	}
	if crop < 0 {
		return fmt.Errorf("crop of %d pixels: must not be negative", crop)
	}
	return nil
}
