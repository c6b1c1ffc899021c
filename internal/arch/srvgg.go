package arch

import (
	"errors"
	"fmt"
	"math"
)

// SRVGGNetCompact is Real-ESRGAN's small generator (srvgg_arch), with PReLU.
type SRVGGNetCompact struct {
	NumInCh  int `json:"num_in_ch"`
	NumOutCh int `json:"num_out_ch"` // equal to NumInCh: the enlarged input is added to the output
	NumFeat  int `json:"num_feat"`
	NumConv  int `json:"num_conv"` // convolutions in the body, without the first and the last
	Upscale  int `json:"upscale"`  // output side / input side
}

// Name is "SRVGGNetCompact".
func (SRVGGNetCompact) Name() string { return "SRVGGNetCompact" }

// Spec implements Network.
func (n SRVGGNetCompact) Spec() Spec {
	var s Spec
	in := n.NumInCh
	for i := range n.NumConv + 1 {
		s.conv(fmt.Sprintf("body.%d", 2*i), in, n.NumFeat, 3)
		s = append(s, Param{fmt.Sprintf("body.%d.weight", 2*i+1), []int{n.NumFeat}})
		in = n.NumFeat
	}
	s.conv(fmt.Sprintf("body.%d", 2*n.NumConv+2), in, n.NumOutCh*n.Upscale*n.Upscale, 3)
	return s
}

// Operations implements Generator.
func (n SRVGGNetCompact) Operations(h, w int) (sum int64) {
	for _, p := range n.Spec() {
		sum += p.operations(h * w)
	}
	return sum
}

// detectSRVGG reads the sizes. The last convolution gives channels * upscale^2 maps; the input is added, so the
// channels are the input's.
func detectSRVGG(f *folded) (Network, error) {
	last := f.maxIndex("body.", len(f.names))
	if !f.has("body.1.") && last > 1 {
		return nil, errors.New("an SRVGGNetCompact without body.1: its activation is ReLU or LeakyReLU; only PReLU is supported")
	}
	if last < 2 {
		return nil, fmt.Errorf("an SRVGGNetCompact with %d layers: the last are missing", last+1)
	}
	if last%2 != 0 {
		last++ // the last convolution is missing, which match will say
	}
	n := SRVGGNetCompact{
		NumInCh: f.dim("body.0.weight", 1, 3),
		NumFeat: f.dim("body.0.weight", 0, 64),
		NumConv: (last - 2) / 2,
	}
	n.NumOutCh = n.NumInCh
	maps := f.dim(fmt.Sprintf("body.%d.weight", last), 0, 16*n.NumOutCh)
	n.Upscale = int(math.Round(math.Sqrt(float64(maps) / float64(max(n.NumOutCh, 1)))))
	return n, nil
}
