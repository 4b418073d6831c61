//go:build linux

package kind

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// recipe counts the ways in which node images were made here: one that was
// made in another is not used.
const recipe = 3

// imageParts is what a node image is made of.
type imageParts struct {
	root       string // a Debian
	kind       string // directories
	coredns    string
	kubernetes *lab.Kubernetes
	containerd *lab.Install
	pause      string // archive of an image
}

// collect builds the parts, or finds them in the cache.
func collect(cache *lab.Cache) (p imageParts, err error) {
	step := func(f func() error) {
		if err == nil {
			err = f()
		}
	}
	step(func() error { p.kubernetes, err = cache.Kubernetes(); return err })
	step(func() error { p.containerd, err = cache.Containerd(lab.Containerd24); return err })
	step(func() error { p.kind, err = cache.Kind(); return err })
	step(func() error { p.coredns, err = cache.CoreDNS(); return err })
	step(func() error { p.pause, err = cache.Pause(); return err })
	step(func() error { p.root, err = cache.NodeRoot(); return err })
	return p, err
}

// nodeImage is the name of the node image that is made here.
const nodeImage = "mayfly/node:v" + lab.KubernetesVersion

// image makes the node image, or finds it in the cache: a directory with what
// dockerd keeps of it. See sandbox.seed.
func (p imageParts) image(ctx context.Context, cache *lab.Cache) (string, error) {
	versions := fmt.Sprintf("kubernetes-%s-kind-%s-containerd-%s-coredns-%s-%s-%d",
		p.kubernetes.Version, lab.KindVersion, p.containerd.Version, lab.CoreDNSVersion, lab.NodeRelease, recipe)
	return cache.Entry("kind-node-"+versions, func(dir string) error {
		return cache.Progress.Do("make kind's node image", func() error {
			root := filepath.Join(dir, "root")
			defer os.RemoveAll(root)
			if err := p.fill(ctx, cache, root); err != nil {
				return err
			}
			return importRoot(ctx, cache, root, dir)
		})
	})
}

// importRoot makes an image of a root directory, and copies what a dockerd
// keeps of it.
func importRoot(ctx context.Context, cache *lab.Cache, root, to string) (err error) {
	s, err := startSandbox(ctx, cache, "")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.down()) }()
	tar := exec.CommandContext(ctx, "tar", "-C", root, "--numeric-owner", "-cf", "-", ".")
	files, err := tar.StdoutPipe()
	if err != nil {
		return err
	}
	if err := tar.Start(); err != nil {
		return err
	}
	_, err = s.docker.run(ctx, files, "import",
		"-c", "ENV container=docker", // systemd asks for it
		"-c", `ENTRYPOINT ["/usr/local/bin/entrypoint", "/sbin/init"]`,
		"-", nodeImage)
	if err := errors.Join(err, tar.Wait()); err != nil {
		return fmt.Errorf("make an image of %s: %w", root, err)
	}
	s.dockerd.Kill()
	return s.save(ctx, to)
}

// fill makes the root directory of a node.
func (p imageParts) fill(ctx context.Context, cache *lab.Cache, root string) error {
	if _, err := output(exec.CommandContext(ctx, "cp", "-a", p.root, root), (*exec.Cmd).Run); err != nil {
		return err
	}
	for _, step := range []func(root string) error{p.files, p.programs, units, p.settings} {
		if err := step(root); err != nil {
			return err
		}
	}
	return p.images(ctx, cache, root)
}

// programs are those of a node: Kubernetes', containerd's, runc's and those of
// the network.
func (p imageParts) programs(root string) error {
	copies := map[string]string{p.containerd.Lookup("runc"): "usr/local/sbin/runc"}
	for _, name := range []string{"containerd", "containerd-shim-runc-v2", "ctr"} {
		copies[p.containerd.Lookup(name)] = "usr/local/bin/" + name
	}
	for _, name := range []string{"kubelet", "kubeadm", "kubectl"} {
		copies[p.kubernetes.Program(name)] = "usr/bin/" + name
	}
	for _, name := range []string{"ptp", "host-local", "loopback", "portmap"} {
		copies[filepath.Join(p.containerd.CNI, name)] = "opt/cni/bin/" + name
	}
	for from, to := range copies {
		if err := copyTo(from, filepath.Join(root, to), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// files are kind's own. Whether they may be run is not told by a module of Go.
func (p imageParts) files(root string) error {
	base := filepath.Join(p.kind, "base")
	return filepath.WalkDir(base, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := strings.TrimPrefix(path, base)
		mode := os.FileMode(0o644)
		if dir := filepath.Dir(name); dir == "/kind/bin" || dir == "/usr/local/bin" {
			mode = 0o755
		}
		return copyTo(path, filepath.Join(root, name), mode)
	})
}

// copyTo copies a file to where there may be none of its directories.
func copyTo(from, to string, mode os.FileMode) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return put(to, string(text), mode)
}

func put(file, text string, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return errors.Join(os.WriteFile(file, []byte(text), mode), os.Chmod(file, mode))
}
