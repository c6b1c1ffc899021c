package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gopdd/gopdd/internal/imgio"
)

// job is one image to upscale.
type job struct {
	in, out string
	rel     string // in below the input that named it
	skip    bool   // out is there already
}

// layout says where outputs go.
type layout struct {
	out       string // a folder, or for a single input a file
	suffix    string // appended to the name before the extension
	format    string // "png", "jpg", "tif", or "auto": the input's, PNG where that cannot be written
	recursive bool   // descend into folders of folders
	overwrite bool
}

// source is one input image and where it lies below the input that named it.
type source struct{ path, rel string }

// plan finds the images that inputs (files, folders, globs) name and where their outputs go, in a stable order. All
// that is wrong with the command line is an error here, before any work is done.
func plan(inputs []string, l layout) ([]job, error) {
	var sources []source
	for _, input := range inputs {
		found, err := l.expand(input)
		if err != nil {
			return nil, err
		}
		sources = append(sources, found...)
	}
	seen := map[string]bool{}
	sources = slices.DeleteFunc(sources, func(s source) bool { // named twice
		path := realPath(s.path)
		again := seen[path]
		seen[path] = true
		return again
	})
	if len(sources) == 0 {
		return nil, usagef("no images in %s", strings.Join(inputs, ", "))
	}
	single, err := l.singleFile(inputs)
	if err != nil {
		return nil, err
	}
	jobs := make([]job, len(sources))
	for i, s := range sources {
		jobs[i] = job{in: s.path, rel: s.rel, out: filepath.Join(l.out, l.rename(s.rel))}
		if single {
			jobs[i].out = l.out
		}
	}
	jobs = l.withoutResults(jobs)
	return jobs, l.check(jobs)
}

// withoutResults drops the jobs whose input is what another job makes: with a suffix, those are the results of an earlier
// run into the folder of its inputs.
func (l layout) withoutResults(jobs []job) []job {
	if l.suffix == "" || l.overwrite {
		return jobs
	}
	maker := map[string]string{}
	for _, j := range jobs {
		maker[realPath(j.out)] = j.in
	}
	return slices.DeleteFunc(jobs, func(j job) bool {
		in, made := maker[realPath(j.in)]
		return made && in != j.in
	})
}

// expand turns one argument into images.
func (l layout) expand(input string) ([]source, error) {
	stat, err := os.Stat(input)
	if err == nil && stat.IsDir() {
		return l.folder(input)
	}
	if err == nil {
		return []source{{input, filepath.Base(input)}}, nil
	}
	matches, globErr := filepath.Glob(input)
	if globErr != nil || len(matches) == 0 {
		return nil, usagef("%s: no such file or folder", input)
	}
	var sources []source
	for _, match := range matches {
		stat, err := os.Stat(match)
		if hidden(match) && !hidden(input) || err == nil && !stat.IsDir() && !imgio.IsImageName(match) {
			continue // as a shell does; and a glob is a wish for the images among its matches
		}
		found, err := l.expand(match)
		if err != nil {
			return nil, err
		}
		sources = append(sources, found...)
	}
	return sources, nil
}

// folder lists the images in dir by name, and with recursive those below it. Hidden files and the output folder are
// left out.
func (l layout) folder(dir string) ([]source, error) {
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, err
	}
	out := realPath(l.out)
	var sources []source
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (hidden(path) || !l.recursive || realPath(path) == out) {
			return fs.SkipDir
		}
		if d.IsDir() || hidden(path) || !imgio.IsImageName(path) {
			return nil
		}
		rel, err := filepath.Rel(root, path)
		sources = append(sources, source{filepath.Join(dir, rel), rel})
		return err
	})
	return sources, err
}

func hidden(path string) bool { return strings.HasPrefix(filepath.Base(path), ".") }

// singleFile reports whether out names the one output file rather than a folder.
func (l layout) singleFile(inputs []string) (bool, error) {
	ext := strings.ToLower(filepath.Ext(l.out))
	if stat, err := os.Stat(l.out); err == nil && stat.IsDir() || ext == "" || strings.HasSuffix(l.out, string(filepath.Separator)) {
		return false, nil
	}
	if stat, err := os.Stat(inputs[0]); len(inputs) > 1 || err != nil || stat.IsDir() {
		if imgio.IsImageName(l.out) {
			return false, usagef("--out %s names a file, but the input is not a single file: name a folder", l.out)
		}
		return false, nil
	}
	if writable(ext) == "" {
		return false, usagef("--out %s: cannot write %s: use .png, .jpg or .tif, or an existing folder", l.out, ext)
	}
	return true, nil
}

// rename gives an output's name: suffix and extension.
func (l layout) rename(rel string) string {
	ext := filepath.Ext(rel)
	stem := strings.TrimSuffix(rel, ext)
	switch {
	case l.format != "auto":
		ext = "." + l.format
	case writable(strings.ToLower(ext)) == "":
		ext = ".png"
	}
	return stem + l.suffix + ext
}

// writable gives the format of a lower-case extension that imgio writes, or "".
func writable(ext string) string {
	switch ext {
	case ".png":
		return "png"
	case ".jpg", ".jpeg":
		return "jpg"
	case ".tif", ".tiff":
		return "tif"
	}
	return ""
}

// check refuses outputs that meet each other or an input, and marks those that are there already.
func (l layout) check(jobs []job) error {
	inputs, owner := map[string]bool{}, map[string]string{}
	for _, j := range jobs {
		inputs[realPath(j.in)] = true
	}
	for i := range jobs {
		j := &jobs[i]
		out := realPath(j.out)
		if inputs[out] {
			return usagef("%s would overwrite the input %s: choose another --out or a --suffix", j.in, j.out)
		}
		if other, taken := owner[out]; taken {
			return usagef("%s and %s would both become %s: rename one, or upscale them into different folders", other, j.in, j.out)
		}
		owner[out] = j.in
		stat, err := os.Stat(j.out)
		if err == nil && !stat.Mode().IsRegular() {
			return usagef("output %s is there and is no file", j.out)
		}
		j.skip = err == nil && !l.overwrite
	}
	return nil
}

// realPath is the absolute path without symbolic links, as far as the path exists.
func realPath(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	if real, err := filepath.EvalSymlinks(abs); err == nil {
		return real
	}
	if dir := filepath.Dir(abs); dir != abs {
		return filepath.Join(realPath(dir), filepath.Base(abs))
	}
	return abs
}
