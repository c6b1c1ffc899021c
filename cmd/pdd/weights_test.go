package main

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/internal/weightfile"
)

// offline answers every download with body, or fails without one.
func offline(body string) func(*env, *fakeEngine) {
	return func(e *env, _ *fakeEngine) {
		e.client = &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			if body == "" {
				return nil, errors.New("network is unreachable")
			}
			return &http.Response{StatusCode: http.StatusOK, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
		})}
	}
}

// TestWeightsGet follows a user who fetches a file that nobody vouches for.
func TestWeightsGet(t *testing.T) {
	workFolder(t)
	o := pddRun(t, offline("model"), "weights", "get", "niqe")
	// printf model | sha256sum
	const sum = "9372c470eeadd5ecd9c3c74c2b3cb633f8e2f2fad799250a0f70d652b6b825e4"
	if o.code != exitFailed || !strings.Contains(o.stderr, "has sha256 "+sum) || !strings.Contains(o.stderr, "--sha256 "+sum+", or with --trust") {
		t.Errorf("%+v", o)
	}
	if o = pddRun(t, offline("model"), "weights", "get", "niqe", "--sha256", strings.Repeat("0", 64)); o.code != exitFailed || !strings.Contains(o.stderr, "given by the caller") {
		t.Errorf("wrong sha256: %+v", o)
	}
	checkFiles(t, "cache")
	if o = pddRun(t, offline("model"), "weights", "get", "niqe", "--sha256", sum); o.code != exitDone || !strings.Contains(o.stdout, "sha256 "+sum+" (given by the caller)") {
		t.Errorf("right sha256: %+v", o)
	}
	checkFiles(t, "cache", "gopdd/weights/niqe_modelparameters.mat")
	if o = pddRun(t, offline(""), "weights", "get", "niqe"); o.code != exitDone || !strings.Contains(o.stdout, "niqe is here already: ") {
		t.Errorf("second time: %+v", o)
	}
	if o = pddRun(t, offline(""), "weights", "get", "niqe", "--sha256", strings.ToUpper(sum)); o.code != exitDone {
		t.Errorf("second time, right sha256: %+v", o)
	}
	if o = pddRun(t, offline(""), "weights", "get", "niqe", "--sha256", strings.Repeat("0", 64)); o.code != exitFailed || !strings.Contains(o.stderr, "has sha256 "+sum+", expected 000") {
		t.Errorf("second time, wrong sha256: %+v", o)
	}
	if o = pddRun(t, offline(""), "weights", "get", "default", "--sha256", sum); o.code != exitFailed || !strings.Contains(o.stderr, "expected "+sum) {
		t.Errorf("built in, wrong sha256: %+v", o)
	}
	for _, args := range []string{"get niqe default --json", "list --json"} {
		if o = pddRun(t, offline(""), append([]string{"weights"}, strings.Fields(args)...)...); o.code != exitDone || strings.Contains(o.stdout, "null") {
			t.Errorf("%s: %+v", args, o)
		}
	}
	if o = pddRun(t, nil, "weights", "list"); !strings.Contains(o.stdout, "niqe                      metric     yes ") {
		t.Errorf("list does not show it: %s", o.stdout)
	}
}

// TestWeightsByHand: without a network the error says how to pass a file, and that way works.
func TestWeightsByHand(t *testing.T) {
	workFolder(t)
	o := pddRun(t, offline(""), "weights", "get", "niqe")
	if o.code != exitFailed || !strings.Contains(o.stderr, "cannot reach https://") || !strings.Contains(o.stderr, "add it with: pdd weights get niqe --file PATH") {
		t.Errorf("%+v", o)
	}
	if err := os.WriteFile("by-hand.mat", []byte("model"), 0o666); err != nil {
		t.Fatal(err)
	}
	if o = pddRun(t, nil, "weights", "get", "niqe", "--file", "by-hand.mat", "--trust", "--json", "--dir", "d"); o.code != exitDone {
		t.Errorf("%+v", o)
	}
	var results []struct{ Path string }
	if err := json.Unmarshal([]byte(o.stdout), &results); err != nil || len(results) != 1 || results[0].Path != "d/niqe_modelparameters.mat" {
		t.Errorf("%v, error %v", results, err)
	}
	checkFiles(t, "d", "niqe_modelparameters.mat")
}

