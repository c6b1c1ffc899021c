package pdd

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"time"
)

// Distributed makes a Trainer one of several processes, the ranks, that train one model: data parallel, as PyTorch's
// DistributedDataParallel does. Each works on its own share of a step's batch; the gradients are averaged, and all
// networks, moments, averages and spectral norms stay the same bits on every rank. [DataConfig].Batch is what each rank
// works on: N ranks with batch B train as one process with batch N·B does, and see the same data in the same order.
//
// Rank 0 alone writes: checkpoints, logs, the model. Every rank must make the same calls of [NewTrainer],
// [Trainer.Step], [Trainer.Run], [Trainer.LoadCheckpoint] in the same order, and have the same configuration, data,
// version and libtorch, which is checked. An error of one rank ends all of them, with an error that names that rank and
// its reason.
//
// The zero value is a single process.
type Distributed struct {
	Rank, WorldSize int // the process's number, from 0, and how many there are
	// LocalRank and LocalWorldSize count those on this machine: they share its cores, and LocalRank is the CUDA device
	// where Compute.Device is "cuda". 0 and 0: one process on each machine.
	LocalRank, LocalWorldSize int
	// Address is HOST:PORT of rank 0's machine, where the ranks meet. The port must be free there.
	Address string
	// Interface is the network interface the gradients travel over, such as eth0. Empty: the one that leads to Address.
	Interface string
	// Timeout is in what time a rank that died, hangs or cannot be reached has become an error on all others; a rank
	// may be late for the others by half of it. 0: 10 minutes.
	Timeout time.Duration
	// CheckEvery is the number of steps between comparisons of all ranks' weights by checksum. 0: 100.
	CheckEvery int
}

const (
	defaultTimeout    = 10 * time.Minute
	defaultCheckEvery = 100
	leastTimeout      = time.Second
)

// WithDistributed makes the trainer one of several. NewTrainer waits for all others then.
func WithDistributed(d Distributed) TrainerOption { return func(t *Trainer) { t.dist = d } }

// several tells whether there are others.
func (d Distributed) several() bool { return d.WorldSize > 1 }

// validate checks d and fills defaults in.
func (d *Distributed) validate() error {
	switch {
	case *d == Distributed{}:
		d.WorldSize = 1
	case d.WorldSize < 1 || d.Rank < 0 || d.Rank >= d.WorldSize:
		return fmt.Errorf("rank %d of %d: want 0 to %d", d.Rank, d.WorldSize, d.WorldSize-1)
	case d.LocalRank < 0 || d.LocalWorldSize < 0 || d.LocalWorldSize > d.WorldSize || d.LocalRank >= max(d.LocalWorldSize, 1):
		return fmt.Errorf("local rank %d of %d on this machine, of %d in all", d.LocalRank, d.LocalWorldSize, d.WorldSize)
	case d.Timeout != 0 && d.Timeout < leastTimeout || d.CheckEvery < 0:
		return fmt.Errorf("timeout %v, comparison every %d steps: want at least %v and 1", d.Timeout, d.CheckEvery, leastTimeout)
	}
	if d.several() {
		if _, _, err := net.SplitHostPort(d.Address); err != nil {
			return fmt.Errorf("address of rank 0: %w: want HOST:PORT", err)
		}
	}
	if d.Timeout == 0 {
		d.Timeout = defaultTimeout
	}
	if d.CheckEvery == 0 {
		d.CheckEvery = defaultCheckEvery
	}
	d.LocalWorldSize = max(d.LocalWorldSize, 1)
	return nil
}

// cores is this process's share of the machine's.
func (d Distributed) cores() int { return max(1, runtime.GOMAXPROCS(0)/d.LocalWorldSize) }

// errOtherStopped is why a rank stops that was not itself told to.
var errOtherStopped = errors.New("another rank was told to stop")
