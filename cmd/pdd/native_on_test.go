//go:build cgo

package main

import (
	"strings"
	"testing"
)

// TestSettings: what no network takes is wrong usage, found before anything is read, also where nothing is left to do.
func TestSettings(t *testing.T) {
	for _, command := range []string{"upscale one.png --out o", "eval --model nothing --lr photos", "bench --weights nothing",
		"compare --lr photos --system nothing --out o"} {
		for flags, want := range map[string]string{
			"--tile 16":              "tile of 16 pixels",
			"--tile 64 --overlap 40": "overlap of 40 pixels",
			"--precision tf32":       "needs a CUDA device",
		} {
			if strings.HasPrefix(command, "bench") && strings.HasPrefix(flags, "--tile") {
				continue
			}
			workFolder(t)
			writeImage(t, "o/one.png")
			o := pddRun(t, nil, strings.Fields(command+" "+flags)...)
			if o.code != exitUsage || o.engine != nil || !strings.Contains(o.stderr, want) || strings.Count(o.stderr, "\n") != 1 {
				t.Errorf("pdd %s %s: %+v, want %q", command, flags, o, want)
			}
		}
	}
}
