//go:build cgo && amd64

package conv

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"syscall"
	"testing"
	"unsafe"
)

// memory is n floats of zeros outside of Go's heap until the test ends, 64-byte aligned, with a page behind them that
// nobody may touch.
func memory(t *testing.T, n int) unsafe.Pointer {
	t.Helper()
	size := (4*n + 63) / 64 * 64
	block := guarded(t, size)
	return unsafe.Pointer(&block[len(block)-size])
}

// guarded is whole pages for size bytes between two pages that nobody may touch.
func guarded(t *testing.T, size int) []byte {
	t.Helper()
	page := syscall.Getpagesize()
	whole := (size + page - 1) / page * page
	b, err := syscall.Mmap(-1, 0, whole+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(b) })
	if err := errors.Join(syscall.Mprotect(b[:page], syscall.PROT_NONE), syscall.Mprotect(b[page+whole:], syscall.PROT_NONE)); err != nil {
		t.Fatal(err)
	}
	return b[page : page+whole]
}

func view(p unsafe.Pointer, n int) []float32 { return unsafe.Slice((*float32)(p), n) }

func random(rng *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return v
}

// planes has memory for a picture, in every type that the kind knows.
func planes(t *testing.T, k Kind, channels, rows, width int) Planes {
	t.Helper()
	p := Planes{Blocks: k.Blocks(channels), Rows: rows, Width: width}
	p.Data = memory(t, p.Floats())
	if k == BFloat16 {
		p.Half = unsafe.Add(memory(t, p.HalfFloats()), 4*Block)
		p.ClearAround()
	}
	return p
}

// picture is an image [channels][rows][width] as Planes.
func picture(t *testing.T, k Kind, v []float32, channels, rows, width int) Planes {
	t.Helper()
	p := planes(t, k, channels, rows, width)
	src := memory(t, len(v))
	copy(view(src, len(v)), v)
	Planes{Data: p.Data, Blocks: p.Blocks, Rows: rows, Width: width}.Read(src, channels, 1, 1)
	if k == BFloat16 {
		for i, f := range v {
			c, y, x := i/(rows*width), i/width%rows, i%width
			*half(p, c, y, x) = bits16(f)
		}
	}
	return p
}

// half is a number of p.Half.
func half(p Planes, c, y, x int) *uint16 {
	at := ((c/32*p.Rows+y)*(p.Width+1)+x)*32 + c%32
	return (*uint16)(unsafe.Add(p.Half, 2*at))
}

// bits16 is the nearest bfloat16, the even one of two.
func bits16(f float32) uint16 {
	bits := math.Float32bits(f)
	if f != f {
		return uint16(bits>>16 | 0x40)
	}
	return uint16((bits + 0x7fff + bits>>16&1) >> 16)
}

// rounded is what a kind's convolutions see of v.
func (k Kind) rounded(v []float32) []float32 {
	if k == Float32 {
		return v
	}
	out := make([]float32, len(v))
	for i, f := range v {
		out[i] = math.Float32frombits(uint32(bits16(f)) << 16)
	}
	return out
}

// filters are w [out][in][3][3].
func filters(t *testing.T, w []float32, in int) Filters {
	t.Helper()
	f := Filters{Data: memory(t, len(w)), Out: 9 * in, In: 9, Tap: 1}
	copy(view(f.Data, len(w)), w)
	return f
}

// image is the inverse of picture. Half must be Data rounded.
func image(t *testing.T, p Planes, channels int) []float32 {
	t.Helper()
	n := channels * p.Rows * p.Width
	dst := memory(t, n)
	p.Write(dst, nil, 0, p.Rows, channels, p.Rows, 1, 1)
	v := append([]float32(nil), view(dst, n)...)
	if p.Half != nil {
		for i, f := range v {
			c, y, x := i/(p.Rows*p.Width), i/p.Width%p.Rows, i%p.Width
			if got := *half(p, c, y, x); got != bits16(f) {
				t.Fatalf("channel %d, row %d, column %d is %v, in bfloat16 %#x", c, y, x, f, got)
			}
		}
	}
	return v
}

