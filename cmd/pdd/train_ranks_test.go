//go:build cgo

package main

import (
	"bytes"
	"fmt"
	"image"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gopdd/gopdd/internal/comm"
	"github.com/gopdd/gopdd/internal/imgio"
	"github.com/gopdd/gopdd/pdd"
)

// ranksTimeout is the --timeout of the tests' groups, ranksGrace what a process may take beyond it to end.
const (
	ranksTimeout = 6 * time.Second
	ranksGrace   = 3 * time.Second
)

// rankProcess is pdd train as one of several.
type rankProcess struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer
	ended          chan struct{}
}

// startRanks starts a process for each list of arguments, under the variables that torchrun sets.
func startRanks(t *testing.T, args ...[]string) []*rankProcess {
	t.Helper()
	if _, err := comm.Engine(false); err != nil {
		t.Skip(err)
	}
	address, err := comm.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(address)
	list := make([]*rankProcess, len(args))
	for rank, a := range args {
		n := len(args)
		list[rank] = startRank(t, exec.Command(os.Args[0]), append(a, "--timeout", ranksTimeout.String()),
			"MASTER_ADDR=127.0.0.1", "MASTER_PORT="+port, fmt.Sprint("RANK=", rank), fmt.Sprint("WORLD_SIZE=", n),
			fmt.Sprint("LOCAL_RANK=", rank), fmt.Sprint("LOCAL_WORLD_SIZE=", n))
	}
	return list
}

// startRank starts this test binary, by cmd, as pdd with args. It is killed when the test ends.
func startRank(t *testing.T, cmd *exec.Cmd, args []string, env ...string) *rankProcess {
	t.Helper()
	p := &rankProcess{Cmd: cmd, ended: make(chan struct{})}
	p.Env = append(append(os.Environ(), "PDD_TEST_ARGS="+strings.Join(args, " ")), env...)
	p.Stdout, p.Stderr = &p.stdout, &p.stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		p.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.Process.Kill()
		<-p.ended
	})
	return p
}

// end waits for the process and returns its exit code.
func (p *rankProcess) end(t *testing.T, within time.Duration) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(within):
		t.Fatalf("process %d did not end in %v", p.Process.Pid, within)
	}
	return p.ProcessState.ExitCode()
}

// rankArgs are trainArgs with a checkpoint every few steps, on a picture of its own.
func rankArgs(t *testing.T, out string, more ...string) []string {
	t.Helper()
	hr := t.TempDir()
	picture := image.NewGray(image.Rect(0, 0, 64, 64))
	for i := range picture.Pix {
		picture.Pix[i] = uint8(i * i / 7)
	}
	if err := imgio.WriteFile(filepath.Join(hr, "a.png"), picture); err != nil {
		t.Fatal(err)
	}
	return trainArgs(hr, out, append([]string{"--set", "output.save_every=3"}, more...)...)
}

// waitForRows waits until the run in out has logged so many steps.
func waitForRows(t *testing.T, out string, rows int) {
	t.Helper()
	log := filepath.Join(out, "train.csv")
	for deadline := time.Now().Add(time.Minute); countLines(log) < rows; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no steps in a minute")
		}
	}
}

// checkGoesOn fails unless the newest checkpoint in out is whole and a single process goes on from it.
func checkGoesOn(t *testing.T, out string, args []string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(out, "checkpoints", "step-*.safetensors"))
	if err != nil || len(found) == 0 {
		t.Fatalf("checkpoints %v, %v", found, err)
	}
	_, step, err := pdd.ReadCheckpointConfig(found[len(found)-1])
	if err != nil || step < 3 {
		t.Fatalf("the last checkpoint is of step %d: %v", step, err)
	}
	before := countLines(filepath.Join(out, "train.csv"))
	if said := runUntilSteps(t, args, filepath.Join(out, "train.csv"), 3); !strings.Contains(said, "stopped after step") {
		t.Errorf("after %d rows the run did not go on: %s", before, said)
	}
}

// Whatever becomes of one process, all others end in time, with an error that names it, and the last checkpoint is good.
func TestRankFaults(t *testing.T) {
	for _, tt := range []struct {
		name   string
		victim int
		signal syscall.Signal
		want   []string
	}{
		{"a rank is killed", 1, syscall.SIGKILL, []string{"rank 1: no sign of life"}},
		{"a rank is stopped", 2, syscall.SIGSTOP, []string{"rank 2: no sign of life", "waits for the rest of a request"}}, // the latter if it was in one
		{"the store is gone", 0, syscall.SIGKILL, []string{"rank 0: the store at", "rank 0: no sign of life"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "run")
			args := rankArgs(t, out)
			ranks := startRanks(t, args, args, args)
			waitForRows(t, out, 8)
			ranks[tt.victim].Process.Signal(tt.signal)
			start := time.Now()
			for i, p := range ranks {
				if i == tt.victim {
					continue
				}
				code := p.end(t, ranksTimeout+ranksGrace)
				said := false
				for _, want := range tt.want {
					said = said || strings.Contains(p.stderr.String(), want)
				}
				if code != exitFailed || !said {
					t.Errorf("rank %d: code %d, stderr %s, want one of %q", i, code, tail(p.stderr.String()), tt.want)
				}
			}
			t.Logf("all ended %.1f s after the fault", time.Since(start).Seconds())
			ranks[tt.victim].Process.Kill()
			ranks[tt.victim].end(t, time.Second)
			checkGoesOn(t, out, args)
		})
	}
}

