//go:build cgo

package main

import (
	"fmt"
	"image"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/internal/arch"
	formulas "github.com/gopdd/gopdd/internal/golden"
	"github.com/gopdd/gopdd/internal/imgio"
	"github.com/gopdd/gopdd/internal/weightfile"
)

// writeSqueeze writes a SqueezeNet by the golden cases' formula.
func writeSqueeze(t *testing.T, path string) {
	t.Helper()
	var arrays []weightfile.Array
	for _, p := range (arch.SqueezeNet11{}).Spec() {
		a, err := weightfile.NewFloat32(p.Name, p.Shape, formulas.Formula("", p.Name, p.Shape, math.Sqrt2))
		if err != nil {
			t.Fatal(err)
		}
		arrays = append(arrays, a)
	}
	if err := weightfile.WriteSafetensors(path, arrays, nil); err != nil {
		t.Fatal(err)
	}
}

// Features of a network: a row per patch, equal for equal patches, and an energy per channel.
func TestDeepFeatures(t *testing.T) {
	t.Chdir(t.TempDir())
	writeSqueeze(t, "squeeze.safetensors")
	features, closeNet, err := newDeepFeatures("squeeze.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer closeNet()
	var patches []image.Image
	for i := range 3 {
		writeWaves(t, "p.png", features.Patch, features.Patch, i%2)
		m, _, err := imgio.ReadFile("p.png", imgio.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		patches = append(patches, m)
	}
	rows, err := features.Rows(t.Context(), patches)
	if err != nil {
		t.Fatal(err)
	}
	const channels, side = 64, 15 // (32-3)/2 + 1
	if len(rows) != 3 || len(rows[0]) != channels*side*side || len(features.Energies(rows[0])) != channels {
		t.Fatalf("%d rows of %d values with %d energies", len(rows), len(rows[0]), len(features.Energies(rows[0])))
	}
	var same, other float64
	for i, v := range rows[0] {
		same, other = max(same, math.Abs(float64(v-rows[2][i]))), max(other, math.Abs(float64(v-rows[1][i])))
	}
	if same != 0 || other == 0 {
		t.Errorf("equal patches differ by %v, others by %v", same, other)
	}
}

func TestCompareWithFeatureNet(t *testing.T) {
	comparePlace(t)
	writeSqueeze(t, "squeeze.safetensors")
	o := pddRun(t, nil, strings.Fields(compareAll+" --feature-net squeeze.safetensors")...)
	text, err := os.ReadFile("out/features.csv")
	if o.code != exitDone || err != nil || !strings.Contains(string(text), "net,relu1 of SqueezeNet 1.1 on 32×32 patches,48,") {
		t.Errorf("%+v\n%s (%v)", o, text, err)
	}
	if o := pddRun(t, nil, strings.Fields(compareAll+" --feature-net w.pth")...); o.code != exitFailed || !strings.Contains(o.stderr, "want VGG19, VGG16, AlexNet or SqueezeNet") {
		t.Errorf("%+v", o)
	}
}

// LPIPS is a column like others; other weights are measured again, not taken from the cache.
func TestCompareLPIPS(t *testing.T) {
	comparePlace(t)
	writeAlex(t, "body.pth", "ones.pth")
	var twos []weightfile.Array
	for i, channels := range []int{64, 192, 384, 256, 256} {
		values := make([]float32, channels)
		for k := range values {
			values[k] = 2
		}
		a, err := weightfile.NewFloat32(fmt.Sprintf("lin%d.model.1.weight", i), []int{1, channels, 1, 1}, values)
		if err != nil {
			t.Fatal(err)
		}
		twos = append(twos, a)
	}
	if err := weightfile.WriteSafetensors("twos.pth", twos, nil); err != nil {
		t.Fatal(err)
	}
	value := func(heads string) float64 {
		t.Helper()
		o := pddRun(t, nil, strings.Fields("compare --gt gt --system paper/ --out out --no-figures --crops 0 --metrics psnr_rgb,lpips_alex "+
			"--lpips-backbone alex=body.pth --lpips-heads alex="+heads)...)
		if o.code != exitDone {
			t.Fatalf("%+v", o)
		}
		v, err := strconv.ParseFloat(readCSV(t, "out/pictures.csv")[1][4], 64)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	if one, two := value("ones.pth"), value("twos.pth"); !(one > 0) || math.Abs(two/one-2) > 1e-5 {
		t.Errorf("LPIPS %v with heads of 1, %v with heads of 2", one, two)
	}
}
