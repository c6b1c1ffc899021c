package lpips

import (
	"fmt"

	"github.com/gopdd/gopdd/models"
)

// Net is the classification network whose features are compared.
type Net uint8

// The networks of LPIPS v0.1. Papers on super-resolution mostly report Alex or VGG; values of different networks have
// nothing to do with each other.
const (
	Alex    Net = iota // AlexNet: the fastest, the authors' recommendation as a metric
	VGG                // VGG16: the authors' recommendation as a loss
	Squeeze            // SqueezeNet 1.1
)

// network is what there is to know about a Net.
type network struct {
	name   string
	load   func(path string, opts ...models.LoadOption) (*models.Features, error)
	layers []layer

	minSide int // the deepest layer has nothing to see in smaller pictures
	// halo is at least how far, in pixels, a position of the deepest layer sees beyond the square that it stands for; a
	// multiple of the deepest stride.
	halo int
	// pixelBytes is what the tensors of one pair take at their peak, per pixel, beside the filters of a convolution as our
	// kernels transform them: 38 MB for VGG's largest.
	pixelBytes int64
}

// layer is a layer whose features are compared.
type layer struct {
	name     string
	channels int64
	stride   int // picture pixels from one position to the next
}

// deepest is the stride of all networks' last layers.
const deepest = 16

var networks = [...]network{
	Alex: {
		name: "alex", load: models.LoadAlexNet, minSide: 31, halo: 96, pixelBytes: 140,
		layers: []layer{{"relu1", 64, 4}, {"relu2", 192, 8}, {"relu3", 384, 16}, {"relu4", 256, 16}, {"relu5", 256, 16}},
	},
	VGG: {
		name: "vgg", load: models.LoadVGG16, minSide: 16, halo: 96, pixelBytes: 1150,
		layers: []layer{{"relu1_2", 64, 1}, {"relu2_2", 128, 2}, {"relu3_3", 256, 4}, {"relu4_3", 512, 8}, {"relu5_3", 512, 16}},
	},
	Squeeze: {
		name: "squeeze", load: models.LoadSqueezeNet, minSide: 17, halo: 112, pixelBytes: 380,
		layers: []layer{{"relu1", 64, 2}, {"fire3", 128, 4}, {"fire5", 256, 8},
			{"fire6", 384, 16}, {"fire7", 384, 16}, {"fire8", 512, 16}, {"fire9", 512, 16}},
	},
}

// ParseNet reads "alex", "vgg" or "squeeze".
func ParseNet(name string) (Net, error) {
	for i, n := range networks {
		if n.name == name {
			return Net(i), nil
		}
	}
	return 0, fmt.Errorf("lpips: network %q: want alex, vgg or squeeze", name)
}

// String is the name that [ParseNet] reads.
func (n Net) String() string {
	if int(n) < len(networks) {
		return networks[n].name
	}
	return fmt.Sprintf("Net(%d)", n)
}

// Layers names the layers whose features are compared, from the input to the deepest, as [models.Features] does.
func (n Net) Layers() []string {
	names := make([]string, len(networks[n].layers))
	for i, l := range networks[n].layers {
		names[i] = l.name
	}
	return names
}

// MinSide is the smallest side of a picture, in pixels.
func (n Net) MinSide() int { return networks[n].minSide }
