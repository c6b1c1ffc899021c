package models

import (
	"unsafe"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/conv"
	"github.com/gopdd/gopdd/tensor"
)

// fastRRDBNet is an [RRDBNet] in the kernels of package conv.
type fastRRDBNet struct {
	RRDBNetConfig
	*packed
	first  conv.Layer
	blocks [][3]fastDenseBlock
	body   conv.Layer
	up     [2]conv.Layer
	hr     conv.Layer
	last   conv.Layer
}

// fastDenseBlock is a denseBlock; the last layer's weights carry the factors of the residual branches.
type fastDenseBlock [5]conv.Layer

// pack implements packable.
func (n *RRDBNet) pack(p *packing, w *packed) Generator {
	c := n.cfg
	f := &fastRRDBNet{RRDBNetConfig: c, packed: w, blocks: make([][3]fastDenseBlock, c.NumBlock)}
	f.first = p.first(n.first, nil, c.unshuffled())
	for i := range n.blocks {
		for j := range n.blocks[i] {
			gain := float32(residualScale)
			if j == len(n.blocks[i])-1 { // the RRDB's own residual branch ends here too
				gain *= residualScale
			}
			f.blocks[i][j] = newFastDenseBlock(p, &n.blocks[i][j], c, gain)
		}
	}
	f.body = p.layer(n.body, nil, 1, c.NumFeat)
	for i := range n.up {
		f.up[i] = p.leaky(n.up[i], c.NumFeat)
	}
	f.hr = p.leaky(n.hr, c.NumFeat)
	f.last = p.layer(n.last, nil, 1, c.NumFeat)
	return f
}

func newFastDenseBlock(p *packing, b *denseBlock, c RRDBNetConfig, gain float32) (f fastDenseBlock) {
	in := []int{c.NumFeat}
	for i := range 4 {
		f[i] = p.leaky(b[i], in...)
		in = append(in, c.NumGrowCh)
	}
	f[4] = p.layer(b[4], nil, gain, in...)
	return f
}

// Scale implements [Generator].
func (f *fastRRDBNet) Scale() int { return f.RRDBNetConfig.Scale }

// Multiple implements [Generator].
func (f *fastRRDBNet) Multiple() int { return f.unshuffle() }

// Reach implements [Generator].
func (f *fastRRDBNet) Reach() int { return f.reach() }

// Forward implements [Generator].
func (f *fastRRDBNet) Forward(s *tensor.Scope, x torch.Tensor) torch.Tensor {
	f.check(s)
	checkImage(s, "rrdbnet", x, f.NumInCh, f.Multiple())
	return eachImage(s, x, f.NumOutCh, f.Scale(), func(s *tensor.Scope, image, result unsafe.Pointer, h, w int) {
		h, w = h/f.unshuffle(), w/f.unshuffle()
		m := newWorkspace(s, f.kind, func(m *workspace) { f.pictures(m, h, w) })
		p := f.pictures(m, h, w)
		p.x.Read(image, f.NumInCh, f.unshuffle(), m.threads)
		f.enlarge(m, f.features(m, p), p, result)
	})
}

// Memory implements [Sized].
func (f *fastRRDBNet) Memory(h, w, threads int) int64 {
	return 4 * count(f.kind, threads, func(m *workspace) { f.pictures(m, h/f.unshuffle(), w/f.unshuffle()) })
}

// rrdbPictures are those of a forward pass.
type rrdbPictures struct {
	x, head conv.Planes    // the image, and what conv_first makes of it
	y       [3]conv.Planes // outputs of dense blocks
	grown   conv.Planes    // what the convolutions of a dense block add

	up1, up2, hr, last conv.Planes // a band of each picture of enlarge
}

// tailRows is how many rows of features are enlarged at a time, so that the pictures of 16 times as many pixels stay
// small.
const tailRows = 32

