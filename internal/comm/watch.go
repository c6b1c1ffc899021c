package comm

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gopdd/gopdd/internal/libtorch"
)

// place is how far a rank has come.
type place struct {
	Count int64  // grows with every operation
	Name  string // what it does
}

// sign is what is known of a rank's life.
type sign struct {
	place
	text  string    // the last sign
	since time.Time // when it changed
	left  bool
}

const (
	failedKey = "failed"
	leftText  = "left"
)

func beatKey(rank int) string { return fmt.Sprintf("beat/%d", rank) }

// report is a failure as the store keeps it.
type report struct {
	Rank   int
	Reason string
}

// RankError is the failure of a group: the rank that failed first and why.
type RankError struct {
	Rank   int
	Reason string
}

func (e *RankError) Error() string { return fmt.Sprintf("rank %d: %s", e.Rank, e.Reason) }

// Note tells the others where this rank is.
func (g *Group) Note(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.place.Count++
	g.place.Name = name
}

// watch gives signs of life and looks for those of the others until the group fails or is left.
func (g *Group) watch() {
	defer close(g.gone)
	tick := time.NewTicker(g.pulse)
	defer tick.Stop()
	for n := 0; ; n++ {
		if err := g.beat(n); err != nil {
			g.setFailure(g.storeFailed(err))
			return
		}
		select {
		case <-g.quit:
			return
		case <-g.failed:
			return
		case <-tick.C:
		}
	}
}

// beat is one round of watch. Its error is the store's.
func (g *Group) beat(n int) error {
	g.mu.Lock()
	p := g.place
	g.mu.Unlock()
	if err := g.store.set(beatKey(g.cfg.Rank), fmt.Sprintf("%d %d %s", n, p.Count, p.Name)); err != nil {
		return err
	}
	text, there, err := g.store.get(failedKey)
	if err != nil {
		return err
	}
	if there {
		g.takeReport(text)
		return nil
	}
	for rank := range g.cfg.Size {
		if rank == g.cfg.Rank {
			continue
		}
		text, there, err := g.store.get(beatKey(rank))
		if err != nil {
			return err
		}
		if there {
			g.seen(rank, text)
		}
		if e := g.silent(rank, g.cfg.Timeout/2); e != nil {
			g.publish(e)
		}
	}
	return nil
}

// storeFailed is the failure that an error of the store is. Rank 0's own falls silent where that of libtorch 1, which
// serves one request after the other, waits for the rest of one: whoever sent its beginning stopped there or was cut off.
func (g *Group) storeFailed(err error) *RankError {
	if g.cfg.Rank == 0 && errors.Is(err, errSilent) && strings.HasPrefix(libtorch.CompiledVersion(), "1.") {
		return &RankError{0, "its store waits for the rest of a request: a rank stopped, its network is down, or something that is no rank has connected to " + g.cfg.Store}
	}
	return &RankError{0, err.Error()}
}

// seen takes up a rank's sign.
func (g *Group) seen(rank int, text string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := &g.peers[rank]
	if p.text == text {
		return
	}
	p.text, p.since, p.left = text, time.Now(), text == leftText
	var n int
	if _, rest, ok := strings.Cut(text, " "); ok {
		fmt.Sscanf(rest, "%d", &n)
		_, p.Name, _ = strings.Cut(rest, " ")
		p.Count = int64(n)
	}
}

// silent is the failure of a rank that came once and has given no sign for so long.
func (g *Group) silent(rank int, long time.Duration) *RankError {
	g.mu.Lock()
	defer g.mu.Unlock()
	p := g.peers[rank]
	if age := time.Since(p.since); p.text != "" && !p.left && age > long {
		return &RankError{rank, fmt.Sprintf("no sign of life for %.1f s, last in %q: killed, stopped, or its network is down", age.Seconds(), p.Name)}
	}
	return nil
}

// blame turns the error of an operation into that of the rank that caused it.
func (g *Group) blame(cause error) error {
	deadline := time.Now().Add(min(max(4*g.pulse, time.Second), g.cfg.Timeout/4))
	select { // the rank that failed may be about to say why; or its signs stop
	case <-g.failed:
		return g.Failure()
	case <-time.After(time.Until(deadline)):
	}
	return g.publish(g.suspect(cause))
}

// suspect is the rank to blame by the signs of life: the silent one, one that left, the one that is behind.
func (g *Group) suspect(cause error) *RankError {
	for rank := range g.cfg.Size {
		if rank == g.cfg.Rank {
			continue
		}
		if e := g.silent(rank, 3*g.pulse); e != nil {
			return e
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	slowest, behind := g.cfg.Rank, g.place
	for rank, p := range g.peers {
		switch {
		case p.left:
			return &RankError{rank, fmt.Sprintf("left the group after %q", p.Name)}
		case p.text != "" && p.Count < behind.Count:
			slowest, behind = rank, p.place
		}
	}
	if slowest != g.cfg.Rank {
		return &RankError{slowest, fmt.Sprintf("hangs in %q while rank %d is in %q", behind.Name, g.cfg.Rank, g.place.Name)}
	}
	return &RankError{g.cfg.Rank, fmt.Sprintf("%s: %v", g.place.Name, cause)}
}

// Fail makes err the failure of the group unless another was first, and returns the failure.
func (g *Group) Fail(err error) error {
	var theirs *RankError
	if errors.As(err, &theirs) {
		return g.publish(theirs)
	}
	g.publish(&RankError{g.cfg.Rank, err.Error()})
	if f := g.Failure().(*RankError); f.Rank != g.cfg.Rank {
		return f
	}
	return err
}

// publish reports a failure to all ranks and returns the first that was.
func (g *Group) publish(e *RankError) error {
	if f := g.Failure(); f != nil {
		return f
	}
	if text, err := json.Marshal(report(*e)); err == nil {
		if kept, err := g.store.first(failedKey, string(text)); err == nil {
			g.takeReport(kept)
			return g.Failure()
		}
	}
	g.setFailure(e)
	return g.Failure()
}

func (g *Group) takeReport(text string) {
	var r report
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		r = report{0, "its store holds nonsense: " + text}
	}
	e := RankError(r)
	g.setFailure(&e)
}

func (g *Group) setFailure(e *RankError) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failure == nil {
		g.failure = e
		close(g.failed)
	}
}

// Failed is closed when the group has failed; Failure is then the reason, nil before.
func (g *Group) Failed() <-chan struct{} { return g.failed }

// Failure see [Group.Failed].
func (g *Group) Failure() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.failure
}
