package comm_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	torch "github.com/wangkuiyi/gotorch"

	"github.com/gopdd/gopdd/internal/comm"
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

// place is where ranks keep their tensors: the CPU, or a CUDA device each.
type place struct {
	cuda  bool
	sizes []int // of groups that find room there
}

// places are those that there is an engine for here.
func places(t *testing.T) (list []place) {
	t.Helper()
	if _, err := comm.Engine(false); err == nil {
		list = append(list, place{false, []int{1, 2, 4}})
	}
	devices := tensor.Info().CUDADevices
	if _, err := comm.Engine(true); err == nil && devices > 0 {
		list = append(list, place{true, slices.Compact([]int{1, devices})})
	}
	if list == nil {
		t.Skip("no engine between processes here")
	}
	return list
}

// device is where a rank keeps its tensors.
func (p place) device(rank int) tensor.Device {
	if p.cuda {
		return tensor.Device(rank)
	}
	return tensor.CPU
}

// together runs fn as each of n ranks, connected, and returns their errors. It skips a test for which there are too few
// devices.
func (p place) together(t *testing.T, n int, timeout time.Duration, fn func(g *comm.Group) error) []error {
	t.Helper()
	if p.cuda && tensor.Info().CUDADevices < n {
		t.Skipf("needs %d CUDA devices", n)
	}
	address := freeAddress(t)
	errs := make([]error, n)
	var all sync.WaitGroup
	for rank := range n {
		all.Go(func() {
			cfg := comm.Config{Rank: rank, Size: n, Store: address, Timeout: timeout}
			errs[rank] = member(t.Context(), cfg, int(p.device(rank)), fn)
		})
	}
	all.Wait()
	return errs
}

func member(ctx context.Context, cfg comm.Config, cuda int, fn func(g *comm.Group) error) error {
	g, err := comm.Open(ctx, cfg)
	if err != nil {
		return err
	}
	if _, err = g.Exchange(ctx, "hello", fmt.Sprint("I am ", cfg.Rank)); err == nil {
		if err = g.Connect(cuda); err == nil {
			err = fn(g)
		}
	}
	return errors.Join(err, g.Close(err))
}

// eachGroup runs fn as each rank of groups of all sizes, wherever there is room.
func eachGroup(t *testing.T, fn func(g *comm.Group, device tensor.Device) error) {
	t.Helper()
	for _, p := range places(t) {
		for _, n := range p.sizes {
			errs := p.together(t, n, 30*time.Second, func(g *comm.Group) error { return fn(g, p.device(g.Rank())) })
			if err := errors.Join(errs...); err != nil {
				t.Errorf("%d ranks, CUDA %t: %v", n, p.cuda, err)
			}
		}
	}
}

