package weightfile

import (
	"math/rand/v2"
	"testing"
	"time"
)

// smallFileSlack is what reading a small file may allocate beyond twice its size: mainly a pickle's objects.
const smallFileSlack = 1 << 20

// TestDamage reads 500 damaged versions of a small valid file of each format: cut off, with flipped bits anywhere,
// and with bytes overwritten in the parts that describe the rest. Each must give an error or finite values, without
// a panic, a hang or much memory.
func TestDamage(t *testing.T) {
	for _, s := range samples(t) {
		t.Run(string(s.format), func(t *testing.T) {
			f, err := s.read(s.content)
			if err != nil {
				t.Fatalf("undamaged: %v", err)
			}
			if err := consume(t, f); err != nil {
				t.Fatalf("undamaged: %v", err)
			}
			random := rand.New(rand.NewPCG(1, 2))
			refused := 0
			for i := range 500 {
				damaged, what := damage(random, s.content, i)
				if !survives(t, s, damaged, what) {
					refused++
				} else if what == "cut off" {
					t.Errorf("a file cut off after %d of %d bytes was accepted", len(damaged), len(s.content))
				}
			}
			t.Logf("%d of 500 damaged files were refused, the others had finite values", refused)
		})
	}
}

// survives reads a damaged file and tells whether it was accepted.
func survives(t *testing.T, s sample, damaged []byte, what string) (accepted bool) {
	t.Helper()
	start := time.Now()
	used := allocated(func() {
		f, err := s.read(damaged)
		if err == nil {
			err = consume(t, f)
		}
		accepted = err == nil
	})
	if limit := int64(4*len(s.content) + smallFileSlack); used > limit { // the file twice, its float32s at most twice
		t.Errorf("%s: allocated %d bytes for a file of %d", what, used, len(damaged))
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("%s: took %v", what, d)
	}
	return accepted
}

// damage returns a damaged copy, of the kind that i selects, and the kind's name.
func damage(random *rand.Rand, content []byte, i int) ([]byte, string) {
	out := append([]byte(nil), content...)
	switch i % 4 {
	case 0:
		return out[:random.IntN(len(out))], "cut off"
	case 1:
		out[random.IntN(len(out))] ^= 1 << random.IntN(8)
		return out, "bit flip"
	case 2: // the head: header, graph, first pickles
		for range 1 + random.IntN(8) {
			out[random.IntN(min(len(out), 2048))] = byte(random.Uint32())
		}
		return out, "damaged head"
	default: // the tail: a zip's directory
		for range 1 + random.IntN(8) {
			out[len(out)-1-random.IntN(min(len(out), 2048))] = byte(random.Uint32())
		}
		return out, "damaged tail"
	}
}

// The fuzz targets share their body: nothing but an error or finite values may come out. Run one with
//
//	go test ./internal/weightfile -run NONE -fuzz FuzzPthZip -fuzzminimizetime 5x
//
// (without the last flag the fuzzer spends its time on making the first, large inputs smaller).
func fuzz(f *testing.F, format Format) {
	var target sample
	for _, s := range samples(f) {
		if s.format == format {
			target = s
		}
	}
	f.Add(target.content)
	f.Fuzz(func(t *testing.T, data []byte) {
		if file, err := target.read(data); err == nil {
			_ = consume(t, file)
		}
	})
}

func FuzzPthZip(f *testing.F)      { fuzz(f, PthZip) }
func FuzzPthLegacy(f *testing.F)   { fuzz(f, PthLegacy) }
func FuzzSafetensors(f *testing.F) { fuzz(f, Safetensors) }
func FuzzNCNN(f *testing.F)        { fuzz(f, NCNN) }
