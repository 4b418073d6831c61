package wasihttp

import (
	"os"
	"strconv"
	"strings"
)

// resident is how much memory of its own this process has, in bytes: compiled code and Go's heap; 0 when the system does not tell.
// Pages of its file do not count: they are the machine's, and go when they are needed elsewhere.
func resident() uint64 {
	text, err := os.ReadFile("/proc/self/statm") // status says it in words, for several times the price
	if err != nil {
		return 0
	}
	return anonymous(string(text), uint64(os.Getpagesize()))
}

// anonymous reads proc_pid_statm(5): what is resident, less what belongs to files.
func anonymous(statm string, page uint64) uint64 {
	var pages [3]uint64 // size, resident, of files
	fields := strings.Fields(statm)
	if len(fields) < len(pages) {
		return 0
	}
	for k := range pages {
		n, err := strconv.ParseUint(fields[k], 10, 64)
		if err != nil {
			return 0
		}
		pages[k] = n
	}
	if pages[1] < pages[2] {
		return 0
	}
	return (pages[1] - pages[2]) * page
}
