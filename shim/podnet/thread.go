//go:build linux

package podnet

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// onOwnThread runs f on a thread that is ended afterwards, so that f may change what belongs to a thread.
func onOwnThread(f func() error) error {
	done := make(chan error)
	go func() {
		// Never unlocked: the thread ends with the goroutine. Except for the process's first, which Go keeps as it is for ever,
		// and which the whole process is seen by; so f is not to run there.
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			done <- f()
			return
		}
		err := onOwnThread(f) // while this one is taken
		runtime.UnlockOSThread()
		done <- err
	}()
	return <-done
}

// enterNetwork moves the thread into a process's network namespace.
func enterNetwork(process *os.File) error {
	ns, err := unix.Openat(int(process.Fd()), "ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open the pod's network namespace: %w", err)
	}
	defer unix.Close(ns)
	if err := unix.Setns(ns, unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter the pod's network namespace: %w", err)
	}
	return nil
}

// ofTheNode reports whether a process is in the network of the node: in the shim's.
func ofTheNode(process *os.File) bool {
	var its, ours unix.Stat_t
	return unix.Fstatat(int(process.Fd()), "ns/net", &its, 0) == nil && unix.Stat("/proc/self/ns/net", &ours) == nil &&
		its.Dev == ours.Dev && its.Ino == ours.Ino
}

// become makes the thread act on files as u. Being another than root takes from it the right to override permissions, too.
func (u User) become() error {
	// The calls of package syscall would change every thread of the process.
	groups := make([]uint32, 0, len(u.Groups))
	for _, g := range u.Groups {
		groups = append(groups, uint32(g))
	}
	if err := setgroups(groups); err != nil {
		return fmt.Errorf("take the container's groups: %w", err)
	}
	for _, set := range []struct {
		call uintptr
		id   int
	}{{unix.SYS_SETFSGID, u.GID}, {unix.SYS_SETFSUID, u.UID}} {
		// They report no errors but return the id before; a second call tells whether the first one worked.
		_, _, _ = unix.RawSyscall(set.call, uintptr(set.id), 0, 0)
		if is, _, _ := unix.RawSyscall(set.call, ^uintptr(0), 0, 0); int(is) != set.id {
			return fmt.Errorf("become the container's user %d:%d: %w", u.UID, u.GID, unix.EPERM)
		}
	}
	return nil
}