func tail(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// A rank with another configuration, without a weight file or without company ends all at the start, with the reason.
func TestRankDiffers(t *testing.T) {
	for _, tt := range []struct {
		name string
		more []string // of rank 1
		want string
	}{
		{"configuration", []string{"--set", "optimizer.lr=0.5"}, "rank 0 has 0.0001"},
		{"batch", []string{"--set", "data.batch=2"}, "data.batch: 2, rank 0 has 1"},
		{"missing file", []string{"--set", "specialist.new=null", "--weights", "nowhere.pth"}, "nowhere.pth"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := rankArgs(t, filepath.Join(t.TempDir(), "run"))
			ranks := startRanks(t, args, append(args[:len(args):len(args)], tt.more...))
			for i, p := range ranks {
				code := p.end(t, ranksTimeout+ranksGrace)
				if said := tail(p.stderr.String()); code != exitFailed || !strings.Contains(said, tt.want) || i == 0 && !strings.Contains(said, "rank 1") {
					t.Errorf("rank %d: code %d, stderr %s, want rank 1 and %q", i, code, p.stderr.String(), tt.want)
				}
			}
		})
	}
	t.Run("alone", func(t *testing.T) {
		args := rankArgs(t, filepath.Join(t.TempDir(), "run"))
		p := startRanks(t, args, []string{"version"})[0]
		if code := p.end(t, ranksTimeout+ranksGrace); code != exitFailed || !strings.Contains(p.stderr.String(), "rank 1 did not come") {
			t.Errorf("code %d, stderr %s", code, p.stderr.String())
		}
	})
}

// All stop after the same step when one of them is told to, and fewer go on from there.
func TestRanksStopTogether(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	args := rankArgs(t, out, "--set", "output.save_every=0")
	ranks := startRanks(t, args, args, args)
	waitForRows(t, out, 5)
	ranks[1].Process.Signal(syscall.SIGTERM)
	for i, p := range ranks {
		if code := p.end(t, ranksTimeout+ranksGrace); code != exitStopped {
			t.Errorf("rank %d: code %d, stderr %s", i, code, p.stderr.String())
		}
		if said := strings.Contains(p.stdout.String(), "stopped after step"); said != (i == 0) {
			t.Errorf("rank %d: stdout %q", i, p.stdout.String())
		}
	}
	checkGoesOn(t, out, args)
}

// pdd train --procs: the processes are its own; it passes SIGTERM on, and ends all when one is killed.
func TestProcs(t *testing.T) {
	if _, err := comm.Engine(false); err != nil {
		t.Skip(err)
	}
	out := filepath.Join(t.TempDir(), "run")
	args := rankArgs(t, out, "--procs", "2", "--timeout", ranksTimeout.String())
	log := filepath.Join(out, "train.csv")
	if said := runUntilSteps(t, args, log, 5); strings.Count(said, "stopped after step") != 1 {
		t.Errorf("stdout %q", said)
	}
	before := countLines(log)
	p := startRank(t, exec.Command(os.Args[0]), args)
	waitForRows(t, out, before+3)
	victim := childOf(t, p.Process.Pid, "RANK=1")
	syscall.Kill(victim, syscall.SIGKILL)
	code := p.end(t, ranksTimeout+ranksGrace)
	if said := tail(p.stderr.String()); code != exitFailed || !strings.Contains(said, "rank 1 was the first of 2 to fail: signal: killed") {
		t.Errorf("code %d, stderr %s", code, p.stderr.String())
	}
}

// childOf finds the child of a process that has a variable in its environment.
func childOf(t *testing.T, parent int, variable string) int {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	if err != nil || len(tasks) == 0 {
		t.Skip("this system does not tell a process's children")
	}
	for _, path := range tasks {
		text, _ := os.ReadFile(path)
		for _, pid := range strings.Fields(string(text)) {
			env, _ := os.ReadFile("/proc/" + pid + "/environ")
			if bytes.Contains(append([]byte{0}, env...), []byte("\x00"+variable+"\x00")) {
				var n int
				fmt.Sscan(pid, &n)
				return n
			}
		}
	}
	t.Fatalf("process %d has no child with %s", parent, variable)
	return 0
}
