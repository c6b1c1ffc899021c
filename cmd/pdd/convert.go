package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/gopdd/gopdd/internal/arch"
	"github.com/gopdd/gopdd/internal/weightfile"
)

type weightsConvertCmd struct {
	In string `arg:"" help:"Weight file (.pth, .safetensors, ncnn .param) or name of the catalogue."`
	networkOut
	Entry string `placeholder:"KEY" help:"Entry of the input to take, like params_ema. Default: the usual one."`
}

// Run converts one file. The arrays of a known network get the names that Real-ESRGAN and torchvision use, in
// PyTorch's order, and what the network does not need is left out; others are copied as they are. The numbers and
// their types stay the same, unless Half is wanted.
func (c *weightsConvertCmd) Run(e *env) error {
	path, err := c.source(c.In)
	if err != nil {
		return err
	}
	arrays, metadata, err := readNetwork(path, c.Entry)
	if err != nil {
		return err
	}
	return c.write(e, arrays, metadata)
}

// networkOut is the file that a command writes a network to.
type networkOut struct {
	Out  string `arg:"" help:"File to write: .safetensors or .pth."`
	Half bool   `help:"Store the numbers as float16: half the size of float32, and as good for upscaling."`
}

// source is the path of an input, which the output must not overwrite.
func (o networkOut) source(in string) (string, error) {
	if ext := o.ext(); ext != ".safetensors" && ext != ".pth" {
		return "", usagef("cannot write %q: use .safetensors or .pth", o.Out)
	}
	path, err := weightsPath(in)
	if err == nil && realPath(path) == realPath(o.Out) {
		err = usagef("%s would overwrite the input", o.Out)
	}
	return path, err
}

func (o networkOut) ext() string { return strings.ToLower(filepath.Ext(o.Out)) }

func (o networkOut) write(e *env, arrays []weightfile.Array, metadata map[string]string) (err error) {
	if o.Half {
		for i := range arrays {
			if arrays[i], err = arrays[i].Half(); err != nil {
				return err
			}
		}
	}
	if o.ext() == ".pth" {
		err = weightfile.WritePth(o.Out, weightfile.StateDict{Key: "params_ema", Arrays: arrays})
	} else {
		err = weightfile.WriteSafetensors(o.Out, arrays, metadata)
	}
	if err == nil {
		_, err = fmt.Fprintf(e.stdout, "%s: %s, %d arrays\n", o.Out, metadata["network"], len(arrays))
	}
	return err
}

// readNetwork reads the arrays of a network under their canonical names, and says where they come from.
func readNetwork(path, entry string) ([]weightfile.Array, map[string]string, error) {
	f, err := weightfile.Open(path)
	if err != nil {
		return nil, nil, err
	}
	dict, err := f.Select(entry)
	if err != nil {
		return nil, nil, err
	}
	if f.PostScale != 1 {
		return nil, nil, fmt.Errorf("%s resizes by %g behind the network, which no other format can say: convert the file without the resize", path, f.PostScale)
	}
	metadata := map[string]string{"source": filepath.Base(path), "writer": "pdd " + version(), "network": "unknown network"}
	d, err := arch.Detect(dict.Arrays)
	var mismatch *arch.MismatchError
	switch {
	case errors.As(err, &mismatch):
		return nil, nil, err // one of ours, damaged
	case err != nil:
		return dict.Arrays, metadata, nil // none of ours
	}
	metadata["network"] = d.Network.Name()
	spec := d.Network.Spec()
	arrays := make([]weightfile.Array, len(spec))
	for i, param := range spec {
		arrays[i] = d.Arrays[param.Name]
		arrays[i].Name = param.Name
	}
	return arrays, metadata, nil
}
