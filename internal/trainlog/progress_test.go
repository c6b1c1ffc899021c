package trainlog

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func status() Status {
	return Status{
		Step: 1234, Total: 50000, Rate: 3.456, Left: 49*time.Hour + 3*time.Minute, Resident: 2 << 30, Peak: 5 << 29,
		Losses: []Scalar{{"inter", 12.3456}, {"intra", 1.5e-5}, {"gan", 0.1}},
	}
}

// TestLine: what does not fit a width is left out in a fixed order.
func TestLine(t *testing.T) {
	for _, tt := range []struct {
		width int
		want  string
	}{
		{0, "step 1234/50000  inter 12.35  intra 1.5e-05  gan 0.1  ETA 2d 01:03  3.46 patches/s  2.00 GiB  peak 2.50 GiB"},
		{105, "step 1234/50000  inter 12.35  intra 1.5e-05  gan 0.1  ETA 2d 01:03  3.46 patches/s  2.00 GiB"},
		{90, "step 1234/50000  inter 12.35  intra 1.5e-05  …  ETA 2d 01:03  3.46 patches/s  2.00 GiB"},
		{80, "step 1234/50000  inter 12.35  …  ETA 2d 01:03  3.46 patches/s  2.00 GiB"},
		{65, "step 1234/50000  inter 12.35  …  ETA 2d 01:03  3.46 patches/s"},
		{55, "step 1234/50000  inter 12.35  …  ETA 2d 01:03"},
		{35, "step 1234/50000  ETA 2d 01:03"},
		{20, "step 1234/50000"},
		{7, "step 12"},
	} {
		if got := status().Line(tt.width); got != tt.want {
			t.Errorf("width %d:\ngot  %q\nwant %q", tt.width, got, tt.want)
		}
	}
}

func TestLineFits(t *testing.T) {
	for width := 1; width < 130; width++ {
		l := status().Line(width)
		if n := utf8.RuneCountInString(l); n > width {
			t.Errorf("width %d: %d characters: %q", width, n, l)
		}
		if !strings.HasPrefix("step 1234/50000", l[:min(len(l), 15)]) {
			t.Errorf("width %d: %q does not begin with the step", width, l)
		}
	}
}

// TestLineUnknown: what is not known is not shown.
func TestLineUnknown(t *testing.T) {
	if got := (Status{Step: 1, Total: 2}).Line(0); got != "step 1/2" {
		t.Errorf("got %q", got)
	}
}

