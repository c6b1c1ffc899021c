package trainlog

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Status is what a line of progress tells.
type Status struct {
	Step, Total    int
	Losses         []Scalar
	Rate           float64       // patches per second; 0: unknown
	Left           time.Duration // until the last step; 0: unknown
	Resident, Peak int64         // memory, bytes; 0: unknown
}

// Line is the status as one line of at most width characters; 0: as long as needed. What does not fit is left out: the
// peak of memory, then losses from the last on, memory, the rate, the first loss, the time left.
func (s Status) Line(width int) string {
	tail := s.tail()
	l := s.line(len(s.Losses), tail)
	fits := func() bool { return width <= 0 || utf8.RuneCountInString(l) <= width }
	try := func(losses, parts int) {
		if !fits() {
			l = s.line(min(losses, len(s.Losses)), tail[:min(parts, len(tail))])
		}
	}
	for n := len(s.Losses); n > 1; n-- {
		try(n, 3)
	}
	for n := 3; n > 0; n-- {
		try(1, n)
	}
	try(0, 1)
	try(0, 0)
	if !fits() {
		return string([]rune(l)[:width])
	}
	return l
}

// tail are the parts after the losses, the most important first.
func (s Status) tail() []string {
	var tail []string
	if s.Left > 0 {
		tail = append(tail, "ETA "+clock(s.Left))
	}
	if s.Rate > 0 {
		tail = append(tail, fmt.Sprintf("%.2f patches/s", s.Rate))
	}
	if s.Resident > 0 {
		tail = append(tail, gibibytes(s.Resident))
	}
	if s.Peak > 0 {
		tail = append(tail, "peak "+gibibytes(s.Peak))
	}
	return tail
}

// line has the first n losses.
func (s Status) line(n int, tail []string) string {
	parts := []string{fmt.Sprintf("step %d/%d", s.Step, s.Total)}
	for _, l := range s.Losses[:n] {
		parts = append(parts, fmt.Sprintf("%s %.4g", l.Name, l.Value))
	}
	if n < len(s.Losses) && n > 0 {
		parts = append(parts, "…")
	}
	return strings.Join(append(parts, tail...), "  ")
}

// clock is a duration as 1:02:03, or 2d 03:04 from a day on.
func clock(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	if s >= 24*3600 {
		return fmt.Sprintf("%dd %02d:%02d", s/86400, s/3600%24, s/60%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
}

func gibibytes(n int64) string { return fmt.Sprintf("%.2f GiB", float64(n)/(1<<30)) }
