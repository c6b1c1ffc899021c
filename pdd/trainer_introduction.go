package pdd

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"runtime/debug"
	"strings"

	"github.com/gopdd/gopdd/internal/comm"
	"github.com/gopdd/gopdd/tensor"
)

// introduction is what ranks tell each other first.
type introduction struct {
	Process   string // host and process id
	Address   string // of its connections
	WorldSize int
	Version   string // of this module
	Libtorch  string
	Engine    string // of the group
	Networks  string // a hash of the names and shapes of all tensors
	Features  string // Φ
	Data      string // fingerprint
	Config    string
}

func (t *Trainer) introduce() (string, error) {
	config, err := t.cfg.YAML()
	if err != nil {
		return "", err
	}
	host, _ := os.Hostname() // for people to read
	h := fnv.New64a()
	var s *tensor.Scope
	for _, sl := range t.slots() {
		fmt.Fprintln(h, sl.name, s.Shape(sl.tensor), s.TypeOf(sl.tensor))
	}
	text, err := json.Marshal(introduction{Process: fmt.Sprintf("%s, process %d", host, os.Getpid()), Address: t.group.Address(),
		WorldSize: t.dist.WorldSize, Version: moduleVersion(), Libtorch: tensor.Info().CompiledVersion, Engine: t.engine,
		Networks: fmt.Sprintf("%016x", h.Sum64()), Features: t.phiName, Data: t.fingerprint(), Config: string(config)})
	return string(text), err
}

const modulePath = "github.com/gopdd/gopdd"

// moduleVersion is this module's in the program's build.
func moduleVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, m := range append(info.Deps, &info.Main) {
		if m.Path == modulePath {
			return m.Version
		}
	}
	return "unknown"
}

// agree finds the first rank that differs from rank 0 in what must be the same.
func agree(texts []string) error {
	var first introduction
	for rank, text := range texts {
		var i introduction
		if err := json.Unmarshal([]byte(text), &i); err != nil {
			return &comm.RankError{Rank: rank, Reason: "its introduction is not understood: another version? " + err.Error()}
		}
		if rank == 0 {
			first = i
		}
		if d := i.differences(first); len(d) > 0 {
			return &comm.RankError{Rank: rank, Reason: fmt.Sprintf("(%s) is not at the same work as rank 0 (%s): %s", i.Process, first.Process, strings.Join(d, "; "))}
		}
	}
	return nil
}

func (i introduction) differences(first introduction) (list []string) {
	note := func(what string, mine, theirs any) {
		if mine != theirs {
			list = append(list, fmt.Sprintf("%s %v, rank 0 has %v", what, mine, theirs))
		}
	}
	note("number of processes", i.WorldSize, first.WorldSize)
	note("gopdd", i.Version, first.Version)
	note("libtorch", i.Libtorch, first.Libtorch)
	note("engine between processes", i.Engine, first.Engine)
	note("features", i.Features, first.Features)
	note("data (count, hash of the names)", i.Data, first.Data)
	if strings.HasPrefix(first.Address, "127.") != strings.HasPrefix(i.Address, "127.") {
		note("address", i.Address, first.Address+": give Address as one that other machines reach, or set Interface (GLOO_SOCKET_IFNAME)")
	}
	mine, err := ParseConfig([]byte(i.Config))
	theirs, err2 := ParseConfig([]byte(first.Config))
	switch {
	case err != nil || err2 != nil:
		note("configuration", i.Config, first.Config)
	default:
		list = append(list, mine.differences(&theirs, rankOwn, "rank 0 has")...)
	}
	if len(list) == 0 {
		note("networks (hash of names and shapes)", i.Networks, first.Networks)
	}
	return list
}

// rankOwn are fields that may differ from rank to rank.
var rankOwn = []string{"output.dir", "output.log_every", "output.tensorboard", "data.workers", "data.cache_mib", "compute.threads", "compute.device"}
