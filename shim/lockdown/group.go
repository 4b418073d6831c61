//go:build linux

package lockdown

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/containerd/cgroups/v3"
	"github.com/containerd/cgroups/v3/cgroup1"
	"github.com/containerd/cgroups/v3/cgroup2"
	"github.com/containerd/log"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

const (
	cgroupMount = "/sys/fs/cgroup"
	// groupPrefix is in front of the numbers of a shim and of one of its jobs. The cgroups are beside those of pods, so that what a job
	// uses is no pod's.
	groupPrefix = "mayfly-compile-"
)

// groups counts those of this process.
var groups atomic.Int64

// group is the cgroup of a job. A nil one is none.
type group struct {
	add_   func(pid uint64) error
	delete func() error
}

func newGroup(memory int64) (*group, error) {
	Sweep()
	name := fmt.Sprintf("/%s%d-%d", groupPrefix, os.Getpid(), groups.Add(1))
	processes := int64(maxProcesses)
	if cgroups.Mode() == cgroups.Unified {
		m, err := cgroup2.NewManager(cgroupMount, name, &cgroup2.Resources{
			Memory: &cgroup2.Memory{Max: &memory},
			Pids:   &cgroup2.Pids{Max: processes},
		})
		if err != nil {
			return nil, err
		}
		return &group{m.AddProc, m.Delete}, nil
	}
	c, err := cgroup1.New(cgroup1.StaticPath(name), &specs.LinuxResources{
		Memory: &specs.LinuxMemory{Limit: &memory},
		Pids:   &specs.LinuxPids{Limit: &processes},
	}, cgroup1.WithHierarchy(bounding))
	if err != nil {
		return nil, err
	}
	return &group{func(pid uint64) error { return c.AddProc(pid) }, c.Delete}, nil
}

// bounding are the hierarchies of version 1 that bound a job.
func bounding() ([]cgroup1.Subsystem, error) {
	all, err := cgroup1.Default()
	if err != nil {
		return nil, err
	}
	var some []cgroup1.Subsystem
	for _, s := range all {
		if n := s.Name(); n == cgroup1.Memory || n == cgroup1.Pids {
			some = append(some, s)
		}
	}
	return some, nil
}

func (g *group) add(pid int) error { return g.add_(uint64(pid)) }

// remove removes the cgroup, whose processes have ended.
func (g *group) remove(ctx context.Context) {
	if g == nil {
		return
	}
	if err := g.delete(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		log.G(ctx).WithError(err).Warn("remove the cgroup that was compiled in")
	}
}

// Sweep removes the cgroups of jobs whose shim was killed. Their processes died with it.
func Sweep() {
	for _, pattern := range []string{cgroupMount, cgroupMount + "/*"} {
		left, _ := filepath.Glob(filepath.Join(pattern, groupPrefix+"*-*"))
		for _, dir := range left {
			number, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(dir), groupPrefix), "-")
			pid, err := strconv.Atoi(number)
			if err == nil && errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
				_ = unix.Rmdir(dir)
			}
		}
	}
}
