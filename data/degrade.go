package data

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"image"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/gopdd/gopdd/internal/atomicfile"
	"github.com/gopdd/gopdd/internal/imgio"
	"github.com/gopdd/gopdd/internal/pixel"
)

// RecipesFile is the name of the list of recipes that [DegradeSet] leaves beside its pictures.
const RecipesFile = "recipes.jsonl"

// Recorded is a line of that file: the recipe of one picture.
type Recorded struct {
	Source string `json:"source"` // key of the HR picture
	Recipe Recipe `json:"recipe"`
}

// DegradeOptions are those of [DegradeSet].
type DegradeOptions struct {
	PrepareOptions
	Seed    uint64
	Targets bool               // also write what the LR pictures were made from, after sharpening and cutting
	Replay  []Recorded         // take these recipes instead of drawing
	Sample  func(SampleResult) // sees every result; may be nil; called from one goroutine at a time
}

// SampleResult is one degraded picture. It must not be kept after Sample returns, since it is large.
type SampleResult struct {
	Recorded
	Index      int // in the list of pictures
	LR, Target *Image
}

// DegradeSet makes an LR picture of every HR picture: out/LR/KEY.png, with Targets out/HR/KEY.png, and
// out/recipes.jsonl. The draws of a picture depend on the seed and its key alone, so that a picture added to the
// folder changes no other. It refuses a folder that holds recipes already; pictures left by an interrupted run are
// written again. Pictures that cannot be read are reported and passed over.
func DegradeSet(ctx context.Context, items []Item, out string, d Degradation, o DegradeOptions) (Prepared, error) {
	lrStems, err := outputStems(items, filepath.Join(out, "LR"))
	if err != nil {
		return Prepared{}, err
	}
	recipesPath := filepath.Join(out, RecipesFile)
	if _, err := os.Lstat(recipesPath); err == nil {
		return Prepared{}, fmt.Errorf("data: degrade: %q is there already: choose another folder, or remove it with its pictures", recipesPath)
	}
	recipes, err := drawAll(items, d, o)
	if err != nil {
		return Prepared{}, err
	}
	hrStems, err := outputStems(items, filepath.Join(out, "HR"))
	if err != nil {
		return Prepared{}, err
	}
	run := degradeRun{o: o, failed: make([]error, len(items))}
	err = forEach(ctx, len(items), o.Progress, func(i int) error {
		hrStem := hrStems[i]
		if !o.Targets {
			hrStem = ""
		}
		return run.one(i, items[i], recipes[i], lrStems[i], hrStem)
	})
	if err != nil {
		return Prepared{}, err
	}
	return run.finish(recipesPath, recipes)
}

// drawAll returns the recipe of each picture.
func drawAll(items []Item, d Degradation, o DegradeOptions) ([]Recorded, error) {
	if o.Replay != nil {
		return replayed(items, o.Replay)
	}
	if d == nil {
		return nil, errors.New("data: degrade: neither a degradation nor recipes")
	}
	if err := d.Validate(); err != nil {
		return nil, err
	}
	list := make([]Recorded, len(items))
	for i, it := range items {
		h := fnv.New64a()
		io.WriteString(h, it.Key)
		list[i] = Recorded{Source: it.Key, Recipe: d.Draw(Rand(o.Seed, 0, int(h.Sum64())))}
	}
	return list, nil
}

func replayed(items []Item, recorded []Recorded) ([]Recorded, error) {
	bySource := make(map[string]Recorded, len(recorded))
	for _, r := range recorded {
		bySource[r.Source] = r
	}
	list := make([]Recorded, len(items))
	for i, it := range items {
		r, ok := bySource[it.Key]
		if !ok {
			return nil, fmt.Errorf("data: degrade: no recipe for %q among the %d given", it.Key, len(recorded))
		}
		list[i] = r
	}
	return list, nil
}

// degradeRun is one run of DegradeSet; each index is worked on by one goroutine.
type degradeRun struct {
	o      DegradeOptions
	failed []error
	turn   sync.Mutex
}

func (r *degradeRun) one(i int, it Item, rec Recorded, lrStem, hrStem string) error {
	img, err := it.Decode(r.o.MaxPixels)
	if err != nil {
		r.failed[i] = err
		return nil
	}
	lr, target, err := rec.Recipe.Apply(FromImage(img).RGB())
	if err != nil {
		r.failed[i] = fmt.Errorf("data: degrade %q: %w", it.Path, err)
		return nil
	}
	if err := writePlanes(lrStem, lr, 8); err != nil {
		return err
	}
	if hrStem != "" {
		if err := writePlanes(hrStem, target, depth(img)); err != nil {
			return err
		}
	}
	if r.o.Sample != nil {
		r.turn.Lock()
		defer r.turn.Unlock()
		r.o.Sample(SampleResult{rec, i, lr, target})
	}
	return nil
}

func depth(img image.Image) int {
	if pixel.IsDeep(img) {
		return 16
	}
	return 8
}

func writePlanes(stem string, m *Image, bits int) error {
	img, err := m.ToImage(bits)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(stem), 0o777); err != nil {
		return fmt.Errorf("data: degrade: %w", err)
	}
	if err := imgio.WriteFile(stem+".png", img); err != nil {
		return fmt.Errorf("data: degrade: %w", err)
	}
	return nil
}

// finish writes the recipes of the pictures that were made.
func (r *degradeRun) finish(path string, recipes []Recorded) (Prepared, error) {
	var sum Prepared
	var made []Recorded
	for i, err := range r.failed {
		if err != nil {
			sum.Bad = append(sum.Bad, err)
			continue
		}
		made = append(made, recipes[i])
		sum.Written++
	}
	if len(made) == 0 {
		return sum, nil
	}
	return sum, WriteRecipes(path, made)
}

// WriteRecipes writes one recipe per line, in the given order.
func WriteRecipes(path string, list []Recorded) error {
	err := atomicfile.Write(path, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		for _, r := range list {
			if err := enc.Encode(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("data: write recipes: %w", err)
	}
	return nil
}

// ReadRecipes reads what [WriteRecipes] wrote.
func ReadRecipes(path string) ([]Recorded, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("data: read recipes: %w", err)
	}
	defer f.Close()
	var list []Recorded
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for line := 1; s.Scan(); line++ {
		var r Recorded
		if err := json.Unmarshal(s.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("data: read recipes %q: line %d: %w", path, line, err)
		}
		list = append(list, r)
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("data: read recipes %q: %w", path, err)
	}
	return slices.Clip(list), nil
}
