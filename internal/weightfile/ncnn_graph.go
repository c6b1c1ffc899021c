package weightfile

import (
	"errors"
	"fmt"
	"slices"
)

// ncnnNet is a recognised graph.
type ncnnNet struct {
	family    string
	weighted  []*layer // the layers that have weights, in the order of the .bin
	keys      []string // their names in PyTorch's state dict
	postScale float64  // of the bicubic resize behind the network; 1 for none
}

// expressions numbers the values that a graph computes: two values have the same number exactly if the same layers
// compute them from the same input. So two graphs are equal if their outputs have the same number, however their
// blobs are called and their copies arranged.
type expressions map[string]int

// of returns the number of the value that op computes from others.
func (e expressions) of(op string, args ...int) int {
	key := op + fmt.Sprint(args)
	id, ok := e[key]
	if !ok {
		id = len(e)
		e[key] = id
	}
	return id
}

func (e expressions) add(a, b int) int { return e.of("add", min(a, b), max(a, b)) }

// recognise finds which of the known networks the graph is, by comparing what it computes with what that network
// computes. Every other graph is refused, with the first layer that differs.
func recognise(layers []layer) (*ncnnNet, error) {
	net := &ncnnNet{postScale: 1}
	hasPReLU := false
	for i := range layers {
		switch layers[i].kind {
		case "PReLU":
			hasPReLU = true
			fallthrough
		case "Convolution":
			net.weighted = append(net.weighted, &layers[i])
		}
	}
	e := expressions{}
	want := -1
	if n := len(net.weighted); hasPReLU {
		last := layers[len(layers)-1]
		if last.kind == "Interp" && last.param(0, 0) == 3 {
			net.postScale = last.param(1, 1)
		}
		want = net.srvgg(e, layers, n)
	} else if n >= 21 && (n-6)%15 == 0 {
		want = net.rrdb(e, (n-6)/15)
	}
	if want < 0 {
		return nil, fmt.Errorf("unknown network of %d weighted layers: known are RRDBNet as in realesrgan-x4plus and SRVGGNetCompact as in realesr-animevideov3",
			len(net.weighted))
	}
	known := len(e)
	got, stranger, err := evaluate(e, layers, known)
	if err != nil {
		return nil, err
	}
	if got != want {
		return nil, fmt.Errorf("not the graph of %s: %s is not part of it or not in its place", net.family, stranger)
	}
	return net, nil
}

// rrdb numbers the output of RRDBNet with 4 times the input's sides.
func (n *ncnnNet) rrdb(e expressions, blocks int) int {
	n.family = "RRDBNet"
	conv := func(key string, in int) int {
		n.keys = append(n.keys, key)
		return e.of(fmt.Sprintf("conv%d", len(n.keys)-1), in)
	}
	leaky := func(key string, in int) int { return e.of("leaky0.2", conv(key, in)) }
	residual := func(x, skip int) int { return e.of("sum[0.2 1]", x, skip) }

	first := conv("conv_first", e.of("input"))
	x := first
	for b := range blocks {
		block := x
		for r := range 3 {
			dense := []int{x}
			for c := range 4 {
				in := dense[0]
				if c > 0 {
					in = e.of("concat", dense...)
				}
				dense = append(dense, leaky(fmt.Sprintf("body.%d.rdb%d.conv%d", b, r+1, c+1), in))
			}
			x = residual(conv(fmt.Sprintf("body.%d.rdb%d.conv5", b, r+1), e.of("concat", dense...)), x)
		}
		x = residual(x, block)
	}
	x = e.add(first, conv("conv_body", x))
	x = leaky("conv_up1", e.of("nearest2", x))
	x = leaky("conv_up2", e.of("nearest2", x))
	return conv("conv_last", leaky("conv_hr", x))
}

// srvgg numbers the output of SRVGGNetCompact with n weighted layers: convolutions and PReLUs in turn, and a pixel
// shuffle whose factor is the graph's. It is -1 where the number of layers does not fit.
func (n *ncnnNet) srvgg(e expressions, layers []layer, count int) int {
	n.family = "SRVGGNetCompact"
	shuffle := slices.IndexFunc(layers, func(l layer) bool { return l.kind == "PixelShuffle" })
	if count < 3 || count%2 == 0 || shuffle < 0 {
		return -1
	}
	factor := layers[shuffle].param(0, 1)
	input := e.of("input")
	x := input
	for w := range count {
		n.keys = append(n.keys, fmt.Sprintf("body.%d", w))
		x = e.of(fmt.Sprintf("%s%d", []string{"conv", "prelu"}[w%2], w), x)
	}
	x = e.add(e.of(fmt.Sprintf("shuffle%g", factor), x), e.of(fmt.Sprintf("nearest%g", factor), input))
	if n.postScale != 1 {
		x = e.of(fmt.Sprintf("bicubic%g", n.postScale), x)
	}
	return x
}

