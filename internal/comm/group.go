package comm

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gopdd/gopdd/internal/libtorch"
)

// Config says who meets where.
type Config struct {
	Rank, Size int
	Store      string        // host:port; rank 0 serves it on its machine
	Interface  string        // network interface for the tensors, e.g. eth0; empty: the one that leads to the store
	Timeout    time.Duration // in which whatever goes wrong is an error on every rank; nobody may be late by half of it
}

// Group is a process's membership. Open it, [Group.Exchange] what must agree, and [Group.Connect] it.
type Group struct {
	cfg   Config
	store *store
	host  string // our address
	pulse time.Duration

	native libtorch.Group

	failed chan struct{} // closed when failure is set
	quit   chan struct{} // ends watch
	gone   chan struct{} // watch has ended

	mu      sync.Mutex
	failure error
	place   place  // ours
	peers   []sign // by rank
	shared  int    // texts shared so far
	closed  bool
}

// Open meets at the store, waiting for it until ctx or the time ends, and begins to give signs of life.
func Open(ctx context.Context, cfg Config) (*Group, error) {
	host, portText, err := net.SplitHostPort(cfg.Store)
	if err != nil {
		return nil, err
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("store %q: want HOST:PORT", cfg.Store)
	}
	g := &Group{cfg: cfg, pulse: min(max(cfg.Timeout/20, 50*time.Millisecond), time.Second),
		failed: make(chan struct{}), quit: make(chan struct{}), gone: make(chan struct{}), peers: make([]sign, cfg.Size)}
	if g.host, err = localAddress(cfg.Store, cfg.Interface); err != nil {
		return nil, err
	}
	if g.store, err = openStore(ctx, cfg, host, int(port)); err != nil {
		return nil, err
	}
	for i := range g.peers {
		g.peers[i].since = time.Now()
	}
	go g.watch()
	return g, nil
}

func openStore(ctx context.Context, cfg Config, host string, port int) (*store, error) {
	type opened struct {
		s   libtorch.Store
		err error
	}
	done := make(chan opened, 1)
	go func() {
		s, _, err := libtorch.OpenStore(host, port, cfg.Rank == 0, cfg.Timeout)
		done <- opened{s, err}
	}()
	var o opened
	select {
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case o = <-done:
	case <-time.After(cfg.Timeout): // c10d takes its time for each of several attempts
		o.err = errSilent
	}
	switch {
	case o.err != nil && cfg.Rank == 0:
		return nil, fmt.Errorf("rank 0 cannot serve the store at %s: %w", cfg.Store, o.err)
	case o.err != nil:
		return nil, fmt.Errorf("rank 0 keeps no store at %s after %v: it did not come, cannot be reached, or has another libtorch than %s: %w",
			cfg.Store, cfg.Timeout, libtorch.CompiledVersion(), o.err)
	}
	return &store{native: o.s, limit: max(cfg.Timeout/4, time.Second), address: cfg.Store}, nil
}

// localAddress is the address of this machine in the network that leads to the store.
func localAddress(store, iface string) (string, error) {
	if iface != "" {
		i, err := net.InterfaceByName(iface)
		if err != nil {
			return "", fmt.Errorf("network interface %q: %w", iface, err)
		}
		addrs, err := i.Addrs()
		if err != nil || len(addrs) == 0 {
			return "", errors.Join(fmt.Errorf("network interface %q has no address", iface), err)
		}
		ip, _, _ := strings.Cut(addrs[0].String(), "/")
		return ip, nil
	}
	c, err := net.Dial("udp", store) // sends nothing
	if err != nil {
		return "", fmt.Errorf("no way to the store: %w", err)
	}
	defer c.Close()
	ip, _, err := net.SplitHostPort(c.LocalAddr().String())
	return ip, err
}

// FreeAddress is HOST:PORT of this machine, for ranks that are all on it. Somebody else may take the port before rank 0
// does, who says so then.
func FreeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// Rank, Size and Address are the process's number, how many there are, and the address it is reached at; Store is where
// they meet.
func (g *Group) Rank() int       { return g.cfg.Rank }
func (g *Group) Size() int       { return g.cfg.Size }
func (g *Group) Address() string { return g.host }
func (g *Group) Store() string   { return g.cfg.Store }

