package data

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"image"
	"io/fs"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"
)

// Trouble is a kind of finding about a data set.
type Trouble string

const (
	Unreadable Trouble = "unreadable" // damaged, not a picture, too large, no permission, vanished
	WrongRatio Trouble = "ratio"      // an HR picture that is not scale times its LR picture
	TooSmall   Trouble = "too small"  // for the training patch
	Duplicate  Trouble = "duplicate"  // the same pixels as an earlier picture
	GrayTone   Trouble = "gray"       // one channel: used as three equal ones
	Deep       Trouble = "16-bit"     // used with all bits
	HasAlpha   Trouble = "alpha"      // transparency is dropped
)

// Stops tells the findings that make training fail from those that are worth knowing.
func (t Trouble) Stops() bool { return t == Unreadable || t == WrongRatio || t == TooSmall }

// Finding is one thing found out about one file.
type Finding struct {
	Path    string  `json:"path"`
	Trouble Trouble `json:"trouble"`
	Detail  string  `json:"detail"`
}

// CheckOptions say what a data set is wanted for.
type CheckOptions struct {
	Scale     int                   // HR side / LR side
	Patch     int                   // LR side of the training patch; 0: any size will do
	MaxPixels int64                 // 0: 2^28
	Progress  func(done, total int) // may be nil; called from one goroutine at a time
}

// CheckReport is what [Check] found. Findings are in the order of the files.
type CheckReport struct {
	Pictures int            `json:"pictures"` // readable ones
	Pairs    int            `json:"pairs"`
	Smallest image.Point    `json:"smallest"` // by area
	Largest  image.Point    `json:"largest"`
	Formats  map[string]int `json:"formats"`
	Findings []Finding      `json:"findings"`
}

// Stopping counts the findings that make training fail.
func (r CheckReport) Stopping() int {
	n := 0
	for _, f := range r.Findings {
		if f.Trouble.Stops() {
			n++
		}
	}
	return n
}

// Check decodes every picture of a data set and reports what would go wrong, or differently than expected, in
// training. It holds one decoded picture per processor. The error is ctx's; bad files are findings.
func Check(ctx context.Context, f Found, o CheckOptions) (CheckReport, error) {
	if err := validateScale(o.Scale); err != nil {
		return CheckReport{}, err
	}
	subjects := subjectsOf(f, o)
	results := make([]examined, len(subjects))
	err := forEach(ctx, len(subjects), o.Progress, func(i int) error {
		results[i] = subjects[i].examine(o.MaxPixels)
		return nil
	})
	if err != nil {
		return CheckReport{}, err
	}
	r := CheckReport{Formats: map[string]int{}, Pairs: len(f.Pairs)}
	firstWith := map[[sha256.Size]byte]string{}
	for i, e := range results {
		r.add(subjects[i].Item, e, firstWith)
		if p := subjects[i].pair; p != nil && results[i-1].ok && e.ok { // the LR picture comes just before
			if err := checkRatio(*p, results[i-1].size, e.size, o.Scale); err != nil {
				r.Findings = append(r.Findings, Finding{p.HR.Path, WrongRatio, err.Error()})
			}
		}
	}
	return r, nil
}

// subject is a picture to examine, the smallest side it may have, and for HR pictures of a pair that pair.
type subject struct {
	Item
	least int
	pair  *Pair
}

func subjectsOf(f Found, o CheckOptions) []subject {
	var list []subject
	for i := range f.Pairs {
		p := &f.Pairs[i]
		list = append(list, subject{p.LR, o.Patch, nil}, subject{p.HR, o.Patch * o.Scale, p})
	}
	for _, it := range f.HR {
		list = append(list, subject{it, o.Patch * o.Scale, nil})
	}
	for _, it := range append(f.LR[:len(f.LR):len(f.LR)], f.Other...) {
		list = append(list, subject{it, o.Patch, nil})
	}
	return list
}

