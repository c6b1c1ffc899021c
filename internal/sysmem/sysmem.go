// Package sysmem tells how much memory this process may use: what its control group allows, or what the machine has.
// It reads Linux's files and knows nothing elsewhere. The command line reports it.
//
//	limit, source := sysmem.Limit() // 2147483648, "cgroup memory.max"
package sysmem

import (
	"bufio"
	"bytes"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
)

// Limit gives the bytes that this process may use and where that is written; 0 and "" where it is not known.
func Limit() (limit int64, source string) { return limitIn(os.DirFS("/")) }

// limitIn is Limit on another file system. The smallest limit counts: of the process's group, of the groups above it,
// and of the machine.
func limitIn(root fs.FS) (limit int64, source string) {
	limit, source = machine(root)
	for _, group := range groups(root) {
		for dir := group.dir; ; dir = path.Dir(dir) {
			if n, ok := readNumber(root, path.Join(dir, group.file)); ok && (limit == 0 || n < limit) {
				limit, source = n, "cgroup "+group.file
			}
			if dir == group.mount {
				break
			}
		}
	}
	return limit, source
}

// group is a control group's folder below its mount point, and the file with its limit.
type group struct{ mount, dir, file string }

// groups reads /proc/self/cgroup: lines such as "0::/user.slice" (version 2) or "4:memory:/docker/ab" (version 1).
// Inside a container the path may be the host's; its group is then at the mount point.
func groups(root fs.FS) []group {
	var found []group
	text, _ := fs.ReadFile(root, "proc/self/cgroup")
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		fields := strings.SplitN(lines.Text(), ":", 3)
		if len(fields) < 3 {
			continue
		}
		g := group{mount: "sys/fs/cgroup", file: "memory.max"}
		if fields[1] == "memory" {
			g = group{mount: "sys/fs/cgroup/memory", file: "memory.limit_in_bytes"}
		} else if fields[0] != "0" {
			continue
		}
		g.dir = path.Join(g.mount, path.Clean("/"+fields[2]))
		found = append(found, g)
	}
	return found
}

func readNumber(root fs.FS, name string) (int64, bool) {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64) // "max" is no number
	return n, err == nil && n > 0
}

// machine reads the memory of the machine.
func machine(root fs.FS) (int64, string) {
	text, _ := fs.ReadFile(root, "proc/meminfo")
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		fields := strings.Fields(lines.Text()) // MemTotal: 24576000 kB
		if len(fields) == 3 && fields[0] == "MemTotal:" {
			if n, err := strconv.ParseInt(fields[1], 10, 64); err == nil {
				return n << 10, "memory of the machine"
			}
		}
	}
	return 0, ""
}