// conv is the direct convolution in float64, with zero padding: x [in][h][w], w [out][in][3][3].
func conv(x, w, bias []float32, in, h, wd int) []float64 {
	out := make([]float64, len(bias)*h*wd)
	for i := range out {
		o, y, col := i/(h*wd), i/wd%h, i%wd
		sum := float64(bias[o])
		for k := range in {
			for t := range 9 {
				yy, xx := y+t/3-1, col+t%3-1
				if yy >= 0 && yy < h && xx >= 0 && xx < wd {
					sum += float64(w[(o*in+k)*9+t]) * float64(x[(k*h+yy)*wd+xx])
				}
			}
		}
		out[i] = sum
	}
	return out
}

func enlarged(x []float32, channels, h, w int) []float32 {
	out := make([]float32, 0, 4*len(x))
	for i := range 4 * channels * h * w {
		c, y, col := i/(4*h*w), i/(2*w)%(2*h), i%(2*w)
		out = append(out, x[(c*h+y/2)*w+col/2])
	}
	return out
}

// onEach runs a test with the kernels of every kind and instruction set that this CPU has.
func onEach(t *testing.T, test func(t *testing.T, k Kind)) {
	best := isa
	defer func() { isa = best }()
	for isa = 1; isa <= best; isa++ {
		t.Run(fmt.Sprintf("float32, isa %d", isa), func(t *testing.T) { test(t, Float32) })
	}
	isa = best
	if BFloat16.Available() {
		t.Run("bfloat16", func(t *testing.T) { test(t, BFloat16) })
	}
}

// close64 reports results that differ by more than float32 sums of some hundred products do.
func close64(t *testing.T, got []float32, want []float64) {
	t.Helper()
	var worst, errs, power float64
	for i, g := range got {
		diff := math.Abs(float64(g) - want[i])
		worst = max(worst, diff)
		errs += diff * diff
		power += want[i] * want[i]
	}
	rms := math.Sqrt(power / float64(len(want)))
	if err := math.Sqrt(errs/float64(len(want))) / rms; !(err <= 3e-6) || !(worst/rms <= 3e-5) {
		t.Errorf("off by %.2g in the root mean square and %.2g at worst, of %.2g", err*rms, worst, rms)
	} else {
		t.Logf("relative error %.2g in the root mean square, %.2g at worst", err, worst/rms)
	}
}