// Exchange gives every rank's text to every rank, by rank; name is used once. It waits for all.
func (g *Group) Exchange(ctx context.Context, name, mine string) ([]string, error) {
	g.Note(name)
	texts := make([]string, g.cfg.Size)
	key := func(rank int) string { return fmt.Sprintf("%s/%d", name, rank) }
	kept, err := g.store.first(key(g.cfg.Rank), mine)
	if err != nil {
		return nil, g.blame(err)
	}
	if kept != mine {
		return nil, fmt.Errorf("another process is rank %d already: %s", g.cfg.Rank, kept)
	}
	deadline := time.Now().Add(g.cfg.Timeout)
	for {
		var missing []string
		for rank := range texts {
			if texts[rank] != "" {
				continue
			}
			text, there, err := g.store.get(key(rank))
			if err != nil {
				return nil, g.blame(err)
			}
			if texts[rank] = text; !there {
				missing = append(missing, strconv.Itoa(rank))
			}
		}
		if len(missing) == 0 {
			return texts, nil
		}
		if time.Now().After(deadline) {
			return nil, g.Fail(fmt.Errorf("%s: rank %s did not come in %v: not started, without a way to %s, or of another libtorch than %s",
				name, strings.Join(missing, ", rank "), g.cfg.Timeout, g.cfg.Store, libtorch.CompiledVersion()))
		}
		if err := g.pause(ctx); err != nil {
			return nil, err
		}
	}
}

// pause lets a little time pass before the store is asked again.
func (g *Group) pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return g.Fail(context.Cause(ctx))
	case <-g.failed:
		return g.Failure()
	case <-time.After(20 * time.Millisecond):
		return nil
	}
}

// Engine is what moves tensors in this build, on CUDA devices or the CPU: gloo or nccl. It must be the same on all ranks.
func Engine(cuda bool) (name string, err error) {
	name, missing := libtorch.GroupEngine(cuda)
	if name == "" {
		return "", errors.New(missing)
	}
	return name, nil
}

// Connect opens the connections that tensors travel on, those of a CUDA device, -1: of the CPU. All ranks have come
// before, see Exchange.
func (g *Group) Connect(cuda int) error {
	g.Note("connections")
	done := make(chan error, 1)
	go func() {
		var err error
		g.native, err = libtorch.OpenGroup(g.store.native, libtorch.GroupOptions{Rank: g.cfg.Rank, Size: g.cfg.Size, Host: g.host,
			Interface: g.cfg.Interface, Timeout: g.cfg.Timeout / 2, CUDA: cuda})
		done <- err
	}()
	return g.await(done)
}

// await waits for what goes on in the native half, or for the failure of the group.
func (g *Group) await(done <-chan error) error {
	select {
	case err := <-done:
		if err != nil {
			return g.blame(err)
		}
		return nil
	case <-g.failed:
		return g.Failure()
	}
}

// Close leaves the group, with the reason where it is one of failure. Rank 0 goes last where it can, for it keeps the
// store. It may be called twice.
func (g *Group) Close(reason error) error {
	g.mu.Lock()
	again := g.closed
	g.closed = true
	g.mu.Unlock()
	if again {
		return nil
	}
	if reason != nil {
		g.Fail(reason)
	}
	close(g.quit)
	<-g.gone
	err := g.store.set(beatKey(g.cfg.Rank), leftText)
	if g.cfg.Rank == 0 && err == nil {
		g.outlast()
	}
	if g.Failure() != nil {
		return nil
	}
	if e := g.disconnect(); e != nil {
		return errors.Join(err, e) // the store is in use still
	}
	libtorch.CloseStore(g.store.native)
	return err
}

// disconnect closes the connections, which may wait for the others.
func (g *Group) disconnect() error {
	done := make(chan error, 1)
	go func() { done <- libtorch.CloseGroup(g.native) }()
	select {
	case err := <-done:
		return err
	case <-time.After(g.cfg.Timeout / 2):
		return fmt.Errorf("connections to the other ranks do not close in %v", g.cfg.Timeout/2)
	}
}

// outlast waits until the others have left, though not for long.
func (g *Group) outlast() {
	deadline := time.Now().Add(min(g.cfg.Timeout/8, 5*time.Second))
	for rank := 1; rank < g.cfg.Size; {
		text, came, err := g.store.get(beatKey(rank))
		switch {
		case err == nil && !came, text == leftText:
			rank++
		case err != nil || time.Now().After(deadline):
			return
		default:
			time.Sleep(20 * time.Millisecond)
		}
	}
}
