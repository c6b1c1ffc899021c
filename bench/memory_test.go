package bench

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

// TestFlatMemory runs $GOPDD_BENCH_FORWARDS forward passes of an RRDBNet of 6 blocks, each on a picture of another
// size, and prints resident memory and seconds every 50. Resident memory must not grow once the largest size was seen.
//
//	GOPDD_BENCH_FORWARDS=1000 go test ./bench -run FlatMemory -v -timeout 1h
func TestFlatMemory(t *testing.T) {
	total, _ := strconv.Atoi(os.Getenv("GOPDD_BENCH_FORWARDS"))
	if total == 0 {
		t.Skip("set GOPDD_BENCH_FORWARDS, e.g. to 1000")
	}
	net, err := models.NewRRDBNet(models.RRDBNetConfig{NumInCh: 3, NumOutCh: 3, NumFeat: 64, NumBlock: 6, NumGrowCh: 32, Scale: 4}, 1, tensor.CPU)
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	w, err := tensor.NewWorker(0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()

	const every, smallest, largest = 50, 16, 64
	sizes := rand.New(rand.NewPCG(1, 1))
	side := func() int64 { return smallest + sizes.Int64N(largest-smallest+1) }
	pass(t, w, net, largest, largest)
	warm := int64(0)
	for begin, n := time.Now(), 1; n <= total; n++ {
		pass(t, w, net, side(), side())
		if n%every == 0 {
			rss := resident(t)
			t.Logf("%5d forwards: %4d MiB resident, %.1f s", n, rss>>20, time.Since(begin).Seconds())
			begin = time.Now()
			if n == every {
				warm = rss
			}
			if n > every && rss > warm+warm/10 {
				t.Errorf("resident memory grew from %d to %d MiB", warm>>20, rss>>20)
			}
		}
	}
}

func pass(t *testing.T, w *tensor.Worker, net models.Generator, h, width int64) {
	err := w.Do(context.Background(), func(s *tensor.Scope) error {
		s = s.NoGrad()
		net.Forward(s, s.Rand(1, tensor.Float32, tensor.CPU, 1, 3, h, width))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// resident is the process's resident memory in bytes.
func resident(t *testing.T) int64 {
	text, err := os.ReadFile("/proc/self/statm") // total and resident pages
	if err != nil {
		t.Skip(err)
	}
	pages, err := strconv.ParseInt(string(bytes.Fields(text)[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
