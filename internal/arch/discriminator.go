package arch

import "fmt"

// UNetDiscriminator is Real-ESRGAN's UNetDiscriminatorSN. Whether its skip connections are in use is not in its
// weights: all published ones use them.
type UNetDiscriminator struct {
	NumInCh int `json:"num_in_ch"`
	NumFeat int `json:"num_feat"`
}

// Name is "UNetDiscriminator".
func (UNetDiscriminator) Name() string { return "UNetDiscriminator" }

// Spec implements Network. conv_1 to conv_8 have spectral norm: a weight and the two vectors of its power iteration.
func (n UNetDiscriminator) Spec() Spec {
	var s Spec
	s.conv("conv_0", n.NumInCh, n.NumFeat, 3)
	f := n.NumFeat
	for i, c := range []struct{ in, out, k int }{
		{f, 2 * f, 4}, {2 * f, 4 * f, 4}, {4 * f, 8 * f, 4},
		{8 * f, 4 * f, 3}, {4 * f, 2 * f, 3}, {2 * f, f, 3}, {f, f, 3}, {f, f, 3},
	} {
		name := fmt.Sprintf("conv_%d.", i+1)
		s = append(s,
			Param{name + "weight_orig", []int{c.out, c.in, c.k, c.k}},
			Param{name + "weight_u", []int{c.out}},
			Param{name + "weight_v", []int{c.in * c.k * c.k}})
	}
	s.conv("conv_9", f, 1, 3)
	return s
}