// examined is what one picture turned out to be.
type examined struct {
	ok       bool
	info     Info
	size     image.Point
	sum      [sha256.Size]byte
	findings []Finding
}

func (s subject) examine(maxPixels int64) (e examined) {
	note := func(t Trouble, format string, args ...any) {
		e.findings = append(e.findings, Finding{s.Path, t, fmt.Sprintf(format, args...)})
	}
	img, err := s.Decode(maxPixels)
	if err == nil {
		e.info, err = s.Info()
	}
	if err != nil {
		note(Unreadable, "%v", reasonOf(err))
		return e
	}
	e.ok, e.size, e.sum = true, img.Bounds().Size(), pixelSum(img)
	if min(e.size.X, e.size.Y) < s.least {
		note(TooSmall, "%d×%d; the patch needs %d×%d", e.size.X, e.size.Y, s.least, s.least)
	}
	if e.info.Gray {
		note(GrayTone, "one channel, used as three equal ones")
	}
	if e.info.BitDepth == 16 {
		note(Deep, "16 bits per channel, all used")
	}
	if e.info.Alpha {
		note(HasAlpha, "transparency is dropped, hidden colours become visible")
	}
	return e
}

// reasonOf adds what to do to the errors of the file system.
func reasonOf(err error) string {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "the file is gone: list the folder again (" + err.Error() + ")"
	case errors.Is(err, fs.ErrPermission):
		return "no permission to read it (" + err.Error() + ")"
	}
	return err.Error()
}

func (r *CheckReport) add(it Item, e examined, firstWith map[[sha256.Size]byte]string) {
	r.Findings = append(r.Findings, e.findings...)
	if !e.ok {
		return
	}
	area := func(p image.Point) int { return p.X * p.Y }
	if r.Pictures == 0 || area(e.size) < area(r.Smallest) {
		r.Smallest = e.size
	}
	if area(e.size) > area(r.Largest) {
		r.Largest = e.size
	}
	r.Pictures++
	r.Formats[e.info.Format]++
	if first, ok := firstWith[e.sum]; ok {
		r.Findings = append(r.Findings, Finding{it.Path, Duplicate, fmt.Sprintf("same pixels as %q", first)})
	} else {
		firstWith[e.sum] = it.Path
	}
}

// pixelSum hashes the size and the samples of a picture in the form it was decoded to.
func pixelSum(img image.Image) (sum [sha256.Size]byte) {
	h := sha256.New()
	b := img.Bounds()
	fmt.Fprintf(h, "%T %d %d ", img, b.Dx(), b.Dy())
	switch m := img.(type) {
	case *image.Gray:
		h.Write(m.Pix)
	case *image.Gray16:
		h.Write(m.Pix)
	case *image.NRGBA:
		h.Write(m.Pix)
	case *image.RGBA:
		h.Write(m.Pix)
	case *image.NRGBA64:
		h.Write(m.Pix)
	case *image.YCbCr:
		h.Write(m.Y)
		h.Write(m.Cb)
		h.Write(m.Cr)
	default:
		hashAny(h, img)
	}
	h.Sum(sum[:0])
	return sum
}

func hashAny(h hash.Hash, img image.Image) {
	m := FromImage(img)
	row := make([]byte, m.W*2)
	for i := range m.C * m.H {
		for x, v := range m.Pix[i*m.W : (i+1)*m.W] {
			l := uint16(clamp01(v) * 65535)
			row[2*x], row[2*x+1] = byte(l>>8), byte(l)
		}
		h.Write(row)
	}
}

// forEach calls f for 0..n-1 on as many goroutines as there are processors, until one fails or ctx ends.
func forEach(ctx context.Context, n int, progress func(done, total int), f func(i int) error) error {
	g, group := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	var mu sync.Mutex
	done := 0
	for i := range n {
		if group.Err() != nil {
			break
		}
		g.Go(func() error {
			if err := f(i); err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			if done++; progress != nil {
				progress(done, n)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return context.Cause(ctx)
}
