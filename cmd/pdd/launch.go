//go:build cgo

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gopdd/gopdd/internal/comm"
)

// launchedBy marks the processes that [launch] starts: they have its command line.
const launchedBy = "GOPDD_LAUNCHED"

// launchGrace is how long processes may take to end by themselves when one has failed.
const launchGrace = 15 * time.Second

// child is a process of a launch.
type child struct {
	rank int
	cmd  *exec.Cmd
	last *lastLine // of its standard error; nil for rank 0, whose output goes straight on
	err  error
}

// launch runs n processes of this command line on this machine, under the variables that torchrun would set, until all
// have ended. It passes the wish to stop on to them. When one fails the others are given time to say so, then killed.
func launch(e *env, n int) error {
	address, err := comm.FreeAddress()
	if err != nil {
		return err
	}
	ended := make(chan *child, n)
	children := make([]*child, n)
	var output sync.Mutex // lines of several processes
	for rank := range n {
		if children[rank], err = start(e, rank, n, address, &output, ended); err != nil {
			signalAll(children[:rank], syscall.SIGKILL)
			for range rank {
				<-ended
			}
			return fmt.Errorf("start rank %d: %w", rank, err)
		}
	}
	return supervise(e, children, ended)
}

// start begins one process, which arrives at ended when it has ended.
func start(e *env, rank, n int, address string, output *sync.Mutex, ended chan<- *child) (*child, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	host, port, _ := net.SplitHostPort(address)
	c := &child{rank: rank, cmd: exec.Command(program, e.args...)}
	c.cmd.Env = append(os.Environ(), launchedBy+"=1", "MASTER_ADDR="+host, "MASTER_PORT="+port,
		"RANK="+strconv.Itoa(rank), "WORLD_SIZE="+strconv.Itoa(n), "LOCAL_RANK="+strconv.Itoa(rank), "LOCAL_WORLD_SIZE="+strconv.Itoa(n))
	c.cmd.Stdout, c.cmd.Stderr = e.stdout, e.stderr
	if rank > 0 {
		c.last = &lastLine{to: e.stderr, mu: output, prefix: fmt.Sprintf("rank %d: ", rank)}
		c.cmd.Stdout, c.cmd.Stderr = nil, c.last
	}
	c.cmd.SysProcAttr = childAttributes()
	begun := make(chan error)
	go func() {
		runtime.LockOSThread() // the kernel ends children with the thread that started them
		err := c.cmd.Start()
		begun <- err
		if err == nil {
			c.err = c.cmd.Wait()
			ended <- c
		}
	}()
	return c, <-begun
}

// supervise waits for all processes and returns the failure of the one that failed first, or that they were stopped.
func supervise(e *env, children []*child, ended <-chan *child) error {
	var first *child
	var kill <-chan time.Time
	stop, stopped := e.ctx.Done(), false
	for left := len(children); left > 0; {
		select {
		case c := <-ended:
			left--
			if c.cmd.ProcessState.ExitCode() == exitStopped {
				stopped = true
			} else if c.err != nil && first == nil {
				first, kill = c, time.After(launchGrace)
			}
		case <-stop:
			stop = nil
			signalAll(children, syscall.SIGTERM)
		case <-kill:
			signalAll(children, syscall.SIGKILL)
		}
	}
	switch {
	case first == nil && stopped:
		return errStopped
	case first == nil:
		return nil
	}
	return fmt.Errorf("rank %d was the first of %d to fail: %w", first.rank, len(children), first.reason())
}

// reason is what a failed process said last.
func (c *child) reason() error {
	if said := c.last.text(); said != "" && c.cmd.ProcessState.Exited() {
		return errors.New(strings.TrimPrefix(said, "pdd: "))
	}
	return c.err
}

func signalAll(children []*child, s syscall.Signal) {
	for _, c := range children {
		c.cmd.Process.Signal(s) // one that has ended needs none
	}
}

// lastLine passes lines on with a prefix and keeps the last.
type lastLine struct {
	to     io.Writer
	mu     *sync.Mutex // shared with the other processes' lines
	prefix string
	part   []byte
	line   string
}

// Write never fails.
func (l *lastLine) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.part = append(l.part, p...)
	for {
		line, rest, whole := bytes.Cut(l.part, []byte("\n"))
		if !whole {
			return len(p), nil
		}
		l.line, l.part = string(line), rest
		fmt.Fprintf(l.to, "%s%s\n", l.prefix, l.line)
	}
}

func (l *lastLine) text() string {
	if l == nil {
		return ""
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.line
}
