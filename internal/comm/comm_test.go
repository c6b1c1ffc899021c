package comm_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/comm"
	"github.com/gopdd/gopdd/internal/libtorch"
	"github.com/gopdd/gopdd/tensor"
)

// freeAddress is one that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := comm.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// together runs fn as each of n ranks, connected, and returns their errors.
func together(t *testing.T, n int, timeout time.Duration, fn func(g *comm.Group) error) []error {
	t.Helper()
	if text := libtorch.GroupMissing(); text != "" {
		t.Skip(text)
	}
	address := freeAddress(t)
	errs := make([]error, n)
	var all sync.WaitGroup
	for rank := range n {
		all.Go(func() {
			errs[rank] = member(t.Context(), comm.Config{Rank: rank, Size: n, Store: address, Timeout: timeout}, fn)
		})
	}
	all.Wait()
	return errs
}

func member(ctx context.Context, cfg comm.Config, fn func(g *comm.Group) error) error {
	g, err := comm.Open(ctx, cfg)
	if err != nil {
		return err
	}
	if _, err = g.Exchange(ctx, "hello", fmt.Sprint("I am ", cfg.Rank)); err == nil {
		if err = g.Connect(); err == nil {
			err = fn(g)
		}
	}
	return errors.Join(err, g.Close(err))
}

func TestCollectives(t *testing.T) {
	for _, n := range []int{1, 2, 4} {
		errs := together(t, n, 20*time.Second, func(g *comm.Group) error {
			rank := float64(g.Rank())
			sums := []float64{1, rank, 0.1 * rank}
			if err := g.SumFloat64s("sum", sums); err != nil {
				return err
			}
			if want := float64(n * (n - 1) / 2); sums[0] != float64(n) || sums[1] != want {
				return fmt.Errorf("sums %v, want %d and %v first", sums, n, want)
			}
			rows, err := g.GatherInt64s("gather", []int64{int64(g.Rank()), 7})
			if err != nil {
				return err
			}
			for i, row := range rows {
				if !slices.Equal(row, []int64{int64(i), 7}) {
					return fmt.Errorf("row %d is %v", i, row)
				}
			}
			text, err := g.Share(t.Context(), "word", fmt.Sprint("from ", g.Rank()))
			if err != nil || text != "from 0" {
				return fmt.Errorf("shared %q, %v", text, err)
			}
			return g.Barrier("end")
		})
		if err := errors.Join(errs...); err != nil {
			t.Errorf("%d ranks: %v", n, err)
		}
	}
}

// TestTensors: several types and layouts in one list, more than a bucket of them, two operations at a time.
func TestTensors(t *testing.T) {
	errs := together(t, 2, 30*time.Second, func(g *comm.Group) error {
		return tensor.Catch(func() {
			s := tensor.NewScope()
			defer s.Close()
			k := float64(g.Rank() + 1)
			big := s.Full(k, tensor.Float32, tensor.CPU, 9<<20)
			double := s.Full(2*k, tensor.Float64, tensor.CPU, 3)
			turned := s.Permute(s.Full(3*k, tensor.Float32, tensor.CPU, 2, 3), 1, 0)
			first, err := g.AllReduce("first", []torch.Tensor{big, double, turned})
			must(err)
			other := s.Full(k, tensor.Float32, tensor.CPU, 5)
			second, err := g.AllReduce("second", []torch.Tensor{other})
			must(err)
			must(first.Wait())
			must(second.Wait())
			for i, x := range []torch.Tensor{big, double, turned, other} {
				want := []float64{3, 6, 9, 3}[i]
				for _, v := range s.Float64s(s.Reshape(x, s.Numel(x))) {
					if v != want {
						tensor.Failf("test", "tensor %d has %v, want %v", i, v, want)
					}
				}
			}
			sums, err := comm.BitSums([]torch.Tensor{turned, other})
			must(err)
			must(g.Broadcast("weights", []torch.Tensor{other}))
			same, err := comm.BitSums([]torch.Tensor{s.Full(9, tensor.Float32, tensor.CPU, 3, 2)})
			must(err)
			if sums[0] != same[0] || sums[1] == sums[0] {
				tensor.Failf("test", "bit sums %v and %v", sums, same)
			}
		})
	})
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
}

func must(err error) {
	if err != nil {
		tensor.Failf("test", "%w", err)
	}
}

// Whatever one rank does wrong, every rank's error names it and says what, within the time.
func TestFailures(t *testing.T) {
	const timeout = 4 * time.Second
	for _, tt := range []struct {
		name string
		bad  func(g *comm.Group) error // of rank 1
		want string
	}{
		{"it fails", func(*comm.Group) error { return errors.New("no memory") }, "rank 1: no memory"},
		{"it leaves", func(*comm.Group) error { return nil }, `rank 1: left the group`},
		{"it hangs", func(g *comm.Group) error { g.Note("a long night"); <-g.Failed(); return g.Failure() }, `rank 1: hangs in "a long night"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			errs := together(t, 3, timeout, func(g *comm.Group) error {
				if g.Rank() == 1 {
					return tt.bad(g)
				}
				g.Note("more work")
				return g.Barrier("meeting")
			})
			if took := time.Since(start); took > timeout+time.Second {
				t.Errorf("it took %v", took)
			}
			for rank, err := range errs {
				if rank == 1 && tt.name != "it hangs" {
					continue
				}
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("rank %d: %v, want %q", rank, err, tt.want)
				}
			}
		})
	}
}

func TestMeeting(t *testing.T) {
	if text := libtorch.GroupMissing(); text != "" {
		t.Skip(text)
	}
	nothing := func(*comm.Group) error { return nil }
	t.Run("nobody serves", func(t *testing.T) {
		err := member(t.Context(), comm.Config{Rank: 1, Size: 2, Store: freeAddress(t), Timeout: time.Second}, nothing)
		if err == nil || !strings.Contains(err.Error(), "rank 0 keeps no store") {
			t.Error(err)
		}
	})
	t.Run("nobody comes", func(t *testing.T) {
		err := member(t.Context(), comm.Config{Rank: 0, Size: 3, Store: freeAddress(t), Timeout: time.Second}, nothing)
		if err == nil || !strings.Contains(err.Error(), "rank 1, rank 2 did not come") {
			t.Error(err)
		}
	})
	t.Run("the port is taken", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		err = member(t.Context(), comm.Config{Rank: 0, Size: 1, Store: l.Addr().String(), Timeout: time.Second}, nothing)
		if err == nil || !strings.Contains(err.Error(), "cannot serve") {
			t.Error(err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		err := member(ctx, comm.Config{Rank: 0, Size: 2, Store: freeAddress(t), Timeout: time.Minute}, nothing)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}
