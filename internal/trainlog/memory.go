package trainlog

import (
	"bytes"
	"os"
	"strconv"
)

// Memory is the resident memory of the process, now and at most so far, in bytes; 0 where the system does not say.
func Memory() (resident, peak int64) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, 0
	}
	return statusBytes(status, "VmRSS:"), statusBytes(status, "VmHWM:")
}

// statusBytes reads a line of the form "VmRSS:	 1234 kB".
func statusBytes(status []byte, name string) int64 {
	for line := range bytes.Lines(status) {
		fields := bytes.Fields(line)
		if len(fields) == 3 && string(fields[0]) == name && string(fields[2]) == "kB" {
			n, _ := strconv.ParseInt(string(fields[1]), 10, 64)
			return n << 10
		}
	}
	return 0
}
