package data

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gopdd/gopdd/internal/imgio"
)

// ErrNoPictures is returned where a folder, archive or list has no picture file.
var ErrNoPictures = errors.New("no picture files (png, jpg, tif, webp, bmp, gif) found")

// List finds the pictures in path, in the order of their keys:
//
//   - a folder: all picture files below it, by extension; hidden files and folders and symbolic links to folders are
//     passed over;
//   - a .zip or .tar archive: the picture files in it, read in place later;
//   - a .txt list: one path per line, relative to the list's folder. Empty lines and lines that begin with # are
//     passed over, and so is what follows a path in parentheses (BasicSR's meta-info files have the size there);
//   - a picture file: itself.
func List(path string) ([]Item, error) {
	items, err := list(path)
	if err != nil {
		return nil, fmt.Errorf("data: list %q: %w", path, err)
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("data: list %q: %w", path, ErrNoPictures)
	}
	slices.SortFunc(items, func(a, b Item) int { return strings.Compare(a.Key, b.Key) })
	return items, nil
}

func list(path string) ([]Item, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	name := strings.ToLower(path)
	switch {
	case info.IsDir():
		return listFolder(path)
	case strings.HasSuffix(name, ".zip"):
		return listZip(path)
	case strings.HasSuffix(name, ".tar"):
		return listTar(path)
	case strings.HasSuffix(name, ".txt"):
		return listText(path)
	case imgio.IsImageName(path):
		return []Item{{Path: path, Key: filepath.Base(path)}}, nil
	}
	return nil, fmt.Errorf("neither a folder, a .zip or .tar archive, a .txt list nor a picture; compressed archives (.tar.gz and the like) must be unpacked first")
}

func listFolder(root string) ([]Item, error) {
	real, err := filepath.EvalSymlinks(root)
	if err != nil {
		return nil, err
	}
	var items []Item
	err = filepath.WalkDir(real, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(real, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if rel != "." && isHidden(d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if wanted(filepath.ToSlash(rel)) && isFile(path, d) {
			items = append(items, Item{Path: filepath.Join(root, rel), Key: filepath.ToSlash(rel)})
		}
		return nil
	})
	return items, err
}

// isFile accepts regular files and links to them. Files that cannot be looked at stay in the list, so that they are
// reported when they are read.
func isFile(path string, d fs.DirEntry) bool {
	if d.Type()&fs.ModeSymlink == 0 {
		return d.Type().IsRegular()
	}
	info, err := os.Stat(path)
	return err != nil || info.Mode().IsRegular()
}

// isHidden tells the names that are not data: dot files and the folder of resource forks in archives made by macOS.
func isHidden(name string) bool { return strings.HasPrefix(name, ".") || name == "__MACOSX" }

// wanted tells whether a slash-separated key is a picture file that is not hidden.
func wanted(key string) bool {
	return imgio.IsImageName(key) && !slices.ContainsFunc(strings.Split(key, "/"), isHidden)
}

func listText(path string) ([]Item, error) {
	lines, err := readLines(path)
	if err != nil {
		return nil, err
	}
	items := make([]Item, len(lines))
	for i, l := range lines {
		items[i] = listed(path, l)
	}
	return items, nil
}

// listed is the item that a list names, relative to the list's folder.
func listed(list, name string) Item {
	file := filepath.FromSlash(name)
	if !filepath.IsAbs(file) {
		file = filepath.Join(filepath.Dir(list), file)
	}
	return Item{Path: file, Key: name}
}

// readLines returns the lines of a list without comments, sizes and space around them.
func readLines(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var lines []string
	s := bufio.NewScanner(f)
	for s.Scan() {
		line := strings.TrimSpace(s.Text())
		if i := strings.LastIndex(line, " ("); i > 0 && strings.HasSuffix(line, ")") {
			line = strings.TrimSpace(line[:i])
		}
		if line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines, s.Err()
}
