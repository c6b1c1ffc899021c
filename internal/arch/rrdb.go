package arch

import "fmt"

// RRDBNet is the generator of ESRGAN and Real-ESRGAN (BasicSR's rrdbnet_arch).
type RRDBNet struct {
	NumInCh   int `json:"num_in_ch"` // of the image; conv_first sees 4 or 16 times as many at scale 2 or 1
	NumOutCh  int `json:"num_out_ch"`
	NumFeat   int `json:"num_feat"`
	NumBlock  int `json:"num_block"`
	NumGrowCh int `json:"num_grow_ch"`
	Scale     int `json:"scale"` // 4, 2 or 1: output side / input side
}

// Name is "RRDBNet".
func (RRDBNet) Name() string { return "RRDBNet" }

// Unshuffle is the factor of the pixel-unshuffle in front of conv_first: 1, 2 or 4.
func (n RRDBNet) Unshuffle() int { return 4 / n.Scale }

// Spec implements Network.
func (n RRDBNet) Spec() Spec {
	var s Spec
	s.conv("conv_first", n.NumInCh*n.Unshuffle()*n.Unshuffle(), n.NumFeat, 3)
	for b := range n.NumBlock {
		for r := range 3 {
			for c := range 5 {
				out := n.NumGrowCh
				if c == 4 {
					out = n.NumFeat
				}
				s.conv(fmt.Sprintf("body.%d.rdb%d.conv%d", b, r+1, c+1), n.NumFeat+c*n.NumGrowCh, out, 3)
			}
		}
	}
	for _, name := range []string{"conv_body", "conv_up1", "conv_up2", "conv_hr"} {
		s.conv(name, n.NumFeat, n.NumFeat, 3)
	}
	s.conv("conv_last", n.NumFeat, n.NumOutCh, 3)
	return s
}

// Operations implements Generator.
func (n RRDBNet) Operations(h, w int) (sum int64) {
	features := h / n.Unshuffle() * (w / n.Unshuffle())
	enlarged := map[string]int{"conv_up1.weight": 4, "conv_up2.weight": 16, "conv_hr.weight": 16, "conv_last.weight": 16}
	for _, p := range n.Spec() {
		sum += p.operations(features * max(enlarged[p.Name], 1))
	}
	return sum
}

// detectRRDBNet reads the sizes. As in spandrel, 4 or 16 times the output's channels at the entrance mean a
// pixel-unshuffle by 2 or 4: an RRDBNet for scale 2 or 1.
func detectRRDBNet(f *folded) (Network, error) {
	n := RRDBNet{
		NumInCh:   f.dim("conv_first.weight", 1, 3),
		NumOutCh:  f.dim("conv_last.weight", 0, 3),
		NumFeat:   f.dim("conv_first.weight", 0, 64),
		NumBlock:  f.maxIndex("body.", len(f.names)/4) + 1,
		NumGrowCh: f.dim("body.0.rdb1.conv1.weight", 0, 32),
		Scale:     4,
	}
	switch n.NumInCh {
	case 4 * n.NumOutCh:
		n.NumInCh, n.Scale = n.NumOutCh, 2
	case 16 * n.NumOutCh:
		n.NumInCh, n.Scale = n.NumOutCh, 1
	}
	return n, nil
}
