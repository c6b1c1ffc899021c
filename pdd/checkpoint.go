package pdd

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/weightfile"
	"github.com/gopdd/gopdd/models"
	"github.com/gopdd/gopdd/tensor"
)

// A checkpoint is a .safetensors file with everything that later steps depend on. Its tensors are named by their owner:
//
//	specialist/KEY average/KEY generalist/KEY discriminator/KEY      networks; u and v of the spectral norm are among them
//	specialist.mean/KEY specialist.square/KEY discriminator.mean/…   moments of Adam
//
// Its metadata are the format, the resolved configuration as YAML, the state as JSON, and a checksum of all this. There
// are no random generators to keep: what is drawn follows from the seed and the number of the batch.
const checkpointFormat = "gopdd checkpoint 1"

// Keys of the metadata.
const (
	metaFormat = "gopdd.format"
	metaConfig = "gopdd.config"
	metaState  = "gopdd.state"
	metaSum    = "gopdd.crc32c"
)

// state is what a checkpoint holds beside tensors.
type state struct {
	Step      int     `json:"step"`
	StepsG    int64   `json:"adam_steps_specialist"`
	StepsD    int64   `json:"adam_steps_discriminator"`
	Skipped   int     `json:"skipped_in_a_row"`
	Validated int     `json:"validated_step"` // the last one, -1 for none
	LossScale float64 `json:"loss_scale"`
	GoodSteps int     `json:"steps_at_loss_scale"`
	Data      string  `json:"data"`               // fingerprint of the data sets
	Best      *best   `json:"best,omitempty"`     // validation
	Features  string  `json:"features,omitempty"` // what Φ was
	Ranks     int     `json:"processes,omitempty"`
}

// best is the best validation so far.
type best struct {
	Step   int     `json:"step"`
	Metric string  `json:"metric"`
	Value  float64 `json:"value"`
}

// slot is a tensor of the trainer under its name in a checkpoint.
type slot struct {
	name   string
	tensor torch.Tensor
}

// slots lists all tensors that steps change, and the frozen generalist's.
func (t *Trainer) slots() []slot {
	var list []slot
	add := func(prefix string, named []models.Named) {
		for _, n := range named {
			list = append(list, slot{prefix + "/" + n.Name, n.Tensor})
		}
	}
	moments := func(prefix string, named []models.Named, means, squares []torch.Tensor) {
		for i, n := range named {
			list = append(list, slot{prefix + ".mean/" + n.Name, means[i]}, slot{prefix + ".square/" + n.Name, squares[i]})
		}
	}
	add("specialist", t.specialist.Parameters())
	if t.average != nil {
		add("average", t.average.Parameters())
	}
	if frozen, ok := t.generalist.(models.Trainable); ok && frozen != t.average {
		add("generalist", frozen.Parameters())
	}
	means, squares := t.optG.Moments()
	moments("specialist", t.specialist.Parameters(), means, squares)
	if t.disc != nil {
		add("discriminator", t.disc.State())
		means, squares = t.optD.Moments()
		moments("discriminator", t.disc.Parameters(), means, squares)
	}
	return list
}

// SaveCheckpoint writes a checkpoint to path, whole or not at all; with numbers in it that are not finite there is
// nothing to go on from, which is an error. [Trainer.Run] saves by itself.
func (t *Trainer) SaveCheckpoint(path string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return ErrTrainerClosed
	}
	if err := t.saveCheckpoint(path); err != nil {
		return fmt.Errorf("pdd: save checkpoint: %w", err)
	}
	return nil
}