func TestCollectives(t *testing.T) {
	eachGroup(t, func(g *comm.Group, _ tensor.Device) error {
		n, rank := g.Size(), float64(g.Rank())
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
}

// TestTensors: several types and layouts in one list, more than a bucket of them, two operations at a time; tensors of the
// CPU among those of a CUDA device.
func TestTensors(t *testing.T) {
	eachGroup(t, func(g *comm.Group, device tensor.Device) error {
		return tensor.Catch(func() {
			s := tensor.NewScope()
			defer s.Close()
			k, all := float64(g.Rank()+1), float64(g.Size()*(g.Size()+1)/2)
			big := s.Full(k, tensor.Float32, device, 9<<20)
			double := s.Full(2*k, tensor.Float64, tensor.CPU, 3)
			turned := s.Permute(s.Full(3*k, tensor.Float32, device, 2, 3), 1, 0)
			first, err := g.AllReduce("first", []torch.Tensor{big, double, turned})
			must(err)
			other := s.Full(k, tensor.Float32, device, 5)
			second, err := g.AllReduce("second", []torch.Tensor{other})
			must(err)
			must(first.Wait())
			must(second.Wait())
			for i, x := range []torch.Tensor{big, double, turned, other} {
				want := []float64{1, 2, 3, 1}[i] * all
				for _, v := range s.Float64s(s.Reshape(x, s.Numel(x))) {
					if v != want {
						tensor.Failf("test", "tensor %d has %v, want %v", i, v, want)
					}
				}
			}
			mine := s.Full(k, tensor.Float32, device, 3, 2)
			must(g.Broadcast("weights", []torch.Tensor{mine}))
			sums, err := comm.BitSums([]torch.Tensor{mine, turned})
			must(err)
			same, err := comm.BitSums([]torch.Tensor{s.Full(1, tensor.Float32, tensor.CPU, 2, 3)})
			must(err)
			if sums[0] != same[0] || sums[1] == sums[0] {
				tensor.Failf("test", "bit sums %v and %v", sums, same)
			}
		})
	})
}

// Where NCCL is bound and there is no device for it, that is an error of the rank and nothing worse.
func TestNoDevice(t *testing.T) {
	if name, _ := comm.Engine(true); name != "nccl" || tensor.Info().CUDA {
		t.Skip("for a build with NCCL on a machine without a CUDA device")
	}
	cfg := comm.Config{Rank: 0, Size: 1, Store: freeAddress(t), Timeout: 10 * time.Second}
	err := member(t.Context(), cfg, 0, func(*comm.Group) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "rank 0: connections: ") {
		t.Errorf("%v, want an error of the connections", err)
	}
	t.Log(err)
}

func must(err error) {
	if err != nil {
		tensor.Failf("test", "%w", err)
	}
}

// Whatever one rank does wrong, every rank's error names it and says what, within the time.
func TestFailures(t *testing.T) {
	const timeout, ranks = 4 * time.Second, 3
	where := places(t)[0]
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
			errs := where.together(t, ranks, timeout, func(g *comm.Group) error {
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

// A connection to the store that sends half a request: libtorch 1.13's store waits for the rest and serves nobody, which
// is an error on every rank in time; a newer one's goes on.
func TestHalfRequest(t *testing.T) {
	const timeout = 4 * time.Second
	where, stands := places(t)[0], strings.HasPrefix(tensor.Info().CompiledVersion, "1.")
	for _, n := range []int{2, 3} {
		t.Run(fmt.Sprint(n, " ranks"), func(t *testing.T) {
			start := time.Now()
			errs := where.together(t, n, timeout, func(g *comm.Group) error {
				if g.Rank() != 0 {
					return g.Barrier("meeting")
				}
				return halfRequest(g, timeout/2)
			})
			if took := time.Since(start); took > timeout+time.Second {
				t.Errorf("it took %v", took)
			}
			for rank, err := range errs {
				want := "rank 0: "
				if rank == 0 {
					want += "its store waits for the rest of a request"
				}
				if stands && (err == nil || !strings.Contains(err.Error(), want)) || !stands && err != nil {
					t.Errorf("rank %d: %v, want %q with libtorch 1, else none", rank, err, want)
				}
			}
		})
	}
}

// halfRequest sends the kind of a request, of which the key and the value would follow, and meets the others unless the
// group fails meanwhile.
func halfRequest(g *comm.Group, long time.Duration) error {
	c, err := net.Dial("tcp", g.Store())
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Write([]byte{0}); err != nil {
		return err
	}
	select {
	case <-g.Failed():
		return g.Failure()
	case <-time.After(long):
		return g.Barrier("meeting")
	}
}

func TestMeeting(t *testing.T) {
	nothing := func(*comm.Group) error { return nil }
	t.Run("nobody serves", func(t *testing.T) {
		err := member(t.Context(), comm.Config{Rank: 1, Size: 2, Store: freeAddress(t), Timeout: time.Second}, -1, nothing)
		if err == nil || !strings.Contains(err.Error(), "rank 0 keeps no store") {
			t.Error(err)
		}
	})
	t.Run("something else answers", func(t *testing.T) { // as the store of another libtorch does
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() { // reads, so that its connections end without a reset, which libtorch 1.13 does not survive
			for c, err := l.Accept(); err == nil; c, err = l.Accept() {
				go io.Copy(io.Discard, c)
			}
		}()
		start := time.Now()
		err = member(t.Context(), comm.Config{Rank: 1, Size: 2, Store: l.Addr().String(), Timeout: time.Second}, -1, nothing)
		if err == nil || !strings.Contains(err.Error(), "another libtorch") || time.Since(start) > 3*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
	t.Run("nobody comes", func(t *testing.T) {
		err := member(t.Context(), comm.Config{Rank: 0, Size: 3, Store: freeAddress(t), Timeout: time.Second}, -1, nothing)
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
		err = member(t.Context(), comm.Config{Rank: 0, Size: 1, Store: l.Addr().String(), Timeout: time.Second}, -1, nothing)
		if err == nil || !strings.Contains(err.Error(), "cannot serve") {
			t.Error(err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		err := member(ctx, comm.Config{Rank: 0, Size: 2, Store: freeAddress(t), Timeout: time.Minute}, -1, nothing)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}