func TestEqualsDirectConvolution(t *testing.T) {
	onEach(t, func(t *testing.T, k Kind) {
		for _, c := range []struct {
			in      []int // channels of the pictures side by side
			out     int
			h, w    int
			slopes  bool
			adds    int
			enlarge bool
			threads int
		}{
			{in: []int{3}, out: 64, h: 1, w: 1, threads: 1},
			{in: []int{16}, out: 16, h: 4, w: 4, threads: 2},
			{in: []int{64}, out: 48, h: 13, w: 18, slopes: true, threads: 2},
			{in: []int{64, 32}, out: 32, h: 31, w: 7, slopes: true, adds: 1, threads: 1},
			{in: []int{10, 5}, out: 3, h: 9, w: 50, adds: 2, threads: 2},
			{in: []int{20}, out: 70, h: 6, w: 5, slopes: true, enlarge: true, threads: 2},
			{in: []int{64}, out: 64, h: 40, w: 40, slopes: true, adds: 2, threads: 2},
			{in: []int{40, 70}, out: 40, h: 5, w: 300, adds: 1, threads: 2},
			{in: []int{64}, out: 16, h: 3, w: 65, slopes: true, enlarge: true, threads: 1},
		} {
			t.Run(fmt.Sprint(c), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(1, 2))
				channels := 0
				for _, n := range c.in {
					channels += n
				}
				w, bias := random(rng, c.out*channels*9), random(rng, c.out)
				slope := random(rng, c.out)
				if !c.slopes {
					slope = nil
				}
				const gain = 0.7
				layer := k.Pack(memory(t, k.Floats(c.in, c.out)), filters(t, w, channels), bias, slope, gain, c.in)
				for i := range w {
					w[i] *= gain
				}
				for i := range bias {
					bias[i] *= gain
				}
				job, seen := Job{Height: c.h, Enlarge: c.enlarge}, []float32{}
				for i, n := range c.in {
					x := random(rng, n*c.h*c.w)
					job.In[i] = picture(t, k, x, n, c.h, c.w)
					seen = append(seen, x...)
				}
				h, wd := c.h, c.w
				if c.enlarge {
					seen, h, wd = enlarged(seen, channels, h, wd), 2*h, 2*wd
				}
				want := conv(k.rounded(seen), k.rounded(w), bias, channels, h, wd)
				for i := range want {
					if c.slopes && want[i] < 0 {
						want[i] *= float64(slope[i/(h*wd)])
					}
				}
				for n := range c.adds {
					add := random(rng, len(want))
					job.Add[n], job.Scale[n] = picture(t, k, add, c.out, h, wd), float32(n)+0.5
					for i, v := range add {
						want[i] += (float64(n) + 0.5) * float64(v)
					}
				}
				job.Height, job.To = h, h
				job.Out = planes(t, k, c.out, h, wd)
				layer.Run(job, c.threads, memory(t, c.threads*layer.Scratch()))
				close64(t, image(t, job.Out, c.out), want)
			})
		}
	})
}

// TestBandsEqualTheWhole: rows computed band by band, from pictures that hold only the rows they need, are bit-equal to
// those computed at once, where the bands begin at multiples of 4.
func TestBandsEqualTheWhole(t *testing.T) {
	onEach(t, func(t *testing.T, k Kind) {
		const in, out, h, w, band = 20, 33, 22, 19, 8
		rng := rand.New(rand.NewPCG(3, 4))
		x, weights, bias := random(rng, in*h*w), random(rng, out*in*9), random(rng, out)
		layer := k.Pack(memory(t, k.Floats([]int{in}, out)), filters(t, weights, in), bias, nil, 1, []int{in})
		scratch := memory(t, layer.Scratch())
		whole := planes(t, k, out, h, w)
		layer.Run(Job{In: [2]Planes{picture(t, k, x, in, h, w)}, Height: h, Out: whole, To: h}, 1, scratch)
		want := image(t, whole, out)
		for from := 0; from < h; from += band {
			to := min(from+band, h)
			top, bottom := max(from-1, 0), min(to+1, h)
			var rows []float32
			for c := range in {
				rows = append(rows, x[(c*h+top)*w:(c*h+bottom)*w]...)
			}
			held := picture(t, k, rows, in, bottom-top, w)
			held.Top = top
			part := planes(t, k, out, to-from, w)
			part.Top = from
			layer.Run(Job{In: [2]Planes{held}, Height: h, Out: part, From: from, To: to}, 1, scratch)
			part.Top = 0
			got := image(t, part, out)
			for i, g := range got {
				c, y, col := i/((to-from)*w), i/w%(to-from), i%w
				if g != want[(c*h+from+y)*w+col] {
					t.Fatalf("rows %d to %d: channel %d, row %d, column %d: %v, whole %v", from, to, c, y, col, g, want[(c*h+from+y)*w+col])
				}
			}
		}
	})
}

