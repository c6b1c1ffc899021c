package report

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gopdd/gopdd/internal/imgio"
)

// Pair is a picture to measure and its ground truth.
type Pair struct {
	Name  string // of the row: the picture's file name
	Image string // path
	Truth string // path; "" where there is none
	err   error  // why there is none, in a run that has a folder of truths
}

// Match pairs the pictures of a folder with those of another by file name, never by order: the same name without its
// extension, else the truth's name followed by a mark, as upscalers write it (a.png with a_x4.png, a-sr.png, ax4.png).
// Of several truths the longest name wins; two truths of one name are an error. A picture without a truth stays in
// the list and becomes a failed row; truths without a picture are an error only if no picture has a truth. With
// truthDir "" there are no truths, for metrics that need none. Sub-folders are not looked into.
func Match(imageDir, truthDir string) ([]Pair, error) {
	images, err := listPictures(imageDir)
	if err != nil {
		return nil, fmt.Errorf("report: list pictures: %w", err)
	}
	var truths map[string]string
	if truthDir != "" {
		if truths, err = byStem(truthDir); err != nil {
			return nil, fmt.Errorf("report: list ground truth: %w", err)
		}
	}
	pairs := make([]Pair, len(images))
	matched := 0
	for i, name := range images {
		pairs[i] = Pair{Name: name, Image: filepath.Join(imageDir, name)}
		if truthDir == "" {
			continue
		}
		if truth, ok := truthOf(stem(name), truths); ok {
			pairs[i].Truth = filepath.Join(truthDir, truth)
			matched++
		} else {
			pairs[i].err = errors.New("no ground truth of this name")
		}
	}
	if truthDir != "" && matched == 0 {
		return nil, fmt.Errorf("report: pair %q with %q: no picture has a ground truth of its name, for example %q", imageDir, truthDir, images[0])
	}
	return pairs, nil
}

// listPictures returns the picture files of a folder by name, sorted.
func listPictures(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() && imgio.IsImageName(e.Name()) && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no picture files in %q", dir)
	}
	return names, nil
}

func byStem(dir string) (map[string]string, error) {
	names, err := listPictures(dir)
	if err != nil {
		return nil, err
	}
	stems := map[string]string{}
	for _, name := range names {
		if other, ok := stems[stem(name)]; ok {
			return nil, fmt.Errorf("%q and %q have one name: which of them is the truth?", other, name)
		}
		stems[stem(name)] = name
	}
	return stems, nil
}

func stem(name string) string { return strings.TrimSuffix(name, filepath.Ext(name)) }

// truthOf looks name up, then ever shorter beginnings of it that end before a mark.
func truthOf(name string, truths map[string]string) (string, bool) {
	for end := len(name); end > 0; end-- {
		if end < len(name) && !startsMark(name[end:]) {
			continue
		}
		if truth, ok := truths[name[:end]]; ok {
			return truth, true
		}
	}
	return "", false
}

// startsMark reports whether what follows a truth's name is a mark: after a separator, or x and a factor.
func startsMark(rest string) bool {
	if strings.ContainsRune("_-. ", rune(rest[0])) {
		return true
	}
	return len(rest) == 2 && rest[0] == 'x' && rest[1] >= '1' && rest[1] <= '9'
}
