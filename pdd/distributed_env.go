package pdd

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

// launcher is a program that starts ranks, by the variables it tells them their numbers in.
type launcher struct{ name, rank, size, localRank, localSize string }

// launchers in the order in which they are asked: torchrun's names are also those of `pdd train --procs` and of
// Kubernetes' PyTorchJob.
var launchers = []launcher{
	{"torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"},
	{"mpirun", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"},
	{"srun", "SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID", "SLURM_NTASKS_PER_NODE"},
}

// DistributedFromEnv reads what launchers set: MASTER_ADDR and MASTER_PORT, where rank 0 is, with RANK, WORLD_SIZE,
// LOCAL_RANK and LOCAL_WORLD_SIZE (torchrun, PyTorchJob), or Open MPI's or Slurm's own names for the latter; and
// GLOO_SOCKET_IFNAME. Without MASTER_ADDR, RANK and WORLD_SIZE it is the zero Distributed, a single process. An
// environment of which a part is missing is an error.
//
// Below torchrun the port is MASTER_PORT+1 where torchrun's own store holds MASTER_PORT
// (TORCHELASTIC_USE_AGENT_STORE=True), for its protocol is that of torchrun's libtorch.
func DistributedFromEnv() (Distributed, error) {
	d, err := distributedFromEnv()
	if err != nil {
		return d, fmt.Errorf("pdd: distributed environment: %w", err)
	}
	return d, nil
}

func distributedFromEnv() (d Distributed, err error) {
	_, meets := os.LookupEnv("MASTER_ADDR")
	by, found := findLauncher()
	switch {
	case !meets && (!found || by.name == "srun"): // a batch script of Slurm has its variables too
		return Distributed{}, nil
	case !meets && by.name == "mpirun" && os.Getenv(by.size) == "1":
		return Distributed{}, nil
	case !found:
		return d, fmt.Errorf("MASTER_ADDR is set, but neither RANK and WORLD_SIZE nor those of mpirun or srun: set all, or none for a single process")
	}
	var missing []string
	number := func(name string, least, most int) (n int) {
		text, there := os.LookupEnv(name)
		if !there {
			missing = append(missing, name)
			return 0
		}
		if n, err2 := strconv.Atoi(text); err2 == nil && n >= least && n <= most {
			return n
		}
		if err == nil {
			err = fmt.Errorf("%s=%q: want a number from %d to %d", name, text, least, most)
		}
		return 0
	}
	d.Rank, d.WorldSize = number(by.rank, 0, 1<<20), number(by.size, 1, 1<<20)
	port := number("MASTER_PORT", 1, 65534)
	host := os.Getenv("MASTER_ADDR")
	if host == "" {
		missing = append(missing, "MASTER_ADDR")
	}
	if missing != nil {
		return Distributed{}, fmt.Errorf("started as one of several processes (%s), but %s not set", by.name, strings.Join(missing, ", "))
	}
	if os.Getenv(by.localRank) != "" && os.Getenv(by.localSize) != "" {
		d.LocalRank, d.LocalWorldSize = number(by.localRank, 0, 1<<20), number(by.localSize, 1, 1<<20)
	}
	if os.Getenv("TORCHELASTIC_USE_AGENT_STORE") == "True" {
		port++
	}
	d.Address, d.Interface = net.JoinHostPort(host, strconv.Itoa(port)), os.Getenv("GLOO_SOCKET_IFNAME")
	return d, err
}

// findLauncher is the first that has set a rank or a size.
func findLauncher() (launcher, bool) {
	for _, l := range launchers {
		_, rank := os.LookupEnv(l.rank)
		_, size := os.LookupEnv(l.size)
		if rank || size {
			return l, true
		}
	}
	return launcher{}, false
}
