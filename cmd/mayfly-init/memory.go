//go:build linux

package main

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Where the kernel counts the container's processes that it has killed for memory, in cgroups v1 and v2; tests link other places in.
var (
	oomCountV1 = "/sys/fs/cgroup/memory/memory.oom_control"
	oomCountV2 = "/sys/fs/cgroup/memory.events"
)

// outOfMemory is the exit status of a container that came to the end of its memory. With it and the kernel's own report, the reason that kubectl shows is
// OOMKilled.
const outOfMemory = 128 + int(unix.SIGKILL)

// killedForMemory reports whether the kernel has killed processes of the container for memory since it was last asked.
func (h *holder) killedForMemory() bool {
	n := oomKills()
	more := n > h.oomKills
	h.oomKills = n
	return more
}

// oomKills is how many that were, 0 where the container does not see its cgroup.
func oomKills() int {
	var text [1024]byte
	for _, path := range [...]string{oomCountV1, oomCountV2} {
		fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		n, _ := unix.Read(fd, text[:])
		unix.Close(fd)
		return parseOOMKills(string(text[:max(n, 0)]))
	}
	return 0
}

// parseOOMKills finds the count among the lines of either file, 0 when it is not there.
func parseOOMKills(text string) int {
	for line := range strings.Lines(text) {
		if count, ok := strings.CutPrefix(line, "oom_kill "); ok {
			n, _ := strconv.Atoi(strings.TrimSpace(count))
			return max(n, 0)
		}
	}
	return 0
}
