package pdd_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gopdd/gopdd/internal/weightfile"
	"github.com/gopdd/gopdd/pdd"
)

// saved makes a trainer of c, some steps, and a checkpoint of it.
func saved(t *testing.T, c pdd.Config, steps int) (tr *pdd.Trainer, path string) {
	t.Helper()
	tr = newTrainer(t, c)
	for i := range steps {
		step(t, tr, batch(uint64(i)))
	}
	path = filepath.Join(t.TempDir(), "saved.safetensors")
	if err := tr.SaveCheckpoint(path); err != nil {
		t.Fatal(err)
	}
	return tr, path
}

// TestCheckpointByHand: what a program that calls Step by itself needs to stop and go on.
func TestCheckpointByHand(t *testing.T) {
	c := small(pdd.EMA())
	whole, path := saved(t, c, 3)
	cfg, done, err := pdd.ReadCheckpointConfig(path)
	if err != nil || done != 3 || fmt.Sprintf("%+v", cfg.Loss) != fmt.Sprintf("%+v", c.Loss) {
		t.Errorf("configuration of step %d, loss %+v (%v), want step 3 and %+v", done, cfg.Loss, err, c.Loss)
	}
	again := newTrainer(t, c)
	if err := again.LoadCheckpoint(path); err != nil {
		t.Fatal(err)
	}
	for i := 3; i < 6; i++ {
		b := batch(uint64(i))
		step(t, again, b)
		step(t, whole, b)
	}
	checkSame(t, "after the same steps", snap(t, again), snap(t, whole))
}

// TestDamagedCheckpoint: a checkpoint that is cut off or has a wrong bit anywhere does not load, or loads as what was
// saved where the bit has no meaning (JSON's names in capitals). A trainer that refused it is as it was.
func TestDamagedCheckpoint(t *testing.T) {
	c := small(pdd.EMA())
	_, path := saved(t, c, 4)
	want := readSnapshot(t, path)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	tr, other := saved(t, c, 2)
	before := readSnapshot(t, other)
	bad := filepath.Join(t.TempDir(), "bad.safetensors")
	try := func(what string, content []byte) {
		t.Helper()
		if err := os.WriteFile(bad, content, 0o666); err != nil {
			t.Fatal(err)
		}
		err := tr.LoadCheckpoint(bad)
		switch {
		case err == nil:
			checkSame(t, what, snap(t, tr), want)
			if err := tr.LoadCheckpoint(other); err != nil {
				t.Fatal(err)
			}
		case !strings.Contains(err.Error(), bad):
			t.Errorf("%s: error %v, want one that names the file", what, err)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 100 {
		n := i
		if i >= 20 {
			n = r.IntN(len(good))
		}
		try(fmt.Sprintf("%d of %d bytes", n, len(good)), good[:n])
	}
	header := 8 + int(binary.LittleEndian.Uint64(good))
	for i := range 600 {
		at := r.IntN(header)
		if i%4 == 0 {
			at = r.IntN(len(good))
		}
		bit := byte(1) << r.IntN(8)
		good[at] ^= bit
		try(fmt.Sprintf("bit %d of byte %d", bit, at), good)
		good[at] ^= bit
	}
	checkSame(t, "after all refusals", snap(t, tr), before)
}

// TestForeignCheckpoint: files that are whole but not this trainer's checkpoint give an error that says what they are,
// and change nothing.
func TestForeignCheckpoint(t *testing.T) {
	tr, path := saved(t, small(pdd.EMA()), 2)
	before := readSnapshot(t, path)
	dir := t.TempDir()
	weights := filepath.Join(dir, "weights.safetensors")
	pth := filepath.Join(dir, "weights.pth")
	for _, path := range []string{weights, pth} {
		if err := tr.SaveModel(path); err != nil {
			t.Fatal(err)
		}
	}
	wide := small(pdd.EMA())
	wide.Specialist.New.Feat = 12
	_, wider := saved(t, wide, 0)
	_, plain := saved(t, supervised(), 1)
	picture := filepath.Join(dir, "picture.safetensors")
	writePicture(t, filepath.Join(dir, "p.png"), noise(30, 30, 1))
	if err := os.Rename(filepath.Join(dir, "p.png"), picture); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, path, want string }{
		{"weights", weights, "specialist.weights"},
		{"pth", pth, "not a checkpoint"},
		{"another network", wider, "of another shape: specialist/"},
		{"without discriminator", plain, "missing: discriminator/"},
		{"picture", picture, "picture"},
		{"nothing", filepath.Join(dir, "none.safetensors"), "no such file"},
		{"folder", dir, dir},
		{"no state", rewritten(t, path, "gopdd.state", ""), "state"},
		{"step", rewritten(t, path, "gopdd.state", `{"step":-1,"loss_scale":1}`), "numbers that no run has"},
		{"state", rewritten(t, path, "gopdd.state", `[]`), "state: "},
		{"later version", rewritten(t, path, "gopdd.format", "gopdd checkpoint 2"), `"gopdd checkpoint 2"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tr.LoadCheckpoint(tt.path)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.path) {
				t.Errorf("error %v, want one with %q and the file's name", err, tt.want)
			}
			checkSame(t, "after the error", snap(t, tr), before)
		})
	}
	if _, _, err := pdd.ReadCheckpointConfig(rewritten(t, path, "gopdd.config", "colour: blue")); err == nil || !strings.Contains(err.Error(), "colour") {
		t.Errorf("a configuration with an unknown field: error %v, want one that names it", err)
	}
}

// rewritten is a copy of a checkpoint with another text in its metadata, and the checksum of that.
func rewritten(t *testing.T, path, key, text string) string {
	t.Helper()
	f, err := weightfile.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	meta, arrays := maps.Clone(f.Metadata), f.Dicts[0].Arrays
	meta[key] = text
	meta["gopdd.crc32c"] = fmt.Sprintf("%08x", weightfile.Sum([]string{meta["gopdd.config"], meta["gopdd.state"]}, arrays))
	out := filepath.Join(t.TempDir(), "rewritten.safetensors")
	if err := weightfile.WriteSafetensors(out, arrays, meta); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestDivergedCheckpoint: weights that are not finite are no state to go on from, so they do not replace one.
func TestDivergedCheckpoint(t *testing.T) {
	tr, path := saved(t, supervised(), 1)
	before := readSnapshot(t, path)
	setFirst(t, tr.Specialist().Parameters()[0].Tensor, math.Inf(1))
	err := tr.SaveCheckpoint(path)
	if err == nil || !strings.Contains(err.Error(), "specialist/body.0.weight") {
		t.Errorf("error %v, want one that names the tensor", err)
	}
	checkSame(t, "the file", readSnapshot(t, path), before)
}
