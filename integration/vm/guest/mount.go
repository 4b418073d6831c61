//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/integration/vm/job"
)

// enterDisk loads the modules that are beside this program, and makes the first
// disk the root.
func enterDisk() error {
	modules, err := filepath.Glob("/*.ko") // in the order of their names
	if err != nil {
		return err
	}
	for _, m := range modules {
		if err := load(m); err != nil {
			return fmt.Errorf("load %s: %w", m, err)
		}
	}
	const root = "/root"
	if err := mount("/dev", "devtmpfs", 0, ""); err != nil {
		return err
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	if err := waitFor("/dev/vda"); err != nil {
		return err
	}
	if err := unix.Mount("/dev/vda", root, "ext4", 0, ""); err != nil {
		return fmt.Errorf("mount the disk: %w", err)
	}
	if err := os.Chdir(root); err != nil {
		return err
	}
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("make the disk the root: %w", err)
	}
	if err := unix.Chroot("."); err != nil {
		return fmt.Errorf("make the disk the root: %w", err)
	}
	return os.Chdir("/")
}

func load(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.FinitModule(int(f.Fd()), "", 0)
}

// waitFor waits for a device, which appears a moment after its driver.
func waitFor(path string) error {
	var err error
	for range 1000 {
		if _, err = os.Stat(path); err == nil {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("wait for the disk: %w", err)
}

// mountAll mounts what a system of today has: one hierarchy of cgroups, that
// of version 2.
func mountAll() error {
	for _, m := range []struct {
		at, kind string
		flags    uintptr
		options  string
	}{
		{"/dev", "devtmpfs", 0, ""},
		{"/dev/pts", "devpts", 0, "ptmxmode=666"},
		{"/dev/shm", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, ""},
		{"/dev/mqueue", "mqueue", 0, ""},
		{"/proc", "proc", 0, ""},
		{"/sys", "sysfs", 0, ""},
		{"/sys/fs/cgroup", "cgroup2", unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, ""},
		{"/sys/fs/bpf", "bpf", 0, ""},
		{"/run", "tmpfs", 0, "mode=755"},
	} {
		if err := mount(m.at, m.kind, m.flags, m.options); err != nil {
			return err
		}
	}
	if err := os.Chmod("/tmp", 0o777|os.ModeSticky); err != nil {
		return err
	}
	if err := unix.Mount("/dev/vdb", job.Mount, "ext4", 0, ""); err != nil {
		return fmt.Errorf("mount the disk with the job: %w", err)
	}
	return nil
}

func mount(at, kind string, flags uintptr, options string) error {
	if err := os.MkdirAll(at, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(kind, at, kind, flags, options); err != nil {
		return fmt.Errorf("mount %s: %w", at, err)
	}
	return nil
}
