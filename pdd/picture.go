package pdd

import (
	"image"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/parallel"
	"github.com/gopdd/gopdd/internal/pixel"
	"github.com/gopdd/gopdd/internal/tile"
)

// picture is the input of one call and what its result will look like.
type picture struct {
	img        image.Image
	call       call
	h, w       int
	scale      int
	threads    int // that read and write it
	channels   int // of planes: 1 gray, 3 colour, 4 colour times alpha and alpha
	gray, deep bool
	planes     *data.Image
}

func newPicture(img image.Image, scale, threads int, c call) *picture {
	b := img.Bounds()
	p := &picture{img: img, call: c, h: b.Dy(), w: b.Dx(), scale: scale, threads: threads, channels: 4,
		gray: pixel.IsGray(img), deep: pixel.IsDeep(img)}
	switch {
	case p.gray:
		p.channels = 1
	case pixel.IsOpaque(img):
		p.channels = 3
	}
	return p
}

// read converts the picture to planes.
func (p *picture) read() {
	p.planes = &data.Image{C: p.channels, H: p.h, W: p.w, Pix: make([]float32, p.channels*p.h*p.w)}
	parallel.Rows(p.threads, p.h, func() func(y int) {
		r, rows := pixel.NewReader(p.img), make([][]float32, p.channels)
		return func(y int) {
			for c := range rows {
				rows[c] = p.planes.Row(c, y)
			}
			r.Planes(y, rows)
		}
	})
}

// pass is one run of the network over a tile: which planes it sees and where its result goes.
type pass struct {
	from [3]int
	to   int
	gray bool // the result is one plane
}

func (p *picture) passes() []pass {
	colour, alpha := pass{from: [3]int{0, 1, 2}}, pass{from: [3]int{3, 3, 3}, to: 3, gray: true}
	switch p.channels {
	case 1:
		return []pass{{gray: true}}
	case 3:
		return []pass{colour}
	default:
		return []pass{colour, alpha}
	}
}

// crop copies the tile's part of three planes into buf.
func (p *picture) crop(buf []float32, from [3]int, row, col tile.Span) []float32 {
	buf = grow(buf, 3*row.Size()*col.Size())
	at := buf
	for _, c := range from {
		for y := row.Start; y < row.End; y++ {
			at = at[copy(at, p.planes.Row(c, y)[col.Start:col.End]):]
		}
	}
	return buf
}

// sink takes finished rows and makes the result.
type sink struct {
	p      *picture
	writer *pixel.Writer
	whole  *data.Image // all rows in float32, for colour correction; else nil
}

func (p *picture) newSink() *sink {
	h, w := p.h*p.scale, p.w*p.scale
	if !p.call.correct {
		return &sink{p: p, writer: pixel.NewWriter(p.gray, p.deep, h, w)}
	}
	return &sink{p: p, whole: &data.Image{C: p.channels, H: h, W: w, Pix: make([]float32, p.channels*h*w)}}
}

func (k *sink) add(b *tile.Band) error {
	parallel.Rows(k.p.threads, b.H, func() func(y int) {
		rows := make([][]float32, k.p.channels)
		return func(y int) {
			for c := range rows {
				rows[c] = b.Row(c, y)
				if k.whole != nil {
					copy(k.whole.Row(c, b.Y+y), rows[c])
				}
			}
			if k.writer != nil {
				k.writer.Planes(b.Y+y, rows)
			}
		}
	})
	return nil
}

func (k *sink) finish() (image.Image, error) {
	if k.whole == nil {
		return k.p.resized(k.writer.Image)
	}
	if plain := k.p.call.plain; plain != nil {
		img, err := k.written(k.whole.Clone())
		if err != nil {
			return nil, err
		}
		*plain = img
	}
	if err := CorrectColor(k.whole, k.p.planes); err != nil {
		return nil, err
	}
	return k.written(k.whole)
}

// written makes a picture of a whole result, which is not to be used any more.
func (k *sink) written(m *data.Image) (image.Image, error) {
	all := &sink{p: k.p, writer: pixel.NewWriter(k.p.gray, k.p.deep, m.H, m.W)}
	if err := all.add(tile.Whole(m.H, m.W, m.Plane, m.C)); err != nil {
		return nil, err
	}
	return k.p.resized(all.writer.Image)
}

// resized applies [OutScale].
func (p *picture) resized(img image.Image) (image.Image, error) {
	h, w := p.outSize()
	if h == p.h*p.scale && w == p.w*p.scale {
		return img, nil
	}
	return data.ResizeImageTo(img, h, w, data.Bicubic)
}

// outSize is the size of the result after [OutScale].
func (p *picture) outSize() (h, w int) {
	if p.call.outScale == 0 {
		return p.h * p.scale, p.w * p.scale
	}
	return scaled(p.h, p.call.outScale), scaled(p.w, p.call.outScale)
}

func scaled(n int, f float64) int { return max(1, int(float64(n)*f+0.5)) }
