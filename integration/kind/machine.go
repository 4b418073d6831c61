//go:build linux

package kind

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/mayfly-run/mayfly/integration/lab"
)

// publicImages are node images to be taken where one is to be had: of the
// Kubernetes that is tested everywhere else, else what this kind is made for.
// MAYFLY_KIND_IMAGE names another.
func publicImages() []string {
	if image := os.Getenv("MAYFLY_KIND_IMAGE"); image != "" {
		return []string{image}
	}
	return []string{"kindest/node:v" + lab.KubernetesVersion, "kindest/node:v1.37.0"}
}

// machineDocker is the docker of this machine, an error where none runs.
func machineDocker(ctx context.Context) (Docker, error) {
	program, err := exec.LookPath("docker")
	if err != nil {
		return Docker{}, fmt.Errorf("find docker: %w", err)
	}
	d := Docker{Program: program}
	_, err = d.run(ctx, nil, "version")
	return d, err
}

// has tells whether a docker has an image, or can pull it.
func (d Docker) has(ctx context.Context, cache *lab.Cache, image string) bool {
	if _, err := d.run(ctx, nil, "image", "inspect", image); err == nil {
		return true
	}
	err := cache.Progress.Do("docker pull "+image, func() error {
		_, err := d.run(ctx, nil, "pull", image)
		return err
	})
	return err == nil
}

// kubectl is this machine's, or else one that is built.
func kubectl(cache *lab.Cache) (string, error) {
	if there, err := exec.LookPath("kubectl"); err == nil {
		return there, nil
	}
	k, err := cache.Kubernetes()
	if err != nil {
		return "", err
	}
	return k.Program("kubectl"), nil
}

// Prepare builds, or downloads, what Up needs. It returns the public image that
// this machine's docker has, or nothing where there is none and Up has to go
// without.
func Prepare(ctx context.Context, cache *lab.Cache) (image string, err error) {
	if _, err := cache.Kind(); err != nil {
		return "", err
	}
	if _, err := cache.Images(); err != nil {
		return "", err
	}
	if d, err := machineDocker(ctx); err == nil {
		for _, image := range publicImages() {
			if d.has(ctx, cache, image) {
				_, err := kubectl(cache)
				return image, err
			}
		}
	}
	if lacking := lab.Check(); lacking != nil {
		return "", fmt.Errorf("no docker runs here that has kindest/node, and to do without, this %w", lacking)
	}
	parts, err := collect(cache)
	if err != nil {
		return "", err
	}
	if _, err := parts.image(ctx, cache); err != nil {
		return "", err
	}
	_, err = cache.Docker()
	return "", err
}

// Find is the cluster in this machine's docker, nil when there is none. It
// writes the file by which the cluster is reached.
func Find(ctx context.Context, cache *lab.Cache, kubeconfig string) (*Cluster, error) {
	d, err := machineDocker(ctx)
	if err != nil {
		return nil, nil
	}
	files, err := cache.Kind()
	if err != nil {
		return nil, err
	}
	c := &Cluster{Docker: d, Kind: filepath.Join(files, "kind"), Kubeconfig: kubeconfig}
	names, err := c.kind(ctx, nil, "get", "clusters")
	if err != nil || !slices.Contains(strings.Fields(names), Name) {
		return nil, err
	}
	if _, err := c.kind(ctx, nil, "export", "kubeconfig", "--name", Name, "--kubeconfig", kubeconfig); err != nil {
		return nil, err
	}
	c.Kubectl, err = kubectl(cache)
	return c, err
}