func (t *Trainer) saveCheckpoint(path string) error {
	config, err := t.cfg.YAML()
	if err != nil {
		return err
	}
	st := state{Step: t.Done(), StepsG: t.optG.Count, Skipped: t.skipped, Validated: t.validated, LossScale: t.scaler.scale,
		GoodSteps: t.scaler.good, Data: t.fingerprint(), Best: t.best, Features: t.phiName, Ranks: t.ranks()}
	if t.optD != nil {
		st.StepsD = t.optD.Count
	}
	text, err := json.Marshal(st)
	if err != nil {
		return err
	}
	arrays, err := t.readSlots()
	if err != nil {
		return err
	}
	return weightfile.WriteSafetensors(path, arrays, map[string]string{metaFormat: checkpointFormat, metaConfig: string(config),
		metaState: string(text), metaSum: checksum(string(config), string(text), arrays)})
}

func checksum(config, state string, arrays []weightfile.Array) string {
	return fmt.Sprintf("%08x", weightfile.Sum([]string{config, state}, arrays))
}

func (t *Trainer) readSlots() ([]weightfile.Array, error) {
	slots := t.slots()
	arrays := make([]weightfile.Array, len(slots))
	err := t.background(func(s *tensor.Scope) (err error) {
		for i, sl := range slots {
			values := s.Float32s(sl.tensor)
			if k := slices.IndexFunc(values, func(v float32) bool { return v-v != 0 }); k >= 0 {
				return fmt.Errorf("%s has the value %v: the training diverged: go on from an earlier checkpoint with a lower learning rate", sl.name, values[k])
			}
			if arrays[i], err = weightfile.NewFloat32(sl.name, toInts(s.Shape(sl.tensor)), values); err != nil {
				return err
			}
		}
		return nil
	})
	return arrays, err
}

// LoadCheckpoint takes up the state of a checkpoint, which must be of a run with equal networks; the present
// configuration stays in force. After an error nothing has changed. Of several processes rank 0 reads the file and the
// others take what it read; the number of processes may be another than the checkpoint's.
func (t *Trainer) LoadCheckpoint(path string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return ErrTrainerClosed
	}
	var st state
	var err error
	if t.root() {
		st, err = t.readCheckpoint(path)
	}
	if err == nil {
		st, err = t.takeState(st)
	}
	if err != nil {
		return fmt.Errorf("pdd: load checkpoint %q: %w", path, t.fail(err))
	}
	t.done.Store(int64(st.Step))
	t.optG.Count, t.skipped, t.best, t.validated = st.StepsG, st.Skipped, st.Best, st.Validated
	t.scaler.scale, t.scaler.good = st.LossScale, st.GoodSteps
	if t.optD != nil {
		t.optD.Count = st.StepsD
	}
	return nil
}

// readCheckpoint brings a file's tensors into the trainer's and returns the rest.
func (t *Trainer) readCheckpoint(path string) (state, error) {
	f, st, err := openCheckpoint(path)
	if err != nil {
		return st, err
	}
	slots := t.slots()
	arrays, err := matchSlots(slots, f.Dicts[0].Arrays)
	if err != nil {
		return st, err
	}
	values := make([][]float32, len(arrays))
	for i, a := range arrays {
		if values[i], err = a.Float32s(); err != nil {
			return st, err
		}
	}
	err = t.background(func(s *tensor.Scope) error {
		for i, sl := range slots {
			v := s.FromFloat32s(values[i], s.Shape(sl.tensor)...)
			s.NoGrad().Copy(sl.tensor, v)
			s.Free(v)
		}
		return nil
	})
	if err != nil {
		return st, err
	}
	t.warnOfChanges(f, st)
	return st, nil
}

// warnOfChanges tells in what the run is not what it was.
func (t *Trainer) warnOfChanges(f *weightfile.File, st state) {
	if now := t.fingerprint(); now != st.Data {
		t.hooks.log.Warn("the data are not those of the checkpoint: the run goes on, but is not what it would have been", "checkpoint", st.Data, "now", now)
	}
	if before, err := ParseConfig([]byte(f.Metadata[metaConfig])); err == nil {
		if changes := t.cfg.changes(&before); len(changes) > 0 {
			t.hooks.log.Warn("the configuration is not that of the checkpoint: the present one counts from here on", "changes", changes)
		}
	}
	if before := max(st.Ranks, 1); before != t.ranks() {
		t.hooks.log.Warn("the run goes on with another number of processes, which share the batches anew", "checkpoint", before,
			"now", t.ranks(), "batch_of_each", t.cfg.Data.Batch)
	}
}

