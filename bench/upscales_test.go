package bench

import (
	"hash/maphash"
	"image"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/pdd"
	"github.com/gopdd/gopdd/tensor"
)

// TestFlatMemoryOfUpscales runs $GOPDD_BENCH_UPSCALES pictures of mixed sizes through one Upscaler from 8 goroutines
// and prints resident memory every 50: flat after the first 50, no tensor left, results identical to serial ones.
//
//	GOPDD_BENCH_UPSCALES=1000 go test ./bench -run FlatMemoryOfUpscales -v -timeout 1h
func TestFlatMemoryOfUpscales(t *testing.T) {
	total, _ := strconv.Atoi(os.Getenv("GOPDD_BENCH_UPSCALES"))
	if total == 0 {
		t.Skip("set GOPDD_BENCH_UPSCALES, e.g. to 1000")
	}
	net, err := models.NewSRVGGNetCompact(
		models.SRVGGNetCompactConfig{NumInCh: 3, NumOutCh: 3, NumFeat: 64, NumConv: 16, Upscale: 4}, 1, tensor.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	up, err := pdd.NewUpscaler(pdd.WithModel(net), pdd.WithTile(64, -1))
	if err != nil {
		t.Fatal(err)
	}
	defer up.Close()

	baseline := tensor.MemoryStats(tensor.CPU).LiveTensors
	const different = 20
	var serial [different]uint64
	for i := range serial {
		serial[i] = digest(t, up, i)
	}
	const every = 50
	var warm int64
	for done := 0; done < total; done += every {
		var group sync.WaitGroup
		for g := range 8 {
			group.Go(func() {
				for i := g; i < every; i += 8 {
					if which := (done + i) % different; digest(t, up, which) != serial[which] {
						t.Errorf("picture %d differs from the serial result", which)
					}
				}
			})
		}
		group.Wait()
		rss := resident(t)
		t.Logf("%5d upscales: %4d MiB resident", done+every, rss>>20)
		if warm == 0 {
			warm = rss
		}
		if rss > warm+warm/10 {
			t.Errorf("resident memory grew from %d to %d MiB", warm>>20, rss>>20)
		}
	}
	if live := tensor.MemoryStats(tensor.CPU).LiveTensors; live != baseline {
		t.Errorf("%d live tensors, %d before", live, baseline)
	}
}

var seed = maphash.MakeSeed()

// digest upscales picture number i, 20 to 120 pixels a side, and hashes the result.
func digest(t *testing.T, up *pdd.Upscaler, i int) uint64 {
	r := rand.New(rand.NewPCG(uint64(i), 2))
	m := image.NewNRGBA(image.Rect(0, 0, 20+r.IntN(101), 20+r.IntN(101)))
	for k := range m.Pix {
		m.Pix[k] = uint8(r.UintN(256)) | 255*uint8(k%4/3)
	}
	out, err := up.Upscale(t.Context(), m)
	if err != nil {
		t.Error(err)
		return 0
	}
	return maphash.Bytes(seed, out.(*image.NRGBA).Pix)
}
