//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// root is the directory, in the cache, of the disk every run begins with, and
// of what boots it.
type root string

func (r root) disk() string    { return filepath.Join(string(r), "root.img") }
func (r root) kernel() string  { return filepath.Join(string(r), "vmlinuz") }
func (r root) modules() string { return filepath.Join(string(r), "modules") }

// packages are what the lab, its containers' tools and kubelet call.
var packages = []string{
	"linux-image-cloud-" + runtime.GOARCH, "kmod", "bash", "dash", "coreutils", "mount", "util-linux",
	"iproute2", "iptables", "nftables", "conntrack", "ethtool", "libseccomp2", "busybox-static",
}

// bootModules are those without which the kernel finds no disk, in the order
// in which one needs the other. All others it loads from there.
var bootModules = []string{"virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "virtio_blk"}

// rootDisk makes the disk of Debian packages, or finds it in the cache.
func rootDisk(c *lab.Cache) (root, error) {
	if runtime.GOARCH != "amd64" {
		return "", fmt.Errorf("make a virtual machine: of %s is not known how it boots, only of amd64", runtime.GOARCH)
	}
	for program, pkg := range map[string]string{"qemu-system-x86_64": "qemu-system-x86", "mke2fs": "e2fsprogs"} {
		if err := c.Install(program, pkg); err != nil {
			return "", fmt.Errorf("make a virtual machine: %w", err)
		}
	}
	version, err := lab.PackageVersion(packages[0])
	if err != nil {
		return "", fmt.Errorf("make a virtual machine: %w", err)
	}
	dir, err := c.Entry("vm-1-linux-"+version, func(dir string) error {
		return c.Progress.Do("make a virtual machine with Linux "+version, func() error { return fillRoot(c, root(dir)) })
	})
	return root(dir), err
}

func fillRoot(c *lab.Cache, r root) error {
	tree, err := os.MkdirTemp("", "mayfly-vm-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tree)
	if err := c.Packages(tree, packages...); err != nil {
		return err
	}
	kernels, err := filepath.Glob(filepath.Join(tree, "boot/vmlinuz-*"))
	if err != nil || len(kernels) != 1 {
		return fmt.Errorf("package %s has %d kernels: %v", packages[0], len(kernels), err)
	}
	release := strings.TrimPrefix(filepath.Base(kernels[0]), "vmlinuz-")
	if err := os.Rename(kernels[0], r.kernel()); err != nil {
		return err
	}
	// The kernel asks modprobe for what it lacks, which needs an index that
	// packages leave to be made when they are installed.
	if err := run(exec.Command("chroot", tree, "/sbin/depmod", release)); err != nil {
		return err
	}
	if err := os.Mkdir(r.modules(), 0o755); err != nil {
		return err
	}
	for _, m := range bootModules {
		if err := findModule(filepath.Join(tree, "lib/modules", release), m, r.modules()); err != nil {
			return err
		}
	}
	for _, d := range []string{"dev", "proc", "sys", "run", "tmp", "root", "mayfly", "var/log", "var/lib"} {
		if err := os.MkdirAll(filepath.Join(tree, d), 0o755); err != nil {
			return err
		}
	}
	for name, text := range map[string]string{
		"passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n", "group": "root:x:0:\nnogroup:x:65534:\n",
		"hosts": "127.0.0.1 localhost\n::1 localhost\n", "resolv.conf": "", "hostname": "vm\n",
	} {
		if err := os.WriteFile(filepath.Join(tree, "etc", name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return makeDisk(r.disk(), tree, 8<<30)
}

// findModule copies a kernel module; one that is built in has no file.
func findModule(from, name, to string) error {
	return filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.Name() != name+".ko" {
			return err
		}
		return lab.CopyFile(path, filepath.Join(to, d.Name()))
	})
}

// makeDisk makes a disk of size bytes, which takes no more than what is on it,
// with the files in dir.
func makeDisk(path, dir string, size int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate(size), f.Close()); err != nil {
		return err
	}
	// Nothing is kept that a journal could save.
	return run(exec.Command("mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-d", dir, path))
}

// writeInitrd writes what the kernel has for its first files: the machine's
// first process and the modules it loads to reach the disk.
func (r root) writeInitrd(ctx context.Context, path string) error {
	program := path + ".init"
	if err := goCommand(ctx, "build", "-o", program, "github.com/mayfly-run/mayfly/integration/vm/guest"); err != nil {
		return err
	}
	files := []archived{{name: "init", from: program}}
	for _, m := range bootModules {
		if from := filepath.Join(r.modules(), m+".ko"); exists(from) {
			files = append(files, archived{name: fmt.Sprintf("%02d-%s.ko", len(files), m), from: from})
		}
	}
	return writeArchive(path, files)
}