func TestClock(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                                     "0:00:00",
		59*time.Second + 600*time.Millisecond: "0:01:00",
		23*time.Hour + 59*time.Minute:         "23:59:00",
		24 * time.Hour:                        "1d 00:00",
	} {
		if got := clock(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

// clocked is a Progress whose time goes on by hand.
func clocked(w *strings.Builder, opt ProgressOptions, width int) (p *Progress, pass func(time.Duration)) {
	now := time.Unix(0, 0)
	p = &Progress{w: w, opt: opt, now: func() time.Time { return now }, recent: []time.Time{now}}
	if width > 0 {
		p.width = func() int { return width }
	}
	return p, func(d time.Duration) { now = now.Add(d) }
}

var memoryPart = regexp.MustCompile(`  \d+\.\d\d GiB  peak \d+\.\d\d GiB`)

// TestPlainLines: no terminal, a line every so many steps and one for the last; messages stand between them.
func TestPlainLines(t *testing.T) {
	var w strings.Builder
	p, pass := clocked(&w, ProgressOptions{Total: 11, Patches: 4, Every: 4}, 0)
	for s := 1; s <= 11; s++ {
		pass(2 * time.Second)
		p.Step(s, []Scalar{{"l1", float64(s)}})
		if s == 5 {
			fmt.Fprintln(p, "saved")
		}
	}
	p.Close()
	got := memoryPart.ReplaceAllString(w.String(), "")
	want := `step 4/11  l1 4  ETA 0:00:14  2.00 patches/s
saved
step 8/11  l1 8  ETA 0:00:06  2.00 patches/s
step 11/11  l1 11  2.00 patches/s
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestFileIsNoTerminal: what goes to a file is plain text.
func TestFileIsNoTerminal(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p := NewProgress(f, ProgressOptions{Total: 2, Patches: 1, Every: 1})
	p.Step(1, nil)
	p.Step(2, nil)
	p.Close()
	text, err := os.ReadFile(f.Name())
	if err != nil || strings.Count(string(text), "\n") != 2 || strings.ContainsAny(string(text), "\r\x1b") {
		t.Errorf("error %v, text %q, want two plain lines", err, text)
	}
}

// TestRateFollows: after a change of speed the rate is that of the last hundred steps.
func TestRateFollows(t *testing.T) {
	var w strings.Builder
	p, pass := clocked(&w, ProgressOptions{Total: 1000, Patches: 1, Every: 500}, 0)
	for s := 1; s <= 500; s++ {
		pass(time.Second)
		if s > 400 {
			pass(3 * time.Second)
		}
		p.Step(s, nil)
	}
	if got, want := w.String(), "step 500/1000  ETA 0:33:20  0.25 patches/s"; !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q: four seconds a step", got, want)
	}
}

// screen is what a terminal shows of output with carriage returns and the command that clears to the right.
func screen(output string) []string {
	var lines []string
	var line []rune
	at := 0
	for i := 0; i < len(output); {
		r, n := utf8.DecodeRuneInString(output[i:])
		switch {
		case strings.HasPrefix(output[i:], clearRight):
			line = line[:at]
			n = len(clearRight)
		case r == '\r':
			at = 0
		case r == '\n':
			lines = append(lines, string(line))
			line, at = nil, 0
		case at < len(line):
			line[at] = r
			at++
		default:
			line = append(line, r)
			at++
		}
		i += n
	}
	return append(lines, string(line))
}

// TestTerminal: one line that changes in place, at most every tenth of a second; messages scroll above it; the last
// state stays.
func TestTerminal(t *testing.T) {
	var w strings.Builder
	p, pass := clocked(&w, ProgressOptions{Total: 100, Patches: 4, Every: 1}, 40)
	step := func(s int, losses ...Scalar) {
		pass(30 * time.Millisecond)
		p.Step(s, losses)
	}
	step(1, Scalar{"a_long_name", 1})
	step(2, Scalar{"l1", 2}) // too soon to be drawn
	if got := screen(w.String()); len(got) != 1 || !strings.HasPrefix(got[0], "step 1/100  ") {
		t.Errorf("screen %q, want the line of step 1", got)
	}
	fmt.Fprintln(p, "saved")
	if got := screen(w.String()); len(got) != 2 || got[0] != "saved" || !strings.HasPrefix(got[1], "step 1/100  ") {
		t.Errorf("screen %q, want the message above the line", got)
	}
	for s := 3; s <= 100; s++ {
		step(s, Scalar{"l1", 3})
	}
	p.Close()
	p.Close()
	got := screen(w.String())
	if len(got) != 3 || !strings.HasPrefix(got[1], "step 100/100  ") || got[2] != "" {
		t.Errorf("screen %q, want the message, the last step, and the cursor below", got)
	}
	if n := utf8.RuneCountInString(got[1]); n > 39 {
		t.Errorf("%d characters on a terminal of 40 columns", n)
	}
	if n := strings.Count(w.String(), "step "); n > 100*30/100+3 {
		t.Errorf("the line is drawn %d times in three seconds", n)
	}
}

// TestMemory: memory in use is seen, and stays in the peak after it was given back.
func TestMemory(t *testing.T) {
	resident, peak := Memory()
	if resident == 0 && peak == 0 {
		t.Skip("the system does not say")
	}
	const size = 64 << 20
	b := make([]byte, size)
	for i := range b {
		b[i] = 1
	}
	resident2, peak2 := Memory()
	if resident2 < size || peak2 < resident2 || peak2 < peak {
		t.Errorf("memory %d (peak %d) before, %d (peak %d) with %d more in use", resident, peak, resident2, peak2, len(b))
	}
}

func TestStatusBytes(t *testing.T) {
	text := []byte("Name:\tx\nVmHWM:\t   2048 kB\nVmRSS:\t 12 kB\nVmSwap:\t many kB\n")
	for name, want := range map[string]int64{"VmHWM:": 2 << 20, "VmRSS:": 12 << 10, "VmSwap:": 0, "VmPeak:": 0} {
		if got := statusBytes(text, name); got != want {
			t.Errorf("%s %d, want %d", name, got, want)
		}
	}
}
