package main

import (
	"log/slog"
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"

	"github.com/mayfly-run/mayfly/wasihttp"
)

// cgroupLimits are the files that have the container's limit of memory: of cgroup v1, where containerd mounts each controller by itself, and of v2.
var cgroupLimits = []string{"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max"}

const (
	// unlimited is from where on a limit is none: cgroup v1 says so with the largest number of whole pages.
	unlimited = 1 << 60
	// collectorPart is how much of the limit Go's heap may have, in percent, before its collector does whatever it takes.
	//
	// The collector counts what Go allocates, which linear memories are not; those have a budget of their own, and neither is at its limit
	// while the other is, but by bad luck.
	collectorPart = 80
)

// memory follows the container's limit of memory, which kubelet may change while the container runs.
type memory struct {
	file *os.File // nil: no container, or one that does not see its cgroup
	told uint64   // what the limit was when the container was made; 0: none

	mu    sync.Mutex // guards what follows
	limit uint64
	app   *wasihttp.App // nil: not loaded yet
	log   *slog.Logger
}

// openMemory finds the limit; told is what counts where the container does not see it.
func openMemory(told uint64) *memory {
	m := &memory{told: told}
	for _, path := range cgroupLimits {
		if f, err := os.Open(path); err == nil {
			m.file = f
			break
		}
	}
	if m.limit = m.read(); m.limit > 0 {
		m.limitCollector()
	}
	return m
}

// close may be called while look is.
func (m *memory) close() {
	if m.file != nil {
		_ = m.file.Close()
	}
}

// read returns the limit as it is now.
func (m *memory) read() uint64 {
	var text [32]byte
	if m.file == nil {
		return m.told
	}
	n, _ := m.file.ReadAt(text[:], 0) // it ends before the buffer does, which is an error of ReadAt
	if limit := parseLimit(string(text[:n])); limit > 0 {
		return limit
	}
	return m.told
}

// parseLimit reads a number of bytes; 0 is none, or nothing that could be one.
func parseLimit(text string) uint64 {
	limit, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
	if err != nil || limit >= unlimited {
		return 0
	}
	return limit
}

// follow makes the app keep to the limit from now on.
func (m *memory) follow(app *wasihttp.App, log *slog.Logger) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.app, m.log = app, log
}

// look looks whether the limit has changed. It is called once a second, when the engine is awake anyway.
func (m *memory) look() {
	if m.file == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.app == nil {
		return // its code is being compiled or linked, with the limit of then
	}
	limit := m.read()
	if limit == m.limit {
		return
	}
	before := m.limit
	m.limit = limit
	m.limitCollector()
	m.log.Info("the container's memory limit has changed", "from", before, "to", limit, "instances", m.app.SetMemoryLimit(limit))
}

// limitCollector makes the collector work harder before the kernel kills.
func (m *memory) limitCollector() {
	if m.limit == 0 {
		debug.SetMemoryLimit(math.MaxInt64)
		return
	}
	debug.SetMemoryLimit(int64(min(m.limit/100*collectorPart, 1<<50)))
}
