package arch

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/internal/golden"
	"github.com/gopdd/gopdd/internal/weightfile"
)

// build makes arrays for a network, their values by the golden formula.
func build(t testing.TB, net Network) []weightfile.Array {
	t.Helper()
	var arrays []weightfile.Array
	for _, p := range net.Spec() {
		a, err := weightfile.NewFloat32(p.Name, p.Shape, golden.Formula("arch.", p.Name, p.Shape, 1))
		if err != nil {
			t.Fatal(err)
		}
		arrays = append(arrays, a)
	}
	return arrays
}

// renamed applies replacements to all names.
func renamed(arrays []weightfile.Array, oldNew ...string) []weightfile.Array {
	out := slices.Clone(arrays)
	for i := range out {
		out[i].Name = strings.NewReplacer(oldNew...).Replace(out[i].Name)
	}
	return out
}

var tiny = RRDBNet{NumInCh: 3, NumOutCh: 3, NumFeat: 4, NumBlock: 2, NumGrowCh: 2, Scale: 4}

// TestDetectFindsTheSizes builds each network in some sizes and demands the same sizes back.
func TestDetectFindsTheSizes(t *testing.T) {
	for _, net := range []Network{
		tiny,
		RRDBNet{NumInCh: 3, NumOutCh: 3, NumFeat: 64, NumBlock: 23, NumGrowCh: 32, Scale: 4},
		RRDBNet{NumInCh: 3, NumOutCh: 3, NumFeat: 8, NumBlock: 1, NumGrowCh: 4, Scale: 2},
		RRDBNet{NumInCh: 3, NumOutCh: 3, NumFeat: 8, NumBlock: 11, NumGrowCh: 1, Scale: 1},
		RRDBNet{NumInCh: 1, NumOutCh: 1, NumFeat: 5, NumBlock: 1, NumGrowCh: 7, Scale: 4},
		RRDBNet{NumInCh: 4, NumOutCh: 3, NumFeat: 5, NumBlock: 1, NumGrowCh: 7, Scale: 4},
		SRVGGNetCompact{NumInCh: 3, NumOutCh: 3, NumFeat: 64, NumConv: 16, Upscale: 4},
		SRVGGNetCompact{NumInCh: 3, NumOutCh: 3, NumFeat: 64, NumConv: 32, Upscale: 4},
		SRVGGNetCompact{NumInCh: 1, NumOutCh: 1, NumFeat: 2, NumConv: 0, Upscale: 1},
		SRVGGNetCompact{NumInCh: 3, NumOutCh: 3, NumFeat: 2, NumConv: 1, Upscale: 3},
		VGG{Depth: 16, Width: 64}, VGG{Depth: 19, Width: 64}, VGG{Depth: 19, Width: 3}, AlexNet{}, SqueezeNet11{},
		UNetDiscriminator{NumInCh: 3, NumFeat: 64}, UNetDiscriminator{NumInCh: 1, NumFeat: 3},
	} {
		t.Run(fmt.Sprintf("%s%+v", net.Name(), net), func(t *testing.T) {
			arrays := build(t, net)
			slices.Reverse(arrays) // the order in the file must not matter
			d, err := Detect(arrays)
			if err != nil {
				t.Fatal(err)
			}
			if d.Network != net || len(d.Arrays) != len(arrays) || d.PostScale != 1 {
				t.Errorf("got %+v with %d of %d arrays", d.Network, len(d.Arrays), len(arrays))
			}
		})
	}
}