// pictures makes room for features of h × w pixels.
func (f *fastRRDBNet) pictures(m *workspace, h, w int) (p rrdbPictures) {
	m.scratchFor(f.first, f.blocks[0][0][4], f.body)
	p.x, p.head = m.image(f.unshuffled(), h, w), m.added(f.NumFeat, h, w)
	for i := range p.y {
		p.y[i] = m.added(f.NumFeat, h, w)
	}
	p.grown = m.seen(4*f.kind.Blocks(f.NumGrowCh)*conv.Block, h, w)
	rows := min(h, tailRows)
	p.up1 = m.seen(f.NumFeat, min(2*h, 2*rows+16), 2*w)
	p.up2 = m.seen(f.NumFeat, min(4*h, 4*rows+16), 4*w)
	p.hr = m.seen(f.NumFeat, min(4*h, 4*rows+8), 4*w)
	p.last = m.result(f.NumOutCh, 4*rows, 4*w)
	return p
}

// features are the picture in front of the enlargement.
func (f *fastRRDBNet) features(m *workspace, p rrdbPictures) conv.Planes {
	m.run(f.first, conv.Job{In: pair(p.x), Out: p.head})
	in := p.head
	for i := range f.blocks {
		f.rrdb(m, &f.blocks[i], in, p.y, p.grown)
		in = p.y[0]
	}
	m.run(f.body, conv.Job{In: pair(in), Add: pair(p.head), Scale: [2]float32{1}, Out: p.y[1]})
	return p.y[1]
}

// rrdb puts block b's output for x into y[0], which may be x. grown has room for what a dense block adds.
func (f *fastRRDBNet) rrdb(m *workspace, b *[3]fastDenseBlock, x conv.Planes, y [3]conv.Planes, grown conv.Planes) {
	b[0].run(m, conv.Job{In: pair(x), Add: pair(x), Scale: [2]float32{1}, Out: y[1]}, grown)
	b[1].run(m, conv.Job{In: pair(y[1]), Add: pair(y[1]), Scale: [2]float32{1}, Out: y[2]}, grown)
	b[2].run(m, conv.Job{
		In: pair(y[2]), Add: [2]conv.Planes{x, y[2]}, Scale: [2]float32{1, residualScale}, Out: y[0],
	}, grown)
}

// run computes j with the dense block in the place of a convolution.
func (b *fastDenseBlock) run(m *workspace, j conv.Job, grown conv.Planes) {
	grow := grown.Blocks / 4
	for i := range 4 {
		seen := [2]conv.Planes{j.In[0], grown.Slice(0, i*grow)}
		m.run(b[i], conv.Job{In: seen, Out: grown.Slice(i*grow, (i+1)*grow)})
	}
	j.In[1] = grown
	m.run(b[4], j)
}

// enlarge maps features to the image, in bands. In every picture bands begin at multiples of 4, as the kernels' tiles
// do, so results do not depend on the bands.
func (f *fastRRDBNet) enlarge(m *workspace, features conv.Planes, p rrdbPictures, image unsafe.Pointer) {
	h := features.Rows
	for from := 0; from < h; from += tailRows {
		to := min(from+tailRows, h)
		m.band(f.up[0], conv.Job{In: pair(features), Enlarge: true, Height: 2 * h, From: 2*from - 8, To: 2*to + 8}, &p.up1)
		m.band(f.up[1], conv.Job{In: pair(p.up1), Enlarge: true, Height: 4 * h, From: 4*from - 8, To: 4*to + 8}, &p.up2)
		m.band(f.hr, conv.Job{In: pair(p.up2), Height: 4 * h, From: 4*from - 4, To: 4*to + 4}, &p.hr)
		m.band(f.last, conv.Job{In: pair(p.hr), Height: 4 * h, From: 4 * from, To: 4 * to}, &p.last)
		p.last.Write(image, nil, 4*from, 4*to, f.NumOutCh, 4*h, 1, m.threads)
	}
}