// evaluate numbers the blob called output. It also tells the first layer that computes something not among the first
// known expressions.
func evaluate(e expressions, layers []layer, known int) (output int, stranger fmt.Stringer, err error) {
	blobs := map[string]int{}
	weighted := 0
	for i := range layers {
		l := &layers[i]
		args := make([]int, len(l.in))
		for j, name := range l.in {
			id, ok := blobs[name]
			if !ok {
				return 0, nil, fmt.Errorf("%s reads %q, which no layer before it writes", l, name)
			}
			args[j] = id
		}
		id, err := l.evaluate(e, args, &weighted)
		if err != nil {
			return 0, nil, fmt.Errorf("%s: %w", l, err)
		}
		if id >= known && stranger == nil {
			stranger = l
		}
		for _, name := range l.out {
			if _, twice := blobs[name]; twice {
				return 0, nil, fmt.Errorf("%s writes %q a second time", l, name)
			}
			blobs[name] = id
		}
	}
	output, ok := blobs["output"]
	if !ok {
		return 0, nil, errors.New(`no layer writes the blob "output"`)
	}
	if stranger == nil {
		stranger = &layers[len(layers)-1] // all layers are known ones, but some are missing
	}
	return output, stranger, nil
}

// layerKinds has, per kind of layer, the number of its input blobs (-1 for any) and the keys of the parameters that
// are understood; a graph with others is refused rather than read wrongly.
var layerKinds = map[string]struct {
	arity   int
	allowed []int
}{
	"Input":        {0, nil},
	"Split":        {1, nil},
	"Convolution":  {1, []int{0, 1, 11, 2, 12, 3, 13, 4, 14, 5, 6, 9, 10}},
	"PReLU":        {1, []int{0}},
	"Concat":       {-1, []int{0}},
	"Eltwise":      {2, []int{0, 1}},
	"BinaryOp":     {2, []int{0}},
	"Interp":       {1, []int{0, 1, 2}},
	"PixelShuffle": {1, []int{0}},
}

// evaluate numbers what the layer computes from its inputs. weighted counts the layers with weights.
func (l *layer) evaluate(e expressions, args []int, weighted *int) (int, error) {
	kind, ok := layerKinds[l.kind]
	if !ok || (kind.arity >= 0 && kind.arity != len(args)) {
		return 0, fmt.Errorf("a layer of this kind with %d inputs is in no known network", len(args))
	}
	for key := range l.params {
		if !slices.Contains(kind.allowed, key) {
			return 0, fmt.Errorf("its parameter %d is in no known network", key)
		}
	}
	switch l.kind {
	case "Input":
		return e.of("input"), nil
	case "Split":
		return args[0], nil
	case "PReLU":
		*weighted++
		return e.of(fmt.Sprintf("prelu%d", *weighted-1), args...), nil
	case "Convolution":
		*weighted++
		return l.convolution(e, e.of(fmt.Sprintf("conv%d", *weighted-1), args...))
	case "Concat":
		if l.param(0, 0) != 0 {
			return 0, errors.New("it does not join channels")
		}
		return e.of("concat", args...), nil
	case "Eltwise":
		if l.param(0, 0) != 1 {
			return 0, errors.New("it is not a sum")
		}
		return e.of(fmt.Sprintf("sum%g", l.params[1]), args...), nil
	case "BinaryOp":
		if l.param(0, 0) != 0 {
			return 0, errors.New("it is not an addition")
		}
		return e.add(args[0], args[1]), nil
	case "PixelShuffle":
		return e.of(fmt.Sprintf("shuffle%g", l.param(0, 1)), args...), nil
	default: // Interp
		mode := map[float64]string{1: "nearest", 2: "bilinear", 3: "bicubic"}[l.param(0, 0)]
		if l.param(1, 1) != l.param(2, 1) {
			return 0, errors.New("it scales height and width differently")
		}
		return e.of(fmt.Sprintf("%s%g", mode, l.param(1, 1)), args...), nil
	}
}

// convolution checks that the layer is a 3x3 convolution with stride 1, padding 1 and a bias, numbered conv, and
// numbers it with its activation.
func (l *layer) convolution(e expressions, conv int) (int, error) {
	for _, p := range []struct {
		what      string
		key, also int // also: the same for the height, by default equal
		byDefault float64
		want      float64
	}{{"kernel", 1, 11, 0, 3}, {"dilation", 2, 12, 1, 1}, {"stride", 3, 13, 1, 1}, {"padding", 4, 14, 0, 1}, {"bias", 5, 5, 0, 1}} {
		width := l.param(p.key, p.byDefault)
		if height := l.param(p.also, width); width != p.want || height != p.want {
			return 0, fmt.Errorf("%s %gx%g, known networks have %g", p.what, width, height, p.want)
		}
	}
	switch activation, args := l.param(9, 0), l.params[10]; {
	case activation == 0:
		return conv, nil
	case activation == 2 && len(args) == 1:
		return e.of(fmt.Sprintf("leaky%g", args[0]), conv), nil
	default:
		return 0, fmt.Errorf("activation %g with %v is in no known network", activation, args)
	}
}
