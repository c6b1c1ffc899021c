package weightfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// layer is one line of a .param file.
type layer struct {
	kind, name string
	in, out    []string          // blobs
	params     map[int][]float64 // a scalar is a list of one
}

// param returns a scalar parameter, or without one the layer's default.
func (l *layer) param(key int, byDefault float64) float64 {
	if v := l.params[key]; len(v) == 1 {
		return v[0]
	}
	return byDefault
}

func (l *layer) String() string { return fmt.Sprintf("layer %s %q", l.kind, l.name) }

// openNCNN reads the graph in the text file param and its weights in the file bin.
func openNCNN(param, bin string) (*File, error) {
	weights, err := os.ReadFile(bin)
	if err != nil {
		return nil, fmt.Errorf("the weights of an ncnn graph lie in the .bin beside its .param: %w", err)
	}
	graph, err := readAtMost(param, indexLimit(int64(len(weights))))
	if err != nil {
		return nil, err
	}
	f, err := readNCNN(string(graph), weights)
	if err != nil {
		return nil, fmt.Errorf("ncnn: %w", err)
	}
	f.Parts = []string{param, bin}
	return f, nil
}

// readNCNN gives the weights, which have no names in ncnn, the names of PyTorch's state dict. For that the graph must
// be one of the two that recognise knows.
func readNCNN(graph string, weights []byte) (*File, error) {
	layers, err := parseParam(graph)
	if err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	net, err := recognise(layers)
	if err != nil {
		return nil, fmt.Errorf("graph: %w", err)
	}
	arrays, err := parseBin(net, weights)
	if err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	return &File{
		Format: NCNN, Size: int64(len(graph) + len(weights)),
		Metadata:  map[string]string{"ncnn.graph": net.family},
		Dicts:     []StateDict{{Arrays: arrays}},
		PostScale: net.postScale,
	}, nil
}

func readAtMost(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("%q is too large for an ncnn graph with these weights", path)
	}
	return text, err
}

// maxLayers bounds the lines of a graph: realesrgan-x4plus has 1082.
const maxLayers = 4096

// parseParam reads ncnn's text format: a magic number, the numbers of layers and blobs, and a line for each layer.
func parseParam(text string) ([]layer, error) {
	if strings.Count(text, "\n") > maxLayers {
		return nil, fmt.Errorf("more than %d layers: not a network of a known kind", maxLayers)
	}
	lines := strings.Split(strings.TrimRight(text, "\r\n \t"), "\n")
	if len(lines) < 2 || strings.TrimSpace(lines[0]) != "7767517" {
		return nil, errors.New("not an ncnn graph: the first line is not 7767517")
	}
	counts, err := integers(strings.Fields(lines[1]))
	if err != nil || len(counts) != 2 {
		return nil, fmt.Errorf("line 2 %.50q: want the numbers of layers and blobs", lines[1])
	}
	if counts[0] != len(lines)-2 {
		return nil, fmt.Errorf("%d layers announced, %d there: damaged or cut off", counts[0], len(lines)-2)
	}
	layers := make([]layer, 0, len(lines)-2)
	blobs := 0
	for i, line := range lines[2:] {
		l, err := parseLayer(strings.Fields(line))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+3, err)
		}
		blobs += len(l.out)
		layers = append(layers, l)
	}
	if counts[1] != blobs {
		return nil, fmt.Errorf("%d blobs announced, %d there: damaged", counts[1], blobs)
	}
	return layers, nil
}

