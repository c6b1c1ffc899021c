package compare

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/gopdd/gopdd/internal/imgio"
)

// makeAhead is the number of pictures in work at a time: while one is in the network, another is read or written.
const makeAhead = 2

// upscale gives the results of a system that upscales: those that are there already and those made now. A failure is
// in the cell of its picture, or in all of them if the system does not open.
func (r *run) upscale(s System) (files []found, maker json.RawMessage, err error) {
	dir := filepath.Join(r.o.Out, "results", s.Name)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, nil, fmt.Errorf("make the folder of results: %w", err)
	}
	files = make([]found, len(r.pictures))
	var missing []int
	for i, p := range r.pictures {
		files[i].path = filepath.Join(dir, p.Name+".png")
		if !r.isMade(s, p, files[i].path) {
			missing = append(missing, i)
		}
	}
	if len(missing) > 0 {
		if err := r.makeAll(s, missing, files); err != nil {
			return nil, nil, err
		}
	}
	r.journal.get(keyOf("maker", s.Key), &maker)
	return files, maker, nil
}

// madeKey names the result of a picture; an error says that the LR picture cannot be read.
func (r *run) madeKey(s System, p Picture) (string, error) {
	lr, err := r.digests.of(p.LR)
	return keyOf("made", s.Key, lr), err
}

// isMade tells whether path holds what was made of the picture under the system's key.
func (r *run) isMade(s System, p Picture, path string) bool {
	key, err := r.madeKey(s, p)
	if err != nil {
		return false
	}
	var made string
	if !r.journal.get(key, &made) {
		return false
	}
	is, err := digest(path)
	return err == nil && is == made
}

// makeAll upscales the missing pictures. Only an interruption and a cache that cannot be written are errors of its own.
func (r *run) makeAll(s System, missing []int, files []found) error {
	deed := "upscale " + s.Name
	r.o.progress(deed, 0, len(missing))
	up, err := s.Open()
	if err != nil {
		for _, i := range missing {
			files[i] = found{err: err}
		}
		return nil
	}
	defer up.Close() // it only frees memory: results are written by then
	if err := r.journal.put(keyOf("maker", s.Key), up.Describe()); err != nil {
		return err
	}
	var group errgroup.Group
	group.SetLimit(makeAhead)
	var mu sync.Mutex
	done := 0
	for _, i := range missing {
		group.Go(func() error {
			if err := r.makeOne(s, up, r.pictures[i], files[i].path); err != nil {
				if r.ctx.Err() != nil {
					return r.ctx.Err()
				}
				files[i] = found{err: err}
			}
			mu.Lock()
			defer mu.Unlock()
			done++
			r.o.progress(deed, done, len(missing))
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("%s: stopped after %d of %d pictures: %w", deed, done, len(missing), err)
	}
	return nil
}

func (r *run) makeOne(s System, up Upscaler, p Picture, path string) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	key, err := r.madeKey(s, p)
	if err != nil {
		return err
	}
	lr, _, err := imgio.ReadFile(p.LR, imgio.Limits{})
	if err != nil {
		return err
	}
	big, err := up.Upscale(r.ctx, lr)
	if err != nil {
		return err
	}
	if err := imgio.WriteFile(path, big); err != nil {
		return err
	}
	made, err := digest(path)
	if err != nil {
		return err
	}
	return r.journal.put(key, made)
}
