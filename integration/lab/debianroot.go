//go:build linux

package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// The release nodes of kind are made of. It is not the newest on purpose: its
// systemd, 252, is the last to know version 1 of cgroups in full.
const NodeRelease = "bookworm"

// nodePackages are what kind asks of a node, and what its scripts call.
var nodePackages = []string{
	"systemd", "dbus", "login", "hostname", "bash", "procps", "mount", "util-linux", "kmod",
	"conntrack", "iptables", "nftables", "iproute2", "ethtool", "libseccomp2", "pigz", "ca-certificates", "curl", "jq",
}

var needDebootstrap = need{"debootstrap", "debootstrap"}

// NodeRoot is the root directory of a small Debian with systemd and what kind
// needs in a node. It is not to be changed, but copied.
func (c *Cache) NodeRoot() (string, error) {
	dir, err := c.Entry("debian-"+NodeRelease+"-node-1", func(dir string) error {
		if err := c.install(needDebootstrap); err != nil {
			return err
		}
		return c.Progress.Do("make a root directory of Debian packages ("+NodeRelease+")", func() error {
			root := filepath.Join(dir, "root")
			err := output(exec.Command("debootstrap", "--variant=minbase", "--include="+strings.Join(nodePackages, ","), NodeRelease, root))
			if err != nil {
				return err
			}
			for _, useless := range []string{"var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/info", "usr/share/locale"} {
				if err := os.RemoveAll(filepath.Join(root, useless)); err != nil {
					return err
				}
			}
			return nil
		})
	})
	return filepath.Join(dir, "root"), err
}

// CopyProgram copies a program, with the libraries it is linked to, from one
// root directory to another.
func CopyProgram(from, to, name string) error { return tree{from, to}.program(name) }
