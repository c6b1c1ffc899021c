package comm

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/gopdd/gopdd/internal/libtorch"
)

// store is a TCPStore whose calls end in time.
type store struct {
	native  libtorch.Store
	limit   time.Duration // of a call
	address string
	broken  atomic.Bool // a call did not come back: the connection is of no more use
}

var errSilent = errors.New("it does not answer")

// call runs fn, which may block for ever when the machine that serves the store does not answer.
func (s *store) call(fn func() error) error {
	if s.broken.Load() {
		return s.wrap(errSilent)
	}
	done := make(chan error, 1)
	go func() { done <- fn() }()
	late := time.NewTimer(s.limit)
	defer late.Stop()
	select {
	case err := <-done:
		return s.wrap(err)
	case <-late.C:
		s.broken.Store(true)
		return s.wrap(errSilent)
	}
}

func (s *store) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the store at %s is gone: rank 0, which keeps it, has ended, cannot be reached, or has another libtorch than %s: %w",
		s.address, libtorch.CompiledVersion(), err)
}

func (s *store) set(key, value string) error {
	return s.call(func() error { return libtorch.StoreSet(s.native, key, value) })
}

func (s *store) get(key string) (value string, there bool, err error) {
	type answer struct {
		value string
		there bool
	}
	got := make(chan answer, 1)
	err = s.call(func() error {
		v, ok, err := libtorch.StoreGet(s.native, key)
		got <- answer{v, ok}
		return err
	})
	if err != nil {
		return "", false, err
	}
	a := <-got
	return a.value, a.there, nil
}

// first sets a key unless it has a value, and returns the value it has then.
func (s *store) first(key, value string) (kept string, err error) {
	got := make(chan string, 1)
	err = s.call(func() error {
		v, err := libtorch.StoreFirst(s.native, key, value)
		got <- v
		return err
	})
	if err != nil {
		return "", err
	}
	return <-got, nil
}
