//go:build linux

package lab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Install is a containerd with its tools: directories to be searched for
// containerd, ctr, containerd-shim-runc-v2 and runc, and one with CNI plugins.
type Install struct {
	Version string // of containerd, without a leading v
	Path    []string
	CNI     string
}

// Lookup finds one of the programs.
func (i *Install) Lookup(name string) string {
	for _, d := range i.Path {
		if p := filepath.Join(d, name); exists(p) {
			return p
		}
	}
	return name
}

// Containerd builds, or finds in the cache, one of the versions that are
// tested, with the one runc that all of them are tested with.
func (c *Cache) Containerd(version string) (*Install, error) {
	var dir string
	var err error
	switch version {
	case Containerd24:
		dir, err = c.Entry("containerd-"+version, func(dir string) error {
			const m = "github.com/containerd/containerd/v2/"
			return c.goInstall(dir, version, "-X "+m+"version.Version=v"+version, false, "",
				m+"cmd/containerd", m+"cmd/ctr", m+"cmd/containerd-shim-runc-v2")
		})
	case Containerd17:
		dir, err = c.Entry("containerd-"+version, func(dir string) error {
			const m = "github.com/containerd/containerd/"
			return c.goBuild(dir, "containerd-"+version, version, "-X "+m+"version.Version=v"+version,
				"no_btrfs no_devmapper no_zfs no_aufs",
				m+"cmd/containerd", m+"cmd/ctr", m+"cmd/containerd-shim-runc-v2")
		})
	default:
		dir, err = c.debianContainerd(version)
	}
	if err != nil {
		return nil, err
	}
	runc, err := c.Runc()
	if err != nil {
		return nil, err
	}
	cni, err := c.cni()
	if err != nil {
		return nil, err
	}
	return &Install{Version: version, Path: []string{dir, runc}, CNI: cni}, nil
}

// DebianContainerd is the version of containerd in the Debian release of this
// machine.
func (c *Cache) DebianContainerd() (string, error) {
	if err := debian(); err != nil {
		return "", err
	}
	return candidate("containerd")
}

// AnyContainerd is the containerd that is installed, when it is at least 1.6,
// else Debian's package, unpacked and not installed.
func (c *Cache) AnyContainerd() (*Install, error) {
	cni, err := c.cni()
	if err != nil {
		return nil, err
	}
	if i := installed(); i != nil {
		i.CNI = cni
		return i, nil
	}
	version, err := c.DebianContainerd()
	if err != nil {
		return nil, fmt.Errorf("find a containerd: none is installed: %w", err)
	}
	dir, err := c.debianContainerd(version)
	if err != nil {
		return nil, err
	}
	runc, err := exec.LookPath("runc")
	if err != nil {
		rv, err := candidate("runc")
		if err != nil {
			return nil, err
		}
		runc, err = c.Entry("runc-debian-"+rv, func(dir string) error {
			return c.Progress.Do("download runc "+rv, func() error { return c.unpack(dir, "runc", "usr/sbin/runc") })
		})
		if err != nil {
			return nil, err
		}
		return &Install{Version: version, Path: []string{dir, runc}, CNI: cni}, nil
	}
	return &Install{Version: version, Path: []string{dir, filepath.Dir(runc)}, CNI: cni}, nil
}

var versionOutput = regexp.MustCompile(`v?(\d+)\.(\d+)\.(\d+)`)

// installed is the containerd on this machine's PATH, nil when there is none
// that is complete and new enough.
func installed() *Install {
	i := &Install{}
	for _, name := range []string{"containerd", "ctr", "containerd-shim-runc-v2", "runc"} {
		p, err := exec.LookPath(name)
		if err != nil {
			return nil
		}
		i.Path = append(i.Path, filepath.Dir(p))
	}
	out, err := exec.Command(i.Lookup("containerd"), "--version").Output()
	if err != nil {
		return nil
	}
	m := versionOutput.FindStringSubmatch(string(out))
	if m == nil {
		return nil
	}
	major, _ := strconv.Atoi(m[1])
	minor, _ := strconv.Atoi(m[2])
	if major < 1 || major == 1 && minor < 6 {
		return nil
	}
	i.Version = strings.Join(m[1:], ".")
	return i
}

func (c *Cache) debianContainerd(version string) (string, error) {
	return c.Entry("containerd-"+version, func(dir string) error {
		have, err := c.DebianContainerd()
		if err != nil {
			return err
		}
		if have != version {
			return fmt.Errorf("this Debian has containerd %s, not %s", have, version)
		}
		return c.Progress.Do("download containerd "+version, func() error {
			return c.unpack(dir, "containerd", "usr/bin/containerd", "usr/bin/ctr", "usr/bin/containerd-shim-runc-v2")
		})
	})
}

// unpack takes single files out of a Debian package.
func (c *Cache) unpack(dir, pkg string, files ...string) error {
	tree, err := os.MkdirTemp(dir, "unpack-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tree)
	if err := c.download(tree, false, pkg); err != nil {
		return err
	}
	for _, f := range files {
		if err := os.Rename(filepath.Join(tree, f), filepath.Join(dir, filepath.Base(f))); err != nil {
			return fmt.Errorf("package %s: %w", pkg, err)
		}
	}
	return nil
}

// Runc is the directory of the runc the tests use; it is built with libseccomp,
// because seccomp profiles are among what is tested.
func (c *Cache) Runc() (string, error) {
	return c.Entry("runc-"+runcVersion, func(dir string) error {
		if err := c.install(needGCC, needLibc, needPkgConf, needSeccomp); err != nil {
			return err
		}
		return c.goInstall(dir, runcVersion, "", true, "seccomp", "github.com/opencontainers/runc")
	})
}

func (c *Cache) cni() (string, error) {
	return c.Entry("cni-"+cniVersion+"-portmap", func(dir string) error {
		const m = "github.com/containernetworking/plugins/plugins/"
		return c.goInstall(dir, cniVersion, "", false, "", m+"main/bridge", m+"main/ptp", m+"main/loopback", m+"ipam/host-local", m+"meta/portmap")
	})
}

// Versions are those of containerd that are tested. The oldest that is
// supported, 1.6, is Debian 12's package: where there is none, err says so.
func (c *Cache) Versions() (versions []string, missing error) {
	versions = []string{Containerd24, Containerd17}
	v, err := c.DebianContainerd()
	if err == nil && !strings.HasPrefix(v, "1.6.") {
		err = fmt.Errorf("the package of this Debian is containerd %s", v)
	}
	if err != nil {
		return versions, fmt.Errorf("containerd 1.6: %w", err)
	}
	return append(versions, v), nil
}
