//go:build linux

package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// hierarchy is a mounted cgroup hierarchy: one controller of version 1, or the
// one of version 2.
type hierarchy struct {
	mount string
	v2    bool
	opts  string // what to mount it with again
}

// hierarchies reads them from the mount table.
func hierarchies() ([]hierarchy, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var hs []hierarchy
	for line := range strings.Lines(string(text)) {
		before, after, ok := strings.Cut(strings.TrimSpace(line), " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		if !ok || len(left) < 6 || len(right) < 3 {
			continue
		}
		if kind := right[0]; kind == "cgroup" || kind == "cgroup2" {
			if unix.Access(left[4], unix.W_OK) != nil {
				continue
			}
			var opts []string
			for o := range strings.SplitSeq(right[2], ",") {
				if o != "rw" && o != "ro" && !strings.HasPrefix(o, "release_agent") {
					opts = append(opts, o)
				}
			}
			hs = append(hs, hierarchy{mount: left[4], v2: kind == "cgroup2", opts: strings.Join(opts, ",")})
		}
	}
	return hs, nil
}

// makeCgroup makes a cgroup called name at the root of every hierarchy, ready
// to have processes in it.
func makeCgroup(name string) error {
	hs, err := hierarchies()
	if err != nil {
		return err
	}
	for _, h := range hs {
		if h.v2 {
			enable(h.mount)
		}
		dir := filepath.Join(h.mount, name)
		if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("make a cgroup: %w", err)
		}
		// A new cpuset of version 1 is empty, and takes no process so.
		for _, f := range []string{"cpuset.cpus", "cpuset.mems"} {
			if up, err := os.ReadFile(filepath.Join(h.mount, f)); err == nil && !h.v2 {
				if err := os.WriteFile(filepath.Join(dir, f), up, 0o644); err != nil {
					return fmt.Errorf("make a cgroup: %w", err)
				}
			}
		}
	}
	return nil
}

// enable turns every controller of a version 2 cgroup on for its children. A
// controller that cannot be (it has processes of its own) is done without:
// runc says which limit it could not set.
func enable(dir string) {
	text, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return
	}
	for c := range strings.FieldsSeq(string(text)) {
		_ = os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte("+"+c), 0o644)
	}
}

// joinCgroup moves process pid, 0 is the caller, into cgroup name everywhere.
func joinCgroup(name string, pid int) error {
	hs, err := hierarchies()
	if err != nil {
		return err
	}
	for _, h := range hs {
		dir := filepath.Join(h.mount, name)
		if h.v2 && exists(filepath.Join(dir, leaf)) {
			dir = filepath.Join(dir, leaf)
		}
		if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), fmt.Append(nil, pid), 0o644); err != nil {
			return fmt.Errorf("join a cgroup: %w", err)
		}
	}
	return nil
}

// leaf is where the node's own processes are in version 2, in which a cgroup
// with controlled children has no processes itself.
const leaf = "node"

// remountCgroups shows the caller's cgroup namespace, and nothing else, at the
// places where the machine has its hierarchies mounted.
func remountCgroups() error {
	hs, err := hierarchies()
	if err != nil {
		return err
	}
	slices.Reverse(hs)
	for _, h := range hs {
		if err := unix.Unmount(h.mount, unix.MNT_DETACH); err != nil {
			return fmt.Errorf("unmount %s: %w", h.mount, err)
		}
	}
	slices.Reverse(hs)
	for _, h := range hs {
		kind, opts := "cgroup", h.opts
		if h.v2 {
			kind, opts = "cgroup2", ""
		}
		if err := unix.Mount(kind, h.mount, kind, unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, opts); err != nil {
			return fmt.Errorf("mount %s with %q: %w", h.mount, opts, err)
		}
		if !h.v2 {
			continue
		}
		if err := os.Mkdir(filepath.Join(h.mount, leaf), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		if err := os.WriteFile(filepath.Join(h.mount, leaf, "cgroup.procs"), []byte("0"), 0o644); err != nil {
			return err
		}
		enable(h.mount)
	}
	return nil
}

// removeCgroup removes cgroup name everywhere, with what is below it. The
// kernel lets go of a killed process's cgroup a moment after the process.
func removeCgroup(name string) error {
	hs, err := hierarchies()
	if err != nil {
		return err
	}
	var last error
	for end := time.Now().Add(Patience(2 * time.Second)); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		last = nil
		for _, h := range hs {
			for _, dir := range slices.Backward(dirs(filepath.Join(h.mount, name))) {
				if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
					last = err
				}
			}
		}
		if last == nil {
			return nil
		}
	}
	return fmt.Errorf("remove the node's cgroups: %w", last)
}

// dirs lists root and every directory below it, parents first.
func dirs(root string) []string {
	var list []string
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			list = append(list, path)
		}
		return nil // a cgroup may go away while one looks
	})
	return list
}

// removePodCgroup removes the cgroup a pod's containers were in, as kubelet
// does: when they are gone, which may be a moment after containerd says so.
func (n *Node) removePodCgroup(parent string) error {
	hs, err := hierarchies()
	if err != nil {
		return err
	}
	var last error
	for end := time.Now().Add(Patience(5 * time.Second)); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		last = nil
		for _, h := range hs {
			if err := os.Remove(filepath.Join(h.mount, n.cgroup, parent)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				last = err
			}
		}
		if last == nil {
			return nil
		}
	}
	return fmt.Errorf("remove the pod's cgroup: %w", last)
}
