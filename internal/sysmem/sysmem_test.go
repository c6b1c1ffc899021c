package sysmem

import (
	"testing"
	"testing/fstest"
)

func TestLimit(t *testing.T) {
	const meminfo = "MemTotal:       24576000 kB\nMemFree:        1000 kB\n"
	tests := []struct {
		name, reason string
		files        map[string]string
		limit        int64
		source       string
	}{
		{name: "nothing", reason: "not Linux"},
		{name: "machine", files: map[string]string{"proc/meminfo": meminfo}, limit: 24576000 << 10, source: "memory of the machine", reason: "no control group"},
		{name: "v2", files: map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "2147483648\n"},
			limit: 2 << 30, source: "cgroup memory.max", reason: "the group's own limit"},
		{name: "v2 parent", files: map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "max\n", "sys/fs/cgroup/a/memory.max": "1073741824\n"},
			limit: 1 << 30, source: "cgroup memory.max", reason: "groups inherit limits"},
		{name: "v2 container", files: map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "0::/../../host/path\n", "sys/fs/cgroup/memory.max": "1073741824\n"},
			limit: 1 << 30, source: "cgroup memory.max", reason: "the mount point is the container's group"},
		{name: "v1", files: map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "4:memory:/docker/x\n3:cpu:/y\n", "sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes": "3221225472\n"},
			limit: 3 << 30, source: "cgroup memory.limit_in_bytes", reason: "the old hierarchy"},
		{name: "v1 unlimited", files: map[string]string{"proc/meminfo": meminfo, "proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"},
			limit: 24576000 << 10, source: "memory of the machine", reason: "version 1 writes a huge number for no limit"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := fstest.MapFS{}
			for name, text := range tt.files {
				root[name] = &fstest.MapFile{Data: []byte(text)}
			}
			if limit, source := limitIn(root); limit != tt.limit || source != tt.source {
				t.Errorf("%d, %q, want %d, %q: %s", limit, source, tt.limit, tt.source, tt.reason)
			}
		})
	}
}
