package pdd_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/internal/imgio"
	"github.com/gopdd/gopdd/metrics"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/pdd"
)

const (
	psnrName  = "val/psnr_y_bt601_pyiqa_crop2"
	sharpName = "val/sharpness_crop2"
)

// validated adds pictures to validate on, of odd sizes; the second HR picture is larger than twice its LR picture.
func validated(t testing.TB, c pdd.Config) pdd.Config {
	t.Helper()
	dir := t.TempDir()
	v := &c.Validation
	v.LR, v.HR = filepath.Join(dir, "lr"), filepath.Join(dir, "hr")
	for i, size := range []image.Point{{17, 13}, {15, 21}} {
		for path, img := range map[string]image.Image{v.LR: noise(size.X, size.Y, 7), v.HR: noise(2*size.X+i, 2*size.Y+i, 8)} {
			if err := os.MkdirAll(path, 0o777); err != nil {
				t.Fatal(err)
			}
			writePicture(t, filepath.Join(path, fmt.Sprintf("p%d.png", i)), img)
		}
	}
	v.Every, v.Crop, v.Samples = 2, 2, 1
	v.Metrics = []string{"psnr_y_bt601", "ssim_y_bt601", "sharpness"}
	v.Raw, v.ColorCorrection = true, true
	return c
}

// TestValidationOfAnotherScale: a truth that is larger than the result by more than a remainder is none of it.
func TestValidationOfAnotherScale(t *testing.T) {
	c := validated(t, withPictures(t, small(pdd.EMA())))
	writePicture(t, filepath.Join(c.Validation.HR, "p1.png"), noise(4*15, 4*21, 8))
	if err := newTrainer(t, c).Run(t.Context()); err == nil || !strings.Contains(err.Error(), "30×42") {
		t.Errorf("error %v, want one that names the sizes", err)
	}
}

// TestValidationNumbers: the means in the log are those of the upscaler's results and package metrics, for the average
// and the specialist, with and without corrected colours; the samples are the upscaler's pictures.
func TestValidationNumbers(t *testing.T) {
	c := validated(t, withPictures(t, small(pdd.EMA())))
	c.Steps, c.EMADecay, c.Optimizer.LR = 3, 0.5, 0.01 // the last step is validated too
	tr := newTrainer(t, c)
	run(t, tr)
	rows := logRows(t, c)
	if len(rows) != 4 || rows[0][psnrName] == "" || rows[1][psnrName] != "" || rows[2][psnrName] == "" {
		t.Fatalf("rows %v, want validations after steps 0, 2 and 3", rows)
	}
	seen := map[string]bool{}
	for _, variant := range []struct {
		suffix  string
		net     models.Trainable
		correct bool
	}{{"", tr.Average(), false}, {"_cc", tr.Average(), true}, {"_raw", tr.Specialist(), false}, {"_raw_cc", tr.Specialist(), true}} {
		psnr, sharp := 0.0, 0.0
		for _, name := range []string{"p0.png", "p1.png"} {
			img := upscale(t, upscaler(t, pdd.WithModel(forInference(t, variant.net)), pdd.WithThreads(1)), readPicture(t, filepath.Join(c.Validation.LR, name)), pdd.ColorCorrection(variant.correct))
			truth := readPicture(t, filepath.Join(c.Validation.HR, name)).(*image.RGBA).SubImage(img.Bounds())
			p, err := metrics.PSNR(img, truth, metrics.Convention{Color: metrics.YBT601, Crop: 2})
			s, err2 := metrics.SharpnessRatio(img, truth, 2)
			if err := errors.Join(err, err2); err != nil {
				t.Fatal(err)
			}
			psnr, sharp = psnr+p/2, sharp+s/2
			sample := filepath.Join(c.Output.Dir, "samples", "step-00000003", name)
			switch _, err := os.Stat(sample); {
			case name == "p1.png" && !errors.Is(err, os.ErrNotExist):
				t.Errorf("%s: %v, want one sample alone", sample, err)
			case name == "p0.png" && variant.suffix == "" && maxLevels(readPicture(t, sample), img) != 0:
				t.Errorf("%s differs from the upscaler's result", sample)
			}
		}
		for name, want := range map[string]float64{psnrName + variant.suffix: psnr, sharpName + variant.suffix: sharp} {
			text := rows[3][name]
			if got, err := strconv.ParseFloat(text, 64); err != nil || math.Abs(got-want) > 1e-12 || seen[text] {
				t.Errorf("%s is %s, want %v, different from the other variants (%v)", name, text, want, err)
			}
			seen[text] = true
		}
	}
}

// forInference is the network as validation runs it.
func forInference(t testing.TB, net models.Trainable) models.Generator {
	t.Helper()
	g, err := models.ForInference(net)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { g.Close() })
	return g
}

