package main

import (
	"fmt"
	"strings"

	"github.com/gopdd/gopdd/internal/weights"
	measure "github.com/gopdd/gopdd/metrics/report"
)

// lpipsFlags say where the weights of LPIPS are.
type lpipsFlags struct {
	LPIPSBackbone map[string]string `name:"lpips-backbone" placeholder:"NET=FILE" help:"Torchvision's weights for lpips_NET, NET being alex, vgg or squeeze. Default: what pdd weights get has fetched." group:"Measuring"`
	LPIPSHeads    map[string]string `name:"lpips-heads" placeholder:"NET=FILE" help:"Linear heads of lpips_NET. Default: what pdd weights get has fetched." group:"Measuring"`
}

// lpipsError marks what is no wrong usage of the metric's name.
type lpipsError struct{ error }

// lpipsNets loads the networks of LPIPS that metrics ask for, and keeps them until close.
type lpipsNets struct {
	flags  lpipsFlags
	device string
	closes []func() error
}

// load makes the LPIPS of a network.
func (l *lpipsNets) load(net string) (measure.Distance, error) {
	backbone, heads, err := l.flags.files(net)
	if err != nil {
		return nil, &lpipsError{err}
	}
	distance, closeNet, err := loadLPIPS(net, backbone, heads, l.device)
	if err != nil {
		return nil, &lpipsError{err}
	}
	l.closes = append(l.closes, closeNet)
	return distance, nil
}

func (l *lpipsNets) close() {
	for _, f := range l.closes {
		f()
	}
}

// files finds the weights of a network: those of the flags, else those in the cache.
func (f lpipsFlags) files(net string) (backbone, heads string, err error) {
	names := weights.LPIPS[net]
	backbone, heads = f.LPIPSBackbone[net], f.LPIPSHeads[net]
	if backbone != "" && heads != "" {
		return backbone, heads, nil
	}
	flags := fmt.Sprintf("or name files: --lpips-backbone %s=FILE --lpips-heads %s=FILE", net, net)
	dir, err := weights.DefaultDir()
	if err != nil {
		return "", "", fmt.Errorf("%w, %s", err, flags)
	}
	var missing []string
	for _, f := range []struct {
		path *string
		name string
	}{{&backbone, names.Backbone}, {&heads, names.Heads}} {
		if *f.path != "" {
			continue
		}
		entry, err := weights.Lookup(f.name)
		if err != nil {
			return "", "", err
		}
		var here bool
		if *f.path, here = entry.Find(dir); !here {
			missing = append(missing, f.name)
		}
	}
	if len(missing) > 0 {
		return "", "", fmt.Errorf("weights for lpips_%s are not on this machine yet: run: pdd weights get %s, %s",
			net, strings.Join(missing, " "), flags)
	}
	return backbone, heads, nil
}

// validateNets refuses networks that nobody knows.
func (f lpipsFlags) validateNets() error {
	for flag, files := range map[string]map[string]string{"--lpips-backbone": f.LPIPSBackbone, "--lpips-heads": f.LPIPSHeads} {
		for net := range files {
			if _, ok := weights.LPIPS[net]; !ok {
				return usagef("%s %s=…: want alex=FILE, vgg=FILE or squeeze=FILE", flag, net)
			}
		}
	}
	return nil
}
