// Package arch finds out which network a list of named arrays belongs to, and its sizes, from names and shapes alone.
//
// It builds no network and computes nothing with the weights: package models does that, with the names this package
// folds every dialect into. The networks are [RRDBNet], [SRVGGNetCompact], [VGG], [AlexNet], [SqueezeNet11] and
// [UNetDiscriminator]; each has a Spec, the names and shapes it consists of.
//
//	f, err := weightfile.Open(path)
//	if err != nil { ... }
//	d, err := arch.DetectFile(f, "")
//	if err != nil { ... } // lists all missing, unexpected and misshapen arrays
//	switch n := d.Network.(type) {
//	case arch.RRDBNet:
//		build(n.NumFeat, n.NumBlock, d.Arrays["conv_first.weight"], ...)
//	}
package arch

import (
	"fmt"
	"strings"

	"github.com/gopdd/gopdd/internal/weightfile"
)

// Network is one of the networks with its sizes: RRDBNet, SRVGGNetCompact, VGG, AlexNet, SqueezeNet11 or
// UNetDiscriminator.
type Network interface {
	// Name is the network's usual name, e.g. "RRDBNet" or "VGG19".
	Name() string
	// Spec lists the network's arrays under their canonical names, in the order in which PyTorch creates them.
	Spec() Spec
}

// Generator is a Network that enlarges images: RRDBNet or SRVGGNetCompact.
type Generator interface {
	Network
	// Operations counts the multiplications and additions of the convolutions, computed directly, for an image of h×w
	// pixels.
	Operations(h, w int) int64
}

// Spec is what a network consists of.
type Spec []Param

// Param is one array of a network.
type Param struct {
	Name  string
	Shape []int
}

// conv adds a convolution's weight [out, in, k, k] and bias [out].
func (s *Spec) conv(name string, in, out, k int) {
	*s = append(*s, Param{name + ".weight", []int{out, in, k, k}}, Param{name + ".bias", []int{out}})
}

// operations of a direct convolution are a multiplication and an addition for each weight and output pixel.
func (p Param) operations(pixels int) int64 {
	if len(p.Shape) != 4 {
		return 0
	}
	n := 2 * int64(pixels)
	for _, side := range p.Shape {
		n *= int64(side)
	}
	return n
}

// Description is a network found in a file, with its weights.
type Description struct {
	Network   Network
	Entry     string  // the entry of the file that was taken, "" for the file itself; set by DetectFile
	Dialect   string  // whose names the arrays have: see the Dialect constants
	PostScale float64 // bicubic resize behind the network (weightfile.File.PostScale), 1 for none

	// Arrays holds exactly the network's arrays, under their canonical names and with the file's names inside.
	Arrays map[string]weightfile.Array
	// Ignored names the arrays of the file that the network does not need, such as a classifier.
	Ignored []string
}

// DetectFile selects an entry of the file (weightfile.File.Select; "" takes the preferred one) and detects its network.
func DetectFile(f *weightfile.File, entry string) (Description, error) {
	dict, err := f.Select(entry)
	if err != nil {
		return Description{}, err
	}
	d, err := Detect(dict.Arrays)
	if err != nil {
		return Description{}, fmt.Errorf("%w (file %q, entry %q)", err, f.Path, dict.Key)
	}
	d.Entry, d.PostScale = dict.Key, f.PostScale
	return d, nil
}

// Detect finds the network that the arrays are the weights of. The error lists everything that is missing, unexpected
// or misshapen (see [MismatchError]), or says what the names look like instead.
func Detect(arrays []weightfile.Array) (Description, error) {
	d, err := detect(arrays)
	if err != nil {
		return Description{}, fmt.Errorf("arch: detect the network of %d arrays: %w", len(arrays), err)
	}
	return d, nil
}

func detect(arrays []weightfile.Array) (Description, error) {
	folded, err := fold(arrays)
	if err != nil {
		return Description{}, err
	}
	net, err := folded.network()
	if err != nil {
		return Description{}, err
	}
	d := Description{Network: net, Dialect: folded.dialect, Ignored: folded.ignored, PostScale: 1}
	if d.Arrays, err = match(net, folded); err != nil {
		return Description{}, err
	}
	return d, nil
}

// network finds the network and its sizes from the canonical names. Where an array that tells a size is missing, the
// usual size stands in: match reports the array.
func (f *folded) network() (Network, error) {
	switch {
	case f.has("body.0.rdb1."):
		return detectRRDBNet(f)
	case f.has("body.0.weight"):
		return detectSRVGG(f)
	case f.has("features."):
		return detectTorchvision(f)
	case f.has("conv_0.weight") && f.has("conv_1.weight_orig"):
		return UNetDiscriminator{NumInCh: f.dim("conv_0.weight", 1, 3), NumFeat: f.dim("conv_0.weight", 0, 64)}, nil
	}
	return nil, fmt.Errorf("unknown network: known are RRDBNet (ESRGAN), SRVGGNetCompact, VGG16, VGG19, AlexNet, SqueezeNet 1.1 "+
		"and the U-Net discriminator; the first names are %s", strings.Join(f.firstNames(6), ", "))
}
