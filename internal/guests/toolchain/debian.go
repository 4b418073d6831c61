package toolchain

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Need is something that is asked of the machine: how to see that it is
// there, and the Debian packages that bring it.
type Need struct {
	What     string
	There    func() bool
	Packages []string
}

var (
	// NodeJS runs componentize-js and jco.
	NodeJS = Need{"Node.js 18 or later with npm", func() bool {
		return works("node", "-e", "process.exit(Number(process.versions.node.split('.')[0]) < 18 ? 1 : 0)") && works("npm", "--version")
	}, []string{"nodejs", "npm"}}
	// Python runs componentize-py.
	Python = Need{"Python 3.10 or later with venv", func() bool {
		return works("python3", "-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))")
	}, []string{"python3", "python3-venv"}}
	// CC links what a build of Rust runs on this machine.
	CC = Need{"a C compiler", func() bool { return works("cc", "--version") && exists("/usr/include/stdlib.h") }, []string{"gcc", "libc6-dev"}}
	// Clang compiles C to WebAssembly.
	Clang = Need{"clang with wasi-libc", func() bool {
		return works("clang", "--version") && works("wasm-ld", "--version") && exists("/usr/lib/wasm32-wasi/libc.a")
	}, []string{"clang", "lld", "wasi-libc", "libclang-rt-14-dev-wasm32"}}
)

func works(program string, args ...string) bool {
	return exec.Command(program, args...).Run() == nil
}

// Provide sees to it that the machine has what is needed, with apt-get where
// that is missing and this process is root; else it says what to install.
func Provide(needs ...Need) error {
	for _, n := range needs {
		if n.There() {
			continue
		}
		install := "apt-get install " + strings.Join(n.Packages, " ")
		if _, err := exec.LookPath("apt-get"); err != nil {
			return fmt.Errorf("%s is missing: install it; on Debian: %s", n.What, install)
		}
		if os.Geteuid() != 0 {
			return fmt.Errorf("%s is missing and only root can install it: %s", n.What, install)
		}
		if err := aptGet(append([]string{"install", "-y", "-q", "--no-install-recommends"}, n.Packages...)...); err != nil {
			return fmt.Errorf("install %s: %w", n.What, err)
		}
		if !n.There() {
			return fmt.Errorf("%s is still missing after %s: this release of Debian has an older one", n.What, install)
		}
	}
	return nil
}

// aptGet runs apt-get, and once more after an update when it fails: a fresh
// machine has no package lists, an old one has stale ones.
func aptGet(args ...string) error {
	env := Env{Vars: []string{"DEBIAN_FRONTEND=noninteractive"}}
	// apt's own user cannot write into a directory of ours.
	run := func(args ...string) error {
		return env.Run("", "apt-get", append([]string{"-o", "APT::Sandbox::User=root"}, args...)...)
	}
	if run(args...) == nil {
		return nil
	}
	if err := run("update", "-q"); err != nil {
		return err
	}
	return run(args...)
}

const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"

// unpack fetches packages of a release of Debian, and all they depend on, and
// unpacks them into dir. Nothing is installed, and it takes no root.
func unpack(dir, release string, packages ...string) error {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return errors.New("this is no Debian (there is no apt-get)")
	}
	apt, err := os.MkdirTemp("", "mayfly-apt-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(apt)
	for _, d := range []string{"lists/partial", "archives/partial"} {
		if err := os.MkdirAll(filepath.Join(apt, d), 0o755); err != nil {
			return err
		}
	}
	sources := filepath.Join(apt, "sources.list")
	line := fmt.Sprintf("deb [signed-by=%s] http://deb.debian.org/debian %s main\n", keyring, release)
	if err := os.WriteFile(sources, []byte(line), 0o644); err != nil {
		return err
	}
	status := filepath.Join(apt, "status") // as on a machine where nothing is installed
	if err := os.WriteFile(status, nil, 0o644); err != nil {
		return err
	}
	options := []string{
		"-q", "-y", "--no-install-recommends", "--download-only",
		"-o", "APT::Sandbox::User=root",
		"-o", "Dir::State::status=" + status,
		"-o", "Dir::State::lists=" + filepath.Join(apt, "lists"),
		"-o", "Dir::Etc::sourcelist=" + sources,
		"-o", "Dir::Etc::sourceparts=/dev/null",
		"-o", "Dir::Cache::archives=" + filepath.Join(apt, "archives"),
		"-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
	}
	if err := (Env{}).Run("", "apt-get", append(options, "update")...); err != nil {
		return err
	}
	if err := (Env{}).Run("", "apt-get", append(append(options, "install"), packages...)...); err != nil {
		return err
	}
	debs, err := filepath.Glob(filepath.Join(apt, "archives", "*.deb"))
	if err != nil {
		return err
	}
	for _, deb := range debs {
		if err := (Env{}).Run("", "dpkg-deb", "-x", deb, dir); err != nil {
			return err
		}
	}
	return nil
}
