package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/gopdd/gopdd/internal/imgio"
)

// progress is a bar over all images of a batch, in pixels, so that the estimate of the time left holds for images of
// different sizes. A nil progress shows nothing. Its methods may be called from several goroutines.
type progress struct {
	mu       sync.Mutex
	bar      *progressbar.ProgressBar
	pixels   map[string]int64 // per input
	finished int64            // pixels
	count    int              // images finished
	total    int              // images
}

// newProgress reads the sizes of the images to upscale.
func newProgress(w io.Writer, jobs []job) *progress {
	p := &progress{pixels: map[string]int64{}}
	var sum int64
	for _, j := range jobs {
		if !j.idle() {
			p.total++
			p.pixels[j.in] = pixels(j.in)
			sum += p.pixels[j.in]
		}
	}
	p.bar = newBar(w, max(sum, 1))
	return p
}

// pixels counts those of an image file, by its header; 0 for what cannot be read, since it takes no time.
func pixels(path string) int64 {
	stat, err := os.Stat(path)
	if err != nil || !stat.Mode().IsRegular() { // a pipe can be read once
		return 0
	}
	f, err := os.Open(path)
	if err != nil {
		return 0
	}
	defer f.Close()
	info, err := imgio.DecodeInfo(f)
	if err != nil {
		return 0
	}
	return int64(info.Width) * int64(info.Height)
}

func newBar(w io.Writer, total int64, opts ...progressbar.Option) *progressbar.ProgressBar {
	opts = append([]progressbar.Option{
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetWidth(24),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100 * time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetTheme(progressbar.ThemeASCII),
	}, opts...)
	return progressbar.NewOptions64(total, opts...)
}

// at says that done of total parts of a job are done.
func (p *progress) at(j job, done, total int) {
	if p == nil || total == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bar.Describe(fmt.Sprintf("%d/%d %s", min(p.count+1, p.total), p.total, shorten(filepath.Base(j.in), 24)))
	p.bar.Set64(p.finished + p.pixels[j.in]*int64(done)/int64(total))
}

// finish says that a job is over, well or not.
func (p *progress) finish(j job) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
	p.finished += p.pixels[j.in]
	p.bar.Set64(p.finished)
}

// close takes the bar off the screen.
func (p *progress) close() {
	if p != nil {
		p.bar.Clear()
	}
}

// shorten keeps the end of a name that is longer than n runes.
func shorten(name string, n int) string {
	runes := []rune(name)
	if len(runes) <= n {
		return name
	}
	return "…" + string(runes[len(runes)-n+1:])
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