// The counts are made by hand: 2·9·(channels in)·(channels out) a pixel of each convolution's output.
func TestOperations(t *testing.T) {
	for _, tt := range []struct {
		net    Generator
		h, w   int
		want   int64
		reason string
	}{
		// Of 10×7 features: conv_first 3→4: 12; two blocks of 3·(4→2, 6→2, 8→2, 10→2, 12→4) = 3·104 each; conv_body
		// 4→4: 16. conv_up1 16 on 4 times as many, conv_up2 16, conv_hr 16 and conv_last 4→3: 12 on 16 times.
		{tiny, 10, 7, 18 * 70 * (12 + 2*3*104 + 16 + 4*16 + 16*(16+16+12)), "scale 4"},
		{RRDBNet{NumInCh: 3, NumOutCh: 3, NumFeat: 4, NumBlock: 2, NumGrowCh: 2, Scale: 2}, 20, 14,
			18 * 70 * (48 + 2*3*104 + 16 + 4*16 + 16*(16+16+12)), "scale 2: 12 channels of half the sides"},
		{SRVGGNetCompact{NumInCh: 3, NumOutCh: 3, NumFeat: 5, NumConv: 2, Upscale: 2}, 10, 7, 18 * 70 * (15 + 2*25 + 60),
			"12 channels in front of the pixel shuffle"},
	} {
		if got := tt.net.Operations(tt.h, tt.w); got != tt.want {
			t.Errorf("%s: %d operations, want %d", tt.reason, got, tt.want)
		}
	}
	x4plus := RRDBNet{NumInCh: 3, NumOutCh: 3, NumFeat: 64, NumBlock: 23, NumGrowCh: 32, Scale: 4}
	if got := math.Round(float64(x4plus.Operations(128, 128)) / 1e9); got != 587 {
		t.Errorf("RRDBNet of 23 blocks at 128×128: %v GFLOP, want 587", got)
	}
}

// The numbers are those of the published files: realesrgan-x4plus and RealESRGAN_x4plus.pth have 16,697,987 weights,
// realesr-animevideov3 621,424; torchvision's documentation says 143,667,240 for VGG19, 138,357,544 for VGG16,
// 61,100,840 for AlexNet and 1,235,496 for SqueezeNet 1.1, of which the classifiers are taken off here.
func TestNumberOfParameters(t *testing.T) {
	tests := []struct {
		net  Network
		want int
	}{
		{RRDBNet{NumInCh: 3, NumOutCh: 3, NumFeat: 64, NumBlock: 23, NumGrowCh: 32, Scale: 4}, 16_697_987},
		{SRVGGNetCompact{NumInCh: 3, NumOutCh: 3, NumFeat: 64, NumConv: 16, Upscale: 4}, 621_424},
		{VGG{Depth: 19, Width: 64}, 143_667_240 - (25088*4096 + 4096) - (4096*4096 + 4096) - (4096*1000 + 1000)},
		{VGG{Depth: 16, Width: 64}, 138_357_544 - (25088*4096 + 4096) - (4096*4096 + 4096) - (4096*1000 + 1000)},
		{AlexNet{}, 61_100_840 - (9216*4096 + 4096) - (4096*4096 + 4096) - (4096*1000 + 1000)},
		{SqueezeNet11{}, 1_235_496 - (512*1000 + 1000)},
	}
	for _, tt := range tests {
		sum := 0
		for _, p := range tt.net.Spec() {
			n := 1
			for _, d := range p.Shape {
				n *= d
			}
			sum += n
		}
		if sum != tt.want {
			t.Errorf("%s has %d parameters, want %d", tt.net.Name(), sum, tt.want)
		}
	}
}

// TestDialects translates a network's names into each dialect, by the table of testdata/golden/README.md.
func TestDialects(t *testing.T) {
	generator, discriminator := build(t, tiny), build(t, UNetDiscriminator{NumInCh: 3, NumFeat: 2})
	prefixed := slices.Clone(generator)
	for i := range prefixed {
		prefixed[i].Name = "module." + prefixed[i].Name
	}
	old := renamed(generator, "conv_first", "model.0", "conv_body", "model.1.sub.2", "conv_up1", "model.3", "conv_up2", "model.6",
		"conv_hr", "model.8", "conv_last", "model.10", "body.", "model.1.sub.", "rdb", "RDB",
		"conv1.", "conv1.0.", "conv2.", "conv2.0.", "conv3.", "conv3.0.", "conv4.", "conv4.0.", "conv5.", "conv5.0.")
	bsrgan := renamed(generator, "conv_body", "trunk_conv", "conv_up", "upconv", "conv_hr", "HRconv", "body.", "RRDB_trunk.", "rdb", "RDB")
	tests := []struct {
		dialect  string
		arrays   []weightfile.Array
		original []weightfile.Array
		sample   string // a name in the dialect
	}{
		{DialectBasicSR, generator, generator, "conv_first.weight"},
		{DialectBasicSR, prefixed, generator, "module.conv_first.weight"},
		{DialectESRGANOld, old, generator, "model.1.sub.1.RDB3.conv5.0.bias"},
		{DialectBSRGAN, bsrgan, generator, "RRDB_trunk.1.RDB3.conv5.bias"},
		{DialectPDD, discriminator, discriminator, "conv_0.weight"},
		{DialectRealESRGAN, renamed(discriminator, "conv_", "conv"), discriminator, "conv8.weight_orig"},
	}
	for _, tt := range tests {
		t.Run(tt.dialect+" "+tt.sample, func(t *testing.T) {
			if !slices.ContainsFunc(tt.arrays, func(a weightfile.Array) bool { return a.Name == tt.sample }) {
				t.Fatalf("the translated arrays have no %s", tt.sample)
			}
			d, err := Detect(tt.arrays)
			if err != nil {
				t.Fatal(err)
			}
			if d.Dialect != tt.dialect {
				t.Errorf("dialect %s, want %s", d.Dialect, tt.dialect)
			}
			for i, want := range tt.original {
				got := d.Arrays[want.Name]
				if got.Name != tt.arrays[i].Name || !slices.Equal(got.Float64s(), want.Float64s()) {
					t.Errorf("%s became %s, want %s", want.Name, got.Name, tt.arrays[i].Name)
				}
			}
		})
	}
}

