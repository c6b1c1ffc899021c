package trainlog

import (
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// ProgressOptions of [NewProgress].
type ProgressOptions struct {
	Total   int // steps in all
	Patches int // per step, of both halves of the batch
	Every   int // steps between lines where w is no terminal; 0: no lines but the last
}

// Progress shows how far a run is: on a terminal as one line that changes in place, elsewhere as a line every so many
// steps. Rate and time left follow the last 100 steps, pauses for validation and checkpoints included. It is safe for
// concurrent use.
type Progress struct {
	mu     sync.Mutex
	w      io.Writer
	width  func() int // of the terminal; nil: w is none
	now    func() time.Time
	opt    ProgressOptions
	recent []time.Time // of the ends of the last steps, the start first
	drawn  time.Time   // when the line was last drawn
	status string      // the line on the terminal, empty: none
}

// recentSteps is how many steps the rate is taken over, redraw the shortest time between two drawings of the line.
const (
	recentSteps = 100
	redraw      = 100 * time.Millisecond
)

// NewProgress starts the clock. Errors of w are ignored.
func NewProgress(w io.Writer, opt ProgressOptions) *Progress {
	p := &Progress{w: w, opt: opt, now: time.Now}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.width = func() int {
			width, _, err := term.GetSize(int(f.Fd()))
			if err != nil || width <= 0 {
				return 80
			}
			return width
		}
	}
	p.recent = append(p.recent, p.now())
	return p
}

// Step says that a step is over, with its losses in the order in which they are to be shown.
func (p *Progress) Step(step int, losses []Scalar) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	p.recent = append(p.recent, now)
	if len(p.recent) > recentSteps+1 {
		p.recent = p.recent[1:]
	}
	last := step >= p.opt.Total
	if p.width == nil {
		if last || p.opt.Every > 0 && step%p.opt.Every == 0 {
			io.WriteString(p.w, p.at(step, losses).Line(0)+"\n")
		}
		return
	}
	if last || now.Sub(p.drawn) >= redraw {
		p.drawn = now
		p.status = p.at(step, losses).Line(p.width() - 1) // a full line makes some terminals wrap
		io.WriteString(p.w, "\r"+p.status+clearRight)
	}
}

// at is the status after a step.
func (p *Progress) at(step int, losses []Scalar) Status {
	s := Status{Step: step, Total: p.opt.Total, Losses: losses}
	steps := len(p.recent) - 1
	if each := p.recent[steps].Sub(p.recent[0]) / time.Duration(steps); each > 0 {
		s.Rate = float64(p.opt.Patches) / each.Seconds()
		s.Left = each * time.Duration(max(p.opt.Total-step, 0))
	}
	s.Resident, s.Peak = Memory()
	return s
}

// clearRight is the terminal's command to clear the line from the cursor on.
const clearRight = "\x1b[K"

// Write passes text on between drawings of the line, whole lines at a time: give a Progress to a log handler that writes
// to the same terminal.
func (p *Progress) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status == "" {
		return p.w.Write(text)
	}
	if _, err := io.WriteString(p.w, "\r"+clearRight); err != nil {
		return 0, err
	}
	n, err := p.w.Write(text)
	if err == nil {
		_, err = io.WriteString(p.w, p.status)
	}
	return n, err
}

// Close leaves the line on the terminal as it is and goes to the next.
func (p *Progress) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status != "" {
		p.status = ""
		io.WriteString(p.w, "\n")
	}
}
