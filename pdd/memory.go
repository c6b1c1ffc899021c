package pdd

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

const (
	// defaultTile is a compromise between work done twice in overlaps, memory, and how long callers wait for each
	// other's tiles; docs/TILING.md has the figures.
	defaultTile = 384
	// minTile is the smallest side a tile may have.
	minTile = 32
)

// defaultOverlap makes tiles exact where the network's reach allows, and otherwise keeps seams invisible
// (docs/TILING.md).
func defaultOverlap(reach, tile int) int {
	const enough = 80
	return min(2*reach, enough, tile/2)
}

// budget is what an Upscaler knows about memory, all in bytes.
type budget struct {
	limit int64 // of the process
	base  int64 // resident once the network is loaded
	tile  int   // the largest tile that leaves half of the room to pictures

	forward func(h, w int) int64 // of a forward pass
}

// spare is an allowance for what libtorch needs beside its tensors: oneDNN's scratch memory and primitives, thread
// stacks. It is not measured by itself; with it the whole process stays well below its limits (docs/PERFORMANCE.md).
const spare = 96 << 20

// measure learns what a forward pass takes.
func measure(u *Upscaler) (b budget, err error) {
	b.limit = cmp.Or(u.settings.memoryLimit, systemLimit())
	if sized, ok := u.net.(models.Sized); ok {
		threads, result := u.worker.Threads(), int64(3*4*u.net.Scale()*u.net.Scale())
		b.forward = func(h, w int) int64 { return sized.Memory(h, w, threads) + result*int64(h)*int64(w) }
	} else if b.forward, err = tryForward(u); err != nil {
		return b, fmt.Errorf("try the network: %w", err)
	}
	b.base = resident()
	b.tile = b.largest(b.room()/2, cmp.Or(u.settings.tile, defaultTile))
	return b, nil
}

// tryForward runs two small tiles and takes the memory of others to grow with their pixels.
func tryForward(u *Upscaler) (func(h, w int) int64, error) {
	const small, large = 16, 48
	peak := map[int]int64{}
	err := u.worker.Do(context.Background(), func(s *tensor.Scope) error {
		s = s.NoGrad()
		for _, side := range []int{small, large} {
			x := s.To(s.Full(0.5, tensor.Float32, tensor.CPU, 1, 3, int64(side), int64(side)), u.device)
			peak[side] = s.Peak(tensor.CPU, func() { s.Free(forward(s, u.net, x)) })
		}
		return nil
	})
	pixel := max(0, peak[large]-peak[small])/(large*large-small*small) + 1
	fixed := max(0, peak[small]-pixel*small*small)
	return func(h, w int) int64 { return fixed + pixel*int64(h)*int64(w) }, err
}

// room is what pictures and tiles may share.
func (b budget) room() int64 { return b.limit - b.base }

// cost of the forward pass of one tile.
func (b budget) cost(h, w int) int64 { return spare + b.forward(h, w) }

// pictures is what remains for pictures beside a tile of the default size.
func (b budget) pictures() int64 { return b.room() - b.cost(b.tile, b.tile) }

// largest is the largest tile up to wanted whose forward pass fits n bytes; 0 if the smallest does not.
func (b budget) largest(n int64, wanted int) int {
	const step = 8 // few different sizes: each costs libtorch a set of compiled kernels
	for side := wanted; side >= minTile; side = (side - 1) / step * step {
		if b.cost(side, side) <= n {
			return side
		}
	}
	return 0
}

// admit says how many of the pictures' bytes p takes and in which tiles it runs; 0 asks for the whole picture. A
// picture too large to share memory with others takes all of it, and smaller tiles. The answer depends on the sizes
// and the limit alone, so results do not depend on who else is at work.
func (b budget) admit(p *picture, side int) (share int64, into int, err error) {
	if side = min(side, max(b.tile, minTile)); side == 0 {
		side = max(p.h, p.w)
	}
	for ; ; side /= 2 {
		need, tile := p.bytes(side), b.cost(min(side, p.h), min(side, p.w))
		if side <= b.tile && need <= b.pictures() {
			return need, side, nil
		}
		if need+tile <= b.room() {
			return max(b.pictures(), 1), side, nil
		}
		if side/2 < minTile {
			return 0, 0, fmt.Errorf("%w: it needs %s beside the %s in use, the limit is %s: raise the limit or cut the picture",
				ErrTooLarge, mebibytes(need+tile), mebibytes(b.base), mebibytes(b.limit))
		}
	}
}

// bytes is what the picture and its result take: planes, the band being blended, the result, its resized copy. The
// sum is made in float64, since the sides of a picture that is to be refused may be of any size.
func (p *picture) bytes(side int) int64 {
	h, w, scale, planes := float64(p.h), float64(p.w), float64(p.scale), 4*float64(p.channels)
	tileH, tileW := min(float64(side), h), min(float64(side), w)
	result := 4.0 // bytes of a pixel
	if p.gray {
		result = 1
	}
	if p.deep {
		result *= 2
	}
	total := planes*h*w + scale*scale*(planes*tileH*w+(planes+12)*tileH*tileW+result*h*w)
	if p.call.correct {
		total += planes * h * w * scale * scale
	}
	if f := p.call.outScale; f != 0 {
		total += result * h * f * w * f
	}
	return int64(min(total, 1<<60))
}

// systemLimit is the control group's memory limit, or the machine's memory.
func systemLimit() int64 {
	total, err := memlimit.FromSystem()
	if err != nil {
		total = 1 << 62
	}
	if group, err := memlimit.FromCgroup(); err == nil && group > 0 {
		total = min(total, group)
	}
	return int64(min(total, 1<<62))
}

// resident is the process's resident memory, or the Go heap's size where the system does not say.
func resident() int64 {
	var size, pages int64
	if text, err := os.ReadFile("/proc/self/statm"); err == nil {
		if _, err := fmt.Sscan(string(text), &size, &pages); err == nil {
			return pages * int64(os.Getpagesize())
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys)
}

func mebibytes(n int64) string { return fmt.Sprintf("%d MiB", (n+1<<20-1)>>20) }