func integers(words []string) ([]int, error) {
	out := make([]int, len(words))
	for i, w := range words {
		var err error
		if out[i], err = strconv.Atoi(w); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// parseLayer reads: kind name inputs outputs input-blobs.. output-blobs.. key=value..
func parseLayer(words []string) (layer, error) {
	if len(words) < 4 {
		return layer{}, errors.New("too short for a layer")
	}
	n, err := integers(words[2:4])
	rest := words[4:]
	if err != nil || n[0] < 0 || n[1] < 0 || n[0] > len(rest) || n[1] > len(rest)-n[0] {
		return layer{}, fmt.Errorf("%.50q inputs and %.50q outputs in a line of %d words", words[2], words[3], len(words))
	}
	l := layer{kind: words[0], name: words[1], in: rest[:n[0]], out: rest[n[0] : n[0]+n[1]], params: map[int][]float64{}}
	for _, word := range rest[n[0]+n[1]:] {
		if err := l.addParam(word); err != nil {
			return layer{}, fmt.Errorf("%s: %w", &l, err)
		}
	}
	return l, nil
}

// arrayKey marks the key of a list: list k is written as -(k+23300)=count,v1,v2,..
const arrayKey = -23300

func (l *layer) addParam(word string) error {
	name, text, ok := strings.Cut(word, "=")
	key, err := strconv.Atoi(name)
	if !ok || err != nil {
		return fmt.Errorf("%.50q is no parameter", word)
	}
	var values []float64
	for _, t := range strings.Split(text, ",") {
		v, err := strconv.ParseFloat(t, 64)
		if err != nil {
			return fmt.Errorf("parameter %.50q: %w", word, err)
		}
		values = append(values, v)
	}
	if key <= arrayKey {
		key = arrayKey - key
		if int(values[0]) != len(values)-1 {
			return fmt.Errorf("parameter %.50q: a list of another length than it says", word)
		}
		values = values[1:]
	} else if len(values) != 1 {
		return fmt.Errorf("parameter %.50q: a list where a number belongs", word)
	}
	if _, twice := l.params[key]; twice {
		return fmt.Errorf("parameter %d comes twice", key)
	}
	l.params[key] = values
	return nil
}

// The tags in front of a convolution's weights.
const (
	tagF32 = 0
	tagF16 = 0x01306B47
)

// parseBin cuts the weights into arrays, in the order of the graph's layers.
func parseBin(net *ncnnNet, data []byte) ([]Array, error) {
	r := binReader{data: data}
	for i, l := range net.weighted {
		key := net.keys[i]
		if l.kind == "PReLU" {
			r.array(key+".weight", F32, int(l.param(0, 0)))
			continue
		}
		outputs, count := int(l.param(0, 0)), int(l.param(6, 0))
		inputs := count / max(outputs*9, 1)
		if outputs < 1 || inputs < 1 || inputs*outputs*9 != count {
			return nil, fmt.Errorf("%s: %d weights for %d outputs of a 3x3 convolution", l, count, outputs)
		}
		switch tag := r.uint32(); {
		case tag == tagF16:
			r.array(key+".weight", F16, outputs, inputs, 3, 3)
		case tag == tagF32:
			r.array(key+".weight", F32, outputs, inputs, 3, 3)
		case r.err == nil:
			return nil, fmt.Errorf("%s: weights with the tag %#x; only float16 and float32 are read", l, tag)
		}
		r.array(key+".bias", F32, outputs)
	}
	if r.err == nil && len(r.data) > 0 {
		r.err = fmt.Errorf("%d bytes after the last weight: the files do not belong together", len(r.data))
	}
	return r.arrays, r.err
}

// binReader takes arrays from the front of data; the first error stays.
type binReader struct {
	data   []byte
	arrays []Array
	err    error
}

func (r *binReader) uint32() uint32 {
	if r.err == nil && len(r.data) < 4 {
		r.err = io.ErrUnexpectedEOF
	}
	if r.err != nil {
		return 0
	}
	v := binary.LittleEndian.Uint32(r.data)
	r.data = r.data[4:]
	return v
}

// array takes an array and the zeros that fill its bytes up to a multiple of 4.
func (r *binReader) array(name string, dtype DType, shape ...int) {
	if r.err != nil {
		return
	}
	a, err := newArray(name, dtype, shape, r.data)
	if err != nil {
		r.err = fmt.Errorf("damaged or cut off: %w", err)
		return
	}
	end := (a.Bytes() + 3) &^ 3
	if end > len(r.data) {
		r.err = io.ErrUnexpectedEOF
		return
	}
	r.arrays = append(r.arrays, a)
	r.data = r.data[end:]
}
