//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// namespaces are those that make up a node. The cgroup namespace is entered by
// the node's first process itself, after it has moved to a cgroup of its own.
const namespaces = syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC

// Check says in one sentence what this machine lacks to carry a node, nil when
// it lacks nothing.
func Check() error {
	if os.Geteuid() != 0 {
		return errors.New("needs root, to make namespaces and run containerd")
	}
	cmd := exec.Command("/bin/true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: namespaces}
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("needs a kernel or container that lets root make namespaces: %w", err)
	}
	if hs, err := hierarchies(); err != nil || len(hs) == 0 {
		return errors.New("needs writable cgroups mounted at /sys/fs/cgroup")
	}
	return nil
}
