//go:build linux

// Guest is the first process of a virtual machine: it mounts what a system has
// mounted, does the job it finds on a disk, and switches the machine off. Only
// package vm starts it.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/mayfly-run/mayfly/integration/vm/job"
)

func main() {
	err := do()
	if err != nil {
		// The kernel's console: the other one may not be there.
		fmt.Fprintln(os.Stderr, "vm:", err)
	}
	unix.Sync()
	if err := unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF); err != nil {
		fmt.Fprintln(os.Stderr, "vm: switch off:", err)
	}
}

func do() error {
	if err := enterDisk(); err != nil {
		return err
	}
	if err := mountAll(); err != nil {
		return err
	}
	out, err := terminal()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(job.Mount, job.File))
	if err != nil {
		return err
	}
	var j job.Job
	if err := json.Unmarshal(text, &j); err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	code := 0
	if err := run(j, out); err != nil {
		code = 1
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			code = max(code, exit.ExitCode())
		} else {
			fmt.Fprintln(out, "vm:", err)
		}
	}
	fmt.Fprintf(out, "%s%d\n", job.ExitPrefix, code)
	// Off is off: what the device still has then is lost.
	return unix.IoctlSetInt(int(out.Fd()), unix.TCSBRK, 1)
}

// terminal is the second serial port, which passes on what it is given.
func terminal() (*os.File, error) {
	out, err := os.OpenFile("/dev/ttyS1", os.O_WRONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	t, err := unix.IoctlGetTermios(int(out.Fd()), unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("read the terminal's settings: %w", err)
	}
	t.Oflag &^= unix.OPOST
	if err := unix.IoctlSetTermios(int(out.Fd()), unix.TCSETS, t); err != nil {
		return nil, fmt.Errorf("change the terminal's settings: %w", err)
	}
	return out, nil
}

func run(j job.Job, out *os.File) error {
	if err := unix.Sethostname([]byte("vm")); err != nil {
		return err
	}
	os.Setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
	for _, args := range append(setup, j.Args) {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = j.Dir
		cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=/root"}, j.Env...)
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w", args[0], err)
		}
	}
	return nil
}

// setup is what a system does when it boots and nothing here does by itself.
var setup = [][]string{
	{"ip", "link", "set", "lo", "up"},
	{"modprobe", "-a", "br_netfilter", "overlay"},
}
