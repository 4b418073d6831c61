//go:build linux

package bare

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Limit is a control group with a limit of memory, as a container has one.
type Limit struct {
	Bytes uint64
	dir   string
	v2    bool
}

// NewLimit makes one below the caller's root of control groups, for which one
// must be root. Remove removes it.
func NewLimit(name string, bytes uint64) (*Limit, error) {
	const mount = "/sys/fs/cgroup"
	l := &Limit{Bytes: bytes, dir: filepath.Join(mount, "memory", name)}
	file := "memory.limit_in_bytes"
	if _, err := os.Stat(filepath.Join(mount, "cgroup.controllers")); err == nil {
		l.v2, l.dir, file = true, filepath.Join(mount, name), "memory.max"
		_ = os.WriteFile(filepath.Join(mount, "cgroup.subtree_control"), []byte("+memory"), 0o644) // what is missing shows in a moment
	}
	if err := os.Mkdir(l.dir, 0o755); err != nil {
		return nil, fmt.Errorf("make a control group: %w", err)
	}
	if err := l.write(file, strconv.FormatUint(bytes, 10)); err != nil {
		return nil, errors.Join(err, l.Remove())
	}
	return l, nil
}

func (l *Limit) write(file, text string) error {
	return os.WriteFile(filepath.Join(l.dir, file), []byte(text), 0o644)
}

// add puts a process into it.
func (l *Limit) add(pid int) error { return l.write("cgroup.procs", strconv.Itoa(pid)) }

// Killed is how many processes the kernel has killed for want of memory.
func (l *Limit) Killed() (int, error) {
	file := "memory.oom_control"
	if l.v2 {
		file = "memory.events"
	}
	text, err := os.ReadFile(filepath.Join(l.dir, file))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(line, "oom_kill "); ok {
			return strconv.Atoi(strings.TrimSpace(n))
		}
	}
	return 0, fmt.Errorf("%s says nothing of it", file)
}

// Peak is the most memory that its processes had, in bytes, caches of files
// included; 0 where the kernel does not tell.
func (l *Limit) Peak() uint64 {
	file := "memory.max_usage_in_bytes"
	if l.v2 {
		file = "memory.peak"
	}
	text, err := os.ReadFile(filepath.Join(l.dir, file))
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64) // it is a number
	return n
}

// Remove removes it. Its processes must have ended; the kernel lets go of them a
// moment later.
func (l *Limit) Remove() (err error) {
	for range 100 {
		if err = os.Remove(l.dir); err == nil || errors.Is(err, os.ErrNotExist) {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("remove a control group: %w", err)
}
