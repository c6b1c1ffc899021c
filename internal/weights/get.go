package weights

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gopdd/gopdd/internal/atomicfile"
)

const (
	maxFile        = 2 << 30 // bytes of a file of unknown size
	defaultStall   = 30 * time.Second
	progressPeriod = 1 << 16 // bytes between calls of Progress
)

// Getter fetches entries into Dir. Its methods may be called by several goroutines for different entries.
type Getter struct {
	Dir      string                               // created when needed
	Client   *http.Client                         // nil = a new one; proxies are taken from the environment
	Python   string                               // the interpreter with pip; empty = python3
	SHA256   string                               // expected, overrides the catalogue's; for entries of one file
	Trust    bool                                 // accept files without a known sha256
	File     string                               // take this local file in place of the entry's sources
	Stall    time.Duration                        // give up after no byte for this long; 0 = 30 s
	Progress func(file string, done, total int64) // total 0 = not known; may be nil
}

// Result says what Get fetched.
type Result struct {
	Path   string   `json:"path"`   // the file to load
	Source string   `json:"source"` // the source that served
	Files  []Stored `json:"files"`
}

// Stored is a file in the cache.
type Stored struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	Check  string `json:"check"` // whose sha256 it was compared with, or "trusted, not checked"
}

// UnverifiedError is the refusal of a file whose sha256 nobody states.
type UnverifiedError struct {
	File, SHA256 string // SHA256 is the computed one
}

func (e *UnverifiedError) Error() string {
	return fmt.Sprintf("%s has sha256 %s, and no source states what it should be: compare it with one that you trust and repeat with --sha256 %s, or with --trust",
		e.File, e.SHA256, e.SHA256)
}

// Get fetches e from the first source that can be reached. Each file appears in Dir, under its final name, only after its
// sha256 was checked. A wrong sha256 ends the search: no other source is tried. Files that are in place already are
// fetched again.
func (g *Getter) Get(ctx context.Context, e Entry) (Result, error) {
	res, err := g.get(ctx, e)
	if err != nil {
		return Result{}, fmt.Errorf("weights: get %s: %w", e.Name, err)
	}
	return res, nil
}

func (g *Getter) get(ctx context.Context, e Entry) (Result, error) {
	if err := os.MkdirAll(g.Dir, 0o777); err != nil {
		return Result{}, err
	}
	if g.File != "" {
		return g.fromFile(ctx, e)
	}
	var unreachable []error
	for _, source := range e.Sources {
		res, err := g.fromSource(ctx, source)
		var cannot *reachError
		if !errors.As(err, &cannot) {
			return res, err
		}
		unreachable = append(unreachable, err)
	}
	return Result{}, fmt.Errorf("%w; fetch the file by other means and add it with: pdd weights get %s --file PATH",
		joinLine(unreachable), e.Name)
}

// reachError is the failure to get at a source, after which another may be tried.
type reachError struct {
	source string
	cause  error
}

func (e *reachError) Error() string { return fmt.Sprintf("cannot reach %s: %v", e.source, e.cause) }
func (e *reachError) Unwrap() error { return e.cause }

// joinLine is errors.Join on one line.
func joinLine(errs []error) error {
	joined := errs[0]
	for _, err := range errs[1:] {
		joined = fmt.Errorf("%w; %w", joined, err)
	}
	return joined
}

func (g *Getter) fromSource(ctx context.Context, s Source) (Result, error) {
	if g.SHA256 != "" && len(s.Files) > 1 {
		return Result{}, s.manyFiles()
	}
	if s.Package != nil {
		return g.fromPackage(ctx, s)
	}
	body, size, err := g.open(ctx, s.URL)
	if err != nil {
		return Result{}, err
	}
	defer body.Close()
	stored, err := g.store(body, size, s.Files[0])
	if err != nil {
		return Result{}, err
	}
	return Result{Path: stored.Path, Source: s.String(), Files: []Stored{stored}}, nil
}

// fromFile stores g.File as the entry's first file with the same extension, under the same checks.
func (g *Getter) fromFile(ctx context.Context, e Entry) (Result, error) {
	for _, s := range e.Sources {
		if len(s.Files) > 1 || filepath.Ext(s.Files[0].Name) != filepath.Ext(g.File) {
			continue
		}
		f, err := os.Open(g.File)
		if err != nil {
			return Result{}, err
		}
		defer f.Close()
		stat, err := f.Stat()
		if err != nil {
			return Result{}, err
		}
		stored, err := g.store(readerFunc(func(p []byte) (int, error) {
			if ctx.Err() != nil {
				return 0, ctx.Err()
			}
			return f.Read(p)
		}), stat.Size(), s.Files[0])
		if err != nil {
			return Result{}, err
		}
		return Result{Path: stored.Path, Source: g.File, Files: []Stored{stored}}, nil
	}
	return Result{}, fmt.Errorf("a %q file does not fit this entry: it is a %s", filepath.Ext(g.File), e.Sources[0].Files[0].Name)
}

// store copies r, which announces size bytes (0 = not known), to the file f in the cache.
func (g *Getter) store(r io.Reader, size int64, f File) (Stored, error) {
	limit := int64(maxFile)
	if f.Size > 0 && g.SHA256 == "" {
		limit = f.Size
	}
	if size > limit {
		return Stored{}, fmt.Errorf("%s has %d bytes, expected at most %d", f.Name, size, limit)
	}
	stored := Stored{Path: filepath.Join(g.Dir, f.Name)}
	err := atomicfile.Write(stored.Path, func(w io.Writer) error {
		hash := sha256.New()
		counted := &progressReader{r: io.LimitReader(r, limit+1), file: f.Name, total: max(size, 0), report: g.Progress}
		n, err := io.Copy(io.MultiWriter(w, hash), counted)
		if err != nil {
			return fmt.Errorf("%s after %d bytes: %w", f.Name, n, err)
		}
		if n > limit {
			return fmt.Errorf("%s has more than the expected %d bytes", f.Name, limit)
		}
		stored.Size, stored.SHA256 = n, hex.EncodeToString(hash.Sum(nil))
		stored.Check, err = g.check(f, stored.SHA256)
		return err
	})
	return stored, err
}

// check compares a computed sha256 with the one that is expected, and says whose that is.
func (g *Getter) check(f File, got string) (source string, err error) {
	want, source := f.SHA256, f.HashSource
	if g.SHA256 != "" {
		want, source = strings.ToLower(g.SHA256), "given by the caller"
	}
	switch {
	case want == "" && g.Trust:
		return "trusted, not checked", nil
	case want == "":
		return "", &UnverifiedError{File: f.Name, SHA256: got}
	case !strings.HasPrefix(got, want):
		return "", fmt.Errorf("%s has sha256 %s, expected %s (%s): damaged or another file, not stored", f.Name, got, want, source)
	}
	return source, nil
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// progressReader reports the bytes that passed.
type progressReader struct {
	r              io.Reader
	file           string
	done, reported int64
	total          int64
	report         func(file string, done, total int64)
}

func (p *progressReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.done += int64(n)
	if p.report != nil && (err != nil || p.done-p.reported >= progressPeriod) {
		p.reported = p.done
		p.report(p.file, p.done, p.total)
	}
	return n, err
}
