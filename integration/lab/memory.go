//go:build linux

package lab

import (
	"fmt"
	"os"
	"strings"
)

// Memory is what a process costs, in bytes: Private is its alone and free when
// it ends, PSS adds its share of what others have mapped too, and RSS all of
// that. Own is what is in no file, so that the kernel cannot drop it: not the
// program's text, which is Private only while nobody else runs the program.
type Memory struct{ Private, Own, PSS, RSS int64 }

// Memory reads it for a process of the node's.
func (n *Node) Memory(pid int) (Memory, error) { return MemoryOf(n.Proc(pid, "smaps_rollup")) }

// MemoryOf reads the file smaps_rollup of a process.
func MemoryOf(file string) (Memory, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Memory{}, fmt.Errorf("read memory: %w", err)
	}
	var m Memory
	for line := range strings.Lines(string(text)) {
		key, rest, _ := strings.Cut(line, ":")
		var kib int64
		if _, err := fmt.Sscan(rest, &kib); err != nil {
			continue
		}
		switch key {
		case "Rss":
			m.RSS += kib << 10
		case "Pss":
			m.PSS += kib << 10
		case "Pss_Anon", "Pss_Shmem":
			m.Own += kib << 10
		case "Private_Clean", "Private_Dirty":
			m.Private += kib << 10
		}
	}
	return m, nil
}
