package data

import "fmt"

// Stack holds N images of equal size as one tensor's worth of samples: N, C, H, W row-major in Pix.
type Stack struct {
	N, C, H, W int
	Pix        []float32
}

// Image returns image n, sharing memory with s.
func (s Stack) Image(n int) *Image {
	size := s.C * s.H * s.W
	return &Image{C: s.C, H: s.H, W: s.W, Pix: s.Pix[n*size : (n+1)*size : (n+1)*size]}
}

// Batch is what one training step sees. Stacks are empty where the loader has no dataset for them. The receiver owns
// its memory.
type Batch struct {
	Step         int   // number of the batch, from 0; resume with the next one
	LabelledLR   Stack // n, 3, h, w
	LabelledHR   Stack // n, 3, r·h, r·w
	UnlabelledLR Stack // n, 3, h, w

	Labelled, Unlabelled []Origin // of each sample
}

// Origin tells where a sample of a batch came from.
type Origin struct {
	Name   string
	Epoch  int     // how often its dataset was gone through before
	Recipe *Recipe // nil unless its LR image was made of its HR image
}

// stackImages copies images of one size into a stack. at picks the image of a sample; nil images make no stack.
func stackImages(samples []Sample, at func(Sample) *Image) (Stack, error) {
	if len(samples) == 0 || at(samples[0]) == nil {
		return Stack{}, nil
	}
	first := at(samples[0])
	s := Stack{N: len(samples), C: first.C, H: first.H, W: first.W}
	s.Pix = make([]float32, 0, s.N*len(first.Pix))
	for _, sample := range samples {
		m := at(sample)
		if m.C != s.C || m.H != s.H || m.W != s.W {
			return Stack{}, fmt.Errorf("data: batch: %q gives %d×%d where %q gave %d×%d: take patches or batches of one",
				sample.Name, m.W, m.H, samples[0].Name, s.W, s.H)
		}
		s.Pix = append(s.Pix, m.Pix...)
	}
	return s, nil
}
