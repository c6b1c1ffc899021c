//go:build cgo

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/internal/arch"
	formulas "github.com/gopdd/gopdd/internal/golden"
	"github.com/gopdd/gopdd/internal/weightfile"
	"github.com/gopdd/gopdd/tensor"
)

// A whole run on a tiny network, through its JSON.
func TestBench(t *testing.T) {
	t.Chdir(t.TempDir())
	net := arch.SRVGGNetCompact{NumInCh: 3, NumOutCh: 3, NumFeat: 16, NumConv: 1, Upscale: 2}
	var arrays []weightfile.Array
	for _, p := range net.Spec() {
		a, err := weightfile.NewFloat32(p.Name, p.Shape, formulas.Formula("", p.Name, p.Shape, 1))
		if err != nil {
			t.Fatal(err)
		}
		arrays = append(arrays, a)
	}
	if err := weightfile.WriteSafetensors("w.safetensors", arrays, nil); err != nil {
		t.Fatal(err)
	}
	args := strings.Fields("bench --weights w.safetensors --size 24x16,9x9 --threads 1 --runs 2 --precision float32 --callers 1,2 --for 50ms --json")
	var stdout, stderr bytes.Buffer
	if code := run(context.Background(), args, &stdout, &stderr); code != exitDone || stderr.Len() > 0 {
		t.Fatalf("code %d, stderr %q", code, stderr.String())
	}
	var r benchReport
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	on := r.Runs
	if r.Cores == 0 || r.CPU == "" || on.Libtorch != tensor.Info().RuntimeVersion || on.Threads != 1 || on.Device != "cpu" || on.Precision != "float32" || on.Peak <= 0 {
		t.Errorf("%+v", r)
	}
	if len(r.Forward) != 2 || r.Forward[0].Size != (pixelSize{24, 16}) || len(r.Service) != 2 {
		t.Fatalf("%+v", r)
	}
	// 24·16 pixels, of 3·16 + 16·16 + 16·12 pairs of channels, 18 operations each.
	if f := r.Forward[0]; math.Abs(f.GFLOP-24*16*18*(48+256+192)/1e9) > 1e-12 || f.Best <= 0 || f.Median < f.Best || f.Bytes <= 0 || f.Share <= 0 {
		t.Errorf("%+v", f)
	}
}

func TestBenchWithoutDevice(t *testing.T) {
	if tensor.Info().CUDA {
		t.Skip("there is a CUDA device")
	}
	o := pddRun(t, nil, strings.Fields("bench --device cuda:0 --size 8x8")...)
	if o.code != exitFailed || !strings.Contains(o.stderr, "cuda:0") || strings.Count(o.stderr, "\n") != 1 {
		t.Errorf("%+v", o)
	}
}