// openCheckpoint reads a file and checks that it is a checkpoint.
func openCheckpoint(path string) (*weightfile.File, state, error) {
	var st state
	f, err := weightfile.Open(path)
	if err != nil {
		return nil, st, err
	}
	if got := f.Metadata[metaFormat]; got != checkpointFormat {
		return nil, st, fmt.Errorf("not a checkpoint of this version (format %q, want %q): weights alone are given as specialist.weights", got, checkpointFormat)
	}
	if got, want := checksum(f.Metadata[metaConfig], f.Metadata[metaState], f.Dicts[0].Arrays), f.Metadata[metaSum]; got != want {
		return nil, st, fmt.Errorf("its checksum is %s, and it says %q: the file is damaged", got, want)
	}
	if err := json.Unmarshal([]byte(f.Metadata[metaState]), &st); err != nil {
		return nil, st, fmt.Errorf("state: %w", err)
	}
	if st.Step < 0 || st.StepsG < 0 || st.StepsD < 0 || st.Skipped < 0 || st.Validated < -1 || !(st.LossScale > 0) {
		return nil, st, errors.New("state: numbers that no run has: the file is damaged")
	}
	return f, st, nil
}

// matchSlots gives the arrays in the order of the slots; everything missing, left over or misshapen is in the error.
func matchSlots(slots []slot, arrays []weightfile.Array) ([]weightfile.Array, error) {
	byName := make(map[string]weightfile.Array, len(arrays))
	for _, a := range arrays {
		byName[a.Name] = a
	}
	out := make([]weightfile.Array, len(slots))
	var missing, shapes []string
	var nobody *tensor.Scope
	for i, sl := range slots {
		a, ok := byName[sl.name]
		delete(byName, sl.name)
		switch want := toInts(nobody.Shape(sl.tensor)); {
		case !ok:
			missing = append(missing, sl.name)
		case !slices.Equal(a.Shape, want):
			shapes = append(shapes, fmt.Sprintf("%s is %v, want %v", sl.name, a.Shape, want))
		}
		out[i] = a
	}
	var rest []string
	for name := range byName {
		rest = append(rest, name)
	}
	slices.Sort(rest)
	var errs []string
	for _, p := range []struct {
		what string
		list []string
	}{{"missing", missing}, {"of another shape", shapes}, {"unexpected", rest}} {
		if n := len(p.list); n > 0 {
			errs = append(errs, fmt.Sprintf("%d tensors %s: %s", n, p.what, strings.Join(p.list[:min(n, 4)], ", ")))
		}
	}
	if errs != nil {
		return nil, fmt.Errorf("the checkpoint is of other networks than this configuration: %s", strings.Join(errs, "; "))
	}
	return out, nil
}

// ReadCheckpointConfig returns the resolved configuration that a checkpoint holds and its step.
func ReadCheckpointConfig(path string) (Config, int, error) {
	f, st, err := openCheckpoint(path)
	if err != nil {
		return Config{}, 0, fmt.Errorf("pdd: read checkpoint %q: %w", path, err)
	}
	cfg, err := ParseConfig([]byte(f.Metadata[metaConfig]))
	if err != nil {
		return Config{}, 0, fmt.Errorf("pdd: read checkpoint %q: configuration: %w", path, err)
	}
	return cfg, st.Step, nil
}

// background runs fn on the trainer's worker, whatever becomes of anybody's context.
func (t *Trainer) background(fn func(s *tensor.Scope) error) error {
	return t.worker.Do(backgroundContext, fn)
}

func toInts(shape []int64) []int {
	out := make([]int, len(shape))
	for i, d := range shape {
		out[i] = int(d)
	}
	return out
}