// TestListsEverythingWrong checks that one error has all that is wrong with a file.
func TestListsEverythingWrong(t *testing.T) {
	arrays := build(t, tiny)
	remove := func(name string) {
		arrays = slices.DeleteFunc(arrays, func(a weightfile.Array) bool { return a.Name == name })
	}
	remove("conv_hr.bias")
	remove("body.1.rdb2.conv3.weight")
	for i := range arrays {
		if arrays[i].Name == "conv_up1.weight" {
			arrays[i] = oneArray(t, "conv_up1.weight", 4, 3, 3, 3)
		}
	}
	arrays = append(arrays, oneArray(t, "step", 1), oneArray(t, "body.0.rdb4.conv1.weight", 1))
	_, err := Detect(arrays)
	var mismatch *MismatchError
	if !errors.As(err, &mismatch) {
		t.Fatalf("error %v, want a MismatchError", err)
	}
	if !slices.Equal(mismatch.Missing, []string{"body.1.rdb2.conv3.weight", "conv_hr.bias"}) ||
		!slices.Equal(mismatch.Unexpected, []string{"step", "body.0.rdb4.conv1.weight"}) ||
		len(mismatch.Misshapen) != 1 || mismatch.Misshapen[0].String() != "conv_up1.weight [4 3 3 3], want [4 4 3 3]" {
		t.Errorf("got %+v", mismatch)
	}
	for _, part := range []string{"arch: detect", "RRDBNet", "2 missing: ", "2 unexpected: ", "1 misshapen: "} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q has no %q", err, part)
		}
	}
}

