package reproduce

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/gopdd/gopdd/data"
	"github.com/gopdd/gopdd/internal/atomicfile"
)

// Staged are the pictures of a data set as they are measured: folders in which a.png of LR belongs to a.png of GT.
type Staged struct {
	LR, GT   string
	Pictures int      // that were laid out
	Key      string   // changes with the files
	Notes    []string // files that could not be read or cut
}

// stagedName is the file in a stage's folder that says what it was made of.
const stagedName = "made-of.txt"

// Stage lays pairs out in dir: as links to whole pictures, or cut to crop×crop pixels of LR side by side as the paper
// cuts DRealSR, where smaller pictures stay whole. What dir holds of the same files is used again, else it is made anew.
func Stage(ctx context.Context, pairs []data.Pair, crop int, dir string) (Staged, error) {
	s := Staged{LR: filepath.Join(dir, "lr"), GT: filepath.Join(dir, "gt")}
	var text strings.Builder
	fmt.Fprintf(&text, "crop %d\n", crop)
	for _, p := range pairs {
		fmt.Fprintln(&text, fileLine(p.LR.Path), fileLine(p.HR.Path))
	}
	s.Key = KeyOf(text.String())
	made := filepath.Join(dir, stagedName)
	if old, err := os.ReadFile(made); err != nil || !strings.HasPrefix(string(old), text.String()) {
		if err := s.make(ctx, pairs, crop, dir); err != nil {
			return s, fmt.Errorf("reproduce: lay out pictures: %w", err)
		}
		for _, n := range s.Notes {
			fmt.Fprintf(&text, "note %s\n", strings.ReplaceAll(n, "\n", " "))
		}
		if err := atomicfile.Write(made, func(w io.Writer) error { _, err := io.WriteString(w, text.String()); return err }); err != nil {
			return s, fmt.Errorf("reproduce: lay out pictures: %w", err)
		}
	} else {
		for line := range strings.Lines(string(old)) {
			if n, ok := strings.CutPrefix(line, "note "); ok {
				s.Notes = append(s.Notes, strings.TrimSpace(n))
			}
		}
	}
	entries, err := os.ReadDir(s.LR)
	if err != nil {
		return s, fmt.Errorf("reproduce: lay out pictures: %w", err)
	}
	s.Pictures = len(entries)
	return s, nil
}

// fileLine tells a file and its state.
func fileLine(path string) string {
	stat, err := os.Stat(path)
	if err != nil {
		return path + " missing"
	}
	return fmt.Sprintf("%s %d %d", path, stat.Size(), stat.ModTime().UnixNano())
}

// FilesKey changes with the files' names, sizes and times.
func FilesKey(paths []string) string {
	lines := make([]string, len(paths))
	for i, p := range paths {
		lines[i] = fileLine(p)
	}
	return KeyOf(lines...)
}

// KeyOf is the sha256 of texts together.
func KeyOf(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	return hex.EncodeToString(sum[:])
}

func (s *Staged) make(ctx context.Context, pairs []data.Pair, crop int, dir string) error {
	for _, part := range []string{s.LR, s.GT} {
		if err := os.RemoveAll(part); err != nil {
			return err
		}
		if err := os.MkdirAll(part, 0o777); err != nil {
			return err
		}
	}
	if err := os.Remove(filepath.Join(dir, stagedName)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	whole, cut := s.sort(pairs, crop)
	for _, p := range whole {
		if err := errors.Join(link(p.LR, s.LR, stem(p)), link(p.HR, s.GT, stem(p))); err != nil {
			return err
		}
	}
	lr, hr := make([]data.Item, len(cut)), make([]data.Item, len(cut))
	for i, p := range cut {
		lr[i], hr[i] = p.LR, p.HR
		lr[i].Key, hr[i].Key = stem(p)+".png", stem(p)+".png"
	}
	return errors.Join(s.cut(ctx, lr, s.LR, crop), s.cut(ctx, hr, s.GT, crop*Scale))
}

// sort tells pairs that stay whole from those to cut.
func (s *Staged) sort(pairs []data.Pair, crop int) (whole, cut []data.Pair) {
	for _, p := range pairs {
		if crop == 0 {
			whole = append(whole, p)
			continue
		}
		info, err := p.LR.Info()
		switch {
		case err != nil:
			s.Notes = append(s.Notes, err.Error())
		case info.W < crop || info.H < crop:
			whole = append(whole, p)
		default:
			cut = append(cut, p)
		}
	}
	return whole, cut
}

func (s *Staged) cut(ctx context.Context, items []data.Item, out string, side int) error {
	if len(items) == 0 {
		return nil
	}
	done, err := data.SubImages(ctx, items, out, data.Cutting{Size: side, Step: side, Rest: -1}, data.PrepareOptions{})
	for _, bad := range done.Bad {
		s.Notes = append(s.Notes, bad.Error())
	}
	if done.Small > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("%d pictures are too small to be cut to %d×%d: %s", done.Small, side, side, out))
	}
	return err
}

// stem is the name of a pair: that of its HR picture without what says HR.
func stem(p data.Pair) string {
	name := filepath.Base(p.HR.Path)
	name = strings.TrimSuffix(name, filepath.Ext(name))
	for _, mark := range []string{"_HR", "_x1", "_GT"} {
		name = strings.TrimSuffix(name, mark)
	}
	return name
}

// link puts a picture into a folder without copying it.
func link(it data.Item, dir, name string) error {
	target, err := filepath.Abs(it.Path)
	if err != nil {
		return err
	}
	return os.Symlink(target, filepath.Join(dir, name+filepath.Ext(it.Path)))
}
