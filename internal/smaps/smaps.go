// Package smaps reads what a process has of a Linux machine's memory.
//
// It is for benchmarks and demonstrations, and for the program of mayfly bench
// that runs in pods. The kernel walks the process's page tables for it: nothing
// to do while a latency is measured.
package smaps

import (
	"fmt"
	"os"
	"strings"
)

// Usage is what a process costs, in bytes: Private is its alone and free when
// it ends, PSS adds its share of what others have mapped too, and RSS all of
// that. Own is what is in no file, so that the kernel cannot drop it: not the
// program's text, which is Private only while nobody else runs the program.
type Usage struct{ Private, Own, PSS, RSS int64 }

// Read reads the file smaps_rollup of a process.
func Read(file string) (Usage, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Usage{}, fmt.Errorf("read memory: %w", err)
	}
	return parse(string(text)), nil
}

func parse(text string) (u Usage) {
	for line := range strings.Lines(text) {
		key, rest, _ := strings.Cut(line, ":")
		var kib int64
		if _, err := fmt.Sscan(rest, &kib); err != nil {
			continue
		}
		switch key {
		case "Rss":
			u.RSS += kib << 10
		case "Pss":
			u.PSS += kib << 10
		case "Pss_Anon", "Pss_Shmem":
			u.Own += kib << 10
		case "Private_Clean", "Private_Dirty":
			u.Private += kib << 10
		}
	}
	return u
}