func oneArray(t testing.TB, name string, shape ...int) weightfile.Array {
	t.Helper()
	n := 1
	for _, d := range shape {
		n *= d
	}
	a, err := weightfile.NewFloat32(name, shape, make([]float32, n))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestRefusals(t *testing.T) {
	generator := build(t, tiny)
	old := renamed(generator, "conv_first", "model.0", "body.", "model.1.sub.", "rdb", "RDB", "conv1.", "conv1.0.")
	with := func(arrays []weightfile.Array, names ...string) []weightfile.Array {
		arrays = slices.Clone(arrays)
		for _, name := range names {
			arrays = append(arrays, oneArray(t, name, 1))
		}
		return arrays
	}
	vgg := build(t, VGG{Depth: 16, Width: 64})
	tests := []struct {
		label  string
		arrays []weightfile.Array
		want   string
	}{
		{"ESRGAN+", with(old, "model.1.sub.0.RDB1.conv1x1.weight"), "ESRGAN+"},
		{"8x, new names", with(generator, "conv_up3.weight", "conv_up3.bias"), "8x ESRGAN"},
		{"8x, BSRGAN's names", with(generator, "upconv3.weight", "upconv3.bias"), "8x ESRGAN"},
		{"8x, old names", with(old, "model.13.weight"), "model.13: this is a 8x ESRGAN, with 3 upsampling steps"},
		{"2x, old names", with(old, "model.7.weight"), "this is a 2x ESRGAN, with 1 upsampling steps"},
		{"1x, old names", with(old, "model.4.weight"), "this is a 1x ESRGAN"},
		{"a stray conv_up3", with(generator, "conv_up3.weight"), "1 unexpected: conv_up3.weight"},
		{"SRVGG with ReLU", []weightfile.Array{oneArray(t, "body.0.weight", 2, 3, 3, 3), oneArray(t, "body.2.weight", 2, 2, 3, 3)}, "only PReLU"},
		{"SRVGG of one layer", []weightfile.Array{oneArray(t, "body.0.weight", 2, 3, 3, 3)}, "last are missing"},
		{"a narrow VGG16", build(t, VGG{Depth: 16, Width: 8}), "8 maps: only VGG19"},
		{"VGG with batch norm", with(vgg, "features.1.running_mean"), "batch norm"},
		{"VGG11", with(nil, "features.0.weight", "features.3.weight", "features.6.weight"), "unknown torchvision network"},
		{"SqueezeNet 1.0", []weightfile.Array{oneArray(t, "features.0.weight", 96, 3, 7, 7), oneArray(t, "features.3.squeeze.weight", 1)}, "first convolution is 7x7"},
		{"SwinIR", with(nil, "layers.0.residual_group.weight", "patch_embed.norm.weight"), "unknown network"},
		{"nothing", nil, "unknown network"},
		{"two names for one", with(generator, "module.conv_first.weight"), "both mean conv_first.weight"},
		{"no features", []weightfile.Array{oneArray(t, "conv_0.weight", 0, 3, 3, 3), oneArray(t, "conv_1.weight_orig", 0)}, "of no size"},
		{"a block far away", with(generator, "body.1000000000.rdb1.conv1.weight"), "1 unexpected"},
		{"a number too long", with(generator, "body.99999999999999999999.rdb1.conv1.weight"), "1 unexpected"},
	}
	for _, tt := range tests {
		t.Run(tt.label, func(t *testing.T) {
			if _, err := Detect(tt.arrays); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestClassifiersAreIgnoredAndNamed(t *testing.T) {
	arrays := append(build(t, AlexNet{}), oneArray(t, "classifier.1.weight", 2, 2), oneArray(t, "classifier.1.bias", 2))
	d, err := Detect(arrays)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(d.Ignored, []string{"classifier.1.weight", "classifier.1.bias"}) || len(d.Arrays) != 10 || d.Dialect != DialectTorchvision {
		t.Errorf("ignored %v, %d arrays, dialect %s", d.Ignored, len(d.Arrays), d.Dialect)
	}
}

// goldenModel is the part of a loaders.load case's parameters that a file must tell by itself.
type goldenModel struct {
	File   string `json:"file"`
	Naming string `json:"naming"`
	RRDBNet
}

// TestGoldenFiles reads the model files of the golden cases loaders.load: the bad ones must fail with an error, the
// others must give the sizes in the case.
func TestGoldenFiles(t *testing.T) {
	dirs, err := filepath.Glob("../../testdata/golden/loaders_*")
	if err != nil || len(dirs) != 20 {
		t.Fatalf("%d cases, %v; want 20", len(dirs), err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			var c struct {
				Expect, Source string
				Params         goldenModel
			}
			text, err := os.ReadFile(filepath.Join(dir, "case.json"))
			if err == nil {
				err = json.Unmarshal(text, &c)
			}
			if err != nil {
				t.Fatal(err)
			}
			d, err := load(filepath.Join(dir, c.Params.File))
			if c.Expect == "error" {
				if err == nil {
					t.Fatalf("was accepted: %s", c.Source)
				}
				t.Logf("%s: %v", c.Source, err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			naming := map[string]string{"new": DialectBasicSR, "esrgan-old": DialectESRGANOld, "bsrgan": DialectBSRGAN}
			if d.Network != Network(c.Params.RRDBNet) || d.Dialect != naming[c.Params.Naming] {
				t.Errorf("got %+v in %s, want %+v in %s", d.Network, d.Dialect, c.Params.RRDBNet, c.Params.Naming)
			}
		})
	}
}

// load does what a loader does: open, detect, read all values.
func load(path string) (Description, error) {
	f, err := weightfile.Open(path)
	if err != nil {
		return Description{}, err
	}
	d, err := DetectFile(f, "")
	if err != nil {
		return Description{}, err
	}
	for _, p := range d.Network.Spec() {
		if _, err := d.Arrays[p.Name].Float32s(); err != nil {
			return Description{}, err
		}
	}
	return d, nil
}

func TestDetectFileReportsTheEntry(t *testing.T) {
	f, err := weightfile.Open("../../testdata/golden/loaders_params_and_ema/model.pth")
	if err != nil {
		t.Fatal(err)
	}
	for asked, want := range map[string]string{"": "params_ema", "params": "params"} {
		if d, err := DetectFile(f, asked); err != nil || d.Entry != want {
			t.Errorf("entry %q for %q, %v; want %q", d.Entry, asked, err, want)
		}
	}
	if _, err := DetectFile(f, "netG"); err == nil {
		t.Error("an entry that is not there was found")
	}
}

// TestSpandrelReads writes an RRDBNet as .pth and as safetensors and lets spandrel, which detects networks as
// Real-ESRGAN's tools do, load and run them; the last lines are what Real-ESRGAN's own scripts do. (Spandrel assumes
// 32 growth channels.)
func TestSpandrelReads(t *testing.T) {
	interpreter := os.Getenv("GOPDD_PYTHON")
	if interpreter == "" {
		t.Skip("set GOPDD_PYTHON to a Python interpreter with torch and spandrel to check the files against them")
	}
	if out, err := exec.Command(interpreter, "-c", "import torch, spandrel").CombinedOutput(); err != nil {
		t.Skipf("%s: %s", interpreter, out)
	}
	arrays := build(t, RRDBNet{NumInCh: 3, NumOutCh: 3, NumFeat: 8, NumBlock: 2, NumGrowCh: 32, Scale: 4})
	dir := t.TempDir()
	pth, st := filepath.Join(dir, "a.pth"), filepath.Join(dir, "a.safetensors")
	if err := errors.Join(weightfile.WritePth(pth, weightfile.StateDict{Key: "params_ema", Arrays: arrays}), weightfile.WriteSafetensors(st, arrays, nil)); err != nil {
		t.Fatal(err)
	}
	script := `
import sys, torch, spandrel
x = torch.rand(1, 3, 8, 8)
ys = [spandrel.ModelLoader().load_from_file(p).model(x) for p in sys.argv[1:]]
assert ys[0].shape == (1, 3, 32, 32) and ys[0].abs().max() > 0 and torch.equal(ys[0], ys[1])
loadnet = torch.load(sys.argv[1], map_location=torch.device("cpu"))
assert "params_ema" in loadnet
net = spandrel.ModelLoader().load_from_state_dict(loadnet["params_ema"]).model
net.load_state_dict(spandrel.ModelLoader().load_from_file(sys.argv[2]).model.state_dict(), strict=True)
assert torch.equal(net(x), ys[0])
`
	if out, err := exec.Command(interpreter, "-c", script, pth, st).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func TestInspect(t *testing.T) {
	const dir = "../../testdata/golden/"
	r, err := Inspect(dir+"loaders_fp16/model.pth", "")
	if err != nil {
		t.Fatal(err)
	}
	if r.Network != "RRDBNet" || r.Entry != "params_ema" || r.Dialect != DialectBasicSR || r.DTypes["F16"] != 72 ||
		r.Parameters != 25387 || r.Problem != "" || len(r.Parts) != 1 || r.Parts[0].Bytes != 71947 {
		t.Errorf("report %+v", r)
	}
	text, err := json.Marshal(r)
	if err != nil || !strings.Contains(string(text), `"sizes":{"num_in_ch":3,`) || !strings.Contains(string(text), `"format":"pth (zip)"`) {
		t.Errorf("JSON %s, %v", text, err)
	}
	for name, want := range map[string]string{"loaders_bad_shape": "1 misshapen", "loaders_bad_nan": "NaN"} {
		if r, err := Inspect(dir+name+"/model.pth", ""); err != nil || !strings.Contains(r.Problem, want) {
			t.Errorf("%s: problem %q, %v; want one with %q", name, r.Problem, err, want)
		}
	}
	if _, err := Inspect(dir+"loaders_bad_truncated_zip/model.pth", ""); err == nil {
		t.Error("a file that cannot be read got a report")
	}
}