// TestInspectConvert writes weights that belong to no known network, reads them and converts them forth and back.
func TestInspectConvert(t *testing.T) {
	workFolder(t)
	a, err := weightfile.NewFloat32("layer.weight", []int{2, 3}, []float32{1, 2, 3, 4, 5, 6})
	if err != nil {
		t.Fatal(err)
	}
	if err := weightfile.WriteSafetensors("in.safetensors", []weightfile.Array{a}, map[string]string{"from": "test"}); err != nil {
		t.Fatal(err)
	}
	for _, step := range [][]string{{"in.safetensors", "mid.pth"}, {"mid.pth", "out.safetensors"}} {
		if o := pddRun(t, nil, "weights", "convert", step[0], step[1]); o.code != exitDone || o.stdout != step[1]+": unknown network, 1 arrays\n" {
			t.Errorf("%v: %+v", step, o)
		}
	}
	o := pddRun(t, nil, "inspect", "out.safetensors", "--json", "--arrays")
	var got []inspected
	if err := json.Unmarshal([]byte(o.stdout), &got); err != nil || len(got) != 1 {
		t.Fatalf("%v in %s", err, o.stdout)
	}
	if r := got[0]; r.Parameters != 6 || len(r.Arrays) != 1 || r.Arrays[0].Name != "layer.weight" || r.Metadata["source"] != "mid.pth" || r.Problem == "" {
		t.Errorf("%+v", r)
	}
	text := pddRun(t, nil, "inspect", "mid.pth", "--arrays")
	for _, want := range []string{"mid.pth\n", "entry      params_ema of params_ema\n", "arrays     1 F32; 6 parameters\n", "sha256 ", "layer.weight", "F32   [2 3]\n"} {
		if !strings.Contains(text.stdout, want) {
			t.Errorf("no %q in %s", want, text.stdout)
		}
	}
}

// TestWeightsMix holds the mixture of two networks to its definition, and refuses networks that differ.
func TestWeightsMix(t *testing.T) {
	workFolder(t)
	for name, values := range map[string][]float32{"a": {1, -2}, "b": {3, 2}, "longer": {1, 2, 3}} {
		a, err := weightfile.NewFloat32("layer.weight", []int{len(values)}, values)
		if err != nil {
			t.Fatal(err)
		}
		if err := weightfile.WriteSafetensors(name+".safetensors", []weightfile.Array{a}, nil); err != nil {
			t.Fatal(err)
		}
	}
	for share, want := range map[string][]float32{"0": {1, -2}, "0.25": {1.5, -1}, "1": {3, 2}} {
		o := pddRun(t, nil, "weights", "mix", "a.safetensors", "b.safetensors", "mixed.safetensors", "--share", share)
		if o.code != exitDone {
			t.Fatalf("share %s: %+v", share, o)
		}
		f, err := weightfile.Open("mixed.safetensors")
		if err != nil {
			t.Fatal(err)
		}
		dict, err := f.Select("")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := dict.Arrays[0].Float32s(); err != nil || !slices.Equal(got, want) {
			t.Errorf("share %s: %v, want %v (error %v)", share, got, want, err)
		}
	}
	o := pddRun(t, nil, "weights", "mix", "a.safetensors", "longer.safetensors", "no.safetensors", "--share", "0.5")
	if o.code != exitFailed || !strings.Contains(o.stderr, "only networks of one kind and size") {
		t.Errorf("networks that differ: %+v", o)
	}
	if _, err := os.Stat("no.safetensors"); err == nil {
		t.Error("a refused mixture left a file")
	}
}
