package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gopdd/gopdd/internal/imgio"
)

// stdio stands for standard input and standard output.
const stdio = "-"

// job is one image to upscale.
type job struct {
	in, out string
	rel     string // in below the input that named it
	from    string // in without symbolic links
	to      string // out without them
	skip    bool   // out is there already
	err     error  // in is a folder that cannot be read, and there is no out
}

// idle tells that nothing is to be done.
func (j job) idle() bool { return j.skip || j.err != nil }

// layout says where outputs go.
type layout struct {
	out       string // a folder, or for a single input a file or stdio
	suffix    string // appended to the name before the extension
	format    string // "png", "jpg", "tif", or "auto": the input's, PNG where that cannot be written
	recursive bool   // descend into folders of folders
	overwrite bool
}

// source is one input image and where it lies below the input that named it, or a folder there that cannot be read.
type source struct {
	path, rel string
	real      string // path without symbolic links
	err       error
}

// plan finds the images that inputs (files, folders, globs, or stdio alone) name and where their outputs go, in a stable
// order. All that is wrong with the command line is an error here, before any work is done. note says what is passed over.
func plan(inputs []string, l layout) (jobs []job, note string, err error) {
	f := finder{layout: l}
	for _, input := range inputs {
		if err := f.add(input); err != nil {
			return nil, "", err
		}
	}
	if f.passed != "" {
		note = fmt.Sprintf("the folders in %s are passed over without --recursive", f.passed)
	}
	seen := map[string]bool{}
	for i := range f.sources {
		f.sources[i].real = realPath(f.sources[i].path)
	}
	sources := slices.DeleteFunc(f.sources, func(s source) bool { // named twice
		again := seen[s.real]
		seen[s.real] = true
		return again
	})
	if len(sources) == 0 {
		return nil, "", usagef("%s", strings.TrimSuffix("no images in "+strings.Join(inputs, ", ")+"; "+note, "; "))
	}
	single, err := l.singleFile(inputs)
	if err != nil {
		return nil, "", err
	}
	jobs = make([]job, len(sources))
	for i, s := range sources {
		jobs[i] = job{in: s.path, rel: s.rel, from: s.real, err: s.err}
		switch {
		case single:
			jobs[i].out = l.out
		case s.err == nil:
			jobs[i].out = filepath.Join(l.out, l.rename(s.rel))
		}
		jobs[i].to = realPath(jobs[i].out)
	}
	jobs = l.withoutResults(jobs)
	return jobs, note, l.check(jobs)
}

// withoutResults drops the jobs whose input is what another job makes: with a suffix, those are the results of an earlier
// run into the folder of its inputs.
func (l layout) withoutResults(jobs []job) []job {
	if l.suffix == "" || l.overwrite {
		return jobs
	}
	maker := map[string]string{}
	for _, j := range jobs {
		maker[j.to] = j.in
	}
	return slices.DeleteFunc(jobs, func(j job) bool {
		in, made := maker[j.from]
		return made && in != j.in
	})
}

// finder collects the images that inputs name.
type finder struct {
	layout
	sources []source
	passed  string // a folder whose folders are passed over, or ""
}

// add finds the images that one argument names.
func (f *finder) add(input string) error {
	stat, err := os.Stat(input)
	if err == nil && stat.IsDir() {
		return f.folder(input)
	}
	if err == nil || input == stdio {
		f.sources = append(f.sources, source{path: input, rel: filepath.Base(input)})
		return nil
	}
	matches, globErr := filepath.Glob(input)
	if globErr != nil || len(matches) == 0 {
		return usagef("%s: no such file or folder", input)
	}
	for _, match := range matches {
		stat, err := os.Stat(match)
		if hidden(match) && !hidden(input) || err == nil && !stat.IsDir() && !imgio.IsImageName(match) {
			continue // as a shell does; and a glob is a wish for the images among its matches
		}
		if err := f.add(match); err != nil {
			return err
		}
	}
	return nil
}

// folder finds the images in dir by name, and with recursive those below it. Hidden files and the output folder are
// left out.
func (f *finder) folder(dir string) error {
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return err
	}
	out := realPath(f.out)
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil && path == root {
			return err
		}
		rel, relErr := filepath.Rel(root, path)
		if relErr != nil {
			return relErr
		}
		switch {
		case err != nil: // a folder, which the walk then leaves
			f.sources = append(f.sources, source{path: filepath.Join(dir, rel), rel: rel, err: err})
		case d.IsDir() && path != root && (hidden(path) || realPath(path) == out):
			return fs.SkipDir
		case d.IsDir() && path != root && !f.recursive:
			f.passed = dir
			return fs.SkipDir
		case !d.IsDir() && !hidden(path) && imgio.IsImageName(path):
			f.sources = append(f.sources, source{path: filepath.Join(dir, rel), rel: rel})
		}
		return nil
	})
}

func hidden(path string) bool { return strings.HasPrefix(filepath.Base(path), ".") }

// singleFile reports whether out names the one output file, or stdio, rather than a folder.
func (l layout) singleFile(inputs []string) (bool, error) {
	one := len(inputs) == 1 && (inputs[0] == stdio || isFile(inputs[0]))
	switch {
	case slices.Contains(inputs, stdio) && !one:
		return false, usagef("-, a picture on standard input, must be the only input")
	case l.out == stdio && !one:
		return false, usagef("--out - takes a single picture: name one file, or a folder for the results")
	case l.out == stdio:
		return true, nil
	}
	single, err := l.namesFile(one)
	if err == nil && !single && inputs[0] == stdio {
		err = usagef("--out %s is a folder, and a picture on standard input has no name: name a file, or - for standard output", l.out)
	}
	return single, err
}

func isFile(path string) bool {
	stat, err := os.Stat(path)
	return err == nil && !stat.IsDir()
}

// namesFile reports whether out names a file, which only one input can have.
func (l layout) namesFile(one bool) (bool, error) {
	ext := strings.ToLower(filepath.Ext(l.out))
	if stat, err := os.Stat(l.out); err == nil && stat.IsDir() || ext == "" || strings.HasSuffix(l.out, string(filepath.Separator)) {
		return false, nil
	}
	if !one {
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
		inputs[j.from] = true
	}
	for i := range jobs {
		j := &jobs[i]
		if j.err != nil || j.out == stdio {
			continue
		}
		if inputs[j.to] {
			return usagef("%s would overwrite the input %s: choose another --out or a --suffix", j.in, j.out)
		}
		if other, taken := owner[j.to]; taken {
			return usagef("%s and %s would both become %s: rename one, or upscale them into different folders", other, j.in, j.out)
		}
		owner[j.to] = j.in
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
