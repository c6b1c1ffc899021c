package models

import (
	"unsafe"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/conv"
	"github.com/gopdd/gopdd/tensor"
)

// fastSRVGG is an [SRVGGNetCompact] in the kernels of package conv.
type fastSRVGG struct {
	SRVGGNetCompactConfig
	*packed
	layers []conv.Layer
}

// pack implements packable.
func (n *SRVGGNetCompact) pack(p *packing, w *packed) Generator {
	f := &fastSRVGG{SRVGGNetCompactConfig: n.cfg, packed: w}
	for i, conv := range n.convs {
		var slope []float32
		if i < len(n.slopes) {
			slope = p.s.Float32s(n.slopes[i])
		}
		if i == 0 {
			f.layers = append(f.layers, p.first(conv, slope, n.cfg.NumInCh))
		} else {
			f.layers = append(f.layers, p.layer(conv, slope, 1, n.cfg.NumFeat))
		}
	}
	return f
}

// Scale implements [Generator].
func (f *fastSRVGG) Scale() int { return f.Upscale }

// Multiple implements [Generator].
func (f *fastSRVGG) Multiple() int { return 1 }

// Reach implements [Generator].
func (f *fastSRVGG) Reach() int { return f.reach() }

// Forward implements [Generator].
func (f *fastSRVGG) Forward(s *tensor.Scope, x torch.Tensor) torch.Tensor {
	f.check(s)
	checkImage(s, "srvggnetcompact", x, f.NumInCh, 1)
	return eachImage(s, x, f.NumOutCh, f.Upscale, func(s *tensor.Scope, image, result unsafe.Pointer, h, w int) {
		m := newWorkspace(s, f.kind, func(m *workspace) { f.pictures(m, h, w) })
		in, y, maps := f.pictures(m, h, w)
		in.Read(image, f.NumInCh, 1, m.threads)
		last := len(f.layers) - 1
		for i, l := range f.layers[:last] {
			m.run(l, conv.Job{In: pair(in), Out: y[i%2]})
			in = y[i%2]
		}
		for from := 0; from < h; from += tailRows {
			to := min(from+tailRows, h)
			m.band(f.layers[last], conv.Job{In: pair(in), Height: h, From: from, To: to}, &maps)
			maps.Write(result, image, from, to, f.NumOutCh, h, f.Upscale, m.threads)
		}
	})
}

// Memory implements [Sized].
func (f *fastSRVGG) Memory(h, w, threads int) int64 {
	return 4 * count(f.kind, threads, func(m *workspace) { f.pictures(m, h, w) })
}

// pictures makes room for the image, features, and a band of what the pixel shuffle takes.
func (f *fastSRVGG) pictures(m *workspace, h, w int) (image conv.Planes, features [2]conv.Planes, maps conv.Planes) {
	m.scratchFor(f.layers...)
	for i := range features {
		features[i] = m.seen(f.NumFeat, h, w)
	}
	return m.image(f.NumInCh, h, w), features, m.result(f.NumOutCh*f.Upscale*f.Upscale, min(h, tailRows), w)
}
