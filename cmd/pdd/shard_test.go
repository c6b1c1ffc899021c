package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Every image is in exactly one part, whatever else is there, and the parts are about as large as each other.
func TestShardsPartition(t *testing.T) {
	const n, images = 7, 7000
	var size [n]int
	for k := range images {
		rel := fmt.Sprintf("year/%d/IMG_%04d.jpg", k%12, k)
		owners := 0
		for i := range n {
			if (shard{i, n}).has(rel) {
				owners++
				size[i]++
			}
		}
		if owners != 1 {
			t.Fatalf("%s is in %d parts", rel, owners)
		}
	}
	for i, s := range size {
		if s < 850 || s > 1150 { // five standard deviations about 1000
			t.Errorf("part %d has %d of %d images", i, s, images)
		}
	}
	// FNV-1a of "a" is af63dc4c8601ec8c (Fowler, Noll, Vo): the partition is part of the interface.
	if !(shard{0xaf63dc4c8601ec8c % 1000, 1000}).has("a") {
		t.Error("another hash than FNV-1a")
	}
}

func TestShardText(t *testing.T) {
	var s shard
	if err := s.UnmarshalText([]byte("3/8")); err != nil || s != (shard{3, 8}) {
		t.Errorf("%v, %v", s, err)
	}
	for _, bad := range []string{"", "3", "8/8", "-1/8", "1/0", "1/8/2", "a/b", "1 / 8", "1/8x", "+1/8"} {
		if err := new(shard).UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// The parts make together what one command makes, each once and for nothing a second time.
func TestUpscaleShards(t *testing.T) {
	workFolder(t)
	if err := os.Remove("photos/broken.jpg"); err != nil {
		t.Fatal(err)
	}
	calls := 0
	for _, again := range []bool{false, true} {
		for i := range 3 {
			o := pddRun(t, nil, "upscale", "photos", "--out", "large", "--weights", "w.pth", "--recursive", "--shard", fmt.Sprintf("%d/3", i))
			if o.code != exitDone || again && !strings.HasPrefix(o.stdout, "0 done, ") {
				t.Errorf("part %d: %+v", i, o)
			}
			if o.engine != nil {
				calls += len(o.engine.calls)
			}
		}
	}
	checkFiles(t, "large", "a.png", "sub/b.jpg", "sub/deep/c.png")
	if calls != 3 {
		t.Errorf("%d images were upscaled, want 3", calls)
	}
}
