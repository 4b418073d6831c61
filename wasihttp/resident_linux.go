package wasihttp

import (
	"bufio"
	"os"
	"strconv"
	"strings"
)

// resident is how much memory of its own this process has, in bytes: compiled code and Go's heap; 0 when the system does not tell.
// Pages of its file do not count: they are the machine's, and go when they are needed elsewhere.
func resident() uint64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if v, ok := strings.CutPrefix(lines.Text(), "RssAnon:"); ok {
			kib, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(v), " kB"), 10, 64)
			if err != nil {
				return 0
			}
			return kib << 10
		}
	}
	return 0
}
