package pdd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	"github.com/gopdd/gopdd/internal/atomicfile"
)

// checkpoints is the folder of a run's checkpoints.
type checkpoints struct{ dir string }

var checkpointName = regexp.MustCompile(`^step-(\d{8})\.safetensors$`)

func (c checkpoints) path(step int) string {
	return filepath.Join(c.dir, fmt.Sprintf("step-%08d.safetensors", step))
}

// steps lists the steps that have a checkpoint, ascending.
func (c checkpoints) steps() ([]int, error) {
	entries, err := os.ReadDir(c.dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	var steps []int
	for _, e := range entries {
		if m := checkpointName.FindStringSubmatch(e.Name()); m != nil {
			n, _ := strconv.Atoi(m[1])
			steps = append(steps, n)
		}
	}
	return steps, err
}

// prune removes all checkpoints but the last few and those to keep, and what killed processes left half written.
func (c checkpoints) prune(last int, keep ...int) error {
	steps, err := c.steps()
	if err != nil {
		return err
	}
	var errs []error
	for i, step := range steps {
		if i < len(steps)-last && !slices.Contains(keep, step) {
			errs = append(errs, os.Remove(c.path(step)))
		}
	}
	return errors.Join(append(errs, atomicfile.RemoveStale(c.dir, checkpointName.MatchString))...)
}
