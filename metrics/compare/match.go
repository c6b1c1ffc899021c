package compare

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gopdd/gopdd/metrics/report"
)

// Picture is one of the pictures that all systems are compared on.
type Picture struct {
	Name      string // the ground truth's file name without its extension, else the LR picture's
	LR, Truth string // paths; "" where there is none
}

// pictures lists what to compare on, sorted by name, and says what is left out.
func (o *Options) pictures() (list []Picture, notes []string, err error) {
	from := o.LR
	if o.LR == "" {
		from = o.GT
	}
	truths := ""
	if o.LR != "" {
		truths = o.GT
	}
	pairs, err := report.Match(from, truths)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range pairs {
		picture := Picture{Name: stem(p.Name), LR: p.Image, Truth: p.Truth}
		switch {
		case o.LR == "":
			picture.LR, picture.Truth = "", p.Image
		case p.Truth != "":
			picture.Name = stem(p.Truth)
		}
		list = append(list, picture)
	}
	slices.SortFunc(list, func(a, b Picture) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(list); i++ {
		if a, b := list[i-1], list[i]; a.Name == b.Name {
			return nil, nil, fmt.Errorf("%q and %q are both the picture %q: keep one", a.file(), b.file(), b.Name)
		}
	}
	notes, err = o.unusedTruths(list)
	return list, notes, err
}

// file is the file that stands for the picture.
func (p Picture) file() string {
	if p.LR != "" {
		return p.LR
	}
	return p.Truth
}

func stem(path string) string {
	name := filepath.Base(path)
	return strings.TrimSuffix(name, filepath.Ext(name))
}

func (o *Options) unusedTruths(list []Picture) ([]string, error) {
	if o.LR == "" || o.GT == "" {
		return nil, nil
	}
	all, err := report.Match(o.GT, "")
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	for _, p := range list {
		used[p.Truth] = true
	}
	var unused []string
	for _, p := range all {
		if !used[p.Image] {
			unused = append(unused, p.Name)
		}
	}
	return note(unused, "ground truths have no LR picture and are left out"), nil
}

// note says what became of files, if there are any, with some names.
func note(files []string, what string) []string {
	if len(files) == 0 {
		return nil
	}
	const shown = 3
	names := strings.Join(files[:min(shown, len(files))], ", ")
	if len(files) > shown {
		names += ", …"
	}
	return []string{fmt.Sprintf("%d %s: %s", len(files), what, names)}
}

// found is a system's file for a picture, or why there is none.
type found struct {
	path string
	err  error
}

// results finds the files of a folder of results for all pictures, and says what else is in it.
func (o *Options) results(dir string, list []Picture) ([]found, []string, error) {
	partner, err := o.partners(dir)
	if err != nil {
		return nil, nil, err
	}
	index := map[string]int{}
	for i, p := range list {
		index[p.Truth], index[p.LR] = i, i
	}
	files := make([]found, len(list))
	var strangers []string
	for _, p := range partner {
		i, ok := index[p.Truth]
		switch {
		case p.Truth == "" || !ok:
			strangers = append(strangers, p.Name)
		case files[i].path != "":
			files[i].err = fmt.Errorf("%q and %q are both its result: keep one", filepath.Base(files[i].path), p.Name)
		default:
			files[i].path = p.Image
		}
	}
	for i := range files {
		if files[i].path == "" {
			files[i].err = fmt.Errorf("no file of this name in %q", dir)
		}
	}
	return files, note(strangers, fmt.Sprintf("files of %q belong to no picture and are left out", dir)), nil
}

// partners pairs the files of dir with the ground truth, and those that have none with the LR pictures.
func (o *Options) partners(dir string) ([]report.Pair, error) {
	var pairs []report.Pair
	var failures []error
	for _, references := range []string{o.GT, o.LR} {
		if references == "" {
			continue
		}
		matched, err := report.Match(dir, references)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		if pairs == nil {
			pairs = matched
			continue
		}
		for i := range pairs {
			if pairs[i].Truth == "" {
				pairs[i] = matched[i]
			}
		}
	}
	if pairs == nil {
		return nil, errors.Join(failures...)
	}
	return pairs, nil
}