func readPicture(t testing.TB, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, _, err := imgio.Decode(f, imgio.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// bestOf is what the newest checkpoint says of the best validation.
func bestOf(t *testing.T, c pdd.Config) (step int, value float64) {
	t.Helper()
	var state struct {
		Best struct {
			Step  int
			Value float64
		}
	}
	if err := json.Unmarshal([]byte(readSnapshot(t, checkpointPath(c, c.Steps)).state), &state); err != nil {
		t.Fatal(err)
	}
	return state.Best.Step, state.Best.Value
}

// TestBest: the checkpoint and the model of the best validation stay when worse ones come; of the others only the last
// few are kept.
func TestBest(t *testing.T) {
	c := validated(t, withPictures(t, supervised()))
	c.Steps, c.Validation.Every, c.Output.SaveEvery, c.Output.KeepLast = 6, 1, 1, 2
	c.Output.Best = "psnr_y_bt601_pyiqa"
	var tr *pdd.Trainer
	tr = newTrainer(t, c, pdd.OnStep(func(r pdd.StepReport) {
		if r.Step == 4 { // from here on everything is worse
			setFirst(t, tr.Average().Parameters()[0].Tensor, 1e3)
		}
	}))
	run(t, tr)
	step, value := bestOf(t, c)
	want := 0
	rows := logRows(t, c)
	for i, row := range rows {
		if number(t, row[psnrName]) > number(t, rows[want][psnrName]) {
			want = i
		}
	}
	if step != want || step > 3 || value != number(t, rows[want][psnrName]) {
		t.Errorf("best is step %d with %v, want %d with %s, before step 4", step, value, want, rows[want][psnrName])
	}
	wantFiles := []string{checkpointPath(c, step), checkpointPath(c, 5), checkpointPath(c, 6)}
	if got := checkpointFiles(c); !reflect.DeepEqual(got, wantFiles) {
		t.Errorf("checkpoints %q, want %q", got, wantFiles)
	}
	again := newTrainer(t, c)
	if err := again.LoadCheckpoint(checkpointPath(c, step)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "again.pth")
	if err := again.SaveModel(path); err != nil {
		t.Fatal(err)
	}
	if model, err := os.ReadFile(path); err != nil || !bytes.Equal(model, content(t, c, pdd.BestFile)) {
		t.Errorf("%s is not the model of step %d (%v)", pdd.BestFile, step, err)
	}
}

func number(t *testing.T, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestStoppedValidation: a validation that a stop prevented is made when the run goes on, so that log, best model and
// checkpoint are those of a run that nobody stopped.
func TestStoppedValidation(t *testing.T) {
	whole := validated(t, withPictures(t, supervised()))
	whole.Output.Best = "psnr_y_bt601"
	run(t, newTrainer(t, whole))
	for _, stop := range []int{2, 6} { // of 6; a validation is due after both
		parts := whole
		parts.Output.Dir = filepath.Join(t.TempDir(), "parts")
		if err := runUntil(t, parts, stop); !errors.Is(err, pdd.ErrStopped) {
			t.Fatalf("stopped after step %d: error %v, want ErrStopped", stop, err)
		}
		run(t, newTrainer(t, parts))
		checkSameRun(t, parts, whole, fmt.Sprintf("stopped after step %d", stop))
		if !bytes.Equal(content(t, parts, pdd.BestFile), content(t, whole, pdd.BestFile)) {
			t.Errorf("stopped after step %d: the best models differ", stop)
		}
	}
}

// TestValidationWithoutTruth: samples need no ground truth and no metric.
func TestValidationWithoutTruth(t *testing.T) {
	c := validated(t, withPictures(t, supervised()))
	c.Validation.HR, c.Validation.Metrics, c.Validation.Samples = "", nil, 2
	run(t, newTrainer(t, c))
	for _, name := range []string{"p0.png", "p1.png"} {
		readPicture(t, filepath.Join(c.Output.Dir, "samples", "step-00000006", name))
	}
}

// TestInfiniteBest: equal pictures have an infinite PSNR by BasicSR's convention, and a checkpoint holds that. A network
// of this kind whose last convolution is zero repeats pixels.
func TestInfiniteBest(t *testing.T) {
	c := validated(t, withPictures(t, supervised()))
	c.EMADecay, c.Validation.Metrics, c.Output.Best = 0, []string{"psnr_rgb_basicsr"}, "psnr_rgb_basicsr"
	for _, name := range []string{"p0.png", "p1.png"} {
		same := upscale(t, upscaler(t, pdd.WithModel(nearest(2, 1))), readPicture(t, filepath.Join(c.Validation.LR, name)))
		writePicture(t, filepath.Join(c.Validation.HR, name), same)
	}
	net := srvgg(t, 1)
	for _, p := range net.Parameters()[len(net.Parameters())-2:] {
		setAll(t, p.Tensor, 0)
	}
	run(t, newTrainer(t, c, pdd.WithNetworks(pdd.Networks{Specialist: net})))
	if text := logRows(t, c)[0]["val/psnr_rgb_basicsr_crop2"]; text != "+Inf" {
		t.Errorf("PSNR of equal pictures is %s in the log, want +Inf", text)
	}
	if step, _ := bestOf(t, c); step != 0 {
		t.Errorf("the best is step %d, want 0", step)
	}
}
