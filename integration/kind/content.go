//go:build linux

package kind

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/mayfly-run/mayfly/integration/lab"
	"github.com/mayfly-run/mayfly/internal/ociimage"
)

// images fills the node's containerd with the images of the control plane, as
// kubeadm names them. A containerd of the lab's does it, so that a node finds
// them there when it starts.
func (p imageParts) images(ctx context.Context, cache *lab.Cache, root string) (err error) {
	if err := p.baseSpec(ctx, root); err != nil {
		return err
	}
	names, err := p.names(ctx, root)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(filepath.Dir(root), "images-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	n, err := lab.Up(cache)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.Down()) }()
	containerd, err := n.StartContainerd(ctx, p.containerd, p.kind) // it runs nothing, and no mayfly
	if err != nil {
		return err
	}
	if err := containerd.Import(ctx, p.pause); err != nil {
		return err
	}
	for _, name := range names {
		if program(name) == "pause" {
			if _, err := containerd.Ctr(ctx, "-n", "k8s.io", "images", "tag", lab.PauseImage, name); err != nil {
				return err
			}
			continue
		}
		archive, err := p.pack(dir, name)
		if err != nil {
			return fmt.Errorf("make the image %s: %w", name, err)
		}
		if err := containerd.Import(ctx, archive); err != nil {
			return err
		}
		if err := os.Remove(archive); err != nil {
			return err
		}
	}
	containerd.Kill()
	data := n.Root() + n.Path("data/containerd")
	if err := os.MkdirAll(filepath.Join(root, "var/lib"), 0o755); err != nil {
		return err
	}
	_, err = output(exec.CommandContext(ctx, "cp", "-a", data, filepath.Join(root, "var/lib/containerd")), (*exec.Cmd).Run)
	return err
}

// names are those of the images: what kubeadm asks for, and what the node's
// containerd keeps a pod's namespaces with.
func (p imageParts) names(ctx context.Context, root string) ([]string, error) {
	list, err := output(exec.CommandContext(ctx, p.kubernetes.Program("kubeadm"), "config", "images", "list", "--kubernetes-version", "v"+p.kubernetes.Version), (*exec.Cmd).Run)
	if err != nil {
		return nil, err
	}
	names := strings.Fields(list)
	config, err := os.ReadFile(filepath.Join(root, "etc/containerd/config.toml"))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(config)) {
		if key, value, ok := strings.Cut(line, "="); ok && strings.TrimSpace(key) == "sandbox_image" {
			names = append(names, strings.Trim(strings.TrimSpace(value), `"`))
		}
	}
	return names, nil
}

// program is what an image is of.
func program(image string) string {
	repository, _, _ := strings.Cut(image, ":")
	return filepath.Base(repository)
}

// pack makes an image of its program, and returns its archive.
func (p imageParts) pack(dir, name string) (string, error) {
	program := program(name)
	archive := filepath.Join(dir, program+".tar")
	root, err := os.MkdirTemp(dir, program+"-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(root)
	from, at := p.kubernetes.Program(program), "/usr/local/bin/"+program
	if program == "coredns" {
		from, at = filepath.Join(p.coredns, program), "/"+program
	}
	if err := copyTo(from, filepath.Join(root, at), 0o755); err != nil {
		return "", err
	}
	if program == "kube-proxy" {
		if err := lab.CopyProgram(p.root, root, "usr/sbin/nft"); err != nil {
			return "", err
		}
	}
	for _, d := range []string{"tmp", "run", "etc"} {
		if err := os.Mkdir(filepath.Join(root, d), 0o755); err != nil {
			return "", err
		}
	}
	image, err := ociimage.FromDir(root, v1.Config{
		Entrypoint: []string{at}, Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
	}, ociimage.HostPlatform())
	if err != nil {
		return "", err
	}
	return archive, lab.WriteImage(archive, name, image)
}

// baseSpec is of what containerd makes the containers of a node, as its
// configuration says: its own default without limits on processes, which are
// the machine's.
func (p imageParts) baseSpec(ctx context.Context, root string) error {
	text, err := output(exec.CommandContext(ctx, p.containerd.Lookup("ctr"), "oci", "spec"), (*exec.Cmd).Run)
	if err != nil {
		return err
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var spec map[string]any
	if err := d.Decode(&spec); err != nil {
		return fmt.Errorf("read containerd's default specification: %w", err)
	}
	if process, ok := spec["process"].(map[string]any); ok {
		delete(process, "rlimits")
	}
	var out bytes.Buffer
	if err := json.NewEncoder(&out).Encode(spec); err != nil {
		return err
	}
	return put(filepath.Join(root, "etc/containerd/cri-base.json"), out.String(), 0o644)
}