// TestReadWrite: Write is Read's inverse for every factor, adds the base, and keeps to its rows.
func TestReadWrite(t *testing.T) {
	const channels, h, w = 3, 5, 7
	rng := rand.New(rand.NewPCG(5, 6))
	for _, factor := range []int{1, 2, 4} {
		n := channels * h * w * factor * factor
		src, dst, base := memory(t, n), memory(t, n), memory(t, channels*h*w)
		copy(view(src, n), random(rng, n))
		copy(view(base, channels*h*w), random(rng, channels*h*w))
		p := Planes{Blocks: Float32.Blocks(channels * factor * factor), Rows: h, Width: w}
		p.Data = memory(t, p.Floats())
		p.Read(src, channels, factor, 2)
		p.Write(dst, base, 1, h-1, channels, h, factor, 2)
		for i, got := range view(dst, n) {
			c, y, x := i/(h*w*factor*factor), i/(w*factor)%(h*factor), i%(w*factor)
			want := view(src, n)[i] + view(base, channels*h*w)[(c*h+y/factor)*w+x/factor]
			if y < factor || y >= (h-1)*factor {
				want = 0
			}
			if got != want {
				t.Fatalf("factor %d: channel %d, row %d, column %d: %v, want %v", factor, c, y, x, got, want)
			}
		}
	}
}

// TestFirst: what the first layer sees of an image loses next to nothing to bfloat16.
func TestFirst(t *testing.T) {
	onEach(t, func(t *testing.T, k Kind) {
		const channels, out, h, w, factor = 3, 20, 9, 21, 2
		const seen = channels * factor * factor
		rng := rand.New(rand.NewPCG(7, 8))
		x, weights, bias := random(rng, seen*h*w), random(rng, out*seen*9), random(rng, out)
		src := memory(t, len(x))
		copy(view(src, len(x)), x)
		layer := k.PackFirst(memory(t, k.Floats([]int{k.ImageChannels(seen)}, out)), filters(t, weights, seen), bias, nil, seen)
		p := planes(t, k, k.ImageChannels(seen), h, w)
		p.Read(src, channels, factor, 2)
		result := planes(t, k, out, h, w)
		layer.Run(Job{In: [2]Planes{p}, Height: h, Out: result, To: h}, 2, memory(t, 2*layer.Scratch()))
		unshuffled := make([]float32, len(x))
		for i := range x { // PyTorch's pixel_unshuffle
			c, row, col := i/(h*w), i/w%h, i%w
			unshuffled[i] = x[(c/4*h*factor+row*factor+c/2%2)*w*factor+col*factor+c%2]
		}
		want := conv(unshuffled, weights, bias, seen, h, w)
		var worst float64
		for i, got := range image(t, result, out) {
			worst = max(worst, math.Abs(float64(got)-want[i]))
		}
		t.Logf("off by %.2g at most", worst)
		if worst > 1e-3 { // plain bfloat16: 0.06
			t.Errorf("off by %.2g", worst)
		}
	})
}

// TestNotFinite: what is not finite in an image makes results not finite, whatever its bits, and keeps to what sees it.
func TestNotFinite(t *testing.T) {
	onEach(t, func(t *testing.T, k Kind) {
		const h, w, at = 12, 12, 5
		one := []float32{0, 0, 0, 0, 1, 0, 0, 0, 0}
		layer := k.PackFirst(memory(t, k.Floats([]int{k.ImageChannels(1)}, 1)), filters(t, one, 1), []float32{0}, nil, 1)
		for _, bits := range []uint32{0x7fffffff, 0xffffffff, 0x7f800001, 0x7fc00000, 0x7f800000, 0xff800000} {
			src := memory(t, h*w)
			view(src, h*w)[at*w+at] = math.Float32frombits(bits)
			p, y := planes(t, k, k.ImageChannels(1), h, w), planes(t, k, 1, h, w)
			p.Read(src, 1, 1, 1)
			layer.Run(Job{In: [2]Planes{p}, Height: h, Out: y, To: h}, 1, memory(t, layer.Scratch()))
			got := image(t, y, 1)
			if v := got[at*w+at]; v-v == 0 {
				t.Errorf("%#x becomes %v", bits, v)
			}
			if v := got[11*w+11]; v != 0 {
				t.Errorf("%#x makes a far pixel %v", bits, v)
			}
		}
	})
}
