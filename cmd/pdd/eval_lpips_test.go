//go:build cgo

package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/internal/arch"
	formulas "github.com/gopdd/gopdd/internal/golden"
	"github.com/gopdd/gopdd/internal/weightfile"
)

// writeAlex writes an AlexNet by the golden cases' formula, and heads of equal weights.
func writeAlex(t *testing.T, backbone, heads string) {
	t.Helper()
	var body, lins []weightfile.Array
	add := func(to *[]weightfile.Array, name string, shape []int, values []float32) {
		a, err := weightfile.NewFloat32(name, shape, values)
		if err != nil {
			t.Fatal(err)
		}
		*to = append(*to, a)
	}
	for _, p := range (arch.AlexNet{}).Spec() {
		add(&body, p.Name, p.Shape, formulas.Formula("", p.Name, p.Shape, math.Sqrt2))
	}
	for i, channels := range []int{64, 192, 384, 256, 256} {
		ones := make([]float32, channels)
		for k := range ones {
			ones[k] = 1
		}
		add(&lins, fmt.Sprintf("lin%d.model.1.weight", i), []int{1, channels, 1, 1}, ones)
	}
	for path, arrays := range map[string][]weightfile.Array{backbone: body, heads: lins} {
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := weightfile.WriteSafetensors(path, arrays, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// LPIPS finds its weights by flags and in the cache, with the same values; equal pictures have 0.
func TestEvalLPIPS(t *testing.T) {
	t.Chdir(t.TempDir())
	writeGray(t, 48, "gt/a.png", "sr/a.png", "gt/b.png")
	writeGray(t, 40, "small.png")
	if err := os.Rename("small.png", "sr/b.png"); err != nil {
		t.Fatal(err)
	}
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	writeAlex(t, "body.pth", "lin.pth")
	args := strings.Fields("eval --pred sr --gt gt --metrics lpips_alex,psnr_rgb --crop 2 --json")
	byFlags := pddRun(t, nil, append(args, "flags.json", "--lpips-backbone", "alex=body.pth", "--lpips-heads", "alex=lin.pth")...)
	writeAlex(t, filepath.Join(cache, "gopdd/weights/alexnet-owt-7be5be79.pth"), filepath.Join(cache, "gopdd/weights/LPIPS_v0.1_alex-df73285e.pth"))
	byCache := pddRun(t, nil, append(args, "cache.json")...)
	for _, o := range []outcome{byFlags, byCache} {
		if o.code != exitFailed || !strings.Contains(o.stderr, "1 of 2") || !strings.Contains(o.stdout, "lpips_alex_crop2: LPIPS v0.1 with the network alex on RGB, without a border") {
			t.Fatalf("%+v", o)
		}
	}
	for _, path := range []string{"flags.json", "cache.json"} {
		e := readEvaluated(t, path)
		if v, ok := e.Files[0].Values["lpips_alex_crop2"]; !ok || v != 0 {
			t.Errorf("%s: %+v", path, e)
		}
		if !strings.Contains(e.Files[1].Errors["lpips_alex_crop2"], "sizes must be equal") {
			t.Errorf("%s: %+v", path, e)
		}
	}
	if o := pddRun(t, nil, append(args, "x.json", "--lpips-backbone", "alex=lin.pth")...); o.code != exitFailed || !strings.Contains(o.stderr, "lin.pth") {
		t.Errorf("heads in place of the backbone: %+v", o)
	}
}
