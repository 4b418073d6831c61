package tool

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// maxFile bounds what is read of a file of the kernel's.
const maxFile = 64 << 10

// memory is what is used, in bytes; 0 where that cannot be seen.
type memory struct {
	Holder    uint64 `json:"holder"` // private to it
	Engine    uint64 `json:"engine"`
	Container uint64 `json:"container"` // as kubelet counts it, with this tool
	Limit     uint64 `json:"limit"`     // 0: none
}

func (m memory) String() string {
	var parts []string
	for _, p := range []struct {
		who   string
		bytes uint64
	}{{"holder", m.Holder}, {"engine", m.Engine}, {"container", m.Container}} {
		if p.bytes > 0 {
			parts = append(parts, p.who+" "+mebibytes(p.bytes))
		}
	}
	text := strings.Join(parts, ", ")
	if m.Limit > 0 {
		text += " of at most " + mebibytes(m.Limit)
	}
	return text
}

func mebibytes(n uint64) string { return fmt.Sprintf("%.1f Mi", float64(n)/(1<<20)) }

func (t *tool) memory(holder, engine int) memory {
	m := memory{Holder: t.private(holder), Engine: t.private(engine)}
	usage, _ := t.number("memory/memory.usage_in_bytes", "memory.current")
	if usage > 0 {
		// Pages of files that nobody uses are the first to go: they are not what a limit is about.
		file := t.line("total_inactive_file ", "memory/memory.stat")
		if file == 0 {
			file = t.line("inactive_file ", "memory.stat")
		}
		m.Container = usage - min(usage, file)
	}
	// cgroup v1 says that there is no limit with the largest number of whole pages.
	if limit, ok := t.number("memory/memory.limit_in_bytes", "memory.max"); ok && limit < math.MaxInt64/2 {
		m.Limit = limit
	}
	return m
}

// private is the memory that a process shares with nobody, 0 where it is not to be seen.
func (t *tool) private(pid int) uint64 {
	if pid == 0 {
		return 0
	}
	dir := filepath.Join(t.proc, strconv.Itoa(pid))
	total := uint64(0)
	for line := range strings.Lines(read(filepath.Join(dir, "smaps_rollup"))) {
		if strings.HasPrefix(line, "Private_Dirty:") { // what is clean is of the program's file, which others run too
			total += kibibytes(line)
		}
	}
	if total > 0 {
		return total
	}
	for line := range strings.Lines(read(filepath.Join(dir, "status"))) { // another's smaps are secret
		if strings.HasPrefix(line, "RssAnon:") {
			total = kibibytes(line)
		}
	}
	return total
}

// kibibytes reads a line as in "Private_Dirty:   12 kB".
func kibibytes(line string) uint64 {
	words := strings.Fields(line)
	if len(words) < 2 {
		return 0
	}
	n, _ := strconv.ParseUint(words[1], 10, 40)
	return n << 10
}

// cpu is what the container has used of processors, in seconds.
func (t *tool) cpu() float64 {
	if ns, ok := t.number("cpuacct/cpuacct.usage", "cpu,cpuacct/cpuacct.usage"); ok {
		return float64(ns) / 1e9
	}
	return float64(t.line("usage_usec ", "cpu.stat")) / 1e6
}

// number reads the first of these files of the cgroup that is there.
func (t *tool) number(files ...string) (uint64, bool) {
	for _, name := range files {
		if n, err := strconv.ParseUint(strings.TrimSpace(read(filepath.Join(t.cgroup, name))), 10, 64); err == nil {
			return n, true
		}
	}
	return 0, false
}

// line reads the number in the line of a file of the cgroup that begins with key.
func (t *tool) line(key, file string) uint64 {
	for line := range strings.Lines(read(filepath.Join(t.cgroup, file))) {
		if value, ok := strings.CutPrefix(line, key); ok {
			n, _ := strconv.ParseUint(strings.TrimSpace(value), 10, 64)
			return n
		}
	}
	return 0
}

// read returns what is in a file, nothing where that cannot be had.
func read(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	b, _ := io.ReadAll(io.LimitReader(f, maxFile))
	return string(b)
}

// isTerminal reports whether a person looks at w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
