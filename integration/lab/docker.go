//go:build linux

package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// triplet is Debian's name for this machine's kind.
var triplet = map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}[runtime.GOARCH]

var (
	needIPTables     = need{"iptables", "iptables"}
	needDeviceMapper = need{filepath.Join("/lib", triplet, "libdevmapper.so.1.02.1"), "libdevmapper1.02.1"}
)

// Docker is a directory with dockerd and what it runs: docker, docker-proxy,
// containerd and its shim; runc is another's. They are Debian's, unpacked and not
// installed, because to install them starts a daemon on this machine.
func (c *Cache) Docker() (string, error) {
	if err := debian(); err != nil {
		return "", fmt.Errorf("get docker: %w", err)
	}
	version, err := candidate("docker.io")
	if err != nil {
		return "", err
	}
	if err := c.install(needIPTables, needDeviceMapper); err != nil {
		return "", fmt.Errorf("get docker: %w", err)
	}
	return c.Entry("docker-debian-"+version, func(dir string) error {
		return c.Progress.Do("download docker "+version, func() error {
			tree, err := os.MkdirTemp(dir, "unpack-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(tree)
			if err := c.download(tree, false, "docker.io", "containerd"); err != nil {
				return err
			}
			if !exists(filepath.Join(tree, "usr/bin/docker")) { // newer releases have a package for it
				if err := c.download(tree, false, "docker-cli"); err != nil {
					return err
				}
			}
			for _, f := range []string{
				"usr/sbin/dockerd", "usr/bin/docker", "usr/bin/docker-proxy", "usr/sbin/docker-proxy",
				"usr/bin/containerd", "usr/bin/containerd-shim-runc-v2",
			} {
				from := filepath.Join(tree, f)
				if filepath.Base(f) == "docker-proxy" && !exists(from) {
					continue // it is in one of two places
				}
				if err := os.Rename(from, filepath.Join(dir, filepath.Base(f))); err != nil {
					return fmt.Errorf("get docker: %w", err)
				}
			}
			return nil
		})
	})
}
