package pdd_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gopdd/gopdd/pdd"
)

func TestDistributedFromEnv(t *testing.T) {
	for _, tt := range []struct {
		name string
		env  map[string]string
		want pdd.Distributed
		err  string
	}{
		{"nothing", nil, pdd.Distributed{}, ""},
		{"torchrun", map[string]string{"MASTER_ADDR": "host", "MASTER_PORT": "29500", "RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"},
			pdd.Distributed{Rank: 3, WorldSize: 4, LocalRank: 1, LocalWorldSize: 2, Address: "host:29500"}, ""},
		{"torchrun keeps the port", map[string]string{"MASTER_ADDR": "host", "MASTER_PORT": "29500", "RANK": "0", "WORLD_SIZE": "2", "TORCHELASTIC_USE_AGENT_STORE": "True"},
			pdd.Distributed{WorldSize: 2, Address: "host:29501"}, ""},
		{"PyTorchJob", map[string]string{"MASTER_ADDR": "pod-0", "MASTER_PORT": "23456", "RANK": "1", "WORLD_SIZE": "2", "GLOO_SOCKET_IFNAME": "eth0"},
			pdd.Distributed{Rank: 1, WorldSize: 2, Address: "pod-0:23456", Interface: "eth0"}, ""},
		{"mpirun", map[string]string{"MASTER_ADDR": "::1", "MASTER_PORT": "1", "OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2",
			"OMPI_COMM_WORLD_LOCAL_RANK": "1", "OMPI_COMM_WORLD_LOCAL_SIZE": "2"},
			pdd.Distributed{Rank: 1, WorldSize: 2, LocalRank: 1, LocalWorldSize: 2, Address: "[::1]:1"}, ""},
		{"mpirun of one", map[string]string{"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "1"}, pdd.Distributed{}, ""},
		{"srun", map[string]string{"MASTER_ADDR": "n1", "MASTER_PORT": "29500", "SLURM_PROCID": "2", "SLURM_NTASKS": "4", "SLURM_LOCALID": "0"},
			pdd.Distributed{Rank: 2, WorldSize: 4, Address: "n1:29500"}, ""},
		{"a Slurm batch script", map[string]string{"SLURM_PROCID": "0", "SLURM_NTASKS": "4"}, pdd.Distributed{}, ""},
		{"mpirun alone", map[string]string{"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "2"}, pdd.Distributed{}, "mpirun), but MASTER_PORT, MASTER_ADDR not set"},
		{"no size", map[string]string{"MASTER_ADDR": "h", "MASTER_PORT": "1", "RANK": "0"}, pdd.Distributed{}, "WORLD_SIZE not set"},
		{"no rank", map[string]string{"MASTER_ADDR": "h", "MASTER_PORT": "1"}, pdd.Distributed{}, "neither RANK"},
		{"no number", map[string]string{"MASTER_ADDR": "h", "MASTER_PORT": "1", "RANK": "one", "WORLD_SIZE": "2"}, pdd.Distributed{}, `RANK="one"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, name := range []string{"MASTER_ADDR", "MASTER_PORT", "RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GLOO_SOCKET_IFNAME",
				"TORCHELASTIC_USE_AGENT_STORE", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "SLURM_PROCID", "SLURM_NTASKS"} {
				t.Setenv(name, "") // restores it at the end
				os.Unsetenv(name)
			}
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			got, err := pdd.DistributedFromEnv()
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want %q", err, tt.err)
				}
				return
			}
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Errorf("error %v, %s", err, diff)
			}
		})
	}
}

func TestDistributedMistakes(t *testing.T) {
	for want, d := range map[string]pdd.Distributed{
		"rank 2 of 2":         {Rank: 2, WorldSize: 2, Address: "h:1"},
		"rank -1":             {Rank: -1, WorldSize: 2, Address: "h:1"},
		"address of rank 0":   {WorldSize: 2, Address: "h"},
		"local rank 3 of 2":   {WorldSize: 4, Address: "h:1", LocalRank: 3, LocalWorldSize: 2},
		"timeout 1ms":         {WorldSize: 2, Address: "h:1", Timeout: time.Millisecond},
		"comparison every -1": {WorldSize: 2, Address: "h:1", CheckEvery: -1},
	} {
		if _, err := pdd.NewTrainer(supervised(), pdd.WithDistributed(d)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %q", d, err, want)
		}
	}
}
