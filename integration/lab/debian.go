//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
)

// need is one thing the lab asks of the machine: a file, and the Debian
// package that brings it.
type need struct{ file, pkg string }

var (
	needIP      = need{"ip", "iproute2"}
	needGCC     = need{"gcc", "gcc"}
	needPkgConf = need{"pkg-config", "pkg-config"}
	needSeccomp = need{"/usr/include/seccomp.h", "libseccomp-dev"}
	needLibc    = need{"/usr/include/stdlib.h", "libc6-dev"}
	needNFT     = need{"nft", "nftables"}
	needBusybox = need{"/bin/busybox", "busybox-static"}
)

func (n need) there() bool {
	if filepath.IsAbs(n.file) {
		return exists(n.file)
	}
	_, err := exec.LookPath(n.file)
	return err == nil
}

// installing is held while packages are looked for and installed: nodes that
// start at the same time lack the same ones, and apt does one thing at a time.
var installing sync.Mutex

// install sees to it that the machine has what is needed, with apt where it
// has not.
func (c *Cache) install(needs ...need) error {
	installing.Lock()
	defer installing.Unlock()
	var pkgs []string
	for _, n := range needs {
		if !n.there() {
			pkgs = append(pkgs, n.pkg)
		}
	}
	if len(pkgs) == 0 {
		return nil
	}
	if err := debian(); err != nil {
		return fmt.Errorf("%s is missing: %w", strings.Join(pkgs, ", "), err)
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("%s is missing and only root can install it: apt-get install %[1]s", strings.Join(pkgs, " "))
	}
	return c.Progress.Do("install "+strings.Join(pkgs, " "), func() error {
		args := append([]string{"install", "-y", "-q", "--no-install-recommends"}, pkgs...)
		return aptGet("", args...)
	})
}

// download fetches Debian packages, without installing them, and unpacks them
// into dir. With closure everything they depend on comes too, as on a machine
// where nothing is installed.
func (c *Cache) download(dir string, closure bool, pkgs ...string) error {
	if err := debian(); err != nil {
		return err
	}
	debs, err := os.MkdirTemp("", "mayfly-debs-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(debs)
	args := append([]string{"download", "-q"}, pkgs...)
	if closure {
		for _, d := range []string{"archives/partial", "lists"} {
			if err := os.MkdirAll(filepath.Join(debs, d), 0o755); err != nil {
				return err
			}
		}
		none := filepath.Join(debs, "status")
		if err := os.WriteFile(none, nil, 0o644); err != nil {
			return err
		}
		args = append([]string{"install", "-y", "-q", "--no-install-recommends", "--download-only",
			"-o", "Dir::State::status=" + none, "-o", "Dir::Cache::archives=" + filepath.Join(debs, "archives")}, pkgs...)
	}
	if err := aptGet(debs, args...); err != nil {
		return err
	}
	found, err := filepath.Glob(filepath.Join(debs, "*.deb"))
	if err != nil {
		return err
	}
	more, err := filepath.Glob(filepath.Join(debs, "archives", "*.deb"))
	if err != nil {
		return err
	}
	for _, deb := range append(found, more...) {
		if err := output(exec.Command("dpkg-deb", "-x", deb, dir)); err != nil {
			return err
		}
	}
	return nil
}

// aptGet runs apt-get in dir, and once more after an update when it fails: a
// fresh machine has no package lists, an old one has stale ones.
func aptGet(dir string, args ...string) error {
	run := func(args ...string) error {
		// apt's own user cannot write into a directory of ours, and says so
		// on every download unless told to stay who it is. Others of the
		// machine may be installing something.
		cmd := exec.Command("apt-get", append([]string{"-o", "APT::Sandbox::User=root", "-o", "DPkg::Lock::Timeout=300"}, args...)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		return output(cmd)
	}
	if run(args...) == nil {
		return nil
	}
	if err := run("update", "-q"); err != nil {
		return err
	}
	return run(args...)
}

// candidate is the upstream version of the package apt would install.
func candidate(pkg string) (string, error) {
	out, err := exec.Command("apt-cache", "policy", pkg).Output()
	if err == nil && !upstream.Match(out) {
		if err = aptGet("", "update", "-q"); err == nil {
			out, err = exec.Command("apt-cache", "policy", pkg).Output()
		}
	}
	if err != nil {
		return "", fmt.Errorf("ask apt for %s: %w", pkg, err)
	}
	m := upstream.FindSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("apt knows no package %s", pkg)
	}
	return string(m[1]), nil
}

var upstream = regexp.MustCompile(`Candidate: (?:\d+:)?(\d+\.\d+\.\d+)`)

func debian() error {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return errors.New("this is no Debian (there is no apt-get), install it by hand")
	}
	return nil
}
