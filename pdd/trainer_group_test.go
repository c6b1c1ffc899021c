package pdd

import (
	"encoding/json"
	"strings"
	"testing"
)

// Ranks that are not at the same work are told apart, by what differs.
func TestAgree(t *testing.T) {
	c := EMA()
	config, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	c.Optimizer.LR, c.Data.Workers, c.Output.Dir = 1, 99, "elsewhere"
	other, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	same := introduction{Process: "a, process 1", Address: "10.0.0.1", WorldSize: 3, Version: "v1", Libtorch: "1.13.0", Networks: "n", Data: "d", Config: string(config)}
	for _, tt := range []struct {
		name   string
		change func(*introduction)
		want   string
	}{
		{"the same", func(i *introduction) { i.Process, i.Address = "b, process 7", "10.0.0.2" }, ""},
		{"version", func(i *introduction) { i.Version = "v2" }, "rank 2: (a, process 1) is not at the same work as rank 0 (a, process 1): gopdd v2, rank 0 has v1"},
		{"libtorch", func(i *introduction) { i.Libtorch = "2.15.0" }, "libtorch 2.15.0, rank 0 has 1.13.0"},
		{"size", func(i *introduction) { i.WorldSize = 4 }, "number of processes 4, rank 0 has 3"},
		{"data", func(i *introduction) { i.Data = "e" }, "data (count, hash of the names) e, rank 0 has d"},
		{"networks", func(i *introduction) { i.Networks = "m" }, "networks"},
		{"loopback", func(i *introduction) { i.Address = "127.0.0.1" }, "GLOO_SOCKET_IFNAME"},
		{"configuration", func(i *introduction) { i.Config = string(other) }, "optimizer.lr: 1, rank 0 has 0.0001"},
	} {
		changed := same
		tt.change(&changed)
		var texts []string
		for _, i := range []introduction{same, same, changed} {
			text, err := json.Marshal(i)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, string(text))
		}
		err := agree(texts)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
		if tt.name == "configuration" && (strings.Contains(err.Error(), "workers") || strings.Contains(err.Error(), "elsewhere")) {
			t.Errorf("what may differ is in %v", err)
		}
	}
}
