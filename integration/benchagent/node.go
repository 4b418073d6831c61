//go:build linux

package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/mayfly-run/mayfly/internal/clusterbench/order"
	"github.com/mayfly-run/mayfly/internal/smaps"
)

// shims begin so, whatever they run.
const shimPrefix = "containerd-shim"

// tellNode prints what the processes of pods and their shims have of the node's memory, and what the node is.
func tellNode(w io.Writer, proc string) error {
	entries, err := os.ReadDir(proc)
	if err != nil {
		return err
	}
	n := order.Node{CPU: entry(filepath.Join(proc, "cpuinfo"), "model name"), Load: firstFields(filepath.Join(proc, "loadavg"), 3)}
	var root, path, program string // of a shim
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		dir := filepath.Join(proc, e.Name())
		p := order.Process{PID: pid, Name: nameOf(dir), Cgroup: cgroupOf(dir)}
		shim := strings.HasPrefix(filepath.Base(p.Name), shimPrefix)
		if p.Cgroup == "" && !shim {
			continue
		}
		u, err := smaps.Read(filepath.Join(dir, "smaps_rollup"))
		if err != nil {
			continue // it has just ended
		}
		p.Parent, _ = strconv.Atoi(entry(filepath.Join(dir, "status"), "PPid"))
		p.Private, p.PSS = u.Private, u.PSS
		n.Processes = append(n.Processes, p)
		if shim && (root == "" || strings.Contains(p.Name, "mayfly")) {
			root, path = filepath.Join(dir, "root"), variable(dir, "PATH")
			program, _ = os.Readlink(filepath.Join(dir, "exe"))
			program = strings.TrimSuffix(program, " (deleted)") // another was installed since
		}
	}
	if root != "" && inRoot(root, path) == nil {
		n.Runc = versionOf("runc", "--version")
		if strings.Contains(program, "mayfly") {
			n.Shim = versionOf(program, "-v")
		}
	}
	return order.Write(w, n)
}

// inRoot makes this process see the files that another sees, and find programs as that does: for good.
func inRoot(root, path string) error {
	if err := syscall.Chroot(root); err != nil {
		return err
	}
	return errors.Join(os.Chdir("/"), os.Setenv("PATH", cmp.Or(path, "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")))
}

func nameOf(dir string) string {
	line, err := os.ReadFile(filepath.Join(dir, "cmdline"))
	if err != nil {
		return ""
	}
	first, _, _ := bytes.Cut(line, []byte{0})
	return string(first)
}

// cgroupOf is the path of the cgroup of a pod's process, "" of all others.
func cgroupOf(dir string) string {
	text, err := os.ReadFile(filepath.Join(dir, "cgroup"))
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		_, path, _ := strings.Cut(line, ":")
		_, path, _ = strings.Cut(path, ":")
		if path = strings.TrimSpace(path); podCgroup(path) {
			return path
		}
	}
	return ""
}

// podCgroup tells whether a path has an element for a pod: podUID, or kubepods-…-podUID.slice.
func podCgroup(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		if _, uid, ok := strings.Cut(part, "pod"); ok && len(uid) >= 36 || strings.Contains(part, "-pod") {
			return true
		}
	}
	return false
}

// entry is the value of the first line "name: value" of a file.
func entry(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func firstFields(file string, n int) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	f := strings.Fields(string(text))
	return strings.Join(f[:min(n, len(f))], ", ")
}

// versionOf runs a program and returns the last word of the line that has its version, "" if it cannot be had.
func versionOf(program, flag string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, flag).Output()
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(out)) {
		if f := strings.Fields(line); strings.HasPrefix(line, "runc version") || strings.Contains(line, "Version:") {
			return f[len(f)-1]
		}
	}
	return ""
}

// variable is a process's.
func variable(dir, name string) string {
	text, err := os.ReadFile(filepath.Join(dir, "environ"))
	if err != nil {
		return ""
	}
	for kv := range strings.SplitSeq(string(text), "\x00") {
		if value, ok := strings.CutPrefix(kv, name+"="); ok {
			return value
		}
	}
	return ""
}
