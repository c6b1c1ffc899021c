//go:build cgo

package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/gopdd/gopdd/internal/comm"
)

// A network of two machines that delays and loses packets, out of what an ordinary kernel has: two network namespaces,
// in each a TUN device, and a process that carries its packets; the test is the wire between them.

const tunVariable = "PDD_TEST_TUN"

func init() {
	if name := os.Getenv(tunVariable); name != "" {
		if err := carry(name); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// carry is the process in a namespace: packets of the device go to standard output, those of standard input to the
// device, each with its length before it.
func carry(name string) error {
	dev, err := syscall.Open("/dev/net/tun", syscall.O_RDWR, 0)
	if err != nil {
		return err
	}
	request := struct {
		name  [16]byte
		flags uint16
		_     [22]byte
	}{flags: syscall.IFF_TUN | syscall.IFF_NO_PI}
	copy(request.name[:], name)
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(dev), syscall.TUNSETIFF, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return errno
	}
	go func() {
		for {
			p, err := readPacket(os.Stdin)
			if err != nil {
				os.Exit(0) // the test is over
			}
			syscall.Write(dev, p)
		}
	}()
	buf := make([]byte, 1<<16)
	for {
		n, err := syscall.Read(dev, buf)
		if err != nil {
			return err
		}
		if err := writePacket(os.Stdout, buf[:n]); err != nil {
			return err
		}
	}
}

func readPacket(r io.Reader) ([]byte, error) {
	var n [2]byte
	if _, err := io.ReadFull(r, n[:]); err != nil {
		return nil, err
	}
	p := make([]byte, binary.BigEndian.Uint16(n[:]))
	_, err := io.ReadFull(r, p)
	return p, err
}

func writePacket(w io.Writer, p []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(p))), p...))
	return err
}

// wire is the link between two machines.
type wire struct {
	spaces [2]string // names of the namespaces
	cut    atomic.Bool
	lost   atomic.Int64
	passed atomic.Int64
}

const wireNet = "10.213.77."

// newWire makes two machines, 10.213.77.1 and .2. It skips the test where that is not allowed.
func newWire(t *testing.T, delay time.Duration, loss float64) *wire {
	t.Helper()
	w := &wire{}
	var ends [2]*exec.Cmd
	var out [2]io.Reader
	var in [2]io.Writer
	for i := range w.spaces {
		w.spaces[i] = fmt.Sprintf("pddtest%d-%d", os.Getpid(), i)
		mayNeed(t, "ip", "netns", "add", w.spaces[i])
		t.Cleanup(func() { exec.Command("ip", "netns", "del", w.spaces[i]).Run() })
		for _, args := range []string{"tuntap add dev tun0 mode tun", "addr add " + wireNet + fmt.Sprint(i+1) + "/24 dev tun0", "link set lo up", "link set tun0 up"} {
			mayNeed(t, "ip", append([]string{"-n", w.spaces[i]}, strings.Fields(args)...)...)
		}
		ends[i] = exec.Command("ip", "netns", "exec", w.spaces[i], os.Args[0])
		ends[i].Env = append(os.Environ(), tunVariable+"=tun0")
		ends[i].Stderr = os.Stderr
		var err, err2 error
		out[i], err = ends[i].StdoutPipe()
		in[i], err2 = ends[i].StdinPipe()
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		if err := ends[i].Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			ends[i].Process.Kill()
			ends[i].Wait()
		})
	}
	go w.pass(out[0], in[1], delay, loss, 1)
	go w.pass(out[1], in[0], delay, loss, 2)
	return w
}

func mayNeed(t *testing.T, name string, args ...string) {
	t.Helper()
	if said, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Skipf("this machine does not allow networks of our own: %s %s: %v, %s", name, strings.Join(args, " "), err, said)
	}
}

// pass carries packets one way, each a while later, but for those that are lost.
func (w *wire) pass(from io.Reader, to io.Writer, delay time.Duration, loss float64, seed uint64) {
	type packet struct {
		data []byte
		due  time.Time
	}
	random := rand.New(rand.NewPCG(seed, 0))
	queue := make(chan packet, 1<<16)
	go func() {
		for p := range queue {
			time.Sleep(time.Until(p.due))
			if writePacket(to, p.data) != nil {
				return
			}
		}
	}()
	defer close(queue)
	for {
		p, err := readPacket(from)
		if err != nil {
			return
		}
		if w.cut.Load() || random.Float64() < loss {
			w.lost.Add(1)
			continue
		}
		w.passed.Add(1)
		queue <- packet{p, time.Now().Add(delay)}
	}
}

// start runs pdd train on both machines.
func (w *wire) start(t *testing.T, timeout time.Duration, args []string) []*rankProcess {
	t.Helper()
	list := make([]*rankProcess, 2)
	for rank := range list {
		list[rank] = startRank(t, exec.Command("ip", "netns", "exec", w.spaces[rank], os.Args[0]), append(args, "--timeout", timeout.String()),
			"MASTER_ADDR="+wireNet+"1", "MASTER_PORT=29500", fmt.Sprint("RANK=", rank), "WORLD_SIZE=2", "LOCAL_RANK=0")
	}
	return list
}

// Two machines with 10 ms between them and a packet in a hundred lost train to the same weights as two processes of one
// machine; when the wire is cut both end in time and the last checkpoint is good.
func TestRanksOverBadNetwork(t *testing.T) {
	if _, err := comm.Engine(false); err != nil {
		t.Skip(err)
	}
	w := newWire(t, 10*time.Millisecond, 0.01)
	near, far, cut := filepath.Join(t.TempDir(), "near"), filepath.Join(t.TempDir(), "far"), filepath.Join(t.TempDir(), "cut")
	args := rankArgs(t, near, "--steps", "12")
	for _, p := range startRanks(t, args, args) {
		if code := p.end(t, time.Minute); code != exitDone {
			t.Fatalf("code %d, stderr %s", code, p.stderr.String())
		}
	}
	start := time.Now()
	for rank, p := range w.start(t, 30*time.Second, append(args, "--out", far)) {
		if code := p.end(t, time.Minute); code != exitDone {
			t.Fatalf("rank %d: code %d, stderr %s", rank, code, p.stderr.String())
		}
	}
	t.Logf("12 steps in %.1f s, %d packets passed, %d lost", time.Since(start).Seconds(), w.passed.Load(), w.lost.Load())
	if w.lost.Load() == 0 {
		t.Error("no packet was lost: the network is too good")
	}
	a, err := os.ReadFile(filepath.Join(near, "model.pth"))
	b, err2 := os.ReadFile(filepath.Join(far, "model.pth"))
	if err != nil || err2 != nil || string(a) != string(b) {
		t.Errorf("the models differ: %d and %d bytes, %v, %v", len(a), len(b), err, err2)
	}

	args = rankArgs(t, cut)
	ranks := w.start(t, ranksTimeout, args)
	waitForRows(t, cut, 8)
	w.cut.Store(true)
	for rank, p := range ranks {
		code := p.end(t, ranksTimeout+2*ranksGrace)
		said := tail(p.stderr.String())
		named := strings.Contains(said, fmt.Sprintf("rank %d: ", 1-rank)) ||
			rank == 0 && strings.Contains(said, "rank 0: its store waits for the rest of a request") // which the cut may have parted
		if code != exitFailed || !named {
			t.Errorf("rank %d: code %d, stderr %s", rank, code, said)
		}
	}
	checkGoesOn(t, cut, args)
}
